//! The object around the values.

use std::fmt;

use super::value::{PartialValue, Step};

/// Something that is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanEvent {
    /// A member of the object whose value is a string, a number, a boolean or null.
    Member {
        /// The member's name, unescaped.
        key: String,
        /// The value as JSON.
        json: String,
    },
    /// An element of the array, as JSON.
    Element(String),
    /// The document is broken here; nothing follows, what came before stays valid.
    Broken(ScanError),
}

/// Why a document cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanError {
    /// Not JSON.
    Malformed,
    /// A name, a scalar or an element is larger than 64 KiB.
    TooLarge,
    /// Brackets are nested deeper than 32.
    TooDeep,
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "malformed JSON",
            Self::TooLarge => "a JSON value is too large",
            Self::TooDeep => "JSON is nested too deeply",
        })
    }
}

impl std::error::Error for ScanError {}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the object.
    Noise,
    /// After the object's opening brace.
    Opened,
    /// After a comma between members.
    Key,
    Colon,
    MemberValue,
    AfterMember,
    /// After the array's opening bracket.
    ArrayOpened,
    /// After a comma between elements.
    Element,
    AfterElement,
    Complete,
    Broken,
}

/// Reads one JSON object that arrives in chunks, cut anywhere.
///
/// Members and elements come out in the order they were written, a repeated member as often as it
/// stands. Members that are objects, or arrays other than the chosen one, are passed over. Noise
/// around the object is ignored, such as Markdown fences or a sentence before it. Takes linear
/// time, and memory for one value.
#[derive(Debug)]
pub struct ObjectScanner {
    array_key: &'static str,
    place: Place,
    key: String,
    value: Option<PartialValue>,
}

impl ObjectScanner {
    /// A scanner that hands over the elements of the member `array_key` one by one.
    pub fn new(array_key: &'static str) -> Self {
        Self { array_key, place: Place::Noise, key: String::new(), value: None }
    }

    /// Reads a chunk; answers what it completed.
    pub fn push(&mut self, chunk: &[u8]) -> Vec<ScanEvent> {
        let mut events = Vec::new();
        for byte in chunk {
            if matches!(self.place, Place::Complete | Place::Broken) {
                break;
            }
            if let Err(error) = self.step(*byte, &mut events) {
                self.place = Place::Broken;
                self.value = None;
                events.push(ScanEvent::Broken(error));
            }
        }
        events
    }

    /// Says whether the object has been read to its closing brace.
    pub fn is_complete(&self) -> bool {
        self.place == Place::Complete
    }

    fn step(&mut self, byte: u8, events: &mut Vec<ScanEvent>) -> Result<(), ScanError> {
        let Some(value) = &mut self.value else {
            return self.step_between_values(byte);
        };
        match value.step(byte)? {
            Step::More => Ok(()),
            Step::Ended => self.end_value(events),
            Step::EndedBefore => {
                self.end_value(events)?;
                self.step_between_values(byte)
            }
        }
    }

    fn step_between_values(&mut self, byte: u8) -> Result<(), ScanError> {
        if byte.is_ascii_whitespace() {
            return Ok(());
        }
        self.place = match (self.place, byte) {
            (Place::Noise | Place::Opened, b'{') => Place::Opened,
            (Place::Noise, _) => Place::Noise,
            (Place::Opened, b'}') | (Place::AfterMember, b'}') => Place::Complete,
            (Place::Opened | Place::Key, b'"') => {
                self.value = Some(PartialValue::kept(byte)?);
                Place::Key
            }
            // A brace in the sentence before the object.
            (Place::Opened, _) => Place::Noise,
            (Place::Colon, b':') => Place::MemberValue,
            (Place::MemberValue, b'[') if self.key == self.array_key => Place::ArrayOpened,
            (Place::MemberValue, b'{' | b'[') => {
                self.value = Some(PartialValue::skipped(byte)?);
                Place::MemberValue
            }
            (Place::MemberValue, _) => {
                self.value = Some(PartialValue::kept(byte)?);
                Place::MemberValue
            }
            (Place::AfterMember, b',') => Place::Key,
            (Place::ArrayOpened | Place::AfterElement, b']') => Place::AfterMember,
            (Place::ArrayOpened | Place::Element, _) => {
                self.value = Some(PartialValue::kept(byte)?);
                Place::Element
            }
            (Place::AfterElement, b',') => Place::Element,
            _ => return Err(ScanError::Malformed),
        };
        Ok(())
    }

    fn end_value(&mut self, events: &mut Vec<ScanEvent>) -> Result<(), ScanError> {
        let json = self.value.take().map(PartialValue::finish).transpose()?.flatten();
        match (self.place, json) {
            (Place::Key, Some(json)) => {
                self.key = serde_json::from_slice(json.as_bytes()).map_err(|_| ScanError::Malformed)?;
                self.place = Place::Colon;
            }
            (Place::Element, Some(json)) => {
                events.push(ScanEvent::Element(json));
                self.place = Place::AfterElement;
            }
            (_, json) => {
                let key = std::mem::take(&mut self.key);
                events.extend(json.map(|json| ScanEvent::Member { key, json }));
                self.place = Place::AfterMember;
            }
        }
        Ok(())
    }
}
