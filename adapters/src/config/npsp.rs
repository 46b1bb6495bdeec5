//! The settings of a platform: the National Public Service Portal or, by one key, a ministry's
//! portal of the pattern of 2026.

mod file;
mod list;
mod transitions;

use std::os::unix::fs::MetadataExt as _;

use lienthong_model::{
    document::{MapReader, Node},
    id::PurposeId,
    sensitive::Sensitive,
};
use serde_json::Value;

pub use file::FilesConfig;
pub use list::{CatalogueConfig, InboxConfig};

use super::{
    RateConfig, Reader, TrayConfig,
    offered::{Offered, Service, Token},
};
use crate::npsp::Transitions;

/// The portal, as the gateway offers it.
#[derive(Debug, Clone)]
pub struct NpspConfig {
    /// Which pattern it follows.
    pub profile: Profile,
    /// Whether a ministry is asked for the number of a dossier, or takes the city's.
    pub numbers: Numbers,
    /// Where the numbers that a ministry gives are laid for the city.
    pub numbers_into: Option<TrayConfig>,
    /// The service's address: `VN/GOV/G22/DVCQG/cases`.
    pub service: String,
    /// The agency code the portal knows us by (`madonvi`).
    pub agency: String,
    /// The code of the target system (`dstcode`), when the portal's adapter wants one.
    pub dstcode: Option<String>,
    /// The purpose, where the agreement allows more than one.
    pub purpose: Option<String>,
    /// User name of the account; the client's id of the pattern of 2026.
    pub username: String,
    /// Password of the account; the client's secret of the pattern of 2026.
    pub password: Sensitive<String>,
    /// When the password's file was last changed, in seconds.
    pub password_changed: i64,
    /// How long a session is used before a new one is opened. Default 600.
    pub session_seconds: u32,
    /// What the portal's error codes mean.
    pub codes: Codes,
    /// The moves of a dossier that are allowed.
    pub transitions: Transitions,
    /// How fast it may be asked; nothing for as fast as workers can.
    pub rate: Option<RateConfig>,
    /// What its services offer.
    pub offered: Offered,
    /// Lists of codes that records are checked against.
    pub catalogues: Vec<CatalogueConfig>,
    /// Lists that are polled for the city.
    pub inboxes: Vec<InboxConfig>,
    /// Files that go with records.
    pub files: Vec<FilesConfig>,
}

impl NpspConfig {
    /// The calls that are made beside those of the message types.
    pub(crate) fn errands(&self) -> Vec<&str> {
        let mut calls = needed(self.profile, self.numbers).to_vec();
        calls.extend(self.catalogues.iter().map(|one| one.call.as_str()));
        calls.extend(self.inboxes.iter().map(|one| one.call.as_str()));
        calls.extend(self.files.iter().map(|one| one.upload.as_str()));
        calls
    }
}

/// The pattern that a portal follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// The connection guide of the National Public Service Portal, version 1.4 of 2020.
    Portal2020,
    /// What ministries' portals ask for in 2026: token, number, files, dossier, progress, status.
    Ministry2026,
}

