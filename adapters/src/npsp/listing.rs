//! A list that the portal gives in pages: read whole or not at all, bounded.

use serde_json::{Map, Value, json};

use super::{
    Npsp, for_errand,
    request::{Ask, Fare, Matter},
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

/// A list that grows page by page, up to a bound.
#[derive(Default)]
struct Whole {
    entries: Vec<Value>,
    bytes: usize,
}

impl Whole {
    fn add(&mut self, page: Vec<Value>) -> Result<(), Outcome> {
        let bytes: usize = page.iter().map(|entry| entry.to_string().len()).sum();
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > MAX_BYTES {
            return Err(endless());
        }
        self.entries.extend(page);
        Ok(())
    }
}

fn endless() -> Outcome {
    Outcome::Failed(Reason::new("list does not end"))
}

impl Npsp {
    /// The entries of a list.
    pub(super) async fn list(&self, call: &str, pages: Pages<'_>) -> Result<Vec<Value>, Outcome> {
        match pages {
            Pages::One => self.page(call, None).await,
            Pages::Each(member, values) => {
                let mut whole = Whole::default();
                for value in values {
                    whole.add(self.page(call, Some((member, json!(value)))).await?)?;
                }
                Ok(whole.entries)
            }
            Pages::Numbered => {
                let mut whole = Whole::default();
                let mut last = Vec::new();
                for number in 1..=MAX_PAGES {
                    let page = self.page(call, Some((PAGE, json!(number)))).await?;
                    // A platform that knows no pages gives the same list again and again.
                    if page.is_empty() || page == last {
                        return Ok(whole.entries);
                    }
                    last.clone_from(&page);
                    whole.add(page)?;
                }
                Err(endless())
            }
        }
    }

    async fn page(&self, call: &str, asked: Option<(&str, Value)>) -> Result<Vec<Value>, Outcome> {
        let asked: Map<String, Value> =
            asked.into_iter().map(|(member, value)| (member.to_owned(), value)).collect();
        let id = uuid::Uuid::new_v4().to_string();
        let ask = Ask { call, id: &id, dossier: None, officer: None, fare: Fare::Turn };
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
