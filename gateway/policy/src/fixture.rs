//! A small bundle without mistakes, for tests to spoil.

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::{Date, date};

use crate::{AgreementOperation, Bundle, ConsentFact, Decision, Facts, PolicySet, Presence};

pub(crate) const SERVICE: &str = "policies/services/civil-status.yaml";
pub(crate) const DOCUMENT: &str = "schemas/services/v1/civil-status.yaml";
pub(crate) const AGREEMENT: &str = "policies/agreements/ward-civil-status.yaml";
pub(crate) const WARD: &str = "policies/participants/ward.yaml";
pub(crate) const PROVIDER: &str = "policies/participants/justice.yaml";
pub(crate) const LAW: &str = "policies/legal-bases.yaml";
pub(crate) const PURPOSES: &str = "policies/purposes.yaml";
pub(crate) const RULES: &str = "policies/rules/sensitive.cedar";
pub(crate) const CASES: &str = "policies/cases/civil-status.yaml";

pub(crate) const FILES_SERVICE: &str = "policies/services/dossier-files.yaml";
pub(crate) const FILES_DOCUMENT: &str = "schemas/services/v1/dossier-files.yaml";
pub(crate) const FILES_AGREEMENT: &str = "policies/agreements/ward-dossier-files.yaml";

/// Files by name, to edit before they are checked.
#[derive(Clone)]
pub(crate) struct Files(pub(crate) BTreeMap<String, String>);

impl Files {
    pub(crate) fn new() -> Self {
        let files = [
            (WARD, include_str!("fixture/ward.yaml")),
            (PROVIDER, include_str!("fixture/justice.yaml")),
            ("policies/participants/connector.yaml", include_str!("fixture/connector.yaml")),
            (SERVICE, include_str!("fixture/service.yaml")),
            (DOCUMENT, include_str!("fixture/openapi.yaml")),
            (AGREEMENT, include_str!("fixture/agreement.yaml")),
            (LAW, include_str!("fixture/legal-bases.yaml")),
            (PURPOSES, include_str!("fixture/purposes.yaml")),
            (RULES, include_str!("fixture/rules.cedar")),
            (CASES, include_str!("fixture/cases.yaml")),
        ];
        Self(files.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    /// The same and a service of forms, bodies of parts, and files.
    pub(crate) fn with_files() -> Self {
        Self::new()
            .add(FILES_DOCUMENT, include_str!("fixture/files-openapi.yaml"))
            .add(FILES_SERVICE, include_str!("fixture/files-service.yaml"))
            .add(FILES_AGREEMENT, include_str!("fixture/files-agreement.yaml"))
    }

    /// Replaces a text that must be there.
    pub(crate) fn edit(mut self, file: &str, from: &str, to: &str) -> Self {
        let text = self.0.get_mut(file).expect("file");
        assert!(text.contains(from), "`{from}` is not in {file}");
        *text = text.replacen(from, to, 1);
        self
    }

    pub(crate) fn add(mut self, file: &str, text: &str) -> Self {
        self.0.insert(file.to_owned(), text.to_owned());
        self
    }

    pub(crate) fn remove(mut self, file: &str) -> Self {
        self.0.remove(file).expect("file");
        self
    }

    /// A copy of one file under another name, with one text replaced.
    pub(crate) fn copy(self, from: &str, to: &str, edits: &[(&str, &str)]) -> Self {
        let text = self.0.get(from).expect("file").clone();
        let mut files = self.add(to, &text);
        for (old, new) in edits {
            files = files.edit(to, old, new);
        }
        files
    }

    pub(crate) fn set(&self) -> PolicySet {
        let bundle = Bundle::from_files(self.0.clone());
        PolicySet::check(&bundle, TODAY).unwrap_or_else(|found| panic!("{found}"))
    }

    /// The same with an agreement that rests on consent.
    pub(crate) fn on_consent() -> Self {
        Self::new()
            .edit(
                AGREEMENT,
                "  - {instrument: pdpl-2025, article: \"19.1.c\"}\n",
                "  - {instrument: pdpl-2025, article: \"9\"}\n",
            )
            .edit(
                AGREEMENT,
                "officer: required\n",
                "consent: {account_level: 2, max_days: 365, frequency: [once, as_needed]}\n\
                 officer: required\n",
            )
            .edit(LAW, "until: 2027-06-30", "until: null")
            .remove(CASES)
    }

    /// Every mistake as text.
    pub(crate) fn mistakes(&self) -> Vec<String> {
        let bundle = Bundle::from_files(self.0.clone());
        match PolicySet::check(&bundle, TODAY) {
            Ok(_) => Vec::new(),
            Err(found) => found.sorted().iter().map(ToString::to_string).collect(),
        }
    }

    /// Asserts that exactly one mistake is told, and that it holds every one of `parts`.
    #[track_caller]
    pub(crate) fn refused(&self, parts: &[&str]) {
        let found = self.mistakes();
        assert_eq!(found.len(), 1, "{found:#?}");
        for part in parts {
            assert!(found[0].contains(part), "`{part}` is not in {:?}", found[0]);
        }
    }
}

pub(crate) const TODAY: Date = date(2026, 11, 21);

/// Facts that the fixture's agreement permits.
pub(crate) fn facts() -> Facts {
    Facts {
        consumer: "H29.40".parse().expect("id"),
        via: None,
        purpose: "dossier_processing".parse().expect("id"),
        today: TODAY,
        officer: Presence::Present,
        dossier: Presence::Present,
        consent: ConsentFact::NotNeeded,
    }
}

/// The operation `getBirthRecord` of the fixture's agreement.
pub(crate) fn opened(set: &PolicySet) -> Arc<AgreementOperation> {
    Arc::clone(&set.agreements["ward-civil-status"].operations["getBirthRecord"])
}

/// The reason of a deny and the rule behind it; none for a permit.
pub(crate) fn denial(decision: &Decision) -> Option<(&'static str, Option<&str>)> {
    match decision {
        Decision::Permit(_) => None,
        Decision::Deny(denial) => {
            Some((denial.reason.as_str(), denial.rule.as_ref().map(|rule| rule.as_str())))
        }
    }
}
