//! The settings of indicators: where their files are, since when they are due, how often they are
//! looked at.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::civil::Date;
use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    document::Node,
};

use super::{ConnectionConfig, FlowConfig, OpenDataConfig, OutletConfig, Reader, SourceKind};
use crate::{
    indicator::{Definition, LEADER},
    source::releases::Releases,
};

/// Most files of a folder.
const MOST_FILES: usize = 500;

/// The indicators that are computed.
#[derive(Debug, Clone)]
pub struct IndicatorsConfig {
    /// The first day of which a period must have figures.
    pub since: Date,
    /// How often is looked whether anything is due. Default 15 minutes.
    pub look: Duration,
    /// The indicators, by id.
    pub definitions: Vec<Arc<Definition>>,
    /// Folders into which releases are laid.
    pub outlets: Vec<OutletConfig>,
}

/// What is computed and published, and of which databases.
pub(super) struct Figures {
    pub(super) connections: BTreeMap<String, ConnectionConfig>,
    pub(super) indicators: Option<IndicatorsConfig>,
    pub(super) open_data: Option<OpenDataConfig>,
}

impl<'a> Reader<'a, '_> {
    /// Reads `connections`, `indicators` and `open_data`, as far as they are there.
    pub(super) fn figures(&mut self, nodes: [Option<&'a Node>; 3]) -> Option<Figures> {
        let [connections, indicators, open_data] = nodes;
        let connections = connections.map(|node| self.connections(node)).unwrap_or_default();
        let indicators = match indicators {
            Some(node) => Some(self.indicators(node, &connections)?),
            None => None,
        };
        let open_data = match open_data {
            Some(node) => Some(self.open_data(node, &connections)?),
            None => None,
        };
        Some(Figures { connections, indicators, open_data })
    }

    pub(super) fn indicators(
        &mut self,
        node: &'a Node,
        connections: &BTreeMap<String, ConnectionConfig>,
    ) -> Option<IndicatorsConfig> {
        let known = ["folder", "since", "look_minutes", "outlets"];
        let base = self.folder;
        let mut map = self.map(node, "`indicators`", &known)?;
        let folder = map.text("folder").map(|name| base.join(name));
        let since = map.parse::<Day>("since").map(|day| day.0);
        let minutes = map.integer("look_minutes", 1..=1_440, 15).unsigned_abs();
        let outlets = map.list("outlets");
        let mut definitions = Vec::new();
        for path in self.files(node, &folder?)? {
            if let Some(definition) = Definition::read(&path, self.found) {
                if !connections.contains_key(&definition.source) {
                    let message = format!(
                        "indicator `{}` asks connection `{}`, which is not configured",
                        definition.id, definition.source
                    );
                    self.mistake(node.at, message);
                }
                definitions.push(Arc::new(definition));
            }
        }
        definitions.sort_by(|one, other| one.id.cmp(&other.id));
        self.alike(node, &definitions);
        let look = Duration::from_secs(minutes.saturating_mul(60));
        let outlets: Vec<_> = outlets.iter().map(|node| self.outlet(node, &definitions)).collect();
        let outlets = outlets.into_iter().collect::<Option<_>>()?;
        Some(IndicatorsConfig { since: since?, look, definitions, outlets })
    }

    /// The YAML files of a folder, in the order of their names.
    pub(super) fn files(&mut self, node: &'a Node, folder: &Path) -> Option<Vec<PathBuf>> {
        let listed = std::fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let listed = match listed {
            Ok(listed) => listed,
            Err(error) => {
                let message = format!("folder `{}` cannot be read: {error}", folder.display());
                self.mistake(node.at, message);
                return None;
            }
        };
        let is_yaml = |path: &PathBuf| path.extension().is_some_and(|e| e == "yaml");
        let mut files: Vec<_> =
            listed.into_iter().map(|entry| entry.path()).filter(is_yaml).collect();
        files.sort();
        if files.is_empty() || files.len() > MOST_FILES {
            let message =
                format!("folder `{}` must have 1 to {MOST_FILES} files `*.yaml`", folder.display());
            self.mistake(node.at, message);
        }
        Some(files)
    }

    /// Flows stand once, those of releases have releases to read, and none bears the name under which
    /// indicators are led.
    pub(super) fn consistent(
        &mut self,
        at: Position,
        flows: &[FlowConfig],
        indicators: Option<&IndicatorsConfig>,
    ) {
        for (index, flow) in flows.iter().enumerate() {
            if flows.iter().take(index).any(|earlier| earlier.id == flow.id) {
                self.mistake(at, format!("flow `{}` stands twice", flow.id));
            }
            if flow.id.as_str() == LEADER {
                self.mistake(at, format!("no flow may be called `{LEADER}`"));
            }
            if !matches!(flow.source.kind, SourceKind::Releases) {
                continue;
            }
            if indicators.is_none() {
                self.mistake(at, format!("flow `{}` reads releases of no `indicators`", flow.id));
            }
            if let Err(error) = Releases::verify(flow) {
                self.mistake(at, format!("flow `{}`: {error}", flow.id));
            }
        }
    }

    /// Ids stand once, and indicators of one statistic describe the same figures.
    fn alike(&mut self, node: &'a Node, definitions: &[Arc<Definition>]) {
        for (at, one) in definitions.iter().enumerate() {
            for other in definitions.iter().skip(at + 1) {
                if one.id == other.id {
                    self.mistake(node.at, format!("indicator `{}` stands twice", one.id));
                } else if one.statistic == other.statistic
                    && let Err(what) = one.agrees(other)
                {
                    let message = format!(
                        "indicators `{}` and `{}` are of one statistic and differ in {what}",
                        one.id, other.id
                    );
                    self.mistake(node.at, message);
                }
            }
        }
    }
}

/// The name and text of a file that one of the settings leads to.
pub(crate) fn file_of_its_own(path: &Path, found: &mut Diagnostics) -> Option<(String, String)> {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => Some((name, text)),
        Err(error) => {
            found.add(&name, Position::default(), format!("cannot be read: {error}"));
            None
        }
    }
}

/// A day such as `2026-10-01`.
pub(super) struct Day(pub(super) Date);

impl std::str::FromStr for Day {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let day = Date::strptime("%Y-%m-%d", text).ok();
        let day = day.filter(|day| (2000..=2200).contains(&day.year()));
        day.map(Self).ok_or("not a day such as `2026-10-01`")
    }
}
