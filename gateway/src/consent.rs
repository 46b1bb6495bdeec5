//! STUB
#[derive(Debug)]
pub struct Consents;
impl Consents {
    pub fn digest(&self, _: &str, _: &str) -> lienthong_consent::keys::SubjectDigest { panic!() }
    pub fn standing(&self, _: &lienthong_consent::keys::SubjectDigest, _: &lienthong_consent::scope::Asked<'_>) -> Result<lienthong_consent::index::Standing, crate::refusal::Refusal> { panic!() }
    pub async fn use_once(&self, _: &lienthong_consent::index::Active) -> Result<(), crate::refusal::Refusal> { panic!() }
}
