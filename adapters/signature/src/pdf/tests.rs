use super::*;
use crate::{
    cms,
    testing::{Authority, Person, at, trust},
    trust::{DEFAULT_LIMIT, Trust, TrustError},
};

/// Room for a signature, in bytes.
const ROOM: usize = 4000;
const RANGE: &str = "/ByteRange [0 0000000001 0000000002 0000000003]";

/// The smallest file that readers call a PDF file, not signed.
fn plain() -> Vec<u8> {
    let mut file = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
    file.extend(b"1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n");
    file.extend(b"2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n");
    file.extend(b"3 0 obj\n<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>\nendobj\n");
    file.extend(b"4 0 obj\n<< /Length 5 0 R >>\nstream\n(/ByteRange <<\nendstream\nendobj\n");
    file.extend(b"5 0 obj\n13\nendobj\n6 0 obj\n(a \\) text (with) brackets)\nendobj\n");
    file.extend(b"trailer\n<< /Size 7 /Root 1 0 R >>\nstartxref\n9\n%%EOF\n");
    file
}

/// Adds a revision with room for a signature. `range` and `more` stand in its dictionary.
fn with_room(file: &[u8], kind: &str, more: &str) -> Vec<u8> {
    let zeros = "0".repeat(2 * ROOM);
    let added = format!(
        "9 0 obj\n<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /{kind} {more}\n{RANGE}\n\
         /Contents <{zeros}> >>\nendobj\ntrailer\n<< /Size 10 /Root 1 0 R /Prev 9 >>\n\
         startxref\n9\n%%EOF\n"
    );
    [file, added.as_bytes()].concat()
}

fn last(of: &str, within: &[u8]) -> usize {
    memchr::memmem::rfind(within, of.as_bytes()).expect("it is there")
}

/// The place of the last signature's text, with its brackets.
fn gap(file: &[u8]) -> (usize, usize) {
    let start = last("/Contents <", file) + "/Contents ".len();
    (start, start + 2 * ROOM + 2)
}

/// Writes what the last signature covers.
fn set_range(file: &mut [u8], [first, before, second, after]: [usize; 4]) {
    let text = format!("/ByteRange [{first} {before:010} {second:010} {after:010}]");
    let at = last("/ByteRange [0 ", file);
    file[at..at + text.len()].copy_from_slice(text.as_bytes());
}

/// Signs a file with room, over these ranges.
fn fill(file: &mut [u8], person: &Person, ranges: [usize; 4]) {
    set_range(file, ranges);
    let [_, before, second, after] = ranges;
    let content = [&file[..before], &file[second..second + after]].concat();
    let message = cms::sign_detached(&content, &person.signer(), at()).unwrap();
    let text: String = message.iter().map(|byte| format!("{byte:02X}")).collect();
    let (start, _) = gap(file);
    file[start + 1..=start + text.len()].copy_from_slice(text.as_bytes());
}

fn whole(file: &[u8]) -> [usize; 4] {
    let (start, end) = gap(file);
    [0, start, end, file.len() - end]
}

struct World {
    root: Authority,
    person: Person,
    trust: Trust,
}

impl World {
    fn new() -> Self {
        let root = Authority::root("root");
        let (person, trust) = (root.person("person"), trust(&root));
        Self { root, person, trust }
    }

    fn signed(&self, file: &[u8]) -> Vec<u8> {
        self.signed_as(file, "adbe.pkcs7.detached", "")
    }

    fn signed_as(&self, file: &[u8], kind: &str, more: &str) -> Vec<u8> {
        let mut file = with_room(file, kind, more);
        let ranges = whole(&file);
        fill(&mut file, &self.person, ranges);
        file
    }

    fn judge(&self, file: &[u8]) -> Result<Vec<PdfSignature>, PdfError> {
        verify(file, &Verifier::new(&self.trust, at()))
    }

    fn error(&self, file: &[u8]) -> PdfError {
        self.judge(file).unwrap_err()
    }
}

fn bad(number: usize, error: CmsError) -> PdfError {
    PdfError::Signature(number, error)
}

#[test]
fn refuses_what_is_no_pdf_or_not_signed() {
    let world = World::new();
    assert_eq!(world.error(b"a letter"), PdfError::NotPdf);
    assert_eq!(world.error(b"%PDF-1.7\n1 0 obj\n<< /A"), PdfError::Damaged);
    assert_eq!(world.error(b"%PDF-1.7\n1 0 obj\n(no end"), PdfError::Damaged);
    assert_eq!(world.error(&plain()), PdfError::NoSignature);
    let deep = [b"%PDF-1.7\n".to_vec(), b"[".repeat(10_000)].concat();
    assert_eq!(world.error(&deep), PdfError::Damaged);
    let verifier = Verifier::new(&world.trust, at()).with_limit(10);
    assert_eq!(verify(&plain(), &verifier), Err(PdfError::TooLarge));
}

