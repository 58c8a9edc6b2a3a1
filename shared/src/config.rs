//! Configuration, read through a function so that tests need no environment.

use std::fmt;

use http::HeaderValue;

use crate::error::{Code, Error};
use crate::redacted::Secret;

const MISSING: &str = "is missing";

/// The variables that are missing or invalid. It never contains their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(Vec<(&'static str, &'static str)>);

impl ConfigError {
    /// Creates an error for a variable that is not set, or is empty.
    pub fn missing(name: &'static str) -> Self {
        Self(vec![(name, MISSING)])
    }

    /// Creates an error for an unusable value; `rule` continues the sentence, as in "must be a number".
    pub fn invalid(name: &'static str, rule: &'static str) -> Self {
        Self(vec![(name, rule)])
    }

    /// Returns the names of the variables, each once.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(name, _)| *name)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, rule)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{name} {rule}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::misconfigured().caused_by(error)
    }
}

impl Error {
    /// Creates the error for a client, which can only wait until the operator has corrected the configuration.
    pub(crate) fn misconfigured() -> Self {
        Self::of(Code::Misconfigured)
    }
}

/// Collects the problems of a configuration, so that one error names all of them.
///
/// ```
/// # use shared::config::{ConfigError, Problems, required};
/// # fn read(env: impl Fn(&str) -> Option<String>) -> Result<(String, String), ConfigError> {
/// let mut problems = Problems::default();
/// let id = problems.take(required(&env, "ID"));
/// let key = problems.take(required(&env, "KEY"));
/// problems.finish(|| Some((id?, key?)))
/// # }
/// # assert_eq!(read(|_| None).unwrap_err().to_string(), "ID is missing; KEY is missing");
/// ```
#[derive(Debug, Default)]
pub struct Problems(Vec<(&'static str, &'static str)>);

impl Problems {
    /// Returns the value of `read`, or collects its problems, each once.
    pub fn take<T>(&mut self, read: Result<T, ConfigError>) -> Option<T> {
        read.map_err(|error| self.add(error)).ok()
    }

    /// Returns what `config` makes of the values, which is `Some` if there are no problems.
    ///
    /// # Errors
    /// Returns a [`ConfigError`] with every problem.
    pub fn finish<T>(self, config: impl FnOnce() -> Option<T>) -> Result<T, ConfigError> {
        let config = if self.0.is_empty() { config() } else { None };
        config.ok_or(ConfigError(self.0))
    }

    fn add(&mut self, error: ConfigError) {
        for problem in error.0 {
            if !self.0.contains(&problem) {
                self.0.push(problem);
            }
        }
    }
}

