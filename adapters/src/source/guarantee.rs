//! What a source promises, in words.

use std::time::Duration;

use lienthong_model::text::Language;

/// What a source promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Guarantee {
    /// Which inserted rows are read.
    pub(crate) reach: Reach,
    /// What is not seen.
    pub(crate) unseen: &'static [Unseen],
}

/// Which inserted rows are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Every one that was committed, however late.
    Complete,
    /// Every one whose position was given so long before its commit at most.
    CompleteWithin(Duration),
}

/// What a source does not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unseen {
    /// That a row was changed after it was read.
    Changes,
    /// That a row was deleted.
    Deletes,
}

impl Guarantee {
    /// What rows that are only ever added to give: neither changes nor deletions are seen.
    pub(super) fn of_inserts(reach: Reach) -> Self {
        Self { reach, unseen: &[Unseen::Changes, Unseen::Deletes] }
    }

    /// In words.
    pub(crate) fn words(&self, language: Language) -> String {
        let english = language == Language::English;
        let mut words = match (self.reach, english) {
            (Reach::Complete, true) => "complete".to_owned(),
            (Reach::Complete, false) => "đầy đủ".to_owned(),
            (Reach::CompleteWithin(time), true) => {
                format!("complete within {} minutes", time.as_secs() / 60)
            }
            (Reach::CompleteWithin(time), false) => {
                format!("đầy đủ trong vòng {} phút", time.as_secs() / 60)
            }
        };
        for unseen in self.unseen {
            words.push_str(match (unseen, english) {
                (Unseen::Changes, true) => "; no changes",
                (Unseen::Changes, false) => "; không thấy sửa đổi",
                (Unseen::Deletes, true) => "; no deletes",
                (Unseen::Deletes, false) => "; không thấy xóa",
            });
        }
        words
    }
}
