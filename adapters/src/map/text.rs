//! Texts: from the encoding of the column to NFC, and what else the platform wants of them.

use std::borrow::Cow;

use lienthong_model::{
    quality::Criterion,
    vietnamese::{
        Conversion, Raw, TextEncoding, TonePlacement, clean, nfc, place_tones, to_unicode, upper,
    },
};

use super::{TextCounts, Wrong};

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TextRule {
    /// What the column is encoded in.
    pub(crate) encoding: TextEncoding,
    /// Whether white space and what cannot be seen is cleaned away.
    pub(crate) spaces: Spaces,
    /// Where tone marks go; as they are by default.
    pub(crate) tone: Option<TonePlacement>,
    /// Whether it is put in capitals.
    pub(crate) letters: Letters,
}

/// What is done with white space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Spaces {
    #[default]
    Kept,
    Cleaned,
}

/// What is done with small letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Letters {
    #[default]
    Kept,
    Capitals,
}

impl TextRule {
    pub(super) fn write(self, raw: Raw<'_>, counts: &mut TextCounts) -> Result<String, Wrong> {
        let encoding = |rule| Wrong::new(Criterion::Clean, rule);
        let converted = to_unicode(raw, self.encoding).map_err(|error| encoding(error.rule))?;
        match converted.conversion {
            Conversion::None => {}
            Conversion::From(_) => counts.converted += 1,
            Conversion::Unclear => counts.unclear += 1,
        }
        let mut text = converted.text;
        let mut mended = false;
        if let Cow::Owned(composed) = nfc(&text) {
            mended = composed != text;
            text = Cow::Owned(composed);
        }
        if self.spaces == Spaces::Cleaned
            && let Cow::Owned(cleaned) = clean(&text)
        {
            mended = true;
            text = Cow::Owned(cleaned);
        }
        counts.mended += u32::from(mended);
        if let Some(style) = self.tone
            && let Cow::Owned(placed) = place_tones(&text, style)
        {
            text = Cow::Owned(placed);
        }
        Ok(match self.letters {
            Letters::Kept => text.into_owned(),
            Letters::Capitals => upper(&text),
        })
    }
}
