//! The proof vectors of `transparency-dev/merkle` (testdata, Apache-2.0), positive and negative.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lienthong_evidence::{
    hash::Hash,
    tree::{check_consistency, check_inclusion},
};
use serde::Deserialize;

const INCLUSION: &str = include_str!("vectors/inclusion.json");
const CONSISTENCY: &str = include_str!("vectors/consistency.json");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inclusion {
    name: String,
    leaf_idx: u64,
    tree_size: u64,
    root: Option<String>,
    leaf_hash: Option<String>,
    proof: Option<Vec<String>>,
    want_err: bool,
}

#[derive(Deserialize)]
struct Consistency {
    name: String,
    size1: u64,
    size2: u64,
    root1: Option<String>,
    root2: Option<String>,
    proof: Option<Vec<String>>,
    #[serde(rename = "wantErr")]
    want_err: bool,
}

/// A hash of a vector; none where the vector has bytes that are no hash.
fn hash(text: Option<&str>) -> Option<Hash> {
    Hash::from_slice(&STANDARD.decode(text.unwrap_or_default()).expect("base 64"))
}

fn hashes(proof: Option<&[String]>) -> Option<Vec<Hash>> {
    proof.unwrap_or_default().iter().map(|text| hash(Some(text))).collect()
}

#[test]
fn inclusion_proofs_are_judged_as_the_vectors_say() {
    let vectors: Vec<Inclusion> = serde_json::from_str(INCLUSION).expect("vectors");
    assert_eq!(vectors.len(), 49);
    for vector in vectors {
        let judged = (|| {
            let leaf = hash(vector.leaf_hash.as_deref())?;
            let root = hash(vector.root.as_deref())?;
            let proof = hashes(vector.proof.as_deref())?;
            check_inclusion(leaf, vector.leaf_idx, vector.tree_size, root, &proof).ok()
        })();
        assert_eq!(judged.is_none(), vector.want_err, "{}", vector.name);
    }
}

#[test]
fn consistency_proofs_are_judged_as_the_vectors_say() {
    let vectors: Vec<Consistency> = serde_json::from_str(CONSISTENCY).expect("vectors");
    assert_eq!(vectors.len(), 43);
    for vector in vectors {
        let judged = (|| {
            let old = hash(vector.root1.as_deref())?;
            let new = hash(vector.root2.as_deref())?;
            let proof = hashes(vector.proof.as_deref())?;
            check_consistency(vector.size1, vector.size2, old, new, &proof).ok()
        })();
        assert_eq!(judged.is_none(), vector.want_err, "{}", vector.name);
    }
}
