//! The checked policy set: every file read, checked against the others and compiled.
//!
//! Takes a [`Bundle`]; gives an immutable [`PolicySet`] with its hash, or every mistake at once. A
//! set exists only when there is no mistake at all.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::civil::Date;
use lienthong_model::{
    diagnostic::{Diagnostic, Diagnostics, Position, nearest},
    document,
    field::{DataClass, FieldPath},
    id::{AgreementId, InstrumentId, OperatorId, ParticipantId, PurposeId, ServiceId},
    reason::ReasonCode,
    schema::Schema,
};

use crate::{
    agreement::{self, Agreement},
    bundle::Bundle,
    case::{self, Case},
    compile::{answer_name, request_name},
    hash,
    legal_basis::{self, Citation, Instrument},
    notice::{self, Notice},
    openapi,
    operator::{self, Operator},
    participant::{self, Participant},
    purpose::{self, PurposeDefinition},
    read::{Claims, Names, Source, listed_ids},
    refusal,
    rule::{self, Rule, Rules, Vocabulary},
    service::{
        SensitiveCategory, Service,
        read::{self as service_read, ReadService},
    },
};

const LEGAL_BASES: &str = "policies/legal-bases.yaml";
const PURPOSES: &str = "policies/purposes.yaml";
const REFUSALS: &str = "policies/refusals.yaml";
const OPERATORS: &str = "policies/operators.yaml";
const FOLDERS: &[&str] = &["participants", "services", "agreements", "notices", "rules", "cases"];

/// Every policy file, read, checked and compiled. Immutable.
#[derive(Debug)]
pub struct PolicySet {
    /// The hash of the canonical form of everything that decides.
    pub hash: [u8; 32],
    /// The participants.
    pub participants: BTreeMap<ParticipantId, Participant>,
    /// Who may administer and watch the gateway.
    pub operators: BTreeMap<OperatorId, Operator>,
    /// The services.
    pub services: BTreeMap<ServiceId, Arc<Service>>,
    /// The legal instruments.
    pub instruments: BTreeMap<InstrumentId, Instrument>,
    /// The purposes.
    pub purposes: BTreeMap<PurposeId, PurposeDefinition>,
    /// The articles that a refusal cites when no agreement or rule decided.
    pub refusals: BTreeMap<ReasonCode, Arc<[Citation]>>,
    /// The agreements.
    pub agreements: BTreeMap<AgreementId, Arc<Agreement>>,
    /// The notices that people are shown before they are asked for consent, by id.
    pub notices: BTreeMap<String, Notice>,
    /// The rules that forbid.
    pub rules: Vec<Rule>,
    /// What is worth a look but does not stop: agreements on instruments no longer in force, and
    /// operators whose time is over.
    pub warnings: Vec<Diagnostic>,
    /// The cases.
    pub cases: Vec<Case>,
}

impl PolicySet {
    /// Reads, checks and compiles every file. `today` is only for the warnings.
    ///
    /// # Errors
    /// Every mistake, with file, line, column and what was expected.
    pub fn check(bundle: &Bundle, today: Date) -> Result<Self, Diagnostics> {
        let mut found = Diagnostics::new();
        check_names(bundle, &mut found);
        let mut reader = Reader { bundle, claims: Claims::default(), found: &mut found };
        let set = reader.read(today);
        match set {
            Some(set) if found.is_empty() => Ok(set),
            _ => {
                if found.is_empty() {
                    found.add("policies", Position::default(), "the policies cannot be read");
                }
                Err(found)
            }
        }
    }

