//! How the members of messages, answers and receipts are called.

use std::collections::BTreeMap;

use lienthong_model::{
    document::{self, Node},
    exchange_mode::ExchangeMode,
};

use super::{super::Reader, Token};

/// How the members of a message and an answer are called. The defaults are our own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The message's id, the same for every attempt.
    pub id: String,
    /// When it was signed.
    pub sent_at: String,
    /// Who sends.
    pub sender: String,
    /// Who is to have it.
    pub receiver: String,
    /// The exchange mode.
    pub mode: String,
    /// The data set.
    pub dataset: String,
    /// The agreement.
    pub agreement: String,
    /// The record; of an answer what a peer answers.
    pub record: String,
    /// The signature of a message, and of an answer's receipt.
    pub signature: String,
    /// The code of an answer.
    pub code: String,
    /// The receipt in an answer.
    pub receipt: String,
    /// The members of a receipt.
    pub of_receipt: ReceiptNames,
    /// The word for each mode.
    pub modes: BTreeMap<ExchangeMode, String>,
}

/// How the members of a receipt are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptNames {
    /// The receipt's own id.
    pub id: String,
    /// The message that it is about.
    pub message: String,
    /// SHA-256 of the record in its canonical form (RFC 8785), in hexadecimal digits.
    pub digest: String,
    /// When it was taken.
    pub at: String,
}

impl Default for Names {
    fn default() -> Self {
        let own = str::to_owned;
        Self {
            id: own("maThongDiep"),
            sent_at: own("thoiDiemGui"),
            sender: own("maDonViGui"),
            receiver: own("maDonViNhan"),
            mode: own("phuongThuc"),
            dataset: own("maBoDuLieu"),
            agreement: own("maThoaThuan"),
            record: own("duLieu"),
            signature: own("chuKy"),
            code: own("maKetQua"),
            receipt: own("bienNhan"),
            of_receipt: ReceiptNames {
                id: own("maBienNhan"),
                message: own("maThongDiep"),
                digest: own("maBam"),
                at: own("thoiDiemNhan"),
            },
            modes: ExchangeMode::ALL.map(|mode| (mode, own(mode.as_str()))).into_iter().collect(),
        }
    }
}

impl<'a> Reader<'a, '_> {
    /// The defaults, with what the configuration says otherwise. No two members of one object may be
    /// called the same.
    pub(super) fn names(
        &mut self,
        names: Option<&'a Node>,
        receipt: Option<&'a Node>,
        modes: Option<&'a Node>,
    ) -> Option<Names> {
        let mut all = Names::default();
        if let Some(node) = names {
            let places = [
                ("id", &mut all.id),
                ("sent_at", &mut all.sent_at),
                ("sender", &mut all.sender),
                ("receiver", &mut all.receiver),
                ("mode", &mut all.mode),
                ("dataset", &mut all.dataset),
                ("agreement", &mut all.agreement),
                ("record", &mut all.record),
                ("signature", &mut all.signature),
                ("code", &mut all.code),
                ("receipt", &mut all.receipt),
            ];
            self.named_otherwise(node, "`names`", places)?;
        }
        if let Some(node) = receipt {
            let of = &mut all.of_receipt;
            let places = [
                ("id", &mut of.id),
                ("message", &mut of.message),
                ("digest", &mut of.digest),
                ("at", &mut of.at),
            ];
            self.named_otherwise(node, "`receipt_names`", places)?;
        }
        if let Some(node) = modes {
            self.modes(node, &mut all.modes);
        }
        self.different(names.or(receipt).or(modes), &all);
        Some(all)
    }

    fn named_otherwise<const N: usize>(
        &mut self,
        node: &'a Node,
        what: &str,
        places: [(&'static str, &mut String); N],
    ) -> Option<()> {
        let known: Vec<&str> = places.iter().map(|(key, _)| *key).collect();
        let mut map = self.map(node, what, &known)?;
        for (key, place) in places {
            if let Some(name) = map.parse_optional::<Token>(key) {
                *place = name.0;
            }
        }
        Some(())
    }

    fn modes(&mut self, node: &'a Node, modes: &mut BTreeMap<ExchangeMode, String>) {
        for (key, value) in document::entries(self.file, node, "`modes`", self.found) {
            let mode = ExchangeMode::ALL.into_iter().find(|mode| mode.as_str() == key.text);
            let word = document::parse_text::<Token>(self.file, value, self.found);
            match (mode, word) {
                (Some(mode), Some(word)) => drop(modes.insert(mode, word.0)),
                (None, _) => self.mistake(key.at, format!("there is no mode `{}`", key.text)),
                (_, None) => {}
            }
        }
    }

    fn different(&mut self, node: Option<&Node>, all: &Names) {
        let Some(node) = node else { return };
        let message = [
            &all.id,
            &all.sent_at,
            &all.sender,
            &all.receiver,
            &all.mode,
            &all.dataset,
            &all.agreement,
            &all.record,
            &all.signature,
        ];
        let answer = [&all.code, &all.receipt, &all.record, &all.signature];
        let of = &all.of_receipt;
        let receipt = [&of.id, &of.message, &of.digest, &of.at];
        for members in [&message[..], &answer, &receipt] {
            self.once(node, "member", members.iter().map(|name| name.as_str()));
        }
        self.once(node, "word", all.modes.values().map(String::as_str));
    }
}
