//! Records that are no cases, by call and key: answers, ratings, reports of the 1022 centre,
//! civil-status registrations, changes of parcels.
//!
//! The same content again changes nothing; other content needs `isUpdating`.

use std::collections::BTreeMap;

use super::{
    check::Updating,
    digest::Digest,
    journal::Entry,
    ledger::Ledger,
    refusal::{FULL, OTHER_CONTENT, PortalError, UNKNOWN_RECORD},
};

/// Most records held.
const MOST_RECORDS: usize = 2_000_000;

/// A call whose records are kept by key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) call: &'static str,
    /// The member that names a record for ever.
    pub(crate) key: &'static str,
    pub(crate) required: &'static [&'static str],
    /// What `isUpdating` speaks of.
    pub(crate) updating: Of,
}

/// What `isUpdating` speaks of: whether "True" may come with a key that is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// The record itself.
    Record,
    /// Something that several records tell of, such as a parcel of which this is another change.
    Thing,
}

/// Answers to questions.
pub(crate) const ANSWERS: Kind = Kind {
    call: "DongBoKetQuaHoiDapGuiTuDVCQG",
    key: "MaHoiDap",
    required: &["MaHoiDap", "NoiDungTraLoi", "NgayTraLoi"],
    updating: Of::Record,
};
/// Answers that are published.
pub(crate) const PUBLISHED: Kind = Kind {
    call: "DongBoHoiDap",
    key: "MaHoiDap",
    required: &["MaHoiDap", "NoiDungCauHoi", "NoiDungTraLoi", "NgayCapNhat"],
    updating: Of::Record,
};
/// Ratings of cases.
pub(crate) const RATINGS: Kind = Kind {
    call: "DongBoDanhGia",
    key: "MaDanhGia",
    required: &["MaDanhGia", "MaHoSo", "MucDo", "NgayDanhGia"],
    updating: Of::Record,
};
/// Civil-status registrations.
pub(crate) const REGISTRATIONS: Kind = Kind {
    call: "dangKyHoTich",
    key: "MaHoSo",
    required: &["MaHoSo", "LoaiDangKy", "SoDangKy", "NgayDangKy", "NoiDangKy", "NguoiDuocDangKy"],
    updating: Of::Record,
};

/// Every such call.
pub(crate) const KINDS: &[Kind] = &[
    ANSWERS,
    PUBLISHED,
    RATINGS,
    REGISTRATIONS,
    Kind {
        call: "ChuyenPhanAnh",
        key: "MaPhanAnh",
        required: &["MaPhanAnh", "MaDonVi", "LinhVuc", "NoiDung", "TrangThai", "NgayTiepNhan"],
        updating: Of::Record,
    },
    Kind {
        call: "CapNhatXuLyPhanAnh",
        key: "MaPhanAnh",
        required: &["MaPhanAnh", "TrangThai", "ThoiDiem"],
        updating: Of::Record,
    },
    Kind {
        call: "CapNhatBienDong",
        key: "MaBienDong",
        required: &["MaBienDong", "LoaiBienDong", "ThoiDiem", "MaThuaDat", "MaXa"],
        updating: Of::Thing,
    },
];

/// The call of this name.
pub(crate) fn kind(call: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.call == call)
}

/// The records held.
#[derive(Debug, Default)]
pub(crate) struct Records {
    by_call: BTreeMap<String, BTreeMap<String, Digest>>,
    count: usize,
}

impl Records {
    pub(crate) fn take(
        &mut self,
        kind: &Kind,
        key: &str,
        digest: Digest,
        updating: Updating,
        ledger: &mut Ledger,
    ) -> Result<(), PortalError> {
        match (self.digest(kind.call, key), updating) {
            (Some(held), _) if held == digest => {
                ledger.repeated();
                return Ok(());
            }
            (Some(_), Updating::No) => return Err(OTHER_CONTENT),
            (None, Updating::Yes) if kind.updating == Of::Record => return Err(UNKNOWN_RECORD),
            (None, _) if self.count >= MOST_RECORDS => return Err(FULL),
            _ => {}
        }
        let (call, name) = (kind.call.to_owned(), key.to_owned());
        ledger.note(Entry::Record { call, key: name, digest: digest.into() });
        self.apply(kind.call, key, digest);
        Ok(())
    }

    /// Takes a record as the journal has it.
    pub(crate) fn apply(&mut self, call: &str, key: &str, digest: Digest) {
        let records = self.by_call.entry(call.to_owned()).or_default();
        if records.insert(key.to_owned(), digest).is_none() {
            self.count += 1;
        }
    }

    pub(crate) fn holds(&self, call: &str, key: &str) -> bool {
        self.digest(call, key).is_some()
    }

    pub(crate) fn count(&self, call: &str) -> usize {
        self.by_call.get(call).map_or(0, BTreeMap::len)
    }

    /// How many records of each call there are.
    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.by_call.iter().map(|(call, held)| (call.clone(), held.len() as u64)).collect()
    }

    fn digest(&self, call: &str, key: &str) -> Option<Digest> {
        self.by_call.get(call).and_then(|records| records.get(key)).copied()
    }
}

#[cfg(test)]
mod tests;
