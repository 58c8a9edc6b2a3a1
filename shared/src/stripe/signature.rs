//! Verifies Stripe's signature over the raw bytes of an event.
//!
//! `Stripe-Signature: t=<unix seconds>,v1=<hex>[,v1=<hex>…]`, where each `v1` is the HMAC-SHA256 of `{t}.{body}` under one
//! endpoint secret. The rules, where Stripe's own libraries disagree: exactly one `t`, all digits; a `v1` that is not 64
//! lower-case hexadecimal digits is skipped, as is every other key; a timestamp in the future is as wrong as an old one.
//! Source: Stripe's documentation, "Receive Stripe events in your webhook endpoint", verifying manually.

use std::fmt;

use hmac::digest::CtOutput;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::config::{ConfigError, header_safe, required};
use crate::error::{Code, Error};
use crate::redacted::Secret;

/// The largest difference between `t` and now, in seconds, in both directions. Stripe signs each retry anew.
const TOLERANCE_SECONDS: u64 = 300;
const SIGNATURE_BYTES: usize = 32;
/// One secret for each kind of event destination, and the previous one of each during a rotation.
const MAX_SECRETS: usize = 4;
const VARIABLE: &str = "STRIPE_WEBHOOK_SECRETS";

type HmacSha256 = Hmac<Sha256>;

/// The endpoint secrets. An event signed with any of them comes from Stripe.
#[derive(Debug, Clone)]
pub struct WebhookSecrets(Vec<Secret>);

/// The reasons why an event is not accepted as Stripe's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureError {
    /// There is no signature header.
    Missing,
    /// The header is not a signature header.
    Malformed,
    /// No signature matches a secret and this body.
    Mismatch,
    /// The signature is correct, but more than five minutes old or in the future: it may be a replay.
    OutsideTolerance,
}

impl WebhookSecrets {
    /// Reads `STRIPE_WEBHOOK_SECRETS`: one `whsec_…`, or up to four separated by commas.
    ///
    /// # Errors
    /// Returns a [`ConfigError`] if there is no secret, a malformed one, or more than four.
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let value = required(env, VARIABLE)?;
        let secrets: Vec<Secret> = value
            .split(',')
            .map(|secret| header_safe(VARIABLE, secret.trim().to_owned()))
            .collect::<Result<_, _>>()?;
        // An empty secret would accept signatures that anyone can make.
        let is_secret =
            |secret: &Secret| secret.expose().starts_with("whsec_") && secret.expose().len() >= 32;
        if secrets.len() > MAX_SECRETS || !secrets.iter().all(is_secret) {
            return Err(ConfigError::invalid(
                VARIABLE,
                "must be one to four secrets that begin with whsec_, separated by commas",
            ));
        }
        Ok(Self(secrets))
    }

    /// Checks that Stripe sent `body`, and sent it now; `header` is the value of `Stripe-Signature`.
    ///
    /// # Errors
    /// Returns a [`SignatureError`]; the time is checked only after the signature.
    pub fn verify(
        &self,
        header: Option<&str>,
        body: &[u8],
        now_seconds: u64,
    ) -> Result<(), SignatureError> {
        let signed = Signed::parse(header.ok_or(SignatureError::Missing)?)?;
        // No early exit: the duration must not reveal which secret or signature matched.
        let matches = self
            .0
            .iter()
            .fold(false, |found, secret| found | signed.is_by(secret, body));
        if !matches {
            return Err(SignatureError::Mismatch);
        }
        if now_seconds.abs_diff(signed.seconds) > TOLERANCE_SECONDS {
            return Err(SignatureError::OutsideTolerance);
        }
        Ok(())
    }
}

/// A parsed signature header.
struct Signed<'a> {
    /// The timestamp as written, because it is signed as written.
    timestamp: &'a str,
    seconds: u64,
    signatures: Vec<CtOutput<HmacSha256>>,
}

impl<'a> Signed<'a> {
    fn parse(header: &'a str) -> Result<Self, SignatureError> {
        let mut timestamp = None;
        let mut signatures = Vec::new();
        for (key, value) in header.split(',').filter_map(|item| item.split_once('=')) {
            match key {
                "t" if timestamp.is_some() => return Err(SignatureError::Malformed),
                "t" => timestamp = Some(value),
                "v1" => signatures.extend(decode(value).map(|bytes| CtOutput::new(bytes.into()))),
                _ => {}
            }
        }
        let timestamp = timestamp.ok_or(SignatureError::Malformed)?;
        if timestamp.is_empty() || !timestamp.bytes().all(|b| b.is_ascii_digit()) {
            return Err(SignatureError::Malformed);
        }
        let seconds = timestamp.parse().map_err(|_| SignatureError::Malformed)?;
        Ok(Self {
            timestamp,
            seconds,
            signatures,
        })
    }

    /// Compares every signature with the MAC of this secret, in constant time.
    fn is_by(&self, secret: &Secret, body: &[u8]) -> bool {
        let Ok(mut mac) = HmacSha256::new_from_slice(secret.expose().as_bytes()) else {
            return false;
        };
        mac.update(self.timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        let expected = mac.finalize();
        self.signatures
            .iter()
            .fold(false, |found, signature| found | (*signature == expected))
    }
}

/// Decodes 64 lower-case hexadecimal digits. Upper case would be a second spelling of the same signature.
fn decode(hex: &str) -> Option<[u8; SIGNATURE_BYTES]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; SIGNATURE_BYTES];
    let mut digits = hex.bytes().map(digit);
    for byte in &mut bytes {
        *byte = digits.next()?? << 4 | digits.next()??;
    }
    digits.next().is_none().then_some(bytes)
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "there is no Stripe-Signature",
            Self::Malformed => "Stripe-Signature is malformed",
            Self::Mismatch => "no signature matches",
            Self::OutsideTolerance => "the signature's time is too far from now",
        })
    }
}

impl std::error::Error for SignatureError {}

impl From<SignatureError> for Error {
    fn from(error: SignatureError) -> Self {
        Self::of(Code::InvalidSignature).caused_by(error)
    }
}
