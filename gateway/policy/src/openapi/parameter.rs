//! Parameters of an operation.
//!
//! Takes the `parameters` of a path and an operation; gives each typed. A parameter without a
//! schema, in a cookie, with a style that needs guessing, or a header the gateway itself speaks is
//! refused.

use lienthong_model::{
    document::Content,
    field::Place,
    schema::{Kind, Schema},
};

use super::{Located, Reader, place_name};
use crate::service::{Parameter, PathTemplate, Segment};

/// Header names that belong to HTTP, the X-Road protocol or the gateway, never to an operation.
const RESERVED: &[&str] = &[
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "baggage",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "origin",
    "proxy-authorization",
    "range",
    "referer",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
];

/// Beginnings of such names.
const RESERVED_PREFIXES: &[&str] =
    &["x-road-", "lienthong-", "x-forwarded-", "if-", "sec-", "proxy-"];

/// Whether a text can name a parameter: the same in a URL, a header and a policy file.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

impl<'a> Reader<'a, '_> {
    /// The parameters of an operation; those of its path stand for every operation of the path.
    pub(super) fn parameters(
        &mut self,
        item: &Located<'a>,
        operation: &Located<'a>,
        template: Option<&PathTemplate>,
    ) -> Vec<Parameter> {
        let own = self.parameter_list(operation);
        let shared = self.parameter_list(item);
        let is_own = |p: &Parameter| own.iter().any(|o| o.place == p.place && o.name == p.name);
        let shared: Vec<_> = shared.into_iter().filter(|p| !is_own(p)).collect();
        let parameters: Vec<Parameter> = shared.into_iter().chain(own).collect();
        if let Some(template) = template {
            self.check_path_parameters(operation, template, &parameters);
        }
        parameters
    }

    fn parameter_list(&mut self, of: &Located<'a>) -> Vec<Parameter> {
        let mut parameters: Vec<Parameter> = Vec::new();
        let Some(list) = of.child("parameters") else { return parameters };
        let Content::List(items) = &list.node.content else {
            self.fail(list.node.at, "`parameters` must be a list");
            return parameters;
        };
        for (n, node) in items.iter().enumerate() {
            let pointer = format!("{}/{n}", list.pointer);
            let Some(parameter) = self.parameter(Located { node, pointer }) else { continue };
            if parameters.iter().any(|p| p.place == parameter.place && p.name == parameter.name) {
                self.fail(node.at, format!("parameter `{}` stands twice", parameter.name));
            }
            parameters.push(parameter);
        }
        parameters
    }

    fn parameter(&mut self, parameter: Located<'a>) -> Option<Parameter> {
        let parameter = self.resolve(parameter)?;
        let known = &[
            "name",
            "in",
            "required",
            "description",
            "deprecated",
            "schema",
            "style",
            "explode",
            "example",
            "examples",
        ];
        self.keys(&parameter, "a parameter", known);
        let place = self.place(&parameter);
        let name = self.parameter_name(&parameter, place);
        let required = self.flag(&parameter, "required");
        let Some(schema) = parameter.child("schema") else {
            self.fail(parameter.node.at, "key `schema` is missing: every parameter is typed");
            return None;
        };
        let schema = self.schema(&schema)?;
        let (place, name) = (place?, name?);
        let array = self.parameter_type(&parameter, place, &schema)?;
        let required = required?.unwrap_or(false);
        if place == Place::Path && !required {
            self.fail(parameter.node.at, format!("path parameter `{name}` must be required"));
            return None;
        }
        Some(Parameter { place, name, required, schema, array })
    }

    fn place(&mut self, parameter: &Located<'a>) -> Option<Place> {
        let at = parameter.node.get("in").map_or(parameter.node.at, |node| node.at);
        match parameter.text("in") {
            Some("path") => Some(Place::Path),
            Some("query") => Some(Place::Query),
            Some("header") => Some(Place::Header),
            Some("cookie") => {
                self.fail(at, "cookies do not pass");
                None
            }
            _ => {
                self.fail(at, "`in` must be `path`, `query` or `header`");
                None
            }
        }
    }

    fn parameter_name(&mut self, parameter: &Located<'a>, place: Option<Place>) -> Option<String> {
        let at = parameter.node.get("name").map_or(parameter.node.at, |node| node.at);
        let Some(name) = parameter.text("name").filter(|name| is_name(name)) else {
            self.fail(at, "`name` must be 1 to 64 letters, digits, `-`, `_` and `.`");
            return None;
        };
        if place != Some(Place::Header) {
            return Some(name.to_owned());
        }
        let name = name.to_ascii_lowercase();
        let reserved = RESERVED.contains(&name.as_str())
            || RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        if reserved {
            let message = format!("header `{name}` belongs to the protocol, not to an operation");
            self.fail_with(at, message, "leave it out");
            return None;
        }
        Some(name)
    }

    /// `None` when there is a mistake.
    fn flag(&mut self, of: &Located<'a>, key: &str) -> Option<Option<bool>> {
        match of.node.get(key) {
            None => Some(None),
            Some(node) => match node.content {
                Content::Bool(flag) => Some(Some(flag)),
                _ => {
                    self.fail(node.at, format!("`{key}` must be true or false"));
                    None
                }
            },
        }
    }

    /// Checks type and style; gives whether the parameter may stand several times.
    fn parameter_type(
        &mut self,
        parameter: &Located<'a>,
        place: Place,
        schema: &Schema,
    ) -> Option<bool> {
        let at = parameter.node.at;
        let usual = if place == Place::Query { "form" } else { "simple" };
        if let Some(style) = parameter.text("style")
            && style != usual
        {
            let place = place_name(place);
            self.fail(at, format!("style `{style}` is not read in a {place} parameter"));
            return None;
        }
        let explode = self.flag(parameter, "explode")?;
        match &schema.kind {
            Kind::Array(rules) if place == Place::Query => {
                if explode == Some(false) {
                    let help = "write `explode: true`: the parameter stands once for each value";
                    self.fail_with(at, "values joined in one parameter are not read", help);
                    return None;
                }
                self.scalar(parameter, &rules.items)?;
                Some(true)
            }
            Kind::Array(_) => {
                self.fail(at, "only a query parameter may have several values");
                None
            }
            _ => self.scalar(parameter, schema).map(|()| false),
        }
    }

    fn scalar(&mut self, parameter: &Located<'a>, schema: &Schema) -> Option<()> {
        let scalar = matches!(
            schema.kind,
            Kind::String(_) | Kind::Integer(_) | Kind::Number(_) | Kind::Boolean
        );
        if scalar && !schema.nullable {
            return Some(());
        }
        let message = "a parameter must be a string, a number or a boolean, never null";
        self.fail(parameter.node.at, message);
        None
    }

    fn check_path_parameters(
        &mut self,
        operation: &Located<'a>,
        template: &PathTemplate,
        parameters: &[Parameter],
    ) {
        let declared =
            |name: &str| parameters.iter().any(|p| p.place == Place::Path && p.name == name);
        let in_template = |name: &str| {
            template.segments().iter().any(|s| matches!(s, Segment::Parameter(n) if n == name))
        };
        for segment in template.segments() {
            if let Segment::Parameter(name) = segment
                && !declared(name)
            {
                let message = format!("path parameter `{name}` is not declared");
                self.fail(operation.node.at, message);
            }
        }
        for parameter in parameters.iter().filter(|p| p.place == Place::Path) {
            if !in_template(&parameter.name) {
                let name = &parameter.name;
                let message = format!("path `{template}` has no parameter `{name}`");
                self.fail(operation.node.at, message);
            }
        }
    }
}