    /// The agreements that rest on consent and open this service to this recipient for this purpose,
    /// on this day.
    pub fn consent_agreements<'a>(
        &'a self,
        controller: &'a ParticipantId,
        recipient: &'a ParticipantId,
        service: &'a ServiceId,
        purpose: &'a PurposeId,
        today: Date,
    ) -> impl Iterator<Item = Arc<Agreement>> + 'a {
        let parties = (controller, recipient);
        let bound = self.agreements.values();
        bound
            .filter(move |agreement| notice::binds(agreement, parties, service, purpose))
            .filter(move |agreement| {
                agreement.valid.from <= today && today <= agreement.valid.until
            })
            .map(Arc::clone)
    }

    /// A notice by its id.
    #[must_use]
    pub fn notice(&self, id: &str) -> Option<&Notice> {
        self.notices.get(id)
    }
}

/// Reports files that no reader opens, such as a rule in a misspelt folder.
fn check_names(bundle: &Bundle, found: &mut Diagnostics) {
    for (file, _) in bundle.below("policies/") {
        let path = file.strip_prefix("policies/").unwrap_or(file);
        let known = path.ends_with(".md")
            || file == LEGAL_BASES
            || file == PURPOSES
            || file == REFUSALS
            || file == OPERATORS
            || file == rule::SCHEMA_FILE
            || path.split_once('/').is_some_and(|(folder, name)| {
                let extension = if folder == "rules" { ".cedar" } else { ".yaml" };
                FOLDERS.contains(&folder) && !name.contains('/') && name.ends_with(extension)
            });
        if known {
            continue;
        }
        let folder = path.split('/').next().unwrap_or(path);
        let files = [LEGAL_BASES, PURPOSES, REFUSALS, OPERATORS];
        let files = files.iter().filter_map(|file| file.strip_prefix("policies/"));
        let names = FOLDERS.iter().copied().chain(files);
        let help = match nearest(folder, names) {
            Some(near) if near != folder => format!("did you mean `{near}`?"),
            _ => "expected `.yaml` files, and `.cedar` files in `rules`".to_owned(),
        };
        let message = "no kind of policy file has this name";
        found.add_with_help(file, Position::default(), message, help);
    }
}

struct Reader<'a, 'd> {
    bundle: &'a Bundle,
    claims: Claims,
    found: &'d mut Diagnostics,
}

