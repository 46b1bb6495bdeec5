//! OpenAPI documents reduced to what agreements disclose.

use serde_json::Value;

use crate::{agreement::AgreementOperation, service::Service};

/// The service's OpenAPI document with only the disclosed operations, parameters and fields.
#[must_use]
pub fn project_openapi(_service: &Service, _operations: &[&AgreementOperation]) -> Value {
    Value::Null
}