impl Profile {
    const NAMES: [(&'static str, Self); 2] =
        [("portal_2020", Self::Portal2020), ("ministry_2026", Self::Ministry2026)];
}

/// Whose number a dossier has at a ministry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// The ministry gives one, once for each dossier.
    Asked,
    /// The city's own.
    Own,
}

impl Numbers {
    const NAMES: [(&'static str, Self); 2] = [("asked", Self::Asked), ("own", Self::Own)];
}

/// What error codes mean. The real portal's are not public, so that all of them are configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Codes {
    /// The session has ended.
    pub session_ended: Vec<String>,
    /// Another attempt may help.
    pub retry: Vec<String>,
    /// Nothing can be sent for a while: a quota, maintenance.
    pub pause: Vec<String>,
    /// The record was sent as new and is there already.
    pub exists: Vec<String>,
    /// There is no such dossier.
    pub unknown_case: Vec<String>,
}

const KNOWN: [&str; 23] = [
    "profile",
    "numbers",
    "numbers_into",
    "service",
    "openapi",
    "services",
    "agency",
    "dstcode",
    "purpose",
    "username",
    "password_file",
    "session_seconds",
    "session_ended_codes",
    "retry_codes",
    "pause_codes",
    "exists_codes",
    "unknown_case_codes",
    "first_statuses",
    "transitions",
    "catalogues",
    "inboxes",
    "files",
    "rate",
];

impl<'a> Reader<'a, '_> {
    pub(super) fn npsp(&mut self, node: &'a Node) -> Option<NpspConfig> {
        let mut map = self.map(node, "`npsp`", &KNOWN)?;
        let profile = map.parse_optional::<Named<Profile>>("profile");
        let profile = profile.map_or(Profile::Portal2020, |named| named.0);
        let numbers = map.parse_optional::<Named<Numbers>>("numbers");
        let numbers_into = map.optional("numbers_into");
        let service = map.parse::<Service>("service").map(|service| service.0);
        let openapi = map.text("openapi");
        let services = map.list("services");
        let agency = map.parse::<Token>("agency").map(|token| token.0);
        let dstcode = map.parse_optional::<Token>("dstcode").map(|token| token.0);
        let purpose = map.parse_optional::<PurposeId>("purpose");
        let username = map.parse::<String>("username");
        let password_file = map.text("password_file");
        let seconds = map.integer("session_seconds", 10..=86_400, 600);
        let codes = codes(&mut map);
        let first = map.optional("first_statuses").map(|_| map.parse_list("first_statuses"));
        let transitions = map.optional("transitions");
        let lists = [map.list("catalogues"), map.list("inboxes"), map.list("files")];
        let rate = map.optional("rate");
        self.one_meaning(node, &codes);
        self.of_its_profile(node, profile, numbers.is_some(), dstcode.is_some());
        let rate = match rate {
            Some(node) => Some(self.rate(node)?),
            None => None,
        };
        let offered = self.offered(
            node,
            &|id, post| record(profile, id, post),
            service.as_deref().zip(openapi),
            services,
        );
        let transitions = self.transitions(first, transitions);
        let password = password_file.and_then(|name| self.secret(node.at, name));
        let numbers = numbers.map_or(Numbers::Asked, |named| named.0);
        let numbers_into = self.numbers_into(numbers_into, profile, numbers);
        let offered = offered?;
        self.offers_needed(node, needed(profile, numbers), &offered.calls);
        let (catalogues, inboxes, files) = self.lists(node, lists, &offered)?;
        Some(NpspConfig {
            profile,
            numbers,
            numbers_into: numbers_into?,
            service: service?,
            agency: agency?,
            dstcode,
            purpose: purpose.map(|p| p.to_string()),
            username: username?,
            password: password?,
            password_changed: password_file.map_or(0, |name| self.changed(name)),
            session_seconds: u32::try_from(seconds).unwrap_or(600),
            codes,
            transitions,
            rate,
            offered,
            catalogues,
            inboxes,
            files,
        })
    }

    /// Settings that only one profile has.
    fn of_its_profile(&mut self, node: &Node, profile: Profile, numbers: bool, dstcode: bool) {
        if numbers && profile == Profile::Portal2020 {
            self.mistake(node.at, "`numbers` is a setting of the profile `ministry_2026`");
        }
        if dstcode && profile == Profile::Ministry2026 {
            self.mistake(node.at, "`dstcode` is a setting of the profile `portal_2020`");
        }
    }

    /// Where numbers are laid, when they are.
    fn numbers_into(
        &mut self,
        node: Option<&'a Node>,
        profile: Profile,
        numbers: Numbers,
    ) -> Option<Option<TrayConfig>> {
        let Some(node) = node else { return Some(None) };
        if (profile, numbers) != (Profile::Ministry2026, Numbers::Asked) {
            let words = "`numbers_into` is for `profile: ministry_2026` with `numbers: asked`";
            self.mistake(node.at, words);
        }
        let tray = self.tray(node, "`numbers_into`")?;
        if let TrayConfig::Table(table) = &tray
            && table.table.taken_at.is_some()
        {
            self.mistake(node.at, "`taken_at` is for inboxes: numbers are bounded by the dossiers");
        }
        Some(Some(tray))
    }