#[test]
fn refuses_a_file_that_is_encrypted() {
    let world = World::new();
    for name in ["Encrypt", "#45ncryp#74"] {
        let trailer = format!("trailer\n<< /Root 1 0 R /{name} 8 0 R >>\n");
        let file = world.signed(&[plain(), trailer.into_bytes()].concat());
        assert_eq!(world.error(&file), PdfError::Encrypted);
    }
}

#[test]
fn refuses_bytes_behind_the_last_signature() {
    let world = World::new();
    let file = world.signed(&plain());
    for more in ["\n", "10 0 obj\n<< /Type /Page >>\nendobj\n", "% a comment\n"] {
        let file = [file.as_slice(), more.as_bytes()].concat();
        assert_eq!(world.error(&file), PdfError::Appended);
        let found = signatures(&file, DEFAULT_LIMIT).unwrap();
        assert_eq!(found[0].covers, Covers::Revision(file.len() - more.len()));
    }
}

#[test]
fn refuses_a_gap_that_is_wider_than_the_signature() {
    let world = World::new();
    let mut file = with_room(&plain(), "adbe.pkcs7.detached", "");
    let [_, before, second, after] = whole(&file);
    for ranges in [[0, before - 10, second, after], [0, before, second + 3, after - 3]] {
        fill(&mut file, &world.person, ranges);
        assert_eq!(world.error(&file), PdfError::Gap(1));
    }
}

#[test]
fn refuses_a_gap_somewhere_else_than_the_signature() {
    let world = World::new();
    let mut file = with_room(&plain(), "adbe.pkcs7.detached", "");
    let [_, before, second, after] = whole(&file);
    for ranges in [[0, 100, 200, file.len() - 200], [0, before + 4, second, after]] {
        fill(&mut file, &world.person, ranges);
        assert_eq!(world.error(&file), PdfError::Elsewhere(1));
    }
    let text = String::from_utf8_lossy(&world.signed(b"%PDF-1.7\n")).into_owned();
    let other = text.replace("/Contents <", "/Contentz <");
    assert_eq!(world.error(other.as_bytes()), PdfError::Elsewhere(1));
}

#[test]
fn refuses_ranges_that_are_not_possible() {
    let world = World::new();
    let file = world.signed(&plain());
    let [_, before, second, after] = whole(&file);
    let impossible = [
        [1, before, second, after],
        [0, before, second, after + 1],
        [0, second, before, after],
        [0, before, before, after],
        [0, 0, second, after],
        [0, before, second, 0],
        [0, before, 9_999_999_999, after],
    ];
    for ranges in impossible {
        let mut file = file.clone();
        set_range(&mut file, ranges);
        assert_eq!(world.error(&file), PdfError::Ranges(1), "{ranges:?}");
    }
    let text = String::from_utf8_lossy(&world.signed(b"%PDF-1.7\n")).into_owned();
    let other = text.replace("/ByteRange [0 ", "/ByteRange [0 0 ");
    assert_eq!(world.error(other.as_bytes()), PdfError::Ranges(1));
}

#[test]
fn refuses_two_entries_of_one_name() {
    let world = World::new();
    for more in [
        "/Contents <00>",
        "/Contents (a)",
        "/ByteRange [0 1 2 3]",
        "/SubFilter /adbe.pkcs7.detached",
    ] {
        let file = world.signed_as(&plain(), "adbe.pkcs7.detached", more);
        assert_eq!(world.error(&file), PdfError::Damaged, "{more}");
    }
}

#[test]
fn refuses_other_kinds_of_signatures() {
    let world = World::new();
    for kind in ["adbe.pkcs7.sha1", "adbe.x509.rsa_sha1", "ETSI.RFC3161"] {
        assert_eq!(world.error(&world.signed_as(&plain(), kind, "")), PdfError::Kind(1));
    }
}