impl<'a> Reader<'a, '_> {
    fn read(&mut self, today: Date) -> Option<PolicySet> {
        let participants = self.sources("policies/participants/");
        let services = self.sources("policies/services/");
        let agreements = self.sources("policies/agreements/");
        let (legal_bases, purposes) = (self.one(LEGAL_BASES), self.one(PURPOSES));
        for source in services.iter().chain(&agreements) {
            source.check_stem(self.found);
        }
        let names = Names {
            participants: participants.iter().filter_map(Source::id).map(str::to_owned).collect(),
            services: operations(&services),
            agreements: operations(&agreements),
            instruments: legal_bases.as_ref().map(articles).unwrap_or_default(),
            purposes: purposes.as_ref().map(purpose_ids).unwrap_or_default(),
        };
        let (claims, found) = (&mut self.claims, &mut *self.found);
        let instruments =
            legal_bases.map(|source| legal_basis::read(&source, &names, claims, found));
        let instruments = instruments.unwrap_or_default();
        let purposes = purposes.map(|source| purpose::read(&source, claims, found));
        let purposes = purposes.unwrap_or_default();
        let refusals = self.refusals(&names);
        let participants = self.participants(&participants, &names);
        let operators = self.operators(&names);
        let services = self.services(&services, &names, &participants);
        let rules = Arc::new(self.rules(&names, &vocabulary(&names, &services))?);
        let around = agreement::read::Surroundings {
            names: &names,
            participants: &participants,
            services: &services,
            instruments: &instruments,
            rules: &rules,
        };
        let agreements = self.agreements(&agreements, &around);
        let mut warnings = lapsed(&agreements, &instruments, today);
        warnings.extend(ended(&operators, today));
        let agreements: BTreeMap<_, _> = agreements
            .into_iter()
            .map(|(_, agreement)| (agreement.id.clone(), agreement))
            .collect();
        let notices = self.notices(&names, &services, &agreements);
        let cases = self.cases(&agreements, &names, &rules);
        let services: BTreeMap<_, _> =
            services.into_iter().map(|(id, read)| (id, Arc::new(read.service))).collect();
        Some(PolicySet {
            hash: self.hash(&services),
            participants,
            operators,
            services,
            instruments,
            purposes,
            refusals,
            agreements,
            notices,
            rules: rules.rules.values().cloned().collect(),
            warnings,
            cases,
        })
    }

    /// The trees of every YAML file of a folder.
    fn sources(&mut self, folder: &'a str) -> Vec<Source<'a>> {
        let files = self.bundle.below(folder).filter(|(file, _)| file.ends_with(".yaml"));
        files
            .filter_map(|(file, text)| {
                let root = document::parse(file, text, self.found)?;
                Some(Source { file, root })
            })
            .collect()
    }

    /// The tree of the one file of a name.
    fn one(&mut self, file: &'static str) -> Option<Source<'static>> {
        let Some(text) = self.bundle.text(file) else {
            self.found.add(file, Position::default(), "file is missing");
            return None;
        };
        document::parse(file, text, self.found).map(|root| Source { file, root })
    }

    /// The citations of refusals; none when the file is left out.
    fn refusals(&mut self, names: &Names) -> refusal::Refusals {
        if self.bundle.text(REFUSALS).is_none() {
            return refusal::Refusals::new();
        }
        let source = self.one(REFUSALS);
        source.map(|source| refusal::read(&source, names, self.found)).unwrap_or_default()
    }

    /// Who may administer; nobody but whoever opens the socket when the file is left out.
    fn operators(&mut self, names: &Names) -> BTreeMap<OperatorId, Operator> {
        if self.bundle.text(OPERATORS).is_none() {
            return BTreeMap::new();
        }
        let source = self.one(OPERATORS);
        let (claims, found) = (&mut self.claims, &mut *self.found);
        source.map(|source| operator::read(&source, names, claims, found)).unwrap_or_default()
    }

    fn participants(
        &mut self,
        sources: &[Source<'_>],
        names: &Names,
    ) -> BTreeMap<ParticipantId, Participant> {
        let mut participants = BTreeMap::new();
        for source in sources {
            let read = participant::read(source, names, &mut self.claims, self.found);
            if let Some(participant) = read {
                participants.insert(participant.id.clone(), participant);
            }
        }
        participants
    }

    fn services(
        &mut self,
        sources: &[Source<'_>],
        names: &Names,
        participants: &BTreeMap<ParticipantId, Participant>,
    ) -> BTreeMap<ServiceId, ReadService> {
        let bundle = self.bundle;
        let around = service_read::Surroundings {
            names,
            participants,
            document: &|path| bundle.text(&format!("schemas/{path}")),
            documents: bundle
                .below("schemas/")
                .filter_map(|(file, _)| file.strip_prefix("schemas/"))
                .collect(),
        };
        let mut services = BTreeMap::new();
        for source in sources {
            let read = service_read::read(source, &around, &mut self.claims, self.found);
            if let Some(read) = read {
                services.insert(read.service.id.clone(), read);
            }
        }
        services
    }

    fn rules(&mut self, names: &Names, vocabulary: &Vocabulary) -> Option<Rules> {
        if let Some(text) = self.bundle.text(rule::SCHEMA_FILE) {
            rule::check_schema_copy(text, self.found);
        }
        let files = self.bundle.below("policies/rules/").filter(|(f, _)| f.ends_with(".cedar"));
        rule::read(files, &rule::Surroundings { names, vocabulary }, self.found)
    }

    fn agreements(
        &mut self,
        sources: &[Source<'a>],
        around: &agreement::read::Surroundings<'_>,
    ) -> Vec<(&'a str, Arc<Agreement>)> {
        let mut agreements: Vec<(&str, Arc<Agreement>)> = Vec::new();
        for source in sources {
            let Some(agreement) = agreement::read::read(source, around, self.found) else {
                continue;
            };
            for (file, other) in &agreements {
                for operation in agreement::read::overlap(&agreement, other) {
                    let at = source.root.get("operations").map_or(source.root.at, |node| node.at);
                    let message = format!(
                        "`{operation}` is open to `{}` for the same purpose and days under `{}` too",
                        other.consumer, other.id
                    );
                    let help = format!("keep one of the two, or part their terms; see {file}");
                    self.found.add_with_help(source.file, at, message, help);
                }
            }
            agreements.push((source.file, Arc::new(agreement)));
        }
        agreements
    }

    fn notices(
        &mut self,
        names: &Names,
        services: &BTreeMap<ServiceId, ReadService>,
        agreements: &notice::Agreements,
    ) -> BTreeMap<String, Notice> {
        let around = notice::read::Surroundings { names, services, agreements };
        let mut notices = BTreeMap::new();
        for source in self.sources("policies/notices/") {
            source.check_stem(self.found);
            let read = notice::read::read(&source, &around, self.found);
            notices.extend(read.map(|notice| (notice.id.clone(), notice)));
        }
        notices
    }

    fn cases(
        &mut self,
        agreements: &BTreeMap<AgreementId, Arc<Agreement>>,
        names: &Names,
        rules: &Rules,
    ) -> Vec<Case> {
        let around = case::Surroundings { agreements, names, rules };
        let sources = self.sources("policies/cases/");
        sources.iter().flat_map(|source| case::read(source, &around, self.found)).collect()
    }

    /// Over the canonical form of every file that decides. Cases only test, so they do not count.
    fn hash(&self, services: &BTreeMap<ServiceId, Arc<Service>>) -> [u8; 32] {
        let mut parts: Vec<String> = Vec::new();
        for (file, text) in self.bundle.below("policies/") {
            let counts = !file.starts_with("policies/cases/") && !file.ends_with(".md");
            if !counts {
                continue;
            }
            let root = file.ends_with(".yaml").then(|| {
                document::parse(file, text, &mut Diagnostics::new())
                    .map(|root| hash::canonical(&root.to_json()))
            });
            parts.push(file.to_owned());
            parts.push(root.flatten().unwrap_or_else(|| text.to_owned()));
        }
        for (id, service) in services {
            parts.push(format!("document of {id}"));
            parts.push(hash::canonical(&service.document));
        }
        hash::sha256("policy set", parts.iter().map(String::as_str))
    }
}

/// The id of every file and the operations it names.
fn operations(sources: &[Source<'_>]) -> BTreeMap<String, BTreeSet<String>> {
    let named = sources.iter().filter_map(|source| Some((source.id()?, source.operations())));
    named.map(|(id, operations)| (id.to_owned(), operations)).collect()
}

/// The id of every instrument and of its articles.
fn articles(source: &Source<'_>) -> BTreeMap<String, BTreeSet<String>> {
    let instruments = listed_ids(&source.root, "instruments").into_iter();
    instruments
        .map(|(id, node)| {
            let articles = listed_ids(node, "articles").into_iter();
            (id.to_owned(), articles.map(|(article, _)| article.to_owned()).collect())
        })
        .collect()
}

/// The code of every purpose.
fn purpose_ids(source: &Source<'_>) -> BTreeSet<String> {
    listed_ids(&source.root, "purposes").into_iter().map(|(id, _)| id.to_owned()).collect()
}

/// Agreements that cite an instrument not in force today.
fn lapsed(
    agreements: &[(&str, Arc<Agreement>)],
    instruments: &BTreeMap<InstrumentId, Instrument>,
    today: Date,
) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    for (file, agreement) in agreements {
        let cited: BTreeSet<&InstrumentId> =
            agreement.legal_bases.iter().map(|citation| &citation.instrument).collect();
        for instrument in cited.into_iter().filter_map(|id| instruments.get(id)) {
            if instrument.in_force(today) {
                continue;
            }
            let help = match &instrument.replaced_by {
                Some(next) => format!("it was replaced by `{next}`"),
                None => "cite an instrument in force".to_owned(),
            };
            warnings.push(Diagnostic {
                file: (*file).to_owned(),
                at: Position::default(),
                message: format!(
                    "agreement `{}` rests on `{}`, which is not in force on {today}",
                    agreement.id, instrument.id
                ),
                help: Some(help),
            });
        }
    }
    warnings.sort();
    warnings
}

/// Operators whose last day is over.
fn ended(
    operators: &BTreeMap<OperatorId, Operator>,
    today: Date,
) -> impl Iterator<Item = Diagnostic> {
    let over = operators.values().filter(move |operator| operator.valid.until < today);
    over.map(|operator| Diagnostic {
        file: OPERATORS.to_owned(),
        at: Position::default(),
        message: format!("operator `{}` ended on {}", operator.id, operator.valid.until),
        help: None,
    })
}

/// Every name a rule may write.
fn vocabulary(names: &Names, services: &BTreeMap<ServiceId, ReadService>) -> Vocabulary {
    let laws: BTreeSet<String> = names.instruments.keys().cloned().collect();
    let articles = names
        .instruments
        .iter()
        .flat_map(|(id, articles)| articles.iter().map(move |article| format!("{id}#{article}")))
        .collect();
    let direct = || std::iter::once(String::new());
    let via = names.participants.iter().cloned().chain(direct()).collect();
    let operations = names.services.values().flatten().cloned().collect();
    let categories = SensitiveCategory::ALL.iter().map(|(word, _)| (*word).to_owned()).collect();
    let classes = [DataClass::None, DataClass::Basic, DataClass::Sensitive];
    let modes = ["query_peer", "sync_peer", "sync_national", "package"];
    let mut facts = BTreeMap::from([
        ("agreement", names.agreements.keys().cloned().collect()),
        ("provider", names.participants.clone()),
        ("consumer", names.participants.clone()),
        ("via", via),
        ("service", names.services.keys().cloned().collect()),
        ("operation", operations),
        ("exchange_mode", modes.iter().map(|mode| (*mode).to_owned()).collect()),
        ("purpose", names.purposes.clone()),
        ("purposes", names.purposes.clone()),
        ("instruments", laws.clone()),
        ("lapsed_instruments", laws),
        ("articles", articles),
        ("categories", categories),
        ("classes", classes.iter().map(|class| class.as_str().to_owned()).collect()),
    ]);
    // While a service cannot be read in full, nobody knows all its fields.
    let whole = names.services.iter().all(|(id, named)| {
        let read = services.get(id.as_str()).map(|read| read.service.operations.len());
        read == Some(named.len())
    });
    if whole {
        let fields: BTreeSet<String> =
            services.values().flat_map(|read| fields(&read.service)).collect();
        facts.insert("unmasked", fields.clone());
        facts.insert("fields", fields);
    }
    let resources = names.services.iter().flat_map(|(service, operations)| {
        operations.iter().map(move |operation| format!("{service}/{operation}"))
    });
    let entities = BTreeMap::from([
        ("Participant", names.participants.clone()),
        ("Operation", resources.collect()),
    ]);
    Vocabulary { facts, entities }
}

/// Every field of a service, as rules name it.
fn fields(service: &Service) -> Vec<String> {
    let mut names = Vec::new();
    for operation in service.operations.values() {
        let leaves = openapi::request_leaves(&operation.parameters, operation.request.as_ref());
        names.extend(leaves.iter().map(|(field, _)| request_name(field)));
        for (status, answer) in &operation.answers {
            let leaves = answer.schema.iter().flat_map(Schema::leaves);
            names
                .extend(leaves.map(|(pointer, _)| answer_name(*status, &FieldPath::Body(pointer))));
        }
    }
    names
}

#[cfg(test)]
mod tests;
