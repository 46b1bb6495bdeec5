//! Rules: Cedar policies that forbid, whatever an agreement says.
//!
//! Takes `policies/rules/*.cedar`; gives rules checked against the vocabulary in Cedar's strict
//! mode. A permit is refused: only agreements permit. A name in a rule that nothing bears is
//! refused too, for a rule about a misspelt category would never forbid anything.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
};

use cedar_policy::{
    Effect, Policy, PolicyId, PolicySet, Schema, SchemaFragment, ValidationMode, Validator,
};
use lienthong_model::{
    diagnostic::{Diagnostics, Position, nearest},
    id::RuleId,
    text::Bilingual,
};
use miette::Diagnostic as _;

use crate::{
    legal_basis::{Citation, check_citation},
    read::Names,
};

mod literal;

pub(crate) use literal::Vocabulary;

/// The Cedar schema of every fact.
const SCHEMA: &str = include_str!("vocabulary.cedarschema");
/// Where a copy of it may stand for editors.
pub(crate) const SCHEMA_FILE: &str = "policies/rules/schema.cedarschema";
/// Most rules.
const MAX_RULES: usize = 1000;

/// The annotations a rule must bear.
const ANNOTATIONS: &[&str] = &["id", "cites", "says_vi", "says_en"];

/// What a rule says and cites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its `@id`.
    pub id: RuleId,
    /// Its `@cites`.
    pub citations: Vec<Citation>,
    /// Its `@says_vi` and `@says_en`.
    pub says: Bilingual,
    /// Its text in Cedar.
    pub text: String,
}

/// Every rule, compiled.
#[derive(Debug)]
pub(crate) struct Rules {
    /// The schema of the facts.
    pub(crate) schema: Schema,
    /// What checks a policy against it; made once, not for each agreement.
    pub(crate) validator: Validator,
    /// The Cedar policies; the id of each is its rule's.
    pub(crate) policies: Vec<Policy>,
    /// What each says and cites.
    pub(crate) rules: BTreeMap<RuleId, Rule>,
}

impl Rules {
    /// The rules with the permit of one agreement operation. Made when it is asked: held for each
    /// agreement, the rules would take more memory than everything else of it.
    ///
    /// # Errors
    /// When the permit has the name of a rule.
    pub(crate) fn with(&self, permit: &Policy) -> Result<PolicySet, String> {
        let policies = self.policies.iter().chain([permit]).cloned();
        PolicySet::from_policies(policies).map_err(|error| error.to_string())
    }
}

/// What rules are read against.
pub(crate) struct Surroundings<'a> {
    pub(crate) names: &'a Names,
    pub(crate) vocabulary: &'a Vocabulary,
}

/// Reads every rule file.
pub(crate) fn read<'f>(
    files: impl IntoIterator<Item = (&'f str, &'f str)>,
    around: &Surroundings<'_>,
    found: &mut Diagnostics,
) -> Option<Rules> {
    let schema = match Schema::from_cedarschema_str(SCHEMA) {
        Ok((schema, _)) => schema,
        Err(error) => {
            let message = format!("the vocabulary of this build cannot be read: {error}");
            found.add(SCHEMA_FILE, Position::default(), message);
            return None;
        }
    };
    let validator = Validator::new(schema.clone());
    let mut rules = Rules { schema, validator, policies: Vec::new(), rules: BTreeMap::new() };
    let mut places = BTreeMap::new();
    for (file, text) in files {
        let mut reader = FileReader { file, text, around, found };
        for (policy, at) in reader.policies(&rules.schema) {
            let Some(rule) = reader.rule(&policy, at) else { continue };
            if let Some(other) = places.get(&rule.id) {
                let message = format!("rule `{}` is used twice", rule.id);
                reader.found.add_with_help(file, at, message, format!("first used at {other}"));
                continue;
            }
            places.insert(rule.id.clone(), format!("{file}:{}:{}", at.line, at.column));
            rules.policies.push(policy.new_id(PolicyId::new(rule.id.as_str())));
            rules.rules.insert(rule.id.clone(), rule);
        }
    }
    if rules.policies.len() > MAX_RULES {
        let message = format!("more than {MAX_RULES} rules");
        found.add("policies/rules", Position::default(), message);
    }
    Some(rules)
}

/// Checks that the copy of the vocabulary, when there is one, says what this build knows: an editor
/// must not accept a rule that the gateway refuses, nor the other way round.
pub(crate) fn check_schema_copy(text: &str, found: &mut Diagnostics) {
    let json = |text| {
        let (fragment, _) =
            SchemaFragment::from_cedarschema_str(text).map_err(|e| e.to_string())?;
        fragment.to_json_value().map_err(|e| e.to_string())
    };
    let problem = match (json(text), json(SCHEMA)) {
        (Ok(copy), Ok(own)) if crate::hash::canonical(&copy) == crate::hash::canonical(&own) => {
            return;
        }
        (Ok(_), _) => "is not the vocabulary of this build".to_owned(),
        (Err(error), _) => format!("not a Cedar schema: {error}"),
    };
    let help = format!("expected:\n{SCHEMA}");
    found.add_with_help(SCHEMA_FILE, Position::default(), problem, help);
}

struct FileReader<'a, 'd> {
    file: &'a str,
    text: &'a str,
    around: &'a Surroundings<'a>,
    found: &'d mut Diagnostics,
}

