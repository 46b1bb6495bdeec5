//! Keys that are of a time: those of the evidence log, of digests and of pseudonyms.

use std::{
    fs,
    path::{Path, PathBuf},
};

use lienthong_evidence::{
    checkpoint::Checkpoint,
    note::{MAX_NOTE, Signer},
};
use lienthong_model::{clock::civil_date, quarter::Quarter, sensitive::Sensitive};

use super::{
    Problem, Purpose, State,
    destroy::{self, MARK},
    inventory::{Look, same},
};
use crate::{config::Config, digest_keys, evidence};

/// Most files of a directory of keys that are looked at.
const MAX_FILES: usize = 1000;

impl Look {
    pub(super) fn evidence(&mut self, config: &Config) {
        let settings = &config.evidence;
        let newest = self.signer("evidence.key_file", &settings.key_file, State::Current);
        let previous = settings.previous_key_file.as_ref().filter(|file| file.exists());
        let previous = match previous {
            Some(file) if same(&settings.key_file, file) => {
                self.find("evidence.previous_key_file", file, Problem::Halfway);
                None
            }
            Some(file) => self.signer("evidence.previous_key_file", file, State::Old),
            None => None,
        };
        let Some(newest) = newest else { return };
        let signer = match previous {
            None => newest,
            Some(previous) => match newest.after(previous) {
                Ok(signer) => signer,
                Err(_) => {
                    let file = settings.previous_key_file.clone().unwrap_or_default();
                    self.find("evidence.previous_key_file", &file, Problem::PreviousName);
                    return;
                }
            },
        };
        if let Some(problem) = of_log(&evidence::directory(config), &signer) {
            self.find("evidence.key_file", &settings.key_file, problem);
        }
    }

    fn signer(&mut self, setting: &str, file: &Path, state: State) -> Option<Signer> {
        let (mut secret, text) = self.read(Purpose::Evidence, setting, file);
        let text = text.and_then(|text| String::from_utf8(text.expose().clone()).ok());
        let signer = text.map(Sensitive::new).and_then(|text| Signer::parse(&text).ok());
        match &signer {
            Some(signer) => {
                secret.id = Some(signer.verifier().key().to_string());
                secret.state = state;
            }
            None if secret.mode.is_some() => {
                self.find(setting, file, Problem::Form(Purpose::Evidence));
            }
            None => {}
        }
        self.push(secret);
        signer
    }

    pub(super) fn digests(&mut self, config: &Config) {
        const SETTING: &str = "evidence.digest_keys";
        let directory = &config.evidence.digest_keys;
        let (quarters, marked, strangers) = match listed(directory) {
            Ok(listed) => listed,
            Err(error) => {
                self.find(SETTING, directory, Problem::Unreadable(error.kind().to_string()));
                Default::default()
            }
        };
        for file in strangers {
            self.find(SETTING, &file, Problem::NoQuarter);
        }
        let (this, keep) = (Quarter::of(self.now), config.evidence.retention.key_months());
        for quarter in &quarters {
            let file = digest_keys::file(directory, *quarter);
            let mut secret = self.symmetric(Purpose::Digest, SETTING, &file);
            secret.period = Some(quarter.to_string());
            secret.keep_until = quarter.months_after(keep).yesterday().ok();
            if secret.state == State::Current {
                secret.state = state(*quarter, this);
            }
            if marked.contains(quarter) {
                self.find(SETTING, &file, Problem::Unfinished(*quarter));
            }
            self.push(secret);
        }
        for quarter in marked.iter().filter(|quarter| !quarters.contains(quarter)) {
            self.mark(SETTING, directory, *quarter);
        }
        for (quarter, needed) in [
            (this, true),
            (this.next(), this.ends().duration_since(self.now) <= digest_keys::AHEAD),
        ] {
            if needed && !quarters.contains(&quarter) {
                self.absent(SETTING, directory, quarter, this);
            }
        }
    }

