//! Structured logs: one JSON object per line.

use serde::{Serialize, Serializer};
use serde_json::Value;

/// The urgency of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// A normal event.
    Info,
    /// An event that an operator should look at.
    Error,
}

/// The destination of log lines.
pub trait Log {
    /// Writes one line.
    fn write(&self, level: Level, line: &str);
}

/// The fields of one log line.
#[derive(Debug, Default)]
pub struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    /// Sets a field. Never pass a secret or a user's text.
    pub fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        self.put(key, value.into());
    }

    fn put(&mut self, key: &'static str, value: Value) {
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key, value)),
        }
    }

    /// Adds a field; see [`Fields::set`].
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.set(key, value);
        self
    }

    /// Adds a field if there is a value.
    #[must_use]
    pub fn with_some(self, key: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Returns the line as JSON.
    pub fn into_line(self) -> String {
        // Writing to a string never fails.
        serde_json::to_string(&self).unwrap_or_default()
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}
