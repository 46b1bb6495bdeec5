//! The settings of open data and of outlets for the operations centre and the data lake.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use lienthong_model::{
    diagnostic::nearest,
    document::Node,
    id::{FlowId, IndicatorId},
};

use super::{ConnectionConfig, Reader};
use crate::{indicator::Definition, open_data::RecordSet};

/// What is published for everyone.
#[derive(Debug, Clone)]
pub struct OpenDataConfig {
    /// Where it is put.
    pub publish_to: PathBuf,
    /// The record sets.
    pub record_sets: Vec<RecordSet>,
}

/// A folder into which releases of indicators are laid.
#[derive(Debug, Clone)]
pub struct OutletConfig {
    /// Its name.
    pub id: FlowId,
    /// The folder.
    pub folder: PathBuf,
    /// The indicators whose releases it gets.
    pub indicators: Vec<IndicatorId>,
}

/// What would bring rows into an outlet.
const ROWS: [&str; 5] = ["record_sets", "sql", "source", "table", "columns"];

impl<'a> Reader<'a, '_> {
    pub(super) fn open_data(
        &mut self,
        node: &'a Node,
        connections: &BTreeMap<String, ConnectionConfig>,
    ) -> Option<OpenDataConfig> {
        let base = self.folder;
        let mut map = self.map(node, "`open_data`", &["folder", "publish_to"])?;
        let folder = map.text("folder").map(|name| base.join(name));
        let publish_to = map.text("publish_to").map(|name| base.join(name));
        let mut record_sets: Vec<RecordSet> = Vec::new();
        for path in self.files(node, &folder?)? {
            let Some(set) = RecordSet::read(&path, self.found) else { continue };
            if !connections.contains_key(&set.source) {
                let message = format!(
                    "record set `{}` asks connection `{}`, which is not configured",
                    set.id, set.source
                );
                self.mistake(node.at, message);
            }
            if record_sets.iter().any(|earlier| earlier.id == set.id) {
                self.mistake(node.at, format!("record set `{}` stands twice", set.id));
            }
            record_sets.push(set);
        }
        Some(OpenDataConfig { publish_to: publish_to?, record_sets })
    }

    pub(super) fn outlet(
        &mut self,
        node: &'a Node,
        definitions: &[Arc<Definition>],
    ) -> Option<OutletConfig> {
        let base = self.folder;
        // LAW: the operations centre and the data lake get figures, never rows about people.
        if let Some(key) = ROWS.iter().find(|key| node.get(key).is_some()) {
            let message =
                format!("`{key}`: an outlet takes releases of indicators only, never rows");
            self.mistake(node.at, message);
            return None;
        }
        let mut map = self.map(node, "an outlet", &["id", "folder", "indicators"])?;
        let id = map.parse::<FlowId>("id");
        let folder = map.text("folder").map(|name| base.join(name));
        let wanted = map.parse_list::<IndicatorId>("indicators");
        let known: Vec<&str> = definitions.iter().map(|one| one.id.as_str()).collect();
        for one in &wanted {
            if !known.contains(&one.as_str()) {
                let help = nearest(one.as_str(), known.iter().copied());
                let help =
                    help.map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
                self.mistake(node.at, format!("there is no indicator `{one}`{help}"));
            }
        }
        if wanted.is_empty() {
            self.mistake(node.at, "an outlet needs `indicators`");
        }
        Some(OutletConfig { id: id?, folder: folder?, indicators: wanted })
    }
}