impl FileReader<'_, '_> {
    /// The policies of the file that Cedar accepts in strict mode, with their places.
    fn policies(&mut self, schema: &Schema) -> Vec<(Policy, Position)> {
        let set = match PolicySet::from_str(self.text) {
            Ok(set) => set,
            Err(errors) => {
                for error in errors.iter() {
                    let at = self.offset(error);
                    self.found.add(self.file, at, format!("not Cedar: {error}"));
                }
                return Vec::new();
            }
        };
        for template in set.templates() {
            let at = self.place(&template.to_cedar(), 0).1;
            self.found.add(self.file, at, "a rule must not have slots such as `?principal`");
        }
        self.validate(&set, schema);
        let mut policies: Vec<&Policy> = set.policies().collect();
        policies.sort_by_key(|policy| ordinal(policy.id()));
        let mut from = 0;
        let mut placed = Vec::new();
        for policy in policies {
            let (end, at) = self.place(&policy.to_cedar().unwrap_or_default(), from);
            from = end;
            placed.push((policy.clone(), at));
        }
        placed
    }

    fn validate(&mut self, set: &PolicySet, schema: &Schema) {
        let result = Validator::new(schema.clone()).validate(set, ValidationMode::Strict);
        for error in result.validation_errors() {
            let at = self.offset(error);
            match error.help() {
                Some(help) => {
                    self.found.add_with_help(self.file, at, error.to_string(), help.to_string());
                }
                None => self.found.add(self.file, at, error.to_string()),
            }
        }
        // A rule that can never hold, or whose text looks like another, forbids less than it says.
        for warning in result.validation_warnings() {
            let at = self.offset(warning);
            self.found.add(self.file, at, warning.to_string());
        }
    }

    fn rule(&mut self, policy: &Policy, at: Position) -> Option<Rule> {
        let file = self.file;
        if policy.effect() == Effect::Permit {
            let help = "an agreement makes the one permit of each of its operations";
            self.found.add_with_help(file, at, "a rule must not permit", help);
            return None;
        }
        for (key, _) in policy.annotations() {
            if !ANNOTATIONS.contains(&key) {
                let help = match nearest(key, ANNOTATIONS.iter().copied()) {
                    Some(near) => format!("did you mean `@{near}`?"),
                    None => "leave it out".to_owned(),
                };
                let message = format!("unknown annotation `@{key}`");
                self.found.add_with_help(file, at, message, help);
            }
        }
        let id = self.annotation(policy, "id", at).and_then(|text| {
            let id = text.parse::<RuleId>();
            if let Err(error) = &id {
                self.found.add(file, at, format!("`@id` `{text}` is {error}"));
            }
            id.ok()
        });
        let cites = self.annotation(policy, "cites", at);
        let citations = cites.map(|text| self.citations(&text, at)).unwrap_or_default();
        let vi = self.annotation(policy, "says_vi", at);
        let en = self.annotation(policy, "says_en", at);
        self.check_names(policy, at);
        // SECURITY: a rule without a text would forbid nothing.
        let text = policy.to_cedar();
        if text.is_none() {
            self.found.add(file, at, "a rule cannot be written out again");
        }
        let text = text?;
        Some(Rule { id: id?, citations, says: Bilingual { vi: vi?, en: en? }, text })
    }

    fn annotation(&mut self, policy: &Policy, key: &str, at: Position) -> Option<String> {
        let text = policy.annotation(key).map(str::trim).filter(|text| !text.is_empty());
        if text.is_none() {
            let help = "a rule needs `@id`, `@cites`, `@says_vi` and `@says_en`";
            let message = format!("annotation `@{key}` is missing");
            self.found.add_with_help(self.file, at, message, help);
        }
        text.map(str::to_owned)
    }

    fn citations(&mut self, text: &str, at: Position) -> Vec<Citation> {
        let mut citations = Vec::new();
        for part in text.split(',').map(str::trim) {
            match part.parse::<Citation>() {
                Ok(citation) => {
                    let place = (self.file, at);
                    check_citation(place, &citation, self.around.names, self.found);
                    citations.push(citation);
                }
                Err(error) => self.found.add(self.file, at, format!("`{part}` is {error}")),
            }
        }
        citations
    }

    fn check_names(&mut self, policy: &Policy, at: Position) {
        let Ok(json) = policy.to_json() else {
            return self.found.add(self.file, at, "the rule cannot be read back");
        };
        let unknown: BTreeSet<_> = self.around.vocabulary.unknown_names(&json);
        for name in unknown {
            let message = format!("unknown {} `{}`", name.what, name.text);
            match name.near {
                Some(near) => {
                    let help = format!("did you mean `{near}`?");
                    self.found.add_with_help(self.file, at, message, help);
                }
                None => self.found.add(self.file, at, message),
            }
        }
    }

    /// Where a policy's text stands at or after an offset, and where it ends.
    fn place(&self, policy: &str, from: usize) -> (usize, Position) {
        let rest = self.text.get(from..).unwrap_or_default();
        let Some(begin) = rest.find(policy).filter(|_| !policy.is_empty()) else {
            return (from, Position::default());
        };
        (from + begin + policy.len(), position(self.text, from + begin))
    }

    fn offset(&self, error: &dyn miette::Diagnostic) -> Position {
        let label = error.labels().and_then(|mut labels| labels.next());
        label.map_or_else(Position::default, |label| position(self.text, label.offset()))
    }
}

/// Line and column of a byte offset.
fn position(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let bound = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position { line: bound(line), column: bound(column) }
}

/// Cedar numbers the policies of a file `policy0`, `policy1` …
fn ordinal(id: &PolicyId) -> usize {
    let id: &str = id.as_ref();
    id.trim_start_matches("policy").parse().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
