//! The stamps beside a log: more anchors for its tree, and what they say themselves.

use std::path::Path;

use lienthong_evidence::{checkpoint::Checkpoint, note::Verifier};
use lienthong_gateway::stamp::{Checked, Kind, StampError, check};
use lienthong_model::text::Language;
use serde_json::{Value, json};

use crate::output::Output;

/// Most of what is wrong that is told.
const MOST: usize = 100;

/// The stamps of a log, judged.
pub(super) struct Stamps {
    checked: Vec<Checked>,
    /// Whether they were held against authorities.
    by_authorities: bool,
}

impl Stamps {
    pub(super) fn read(
        directory: &Path,
        key: &Verifier,
        authorities: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let checked = check(directory, key, authorities)?;
        Ok(Self { checked, by_authorities: authorities.is_some() })
    }

    /// What the tree has to agree with.
    pub(super) fn anchors(&self) -> impl Iterator<Item = Checkpoint> {
        self.checked.iter().filter_map(|stamp| stamp.checkpoint.clone())
    }

    pub(super) fn are_good(&self) -> bool {
        self.checked.iter().all(|stamp| stamp.problems.is_empty())
    }

    fn count(&self, kind: Kind) -> usize {
        self.checked.iter().flat_map(Checked::kinds).filter(|found| *found == kind).count()
    }

    fn newest(&self) -> Option<(u64, String)> {
        let stamped = |stamp: &Checked| stamp.time.map(|time| (stamp.size, time.to_string()));
        self.checked.iter().rev().find_map(stamped)
    }

    fn problems(&self) -> impl Iterator<Item = (u64, &StampError)> {
        let of = |stamp: &'_ Checked| stamp.size;
        let all = self
            .checked
            .iter()
            .flat_map(move |stamp| stamp.problems.iter().map(move |problem| (of(stamp), problem)));
        all.take(MOST)
    }

    pub(super) fn as_json(&self) -> Value {
        let newest = self.newest().map(|(size, time)| json!({"entries": size, "time": time}));
        let problems = self.problems().map(|(size, problem)| {
            json!({"at": format!("stamps/{size}"), "problem": problem.to_string()})
        });
        json!({
            "checkpoints": self.checked.len(),
            "seals": self.count(Kind::Seal),
            "time_stamps": self.count(Kind::TimeStamp),
            "newest_time_stamp": newest,
            "by_authorities": self.by_authorities,
            "problems": problems.collect::<Vec<_>>(),
        })
    }

    pub(super) fn tell(&self, output: &Output) {
        if self.checked.is_empty() {
            return;
        }
        for (size, problem) in self.problems() {
            output.line(match output.language() {
                Language::English => format!("stamps/{size}: {problem}"),
                Language::Vietnamese => format!("stamps/{size}: {}", vietnamese(problem)),
            });
        }
        let (seals, time_stamps) = (self.count(Kind::Seal), self.count(Kind::TimeStamp));
        output.line(match output.language() {
            Language::English => {
                format!("good stamps: {seals} seals, {time_stamps} time stamps")
            }
            Language::Vietnamese => {
                format!("dấu đúng: {seals} con dấu, {time_stamps} dấu thời gian")
            }
        });
        if let Some((size, time)) = self.newest() {
            output.line(match output.language() {
                Language::English => format!("{size} entries were there at {time}"),
                Language::Vietnamese => format!("{size} mục đã có vào lúc {time}"),
            });
        }
        if !self.by_authorities {
            output.line(output.choose(
                "chưa biết ai đã ký các dấu: cần `--ca`",
                "whose signatures the stamps have is not known without `--ca`",
            ));
        }
    }
}

fn vietnamese(problem: &StampError) -> String {
    match problem {
        StampError::Checkpoint(error) => format!("điểm kiểm tra không dùng được: {error}"),
        StampError::Size => "điểm kiểm tra bị thiếu hoặc có kích thước khác".to_owned(),
        StampError::Signature(why) => format!("chữ ký: {why}"),
        StampError::Form => "không phải là con dấu hay dấu thời gian".to_owned(),
        StampError::Imprint => "dấu thời gian của nội dung khác".to_owned(),
        other => other.to_string(),
    }
}
