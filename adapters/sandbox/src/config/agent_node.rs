//! The settings of the Agent Node's stand-in in a configuration file.

use std::{collections::BTreeMap, path::Path};

use lienthong_model::{
    document::{self, Node},
    exchange_mode::ExchangeMode,
};
use lienthong_signature::detached::Kind;

use super::{Reader, STAND, Stand, portal::loopback};
use crate::{
    agent_node::{AgentNodeSettings, AgreementSettings, DatasetSettings},
    fault::StandIn,
};

/// The settings that only the Agent Node has.
const OWN: [&str; 10] = [
    "report",
    "signature",
    "certificate_file",
    "key_file",
    "sender_trust_anchor_file",
    "senders",
    "agreements",
    "datasets",
    "open_packages",
    "tolerance_seconds",
];

impl<'a> Reader<'a> {
    pub(super) fn agent_node(
        &mut self,
        node: &'a Node,
        database: &Path,
    ) -> Option<Stand<AgentNodeSettings>> {
        let known = [STAND.as_slice(), OWN.as_slice()].concat();
        let (listen, faults, random) = self.stand(node, "the Agent Node", &known)?;
        self.faults_of(node, StandIn::AgentNode, &faults, random.as_ref());
        let folder = self.folder;
        let mut map = self.map(node, "the Agent Node", &known)?;
        let kind = map.parse::<Kind>("signature");
        let [certificate, key, anchor] =
            ["certificate_file", "key_file", "sender_trust_anchor_file"]
                .map(|name| map.text(name).map(|name| folder.join(name)));
        let (senders, datasets) = (map.required("senders"), map.optional("datasets"));
        let agreements = map.list("agreements");
        let open = map.integer("open_packages", 1..=1_000, 1);
        let tolerance = map.integer("tolerance_seconds", 1..=86_400, 600);
        let report = loopback(&mut map);
        let senders = document::entries(self.file, senders?, "`senders`", self.found);
        let senders: Option<BTreeMap<_, _>> = senders
            .iter()
            .map(|(code, file)| {
                let file = document::text(self.file, file, self.found)?;
                Some((code.text.clone(), folder.join(file)))
            })
            .collect();
        let agreements: Vec<_> = agreements.iter().map(|node| self.agreement(node)).collect();
        let datasets = match datasets {
            Some(node) => self.datasets(node)?,
            None => BTreeMap::new(),
        };
        let settings = AgentNodeSettings {
            listen,
            report,
            database: database.to_owned(),
            kind: kind?,
            certificate_file: certificate?,
            key_file: key?,
            sender_trust_anchor_file: anchor?,
            senders: senders?,
            agreements: agreements.into_iter().collect::<Option<_>>()?,
            datasets,
            open_packages: usize::try_from(open).unwrap_or(1),
            tolerance_seconds: u32::try_from(tolerance).unwrap_or(600),
        };
        Some(Stand { settings, faults, random })
    }

    fn agreement(&mut self, node: &'a Node) -> Option<AgreementSettings> {
        let known = ["number", "sender", "receiver", "dataset", "mode"];
        let mut map = self.map(node, "an agreement", &known)?;
        let mode = map.parse::<Mode>("mode");
        let [number, sender, receiver, dataset] =
            ["number", "sender", "receiver", "dataset"].map(|name| map.text(name));
        Some(AgreementSettings {
            number: number?.to_owned(),
            sender: sender?.to_owned(),
            receiver: receiver?.to_owned(),
            dataset: dataset?.to_owned(),
            mode: mode?.0,
        })
    }

    fn datasets(&mut self, node: &'a Node) -> Option<BTreeMap<String, DatasetSettings>> {
        let mut datasets = BTreeMap::new();
        for (code, node) in document::entries(self.file, node, "`datasets`", self.found) {
            let lists = ["required", "citizen_numbers", "wards", "releases"];
            let known = [&lists[..], &["least_percent", "at_least"]].concat();
            let mut map = self.map(node, "a data set", &known)?;
            let least = map.integer("least_percent", 0..=100, 98);
            let at_least = map.integer("at_least", 1..=1_000, 100);
            let rules = DatasetSettings {
                required: map.parse_list("required"),
                citizen_numbers: map.parse_list("citizen_numbers"),
                wards: map.parse_list("wards"),
                releases: map.parse_list("releases"),
                least_percent: u8::try_from(least).unwrap_or(100),
                at_least: u32::try_from(at_least).unwrap_or(1),
            };
            datasets.insert(code.text.clone(), rules);
        }
        Some(datasets)
    }
}

struct Mode(ExchangeMode);

impl std::str::FromStr for Mode {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mode = ExchangeMode::ALL.into_iter().find(|mode| mode.as_str() == text);
        mode.map(Self).ok_or("not `query_peer`, `sync_peer`, `sync_national` or `package`")
    }
}
