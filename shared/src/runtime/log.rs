//! Structured logs: one JSON object a line.

use serde_json::{Map, Value};

/// How urgent a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Business as usual.
    Info,
    /// Somebody should look at it.
    Error,
}

/// Where log lines go.
pub trait Log {
    /// Writes one line.
    fn write(&self, level: Level, line: &str);
}

/// The fields of one log line.
#[derive(Debug, Default)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// Sets a field. Never a secret, never what a listener typed.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.to_owned(), value.into());
    }

    /// Adds a field; as [`Fields::set`].
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.set(key, value);
        self
    }

    /// Adds a field where there is a value.
    #[must_use]
    pub fn with_some(self, key: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// The line.
    pub fn into_line(self) -> String {
        Value::Object(self.0).to_string()
    }
}