    /// What is read from the platform beside the records, and the files that go with them.
    fn lists(
        &mut self,
        node: &Node,
        [catalogues, inboxes, files]: [&'a [Node]; 3],
        offered: &Offered,
    ) -> Option<(Vec<CatalogueConfig>, Vec<InboxConfig>, Vec<FilesConfig>)> {
        // All of each list first: one mistake must not hide the next.
        let catalogues: Vec<_> =
            catalogues.iter().map(|node| self.catalogue(node, offered)).collect();
        let inboxes: Vec<_> = inboxes.iter().map(|node| self.inbox(node, offered)).collect();
        let files: Vec<_> = files.iter().map(|node| self.files_of(node, offered)).collect();
        let catalogues: Vec<CatalogueConfig> = catalogues.into_iter().collect::<Option<_>>()?;
        let inboxes: Vec<InboxConfig> = inboxes.into_iter().collect::<Option<_>>()?;
        let files: Vec<FilesConfig> = files.into_iter().collect::<Option<_>>()?;
        self.once(node, "catalogue", catalogues.iter().map(|one| one.call.as_str()));
        self.once(node, "inbox", inboxes.iter().map(|one| one.id.as_str()));
        let calls = files.iter().map(|one| one.call.as_str());
        self.once(node, "files of call", calls);
        Some((catalogues, inboxes, files))
    }

    /// When a file was last changed. One that cannot be looked at is told of by whoever reads it.
    fn changed(&self, name: &str) -> i64 {
        self.folder.join(name).metadata().map_or(0, |metadata| metadata.mtime())
    }

    fn one_meaning(&mut self, node: &Node, codes: &Codes) {
        let lists =
            [&codes.session_ended, &codes.retry, &codes.pause, &codes.exists, &codes.unknown_case];
        let all: Vec<&String> = lists.into_iter().flatten().collect();
        for (index, code) in all.iter().enumerate() {
            if all.iter().take(index).any(|earlier| earlier == code) {
                self.mistake(node.at, format!("error code `{code}` is given two meanings"));
            }
            if matches!(code.as_str(), "0" | "00") {
                self.mistake(node.at, format!("error code `{code}` means success"));
            }
        }
    }

    fn offers_needed(&mut self, node: &Node, needed: &[&str], calls: &[String]) {
        for needed in needed {
            if !calls.iter().any(|call| call == needed) {
                self.mistake(node.at, format!("the OpenAPI document has no operation `{needed}`"));
            }
        }
    }

    pub(super) fn once<'t>(
        &mut self,
        node: &Node,
        what: &str,
        names: impl Iterator<Item = &'t str>,
    ) {
        let names: Vec<&str> = names.collect();
        for (index, name) in names.iter().enumerate() {
            if names.iter().take(index).any(|earlier| earlier == name) {
                self.mistake(node.at, format!("{what} `{name}` stands twice"));
            }
        }
    }
}

/// The calls of the pattern of 2026 that carry a record, which is their whole body.
const MINISTRY_RECORDS: [&str; 3] = ["NoiHoSo", "CapNhatTienTrinh", "CapNhatTrangThai"];

/// The schema of a call's record, when the call carries one, and where it stands in the document.
fn record(profile: Profile, id: &str, post: &Value) -> Option<(Value, String)> {
    let body = "/requestBody/content/application~1json/schema";
    let schema = post.pointer(body)?;
    match profile {
        Profile::Portal2020 => {
            let required = schema.get("required").and_then(Value::as_array)?;
            let needs = |name: &str| required.iter().any(|one| one == name);
            // What only asks has no `isUpdating` that must be there.
            let items = schema.pointer("/properties/data/items")?;
            let at = format!("{body}/properties/data/items");
            (needs("data") && needs("isUpdating")).then(|| (items.clone(), at))
        }
        Profile::Ministry2026 => {
            MINISTRY_RECORDS.contains(&id).then(|| (schema.clone(), body.to_owned()))
        }
    }
}

/// The calls that a profile cannot do without.
fn needed(profile: Profile, numbers: Numbers) -> &'static [&'static str] {
    match (profile, numbers) {
        (Profile::Portal2020, _) => &["login"],
        (Profile::Ministry2026, Numbers::Own) => &["token"],
        (Profile::Ministry2026, Numbers::Asked) => &["token", "GetNextValue"],
    }
}

fn codes(map: &mut MapReader<'_, '_>) -> Codes {
    Codes {
        session_ended: map.parse_list("session_ended_codes"),
        retry: map.parse_list("retry_codes"),
        pause: map.parse_list("pause_codes"),
        exists: map.parse_list("exists_codes"),
        unknown_case: map.parse_list("unknown_case_codes"),
    }
}

/// A value of a closed list, by its name.
struct Named<T>(T);

impl std::str::FromStr for Named<Profile> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        named(text, &Profile::NAMES)
    }
}

impl std::str::FromStr for Named<Numbers> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        named(text, &Numbers::NAMES)
    }
}

fn named<T: Copy>(text: &str, names: &[(&'static str, T)]) -> Result<Named<T>, String> {
    let found = names.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| Named(*value)).ok_or_else(|| {
        let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        format!("not one of `{}`", names.join("`, `"))
    })
}