    /// The row of a key that was destroyed.
    fn mark(&mut self, setting: &str, directory: &Path, quarter: Quarter) {
        let file = directory.join(format!("{quarter}{MARK}"));
        let mark = destroy::destroyed(directory, quarter);
        self.push(super::Secret {
            purpose: Purpose::Digest,
            setting: setting.to_owned(),
            scope: Purpose::Digest.scope(),
            algorithm: "HMAC-SHA-256".to_owned(),
            id: mark.and_then(|mark| mark.id),
            file,
            mode: None,
            period: Some(quarter.to_string()),
            state: State::Destroyed,
            keep_until: None,
        });
    }

    /// A key that should be there.
    fn absent(&mut self, setting: &str, directory: &Path, quarter: Quarter, this: Quarter) {
        let file = digest_keys::file(directory, quarter);
        let problem = match quarter == this {
            true => Problem::ThisQuarter(quarter),
            false => Problem::NextQuarter(quarter),
        };
        self.find(setting, &file, problem);
        self.push(super::Secret {
            purpose: Purpose::Digest,
            setting: setting.to_owned(),
            scope: Purpose::Digest.scope(),
            algorithm: "HMAC-SHA-256".to_owned(),
            id: None,
            file,
            mode: None,
            period: Some(quarter.to_string()),
            state: State::Missing,
            keep_until: None,
        });
    }

    pub(super) fn pseudonym(&mut self, config: &Config) {
        const SETTING: &str = "pseudonyms.key_file";
        let settings = &config.pseudonyms;
        let mut secret = self.symmetric(Purpose::Pseudonym, SETTING, &settings.key_file);
        secret.period = Some(settings.period.clone());
        if is_over(&settings.period, self.now) {
            let problem = Problem::PeriodOver(settings.period.clone());
            self.find(SETTING, &settings.key_file, problem);
            if secret.state == State::Current {
                secret.state = State::Old;
            }
        }
        self.push(secret);
    }
}

fn state(quarter: Quarter, this: Quarter) -> State {
    match quarter.cmp(&this) {
        std::cmp::Ordering::Less => State::Old,
        std::cmp::Ordering::Equal => State::Current,
        std::cmp::Ordering::Greater => State::Next,
    }
}

/// Whether a period that is named after a year or a quarter is over. Other names say nothing.
fn is_over(period: &str, now: jiff::Timestamp) -> bool {
    if let Ok(quarter) = period.parse::<Quarter>() {
        return quarter.ends() <= now;
    }
    let is_year = period.len() == 4 && period.bytes().all(|b| b.is_ascii_digit());
    is_year && period.parse::<i16>().is_ok_and(|year| year < civil_date(now).year())
}

/// Quarters that have a key, quarters whose key was destroyed, and files that are neither.
type Listed = (Vec<Quarter>, Vec<Quarter>, Vec<PathBuf>);

fn listed(directory: &Path) -> std::io::Result<Listed> {
    let (mut keys, mut marks, mut strangers) = (Vec::new(), Vec::new(), Vec::new());
    for file in fs::read_dir(directory)?.take(MAX_FILES) {
        let file = file?;
        let name = file.file_name();
        let name = name.to_string_lossy();
        let quarter = |end: &str| name.strip_suffix(end).map(str::parse::<Quarter>);
        match (quarter(digest_keys::SUFFIX), quarter(MARK)) {
            (Some(Ok(quarter)), _) => keys.push(quarter),
            (_, Some(Ok(quarter))) => marks.push(quarter),
            (Some(Err(_)), _) => strangers.push(file.path()),
            _ => {}
        }
    }
    keys.sort_unstable();
    marks.sort_unstable();
    Ok((keys, marks, strangers))
}

/// What is wrong between the key and the log that is there.
fn of_log(directory: &Path, signer: &Signer) -> Option<Problem> {
    let path = directory.join("checkpoint");
    let length = fs::metadata(&path).ok()?.len();
    let note = (length <= MAX_NOTE as u64).then(|| fs::read(&path).ok()).flatten();
    let Some(note) = note else { return Some(Problem::Checkpoint) };
    if Checkpoint::open(&note, signer.verifier()).is_ok() {
        return None;
    }
    let origin =
        String::from_utf8(note).ok().and_then(|note| note.lines().next().map(str::to_owned));
    Some(match origin {
        Some(origin) if origin == signer.verifier().key().name() => Problem::NotSigned,
        Some(origin) if !origin.is_empty() => Problem::Origin(origin),
        _ => Problem::Checkpoint,
    })
}
