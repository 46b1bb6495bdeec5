//! Which platforms flows can send to.

use std::{fmt, str::FromStr};

use super::{NdcConfig, NpspConfig, Offered, message::named};

/// A platform, as configuration and reports name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlatformName {
    /// The National Public Service Portal, or a ministry's portal.
    Npsp,
    /// The National Data Centre.
    Ndc,
}

impl PlatformName {
    const NAMES: [(&'static str, Self); 2] = [("npsp", Self::Npsp), ("ndc", Self::Ndc)];

    /// The key of its settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Npsp => "npsp",
            Self::Ndc => "ndc",
        }
    }
}

impl fmt::Display for PlatformName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PlatformName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        named(text, &Self::NAMES)
    }
}

/// What each platform of the configuration offers to message types; nothing of one whose settings have
/// mistakes.
pub(super) struct Offers<'a>(Vec<(PlatformName, Option<&'a Offered>)>);

impl<'a> Offers<'a> {
    /// `None` for a platform that is not configured, `Some(None)` for one with mistakes.
    pub(super) fn of(
        npsp: Option<&'a Option<NpspConfig>>,
        ndc: Option<&'a Option<NdcConfig>>,
    ) -> Self {
        let npsp = npsp.map(|npsp| (PlatformName::Npsp, npsp.as_ref().map(|npsp| &npsp.offered)));
        let ndc = ndc.map(|ndc| (PlatformName::Ndc, ndc.as_ref().map(|ndc| &ndc.offered)));
        Self(npsp.into_iter().chain(ndc).collect())
    }

    /// The platform of a flow: the one that it names, else the only one.
    pub(super) fn platform(&self, named: Option<PlatformName>) -> Result<PlatformName, String> {
        match (named, self.0.as_slice()) {
            (Some(named), all) if all.iter().any(|(name, _)| *name == named) => Ok(named),
            (Some(named), _) => Err(format!("there are no settings `{named}`")),
            (None, [(only, _)]) => Ok(*only),
            (None, _) => Err("`platform` must say where the flow goes".to_owned()),
        }
    }

    /// What a platform offers.
    pub(super) fn offered(&self, platform: PlatformName) -> Option<&'a Offered> {
        let found = self.0.iter().find(|(name, _)| *name == platform);
        found.and_then(|(_, offered)| *offered)
    }
}
