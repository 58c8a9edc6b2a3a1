//! Structured logs: one JSON object per line.

use serde_json::{Map, Value};

/// How urgent a line is.
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
pub struct Fields(Map<String, Value>);

impl Fields {
    /// Sets a field. Never pass a secret or a user's text.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.to_owned(), value.into());
    }

    /// Adds a field; see [`Fields::set`].
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.set(key, value);
        self
    }

    /// Adds a field if there is a value.
    #[must_use]
    pub fn with_some(self, key: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Returns the line as JSON.
    pub fn into_line(self) -> String {
        Value::Object(self.0).to_string()
    }
}