/// Returns the trimmed value of a variable; an empty one counts as not set.
pub fn optional(env: impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    let value = env(name)?;
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// Returns the trimmed value of a variable that must be set.
///
/// # Errors
/// Returns a [`ConfigError`] if it is not set, or is empty.
pub fn required(
    env: impl Fn(&str) -> Option<String>,
    name: &'static str,
) -> Result<String, ConfigError> {
    optional(env, name).ok_or_else(|| ConfigError::missing(name))
}

/// Returns a secret that must be set and valid in a header.
///
/// # Errors
/// Returns a [`ConfigError`] if it is not set, or contains anything but visible ASCII.
pub fn required_secret(
    env: impl Fn(&str) -> Option<String>,
    name: &'static str,
) -> Result<Secret, ConfigError> {
    header_safe(name, required(env, name)?)
}

/// A secret, and the previous or next one during a rotation.
#[derive(Debug, Clone)]
pub struct SecretPair {
    /// The secret used for writing or signing.
    pub first: Secret,
    /// The other secret that is accepted.
    pub other: Option<Secret>,
}

impl SecretPair {
    /// A shorter secret is not random enough.
    const MIN_CHARS: usize = 32;

    /// Reads one secret, or two separated by a comma.
    ///
    /// # Errors
    /// Returns a [`ConfigError`] if there are none or more than two, or if one is shorter than 32 characters.
    pub fn from_env(
        env: impl Fn(&str) -> Option<String>,
        name: &'static str,
    ) -> Result<Self, ConfigError> {
        let value = required(env, name)?;
        let secrets: Vec<Secret> = value
            .split(',')
            .map(|secret| header_safe(name, secret.trim().to_owned()))
            .collect::<Result<_, _>>()?;
        let long_enough = secrets
            .iter()
            .all(|secret| secret.expose().len() >= Self::MIN_CHARS);
        let mut secrets = secrets.into_iter();
        match (secrets.next(), secrets.next(), secrets.next()) {
            (Some(first), other, None) if long_enough => Ok(Self { first, other }),
            _ => {
                let rule =
                    "must be one or two secrets of 32 characters or more, separated by a comma";
                Err(ConfigError::invalid(name, rule))
            }
        }
    }

    /// Returns the accepted secrets.
    pub fn iter(&self) -> impl Iterator<Item = &Secret> {
        std::iter::once(&self.first).chain(&self.other)
    }
}

pub(crate) fn header_safe(name: &'static str, value: String) -> Result<Secret, ConfigError> {
    let visible =
        value.bytes().all(|b| b.is_ascii_graphic()) && HeaderValue::from_str(&value).is_ok();
    if visible {
        Ok(Secret::new(value))
    } else {
        Err(ConfigError::invalid(
            name,
            "must be visible ASCII without spaces",
        ))
    }
}

/// Checks an absolute http or https URL to which paths can be appended.
///
/// # Errors
/// Returns a [`ConfigError`] for any other text, such as a URL without a host, or one with a trailing slash, a query, a
/// fragment or credentials.
pub fn base_url(name: &'static str, value: String) -> Result<String, ConfigError> {
    let rest = value
        .strip_prefix("https://")
        .or_else(|| value.strip_prefix("http://"))
        .unwrap_or_default();
    let host = rest.split('/').next().unwrap_or_default();
    let plain = rest
        .bytes()
        .all(|b| b.is_ascii_graphic() && !b"?#@\\\"<>".contains(&b));
    if plain && !host.is_empty() && !host.starts_with(':') && !rest.ends_with('/') {
        Ok(value)
    } else {
        Err(ConfigError::invalid(
            name,
            "must be an absolute http(s) URL without a trailing slash",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> Option<String> {
        match name {
            "SET" => Some(" value\n".into()),
            "EMPTY" => Some("  ".into()),
            "SPACED" => Some("a b".into()),
            _ => None,
        }
    }

    #[test]
    fn trims_values_and_treats_empty_ones_as_missing() {
        assert_eq!(required(env, "SET").unwrap(), "value");
        assert_eq!(required(env, "EMPTY"), Err(ConfigError::missing("EMPTY")));
        assert_eq!(required(env, "ABSENT"), Err(ConfigError::missing("ABSENT")));
    }

    #[test]
    fn refuses_a_secret_invalid_in_a_header_without_showing_it() {
        let error = required_secret(env, "SPACED").unwrap_err();
        assert_eq!(
            error.to_string(),
            "SPACED must be visible ASCII without spaces"
        );
    }

    #[test]
    fn pair_has_one_or_two_long_secrets() {
        let (a, b) = ("a".repeat(32), "b".repeat(40));
        let read = |value: &str| SecretPair::from_env(|_| Some(value.to_owned()), "PAIR");
        assert!(read(&a).unwrap().other.is_none());
        let pair = read(&format!("{a}, {b}")).unwrap();
        assert_eq!(
            pair.iter().map(Secret::expose).collect::<Vec<_>>(),
            [&a, &b]
        );
        for bad in [
            "short",
            &format!("{a},short"),
            &format!("{a},"),
            &format!("{a},{b},{a}"),
            &format!("{a} {b}"),
        ] {
            let error = read(bad).unwrap_err().to_string();
            assert!(
                error.starts_with("PAIR must be") && !error.contains(&a),
                "{error}"
            );
        }
    }

    #[test]
    fn names_every_problem_once() {
        let mut problems = Problems::default();
        let read = ["A", "B", "A", "SET"].map(|name| problems.take(required(env, name)));
        assert_eq!(read, [None, None, None, Some("value".to_owned())]);
        let error = problems.finish(|| Some(())).unwrap_err();
        assert_eq!(error.names().collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(error.to_string(), "A is missing; B is missing");
    }

    #[test]
    fn clients_do_not_see_names_of_variables() {
        let error = Error::from(ConfigError::missing("SPOTIFY_CLIENT_ID"));
        assert_eq!(error.code(), Code::Misconfigured);
        assert!(!error.to_string().contains("SPOTIFY"));
        assert_eq!(error.cause(), Some("SPOTIFY_CLIENT_ID is missing"));
    }

    #[test]
    fn base_url_is_absolute_and_accepts_paths() {
        for good in [
            "https://x.example",
            "http://127.0.0.1:54321",
            "http://[::1]:1",
            "https://x.example/base",
        ] {
            assert_eq!(base_url("URL", good.into()).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "x.example",
            "//x.example",
            "ftp://x.example",
            "https://",
            "https:///path",
            "https://:80",
            "https://x.example/",
            "https://x.example?a=1",
            "https://x.example#a",
            "https://user:pw@x.example",
            "https://x .example",
        ] {
            assert!(base_url("URL", bad.into()).is_err(), "{bad}");
        }
    }
}
