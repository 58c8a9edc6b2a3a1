//! Secrets that cannot be printed by accident.

use std::fmt;

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
