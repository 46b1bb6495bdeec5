//! The connection sheet of a present LGSP client: five texts that it shows for a token.
//!
//! Takes JSON as the client sends it (in base64) or as a file holds it; gives a
//! [`ConnectionSheet`]. The names of the fields count in any case, because they are written in
//! several; an unknown, missing or repeated field is an error. No error and no `Debug` shows a value.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use lienthong_model::sensitive::Sensitive;
use lienthong_policy::{LgspClient, MAX_SHEET_TEXT};
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use crate::certificate::sha256;

/// Longest header value that is looked at: five texts, their names, and base64 around them.
pub const MAX_HEADER: usize = 2_048;

/// Not every client pads.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The fields, as the city's portal writes them.
const FIELDS: [&str; 5] = ["AppName", "AccessKey", "SecretKey", "PartnerCode", "PartnerCodeCus"];

/// A connection sheet, secret included.
#[derive(Clone)]
pub struct ConnectionSheet {
    /// `AppName`.
    pub app_name: String,
    /// `AccessKey`.
    pub access_key: Sensitive<String>,
    /// `SecretKey`.
    pub secret_key: Sensitive<String>,
    /// `PartnerCode`.
    pub partner_code: String,
    /// `PartnerCodeCus`; may be empty.
    pub partner_code_customer: String,
}

impl fmt::Debug for ConnectionSheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConnectionSheet")
    }
}

/// What is wrong with a connection sheet. Names fields, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SheetError {
    /// Longer than any sheet.
    #[error("longer than {MAX_HEADER} bytes")]
    TooLong,
    /// Not base64.
    #[error("not base64")]
    Base64,
    /// Not one JSON object of texts, or one with an unknown or repeated field.
    #[error("{0}")]
    Json(String),
    /// A field that is not there.
    #[error("field `{0}` is missing")]
    Missing(&'static str),
    /// A text that is empty, too long or not plain.
    #[error("field `{0}` must have at most {MAX_SHEET_TEXT} bytes of plain text and not be empty")]
    Text(&'static str),
}

impl ConnectionSheet {
    /// Reads a header value.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_header(value: &[u8]) -> Result<Self, SheetError> {
        if value.len() > MAX_HEADER {
            return Err(SheetError::TooLong);
        }
        let json = Sensitive::new(BASE64.decode(value).map_err(|_| SheetError::Base64)?);
        Self::from_json(json.expose())
    }

    /// Reads the JSON of a sheet.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_json(json: &[u8]) -> Result<Self, SheetError> {
        let mut reader = serde_json::Deserializer::from_slice(json);
        let fields = reader.deserialize_map(Fields).and_then(|fields| {
            reader.end()?;
            Ok(fields)
        });
        let [app_name, access_key, secret_key, partner_code, customer] =
            fields.map_err(|error| SheetError::Json(told(&error)))?;
        Ok(Self {
            app_name: plain(0, app_name, 1)?.expose().clone(),
            access_key: plain(1, access_key, 1)?,
            secret_key: plain(2, secret_key, 1)?,
            partner_code: plain(3, partner_code, 1)?.expose().clone(),
            partner_code_customer: plain(4, customer, 0)?.expose().clone(),
        })
    }

    /// Whether everything but the secret is what a participant's file says. Takes the same time
    /// whatever differs.
    #[must_use]
    pub fn names(&self, client: &LgspClient) -> bool {
        let pairs = [
            (self.app_name.as_str(), client.app_name.as_str()),
            (self.access_key.expose(), client.access_key.expose()),
            (&self.partner_code, &client.partner_code),
            (&self.partner_code_customer, &client.partner_code_customer),
        ];
        pairs.into_iter().fold(true, |all, (shown, known)| all & same(shown, known))
    }
}

/// SECURITY: equal lengths are compared, so that not even a length shows in the time.
fn same(shown: &str, known: &str) -> bool {
    verify_slices_are_equal(&sha256(shown.as_bytes()), &sha256(known.as_bytes())).is_ok()
}

fn plain(
    field: usize,
    value: Option<Sensitive<String>>,
    shortest: usize,
) -> Result<Sensitive<String>, SheetError> {
    let name = FIELDS.get(field).copied().unwrap_or_default();
    let value = value.ok_or(SheetError::Missing(name))?;
    let text = value.expose();
    let good = (shortest..=MAX_SHEET_TEXT).contains(&text.len());
    if good && !text.contains(char::is_control) { Ok(value) } else { Err(SheetError::Text(name)) }
}

/// serde_json repeats values of the wrong type; only what this module says is passed on.
fn told(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let own = text.strip_prefix(OWN).and_then(|rest| rest.split(" at line ").next());
    own.map_or_else(|| "not one JSON object of texts".to_owned(), str::to_owned)
}

const OWN: &str = "sheet: ";

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = [Option<Sensitive<String>>; 5];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a connection sheet")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values: Self::Value = Default::default();
        while let Some(name) = map.next_key::<String>()? {
            let place = FIELDS.iter().position(|field| field.eq_ignore_ascii_case(&name));
            let Some((place, field)) =
                place.and_then(|n| Some((values.get_mut(n)?, *FIELDS.get(n)?)))
            else {
                map.next_value::<IgnoredAny>()?;
                return Err(A::Error::custom(format!("{OWN}unknown field `{}`", shown(&name))));
            };
            if place.is_some() {
                return Err(A::Error::custom(format!("{OWN}field `{field}` stands twice")));
            }
            *place = Some(Sensitive::new(map.next_value::<String>()?));
        }
        Ok(values)
    }
}

/// A name as it may be told: a sheet in disorder may hold anything where a name should stand.
fn shown(name: &str) -> &str {
    let harmless = name.len() <= 32 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if harmless { name } else { "…" }
}

#[cfg(test)]
mod tests;
