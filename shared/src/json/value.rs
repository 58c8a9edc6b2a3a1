//! Where one JSON value ends.

use serde::de::IgnoredAny;

use super::ScanError;

/// The longest value that is kept. A song is about 100 bytes, a summary at most a few thousand.
const MAX_VALUE_BYTES: usize = 64 * 1024;

/// The deepest nesting of brackets within a value.
const MAX_DEPTH: usize = 32;

/// What a byte did to the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The value goes on.
    More,
    /// The value ended with this byte.
    Ended,
    /// The value ended before this byte, which belongs to what follows.
    EndedBefore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    Escaped,
}

/// One value that is being read.
#[derive(Debug)]
pub(super) struct PartialValue {
    kept: Option<Vec<u8>>,
    open_brackets: Vec<u8>,
    text: Text,
    /// A number or a literal: only what follows it tells that it has ended.
    is_bare: bool,
}

impl PartialValue {
    /// Begins a value that is kept.
    pub(super) fn kept(first: u8) -> Result<Self, ScanError> {
        Self::begin(first, Some(Vec::new()))
    }

    /// Begins a value that is only passed over.
    pub(super) fn skipped(first: u8) -> Result<Self, ScanError> {
        Self::begin(first, None)
    }

    fn begin(first: u8, kept: Option<Vec<u8>>) -> Result<Self, ScanError> {
        let is_bare = is_bare_byte(first);
        if !is_bare && !matches!(first, b'"' | b'{' | b'[') {
            return Err(ScanError::Malformed);
        }
        let mut value = Self { kept, open_brackets: Vec::new(), text: Text::Outside, is_bare };
        value.step(first)?;
        Ok(value)
    }

    /// Reads the next byte.
    pub(super) fn step(&mut self, byte: u8) -> Result<Step, ScanError> {
        if self.is_bare && !is_bare_byte(byte) {
            return Ok(Step::EndedBefore);
        }
        if let Some(kept) = &mut self.kept {
            if kept.len() == MAX_VALUE_BYTES {
                return Err(ScanError::TooLarge);
            }
            kept.push(byte);
        }
        match self.text {
            Text::Escaped => self.text = Text::Inside,
            Text::Inside => return self.step_in_text(byte),
            Text::Outside => match byte {
                b'"' => self.text = Text::Inside,
                b'{' | b'[' if self.open_brackets.len() == MAX_DEPTH => return Err(ScanError::TooDeep),
                b'{' => self.open_brackets.push(b'}'),
                b'[' => self.open_brackets.push(b']'),
                b'}' | b']' => return self.close(byte),
                _ => {}
            },
        }
        Ok(Step::More)
    }

    fn step_in_text(&mut self, byte: u8) -> Result<Step, ScanError> {
        match byte {
            b'\\' => self.text = Text::Escaped,
            b'"' => {
                self.text = Text::Outside;
                return Ok(self.ended_if_closed());
            }
            0..0x20 => return Err(ScanError::Malformed),
            _ => {}
        }
        Ok(Step::More)
    }

    fn close(&mut self, byte: u8) -> Result<Step, ScanError> {
        match self.open_brackets.pop() {
            Some(expected) if expected == byte => Ok(self.ended_if_closed()),
            _ => Err(ScanError::Malformed),
        }
    }

    fn ended_if_closed(&self) -> Step {
        if self.open_brackets.is_empty() { Step::Ended } else { Step::More }
    }

    /// The value as it was written; `None` where it was only passed over.
    pub(super) fn finish(self) -> Result<Option<String>, ScanError> {
        let Some(kept) = self.kept else { return Ok(None) };
        // The brackets match, but what stands between them has not been checked yet.
        let json = String::from_utf8(kept).map_err(|_| ScanError::Malformed)?;
        serde_json::from_str::<IgnoredAny>(&json).map_err(|_| ScanError::Malformed)?;
        Ok(Some(json))
    }
}

/// What numbers, `true`, `false` and `null` consist of.
fn is_bare_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}
