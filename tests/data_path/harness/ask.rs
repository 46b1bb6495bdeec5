//! A request as its bytes.

use std::fmt::Write as _;

/// A request under construction.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// Name of the certificate.
    pub(crate) certificate: String,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
}

/// A good look-up by `desk`.
pub(crate) fn person() -> Ask {
    Ask::get("desk", "/r1/VN/TEST/T01.10/REGISTRY/people/people?number=001122334455")
        .header("x-road-client", "VN/TEST/T01.20/DESK")
}

/// A good new person by `desk`, with this body.
pub(crate) fn person_body(body: impl Into<Vec<u8>>) -> Ask {
    let target = "/r1/VN/TEST/T01.10/REGISTRY/people/people";
    Ask { method: "POST".to_owned(), ..Ask::get("desk", target) }
        .header("x-road-client", "VN/TEST/T01.20/DESK")
        .header("content-type", "application/json")
        .body(body)
}

impl Ask {
    /// A GET with nothing but `Host`.
    pub(crate) fn get(certificate: &str, target: &str) -> Self {
        Self {
            certificate: certificate.to_owned(),
            method: "GET".to_owned(),
            target: target.to_owned(),
            headers: vec![("host".to_owned(), "localhost".to_owned())],
            body: None,
        }
    }

    /// A look-up by `office` for a purpose.
    pub(crate) fn office(service: &str, purpose: &str) -> Self {
        let path = match service {
            "people" => "people?number=001122334455",
            _ => "look",
        };
        Self::get("office", &format!("/r1/VN/TEST/T01.10/REGISTRY/{service}/{path}"))
            .header("x-road-client", "VN/TEST/T01.30/OFFICE")
            .header("lienthong-purpose", purpose)
    }

    /// With another method.
    pub(crate) fn method(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }

    /// With another target.
    pub(crate) fn target(mut self, target: &str) -> Self {
        target.clone_into(&mut self.target);
        self
    }

    /// With another certificate.
    pub(crate) fn certificate(mut self, name: &str) -> Self {
        name.clone_into(&mut self.certificate);
        self
    }

    /// With one more header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a header in place of any of its name.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(n, _)| n != name);
        self.header(name, value)
    }

    /// Without a header.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(n, _)| n != name);
        self
    }

    /// With a body.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Request line and headers, without the empty line.
    pub(crate) fn head(&self) -> String {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        head
    }

    /// The whole request; a body with its length.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut head = self.head();
        if let Some(body) = &self.body {
            write!(head, "content-length: {}\r\n", body.len()).unwrap();
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        bytes
    }
}
