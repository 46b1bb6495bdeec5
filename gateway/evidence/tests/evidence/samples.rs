//! Entries to test with: every kind with every field, and with as few as it may have.

use lienthong_evidence::{
    entry::{
        Action, Administration, Article, Channel, Commitment, Consent, ConsentAction, Denied,
        DigestKey, Domain, End, Entry, ExchangeId, FieldCommitment, Format, Intent, Interrupted,
        IsAdministration, IsConsent, IsIntent, IsInterrupted, IsLoss, IsOutcome, IsProgress,
        IsRefusal, IsRefusals, IsRight, Loss, Name, OperatorRole, Outcome, Part, Period, Permitted,
        PresumedDisclosed, Progress, Reason, Refusal, Refusals, Right, RightAction, RightKind,
        Role, Subject, ValuePointer, Why,
    },
    hash::Hash,
    sidecar::Sealed,
};
use lienthong_model::{
    id::{AgreementId, InstrumentId, OperationId, ParticipantId, PurposeId, RuleId, ServiceId},
    reason::ReasonCode,
    sensitive::Sensitive,
};

/// The identifier of nobody that the golden entries are about.
pub(crate) const NUMBER: &str = "079000000001";

/// That of nobody's representative.
pub(crate) const PARENT: &str = "079000000002";

pub(crate) fn key() -> DigestKey {
    DigestKey::new(Period::new("2026-q4").expect("a period"), &Sensitive::new([3; 32]))
}

pub(crate) fn exchange() -> ExchangeId {
    ExchangeId::parse("018f3c5e-8d2a-4c1b-9e77-0123456789ab").expect("an id")
}

/// The names that entries borrow.
pub(crate) struct Names {
    pub(crate) consumer: ParticipantId,
    pub(crate) provider: ParticipantId,
    pub(crate) via: ParticipantId,
    pub(crate) agreement: AgreementId,
    pub(crate) service: ServiceId,
    pub(crate) operation: OperationId,
    pub(crate) purpose: PurposeId,
    pub(crate) rule: RuleId,
    pub(crate) instrument: InstrumentId,
}

impl Names {
    pub(crate) fn new() -> Self {
        Self {
            consumer: "H29.40".parse().expect("an id"),
            provider: "H29.12".parse().expect("an id"),
            via: "H29.90".parse().expect("an id"),
            agreement: "ward-civil-status".parse().expect("an id"),
            service: "civil-status".parse().expect("an id"),
            operation: "getBirthRecord".parse().expect("an id"),
            purpose: "dossier_processing".parse().expect("an id"),
            rule: "no-ethnicity".parse().expect("an id"),
            instrument: "pdpl-2025".parse().expect("an id"),
        }
    }

    pub(crate) fn article(&self) -> Article<'_> {
        Article::new(&self.instrument, "19.1.c").expect("an article")
    }
}

pub(crate) fn subject() -> Subject {
    let digest = key().digest(Domain::DataSubject("citizen_number"), NUMBER);
    Subject { digest, role: Role::Owner }
}

fn pointer(text: &str) -> ValuePointer<'_> {
    ValuePointer::new(text).expect("a pointer")
}

fn field(at: &str) -> FieldCommitment<'_> {
    FieldCommitment { at: pointer(at), value: commitment(Part::Field(pointer(at))) }
}

fn node() -> Name<'static> {
    Name::of_node("node-1").expect("a name")
}

pub(crate) fn period() -> Period<'static> {
    Period::new("2026-q4").expect("a period")
}

pub(crate) fn commitment(part: Part<'_>) -> Commitment {
    let mut committer = key().commit(exchange(), part);
    committer.update(b"{}");
    committer.finish()
}

const AT: u64 = 1_795_301_705_123;

pub(crate) fn intent(names: &Names) -> Intent<'_> {
    Intent {
        acting: (&names.consumer).into(),
        agreement: (&names.agreement).into(),
        agreement_version: Hash::of(b"version"),
        articles: vec![names.article(), names.article()],
        at_ms: AT,
        clock_offset_ms: Some(-3),
        consents: vec![numbered(21), numbered(22)],
        correlation: Some(key().digest(Domain::Correlation, "abc")),
        decision: Permitted,
        dossier: Some(key().digest(Domain::Dossier, "H29-1")),
        exchange: exchange(),
        format: Format,
        key: period(),
        kind: IsIntent,
        node: node(),
        officer: Some(key().digest(Domain::Officer, "an.nguyen")),
        operation: (&names.operation).into(),
        provider: (&names.provider).into(),
        purpose: (&names.purpose).into(),
        request: commitment(Part::Request),
        rules: vec![(&names.rule).into()],
        sequence: 0,
        service: (&names.service).into(),
        snapshot: Hash::of(b"snapshot"),
        subjects: vec![subject()],
        today: 20_261_121,
        via: Some((&names.via).into()),
        view: Hash::of(b"view"),
    }
}

