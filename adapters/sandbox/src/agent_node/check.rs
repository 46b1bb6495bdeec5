//! Whether a record of a data set is good.

use std::{collections::BTreeSet, sync::LazyLock};

use lienthong_model::{identifier::CitizenNumber, ward::units};
use serde_json::{Map, Value};

use super::{
    DatasetSettings,
    refusal::Refusal,
    release::{self, Release},
};

/// Looks at one record. Gives the releases in it.
pub(super) fn record(
    rules: &DatasetSettings,
    record: &Map<String, Value>,
) -> Result<Vec<Release>, Refusal> {
    let text = |name: &String| record.get(name).and_then(Value::as_str).unwrap_or_default();
    let says = |name: &&String| record.get(*name).is_some_and(|value| !value.is_null());
    if rules.required.iter().any(|name| !says(&name)) {
        return Err(Refusal::Identifier);
    }
    let is_number = |name: &String| text(name).parse::<CitizenNumber>().is_ok();
    let is_ward = |name: &String| is_ward_of_today(text(name));
    let good = rules.citizen_numbers.iter().filter(says).all(is_number)
        && rules.wards.iter().filter(says).all(is_ward);
    if !good {
        return Err(Refusal::Identifier);
    }
    rules.releases.iter().map(|name| release::read(text(name))).collect()
}

static WARDS: LazyLock<BTreeSet<String>> =
    LazyLock::new(|| units().map(|unit| unit.code.to_string()).collect());

fn is_ward_of_today(code: &str) -> bool {
    WARDS.contains(code)
}
