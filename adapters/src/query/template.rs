//! SQL with the named values `:from` and `:to`.
//!
//! In: the text of a file. Out: the text with the placeholders of an engine, and what each stands for.
//! What engines read in different ways is refused rather than guessed.

/// A value that is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    /// The first moment of the period.
    From,
    /// The first moment after it.
    To,
}

/// Whose SQL it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Postgres,
    Mysql,
    Sqlite,
}

impl Engine {
    /// A column of the query as a text.
    pub(super) fn as_text(self, column: &str) -> String {
        match self {
            Self::Postgres => format!("CAST(q.\"{column}\" AS text)"),
            Self::Mysql => format!("CAST(q.`{column}` AS CHAR CHARACTER SET utf8mb4)"),
            Self::Sqlite => format!("CAST(q.\"{column}\" AS TEXT)"),
        }
    }

    /// The `n`th value that is bound: local time without a zone.
    fn moment(self, n: usize) -> String {
        match self {
            Self::Postgres => format!("CAST(${n} AS timestamp)"),
            Self::Mysql => "CAST(? AS DATETIME)".to_owned(),
            Self::Sqlite => "?".to_owned(),
        }
    }
}

/// Why a text is no query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    #[error("must begin with `SELECT` or `WITH`")]
    NotASelect,
    #[error("has `{0}` outside of quotes, which is not read here")]
    Forbidden(char),
    #[error("has a backslash in quotes, which engines read in different ways")]
    Backslash,
    #[error("has quotes or a comment without an end")]
    Open,
    #[error("names `:{0}`; there are `:from` and `:to` only")]
    UnknownName(String),
    #[error("is longer than {MAX} bytes")]
    TooLong,
}

/// Longest query.
const MAX: usize = 64 << 10;

/// A query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Bound(Bound),
}

impl Template {
    /// Reads a query.
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > MAX {
            return Err(TemplateError::TooLong);
        }
        let mut reading = Reading { rest: text, text: String::new(), pieces: Vec::new() };
        while !reading.rest.is_empty() {
            reading.step()?;
        }
        reading.flush();
        let template = Self { pieces: reading.pieces };
        let first = template.first_word();
        if !["select", "with"].contains(&first.to_ascii_lowercase().as_str()) {
            return Err(TemplateError::NotASelect);
        }
        Ok(template)
    }

    /// Whether it names a value.
    pub(crate) fn names(&self, bound: Bound) -> bool {
        self.pieces.contains(&Piece::Bound(bound))
    }

    /// The text for an engine, and what is bound, in its order.
    pub(super) fn render(&self, engine: Engine) -> (String, Vec<Bound>) {
        let (mut text, mut bound) = (String::new(), Vec::new());
        for piece in &self.pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Bound(one) => {
                    bound.push(*one);
                    text.push_str(&engine.moment(bound.len()));
                }
            }
        }
        (text, bound)
    }

    /// The first word that is not in a comment.
    fn first_word(&self) -> String {
        let Some(Piece::Text(text)) = self.pieces.first() else { return String::new() };
        let mut rest = text.trim_start();
        loop {
            let behind = match (rest.strip_prefix("--"), rest.strip_prefix("/*")) {
                (Some(line), _) => line.split_once('\n').map_or("", |(_, behind)| behind),
                (_, Some(block)) => block.split_once("*/").map_or("", |(_, behind)| behind),
                _ => break,
            };
            rest = behind.trim_start();
        }
        rest.chars().take_while(char::is_ascii_alphabetic).collect()
    }
}

struct Reading<'a> {
    rest: &'a str,
    text: String,
    pieces: Vec<Piece>,
}

impl Reading<'_> {
    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.pieces.push(Piece::Text(std::mem::take(&mut self.text)));
        }
    }

    /// Takes so many bytes as they are.
    fn take(&mut self, bytes: usize) {
        let (head, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.text.push_str(head);
        self.rest = rest;
    }

    /// Takes everything up to the end of what begins here with so many bytes.
    fn until(&mut self, begin: usize, end: &str) -> Result<(), TemplateError> {
        let inner = self.rest.get(begin..).ok_or(TemplateError::Open)?;
        let length = inner.find(end).ok_or(TemplateError::Open)?;
        let inner = inner.get(..length).unwrap_or_default();
        if inner.contains('\\') && end != "*/" && end != "\n" {
            return Err(TemplateError::Backslash);
        }
        // PostgreSQL reads a comment within a comment, others do not.
        if end == "*/" && inner.contains("/*") {
            return Err(TemplateError::Open);
        }
        self.take(begin + length + end.len());
        Ok(())
    }

    fn step(&mut self) -> Result<(), TemplateError> {
        let Some(first) = self.rest.chars().next() else { return Ok(()) };
        match first {
            '\'' => self.until(1, "'"),
            '"' => self.until(1, "\""),
            '`' => self.until(1, "`"),
            _ if self.rest.starts_with("/*") => self.until(2, "*/"),
            _ if self.rest.starts_with("--") => match self.rest.contains('\n') {
                true => self.until(2, "\n"),
                false => {
                    self.take(self.rest.len());
                    Ok(())
                }
            },
            _ if self.rest.starts_with("::") => {
                self.take(2);
                Ok(())
            }
            ':' => self.name(),
            ';' | '$' | '?' | '\\' | '\0' => Err(TemplateError::Forbidden(first)),
            _ => {
                self.take(first.len_utf8());
                Ok(())
            }
        }
    }

    fn name(&mut self) -> Result<(), TemplateError> {
        let rest = self.rest.get(1..).unwrap_or_default();
        let word = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
        let name: String = rest.chars().take_while(word).collect();
        let bound = match name.as_str() {
            "from" => Bound::From,
            "to" => Bound::To,
            _ => return Err(TemplateError::UnknownName(name.chars().take(32).collect())),
        };
        self.flush();
        self.pieces.push(Piece::Bound(bound));
        self.rest = rest.get(name.len()..).unwrap_or_default();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
