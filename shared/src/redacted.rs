//! Secrets that cannot be printed by accident, and what stands for a user in logs.

use std::fmt;

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A secret string: `Debug` and `Display` print `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// Returns the secret, for the code that sends or checks it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns whether it equals `other`; the duration reveals only the length.
    pub fn is(&self, other: &str) -> bool {
        let differences = self
            .0
            .bytes()
            .zip(other.bytes())
            .fold(0, |all, (a, b)| all | (a ^ b));
        self.0.len() == other.len() && differences == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Hashes a user's id for log lines and for requests to the model.
pub fn hash_of(user_id: Uuid) -> String {
    Sha256::digest(user_id.to_string())
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_prints_as_redacted() {
        let secret = Secret::new("sb_secret_x");
        assert_eq!(
            format!("{secret} {secret:?} {:?}", Some(&secret)),
            "[redacted] [redacted] Some([redacted])"
        );
        for (other, is_same) in [
            ("sb_secret_x", true),
            ("sb_secret_y", false),
            ("sb_secret_", false),
            ("", false),
        ] {
            assert_eq!(secret.is(other), is_same, "{other}");
        }
    }
}
