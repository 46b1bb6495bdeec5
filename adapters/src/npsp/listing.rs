//! A list that the portal gives in pages: read whole or not at all, bounded.

use serde_json::{Map, Value, json};

use super::{
    Npsp, for_errand,
    request::{Ask, Matter},
};
use crate::{
    client::MAX_ANSWER,
    config::Profile,
    outcome::{Outcome, Reason},
};

/// The member that asks for a page. Its name is the sandbox's: the guide's is not public.
const PAGE: &str = "Trang";
/// Most pages of a list, and most bytes of all together.
const MAX_PAGES: u32 = 1_000;
const MAX_BYTES: usize = 64 * MAX_ANSWER;

/// How a list is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pages<'a> {
    /// In one answer.
    One,
    /// Page after page until one holds nothing.
    Numbered,
    /// Once for each of these values of a member.
    Each(&'a str, &'a [String]),
}

impl Npsp {
    /// The entries of a list.
    pub(super) async fn list(&self, call: &str, pages: Pages<'_>) -> Result<Vec<Value>, Outcome> {
        let mut entries = Vec::new();
        match pages {
            Pages::One => entries = self.page(call, None).await?,
            Pages::Each(member, values) => {
                for value in values {
                    entries.extend(self.page(call, Some((member, json!(value)))).await?);
                }
            }
            Pages::Numbered => {
                let mut last = Vec::new();
                let mut bytes = 0_usize;
                for number in 1..=MAX_PAGES {
                    let page = self.page(call, Some((PAGE, json!(number)))).await?;
                    // A platform that knows no pages gives the same list again and again.
                    if page.is_empty() || page == last {
                        return Ok(entries);
                    }
                    bytes = bytes.saturating_add(page.iter().map(|e| e.to_string().len()).sum());
                    if bytes > MAX_BYTES {
                        break;
                    }
                    entries.extend(page.iter().cloned());
                    last = page;
                }
                return Err(Outcome::Failed(Reason::new("list does not end")));
            }
        }
        Ok(entries)
    }

    async fn page(&self, call: &str, asked: Option<(&str, Value)>) -> Result<Vec<Value>, Outcome> {
        let asked: Map<String, Value> =
            asked.into_iter().map(|(member, value)| (member.to_owned(), value)).collect();
        let id = uuid::Uuid::new_v4().to_string();
        let ask = Ask { call, id: &id, dossier: None, officer: None };
        let matter = match self.config.profile {
            Profile::Portal2020 => Matter::Records(&asked, None),
            Profile::Ministry2026 => Matter::Plain(&asked),
        };
        let answer = self.ask(ask, matter).await;
        let mut body = answer.map_err(|no| for_errand("list", no.outcome()))?;
        match body.remove("result") {
            Some(Value::Array(entries)) => Ok(entries),
            Some(Value::Null) | None => Ok(Vec::new()),
            Some(_) => Err(Outcome::Failed(Reason::new("list is no list"))),
        }
    }
}
