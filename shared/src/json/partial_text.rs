//! Unescapes a text of a JSON document, character by character.

/// The longest text that is kept. The rest of a longer one is dropped.
const MAX_TEXT_BYTES: usize = 4 * 1024;

/// The longest text that is kept where it holds a document itself.
const MAX_NESTED_DOCUMENT_BYTES: usize = 64 * 1024;

/// A text that has begun and not ended.
#[derive(Debug, Default)]
pub(super) struct PartialText {
    text: String,
    /// The quote that ends it.
    closes: Option<char>,
    escape: Escape,
    /// The first half of a surrogate pair.
    high: Option<u32>,
    is_document: bool,
}

#[derive(Debug, Default, Clone, Copy)]
enum Escape {
    #[default]
    None,
    Backslash,
    Unicode {
        digits: u32,
        value: u32,
    },
}

impl PartialText {
    /// Creates the text after an opening quote.
    pub(super) fn quoted(opening: char) -> Self {
        let closes = match opening {
            '“' | '„' => '”',
            '«' => '»',
            '‘' => '’',
            same => same,
        };
        Self {
            closes: Some(closes),
            ..Self::default()
        }
    }

    /// Creates the text of a nested document, without its opening quote.
    pub(super) fn document(first: char) -> Self {
        Self {
            text: first.to_string(),
            closes: Some('"'),
            is_document: true,
            ..Self::default()
        }
    }

    /// Reads a character; returns whether it may be the closing quote.
    pub(super) fn push(&mut self, c: char) -> bool {
        match self.escape {
            Escape::None if Some(c) == self.closes => return true,
            // German quotes: „…“.
            Escape::None if c == '“' && self.closes == Some('”') => return true,
            Escape::None if c == '\\' => self.escape = Escape::Backslash,
            Escape::None => self.keep(if c.is_control() { ' ' } else { c }),
            Escape::Backslash => self.unescape(c),
            Escape::Unicode { digits, value } => match c.to_digit(16) {
                Some(digit) if digits == 3 => {
                    self.escape = Escape::None;
                    self.code_unit(value * 16 + digit);
                }
                Some(digit) => {
                    self.escape = Escape::Unicode {
                        digits: digits + 1,
                        value: value * 16 + digit,
                    };
                }
                None => {
                    self.escape = Escape::None;
                    return self.push(c);
                }
            },
        }
        false
    }

    fn unescape(&mut self, c: char) {
        self.escape = Escape::None;
        match c {
            'u' => {
                self.escape = Escape::Unicode {
                    digits: 0,
                    value: 0,
                }
            }
            'n' | 't' | 'r' => self.keep(' '),
            'b' | 'f' => {}
            _ => self.keep(c),
        }
    }

    fn code_unit(&mut self, unit: u32) {
        match (self.high.take(), unit) {
            (Some(high), 0xDC00..=0xDFFF) => {
                let pair = 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00);
                self.keep(char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            (_, 0xD800..=0xDBFF) => self.high = Some(unit),
            (_, unit) => self.keep(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)),
        }
    }

    /// Appends the closing quote that was not one, and the white space after it.
    pub(super) fn reopen(&mut self, spaces: &str) {
        self.keep(self.closes.unwrap_or('"'));
        spaces.chars().for_each(|space| self.keep(space));
    }

    /// Returns whether the text ends with a closing quote of its own, which cannot occur within it.
    pub(super) fn has_own_quote(&self) -> bool {
        matches!(self.closes, Some('”' | '»'))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns the complete text.
    pub(super) fn into_string(mut self) -> String {
        self.end_surrogate();
        self.text
    }

    fn end_surrogate(&mut self) {
        if self.high.take().is_some() {
            self.keep(char::REPLACEMENT_CHARACTER);
        }
    }

    /// Appends a character, within the limit.
    fn keep(&mut self, c: char) {
        self.end_surrogate();
        if self.text.is_empty() && matches!(c, '{' | '[') {
            self.is_document = true;
        }
        let max = if self.is_document {
            MAX_NESTED_DOCUMENT_BYTES
        } else {
            MAX_TEXT_BYTES
        };
        if self.text.len() + c.len_utf8() <= max {
            self.text.push(c);
        }
    }
}