#[test]
fn refuses_an_altered_file_and_a_signature_that_is_not_digits() {
    let world = World::new();
    let file = world.signed(&plain());
    let mut altered = file.clone();
    altered[40] ^= 1;
    assert_eq!(world.error(&altered), bad(1, CmsError::Altered));
    let (start, end) = gap(&file);
    let mut filled = file.clone();
    filled[end - 2] = b'1';
    assert_eq!(world.error(&filled), bad(1, CmsError::Damaged));
    let mut blank = file.clone();
    blank[end - 2] = b' ';
    assert_eq!(world.error(&blank), bad(1, CmsError::Damaged));
    let mut letter = file.clone();
    letter[end - 2] = b'x';
    assert_eq!(world.error(&letter), PdfError::Damaged);
    let mut empty = file;
    empty[start + 1..end - 1].fill(b'0');
    assert_eq!(world.error(&empty), bad(1, CmsError::NotCms));
}

#[test]
fn refuses_strangers() {
    let mut world = World::new();
    world.person = Authority::root("other").person("person");
    let refused = bad(1, CmsError::Trust(TrustError::NotTrusted));
    assert_eq!(world.error(&world.signed(&plain())), refused);
}

#[test]
fn refuses_a_bad_earlier_signature_below_a_good_one() {
    let mut world = World::new();
    let good = world.person.clone();
    world.person = Authority::root("other").person("person");
    let first = world.signed(&plain());
    world.person = good;
    let both = world.signed(&first);
    assert_eq!(world.error(&both), bad(1, CmsError::Trust(TrustError::NotTrusted)));
}

#[test]
fn refuses_cades_that_does_not_name_its_certificate() {
    let world = World::new();
    let bench = crate::testing::Bench::new();
    bench.put_person("person", &world.person);
    let mut file = with_room(&plain(), "ETSI.CAdES.detached", "");
    let ranges = whole(&file);
    set_range(&mut file, ranges);
    bench.put("content", [&file[..ranges[1]], &file[ranges[2]..]].concat());
    for (option, refused) in [("", true), ("-cades", false)] {
        bench.run(&format!(
            "cms -sign -binary -in content -signer person.pem -inkey person.key -outform DER \
             -out message.der {option}"
        ));
        let message = bench.take("message.der");
        let text: String = message.iter().map(|byte| format!("{byte:02x}")).collect();
        file[ranges[1] + 1..=ranges[1] + text.len()].copy_from_slice(text.as_bytes());
        match world.judge(&file) {
            Err(error) => assert!(refused && error == bad(1, CmsError::Attributes), "{error}"),
            Ok(signatures) => assert!(!refused && signatures[0].kind == Kind::Cades),
        }
    }
}

#[test]
fn accepts_a_signature_of_the_whole_file() {
    let world = World::new();
    for kind in ["adbe.pkcs7.detached", "ETSI.CAdES.detached"] {
        let signatures = world.judge(&world.signed_as(&plain(), kind, "")).unwrap();
        assert_eq!(signatures.len(), 1);
        assert_eq!(signatures[0].covers, Covers::Whole);
        assert_eq!(signatures[0].signers[0].signer, world.person.signer().identity());
    }
}

#[test]
fn tells_which_signature_is_of_an_earlier_revision() {
    let mut world = World::new();
    let first = world.signed(&plain());
    world.person = world.root.person("second");
    let changed = [first.as_slice(), b"8 0 obj\n[1 -2 +.5 true null /A#20b]\nendobj\n"].concat();
    let both = world.signed(&changed);
    let signatures = world.judge(&both).unwrap();
    assert_eq!(signatures[0].covers, Covers::Revision(first.len()));
    assert_eq!(signatures[1].covers, Covers::Whole);
    let names: Vec<_> =
        signatures.iter().map(|one| one.signers[0].signer.subject.as_str()).collect();
    assert_eq!(names, ["CN=person,C=VN", "CN=second,C=VN"]);
}

#[test]
fn does_not_look_into_streams() {
    let world = World::new();
    let inner = world.signed(&plain());
    let length = inner.len();
    let mut file = plain();
    file.extend(format!("8 0 obj\n<< /Length {length} >>\nstream\n").into_bytes());
    file.extend(&inner);
    file.extend(b"\nendstream\nendobj\n");
    assert_eq!(world.error(&file), PdfError::NoSignature);
    assert_eq!(world.judge(&world.signed(&file)).unwrap().len(), 1);
}

#[test]
fn no_change_of_a_byte_outside_of_the_signature_passes() {
    use proptest::prelude::*;
    let world = World::new();
    let file = world.signed(&plain());
    let (start, end) = gap(&file);
    let config = ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() };
    proptest!(config, |(at in 0..file.len() - (end - start), change in 1_u8..)| {
        let at = if at < start { at } else { at + (end - start) };
        let mut file = file.clone();
        file[at] ^= change;
        prop_assert!(world.judge(&file).is_err());
    });
}