pub(crate) fn outcome() -> Outcome<'static> {
    Outcome {
        answer: Some(commitment(Part::Answer)),
        at_ms: AT,
        bytes: 2,
        clock_offset_ms: Some(0),
        disclosed: 4,
        dropped: 1,
        elements: Some(9),
        end: End::Cut,
        exchange: exchange(),
        fields: vec![field("/HoSo/0/SoDinhDanh"), field("/HoVaTen")],
        fields_left: Some(3),
        format: Format,
        key: period(),
        kind: IsOutcome,
        masked: 2,
        micros: 5_310,
        node: node(),
        reason: Some(Reason(ReasonCode::ProviderSchema)),
        sequence: 2,
        sidecar: Some(Hash::of(b"sidecar")),
        sidecar_size: Some(9),
        status: 200,
        subjects: vec![subject()],
        withheld: 1,
    }
}

fn refusal(names: &Names) -> Refusal<'_> {
    let Intent { acting, agreement, agreement_version, articles, rules, .. } = intent(names);
    let Intent { correlation, dossier, officer, subjects, via, .. } = intent(names);
    let Intent { operation, provider, purpose, service, snapshot, today, .. } = intent(names);
    Refusal {
        acting,
        agreement,
        agreement_version,
        articles,
        at_ms: AT,
        clock_offset_ms: Some(0),
        correlation,
        decision: Denied,
        dossier,
        exchange: exchange(),
        format: Format,
        key: period(),
        kind: IsRefusal,
        node: node(),
        officer,
        operation,
        provider,
        purpose,
        reason: Reason(ReasonCode::PolicyDenied),
        rules,
        sequence: 0,
        service,
        snapshot,
        subjects,
        today,
        via,
    }
}

fn refusals(names: &Names) -> Refusals<'_> {
    Refusals {
        acting: Some((&names.consumer).into()),
        at_ms: AT,
        clock_offset_ms: Some(0),
        count: 17,
        format: Format,
        from_ms: AT - 60_000,
        kind: IsRefusals,
        node: node(),
        reason: Reason(ReasonCode::ConsumerRateLimited),
        service: Some((&names.service).into()),
    }
}

fn progress() -> Progress<'static> {
    Progress {
        at_ms: AT,
        bytes: 1 << 20,
        clock_offset_ms: Some(0),
        disclosed: 40_000,
        dropped: 0,
        elements: 10_000,
        exchange: exchange(),
        format: Format,
        kind: IsProgress,
        masked: 10_000,
        node: node(),
        sequence: 1,
        withheld: 0,
    }
}

fn loss() -> Loss<'static> {
    Loss {
        at_ms: AT,
        clock_offset_ms: Some(0),
        format: Format,
        kept: 10,
        kind: IsLoss,
        lost_root: Some(Hash::of(b"root")),
        lost_size: Some(20),
        node: node(),
        why: Why::new("ổ đĩa hỏng / the disk failed").expect("a sentence"),
    }
}

fn interrupted() -> Interrupted<'static> {
    Interrupted {
        at_ms: AT,
        clock_offset_ms: Some(0),
        exchange: exchange(),
        format: Format,
        kind: IsInterrupted,
        node: node(),
        presumed: PresumedDisclosed,
        sequence: 1,
    }
}

fn administration() -> Administration<'static> {
    Administration {
        action: Action::Search,
        at_ms: AT,
        clock_offset_ms: Some(0),
        count: Some(2),
        exchange: Some(exchange()),
        format: Format,
        from_ms: Some(AT - 60_000),
        key: Some(period()),
        kind: IsAdministration,
        node: node(),
        operator: Name::of_operator("thanh-tra-1").expect("a name"),
        role: OperatorRole::Auditor,
        subject: Some(subject().digest),
        until_ms: Some(AT),
        why: Why::new("yêu cầu của chủ thể dữ liệu / a request of the data subject"),
    }
}

pub(crate) fn consent(names: &Names) -> Consent<'_> {
    Consent {
        action: ConsentAction::Give,
        at_ms: AT,
        channel: Some(Channel::Officer),
        clock_offset_ms: Some(0),
        collector: Name::of_operator("mot-cua-26").expect("a name"),
        consent: numbered(21),
        controller: (&names.provider).into(),
        format: Format,
        key: period(),
        kind: IsConsent,
        node: node(),
        notice: Some(Hash::of(b"notice")),
        purpose: (&names.purpose).into(),
        recipients: vec![(&names.consumer).into(), (&names.via).into()],
        record: record(numbered(21), 17),
        representative: Some(key().digest(Domain::DataSubject("citizen_number"), PARENT)),
        revision: 17,
        service: (&names.service).into(),
        subject: subject().digest,
    }
}

/// To a record after the change of a revision.
fn record(id: ExchangeId, revision: u64) -> Commitment {
    let mut committer = key().commit(id, Part::Record(revision));
    committer.update(b"{}");
    committer.finish()
}

pub(crate) fn right(names: &Names) -> Right<'_> {
    Right {
        action: RightAction::Refuse,
        articles: vec![names.article()],
        at_ms: AT,
        clock_offset_ms: Some(0),
        consent: Some(numbered(21)),
        due_ms: Some(AT + 864_000_000),
        format: Format,
        key: period(),
        kind: IsRight,
        node: node(),
        operator: Name::of_operator("mot-cua-26").expect("a name"),
        participant: Some((&names.consumer).into()),
        request: numbered(31),
        revision: 18,
        right: RightKind::Delete,
        service: Some((&names.service).into()),
        subject: subject().digest,
    }
}

/// An entry of a change of the registry, by its revision; every third is of a request.
pub(crate) fn change(revision: u64) -> Vec<u8> {
    let names = Names::new();
    let entry = if revision.is_multiple_of(3) {
        Entry::Right(Right { request: numbered(revision), revision, ..right(&names) })
    } else {
        Entry::Consent(Consent { consent: numbered(revision), revision, ..consent(&names) })
    };
    entry.encode()
}

/// The id of an exchange by number.
pub(crate) fn numbered(number: u64) -> ExchangeId {
    ExchangeId::parse(&format!("018f3c5e-8d2a-4c1b-9e77-{number:012x}")).expect("an id")
}

/// Intent and outcome of an exchange.
pub(crate) fn pair(number: u64) -> [Vec<u8>; 2] {
    let names = Names::new();
    let exchange = numbered(number);
    let intent = Entry::Intent(Intent { exchange, ..intent(&names) });
    let outcome = Outcome { exchange, sequence: 1, sidecar: None, sidecar_size: None, ..outcome() };
    [intent.encode(), Entry::Outcome(outcome).encode()]
}

/// Intent and outcome of an exchange, with the sidecar that the outcome names.
pub(crate) fn pair_with(number: u64, sealed: Sealed) -> [Vec<u8>; 2] {
    let [intent, _] = pair(number);
    let sidecar = Some(sealed.root);
    let sidecar_size = Some(sealed.size);
    let exchange = numbered(number);
    let outcome = Outcome { exchange, sequence: 1, sidecar, sidecar_size, ..outcome() };
    [intent, Entry::Outcome(outcome).encode()]
}

/// Every kind with every field, then those that may have fewer.
pub(crate) fn samples(names: &Names) -> Vec<Entry<'_>> {
    let mut samples = vec![
        Entry::Intent(intent(names)),
        Entry::Progress(progress()),
        Entry::Outcome(outcome()),
        Entry::Refusal(refusal(names)),
        Entry::Refusals(refusals(names)),
        Entry::Interrupted(interrupted()),
        Entry::Loss(loss()),
        Entry::Administration(administration()),
        Entry::Consent(consent(names)),
        Entry::Right(right(names)),
    ];
    samples.extend(fewest(names));
    samples.extend(fewest_of_changes(names));
    samples
}

fn bare_refusal(names: &Names) -> Refusal<'_> {
    Refusal {
        articles: Vec::new(),
        clock_offset_ms: None,
        correlation: None,
        dossier: None,
        officer: None,
        rules: Vec::new(),
        subjects: Vec::new(),
        via: None,
        ..refusal(names)
    }
}

/// Every kind with as few fields as it may have.
fn fewest(names: &Names) -> Vec<Entry<'_>> {
    let bare = Intent {
        articles: Vec::new(),
        clock_offset_ms: None,
        consents: Vec::new(),
        correlation: None,
        dossier: None,
        officer: None,
        rules: Vec::new(),
        subjects: Vec::new(),
        via: None,
        ..intent(names)
    };
    let nothing = Outcome {
        answer: None,
        clock_offset_ms: None,
        elements: None,
        end: End::Complete,
        fields: Vec::new(),
        fields_left: None,
        reason: None,
        sidecar: None,
        sidecar_size: None,
        subjects: Vec::new(),
        ..outcome()
    };
    let unknown =
        Refusals { acting: None, clock_offset_ms: None, service: None, ..refusals(names) };
    let lost = Loss { clock_offset_ms: None, lost_root: None, lost_size: None, ..loss() };
    let reload = Administration {
        action: Action::Reload,
        clock_offset_ms: None,
        count: None,
        exchange: None,
        from_ms: None,
        key: None,
        role: OperatorRole::Local,
        subject: None,
        until_ms: None,
        why: None,
        ..administration()
    };
    vec![
        Entry::Intent(bare),
        Entry::Progress(Progress { clock_offset_ms: None, ..progress() }),
        Entry::Outcome(nothing),
        Entry::Refusal(bare_refusal(names)),
        Entry::Refusals(unknown),
        Entry::Interrupted(Interrupted { clock_offset_ms: None, ..interrupted() }),
        Entry::Loss(lost),
        Entry::Administration(reload),
    ]
}

/// The same of changes of the registry of consents.
fn fewest_of_changes(names: &Names) -> [Entry<'_>; 2] {
    let used = Consent {
        action: ConsentAction::Use,
        channel: None,
        clock_offset_ms: None,
        notice: None,
        recipients: Vec::new(),
        representative: None,
        ..consent(names)
    };
    let received = Right {
        action: RightAction::Receive,
        articles: Vec::new(),
        clock_offset_ms: None,
        consent: None,
        due_ms: None,
        participant: None,
        service: None,
        ..right(names)
    };
    [Entry::Consent(used), Entry::Right(received)]
}
