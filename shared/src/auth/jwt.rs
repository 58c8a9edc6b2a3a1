//! JSON Web Tokens as Supabase Auth issues them (RFC 7515, 7519; precautions of RFC 8725).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use sha2::Sha256;
use uuid::Uuid;

use super::AuthError;
use super::recent::SignIns;
use super::rsa::RsaKey;
use crate::json::read_members;
use crate::redacted::Secret;

/// Supabase's tokens have one or two KB, plus the profile data of users and OAuth providers. Workers accept 128 KB
/// of headers; this is a quarter of it and leaves room for 24 KB of profile data.
const MAX_TOKEN_BYTES: usize = 32 * 1024;
/// The allowed difference between the clocks of Auth and of this machine.
const LEEWAY_SECONDS: f64 = 30.0;
const AUTHENTICATED: &str = "authenticated";
/// The signature algorithms of RFC 7518, 8037 and 9864 that are not supported.
const KNOWN_ALGORITHMS: [&str; 13] = [
    "none", "EdDSA", "Ed25519", "Ed448", "ES384", "ES512", "RS384", "RS512", "PS256", "PS384",
    "PS512", "HS384", "HS512",
];

/// The algorithms that this project's keys have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256: signing keys.
    Es256,
    /// RSA with SHA-256: signing keys, too.
    Rs256,
    /// HMAC with SHA-256: the legacy JWT secret.
    Hs256,
}

/// A key with its algorithm; the two cannot be separated.
#[derive(Clone)]
pub enum Key {
    /// A published signing key on P-256.
    Es256(VerifyingKey),
    /// A published RSA signing key.
    Rs256(RsaKey),
    /// The legacy JWT secret.
    Hs256(Secret),
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} [redacted]", self.algorithm())
    }
}

impl Key {
    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Es256(_) => Algorithm::Es256,
            Self::Rs256(_) => Algorithm::Rs256,
            Self::Hs256(_) => Algorithm::Hs256,
        }
    }

    fn verify(&self, signed: &[u8], signature: &[u8]) -> Result<(), AuthError> {
        let valid = match self {
            // JOSE signatures are the raw 64 bytes of r and s; DER is refused by its length.
            Self::Es256(key) => Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(signed, &signature).is_ok()),
            Self::Rs256(key) => key.verifies(signed, signature),
            // `verify_slice` compares in constant time.
            Self::Hs256(secret) => Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
                .is_ok_and(|mac| mac.chain_update(signed).verify_slice(signature).is_ok()),
        };
        if valid {
            Ok(())
        } else {
            Err(AuthError::BadSignature)
        }
    }
}

/// A signed-in user, possibly an anonymous one. Only a verified token creates one.
#[derive(Debug, Clone)]
pub struct VerifiedUser {
    id: Uuid,
    email: Option<String>,
    pub(super) sign_ins: SignIns,
    pub(super) is_anonymous: bool,
    token: Secret,
}

impl VerifiedUser {
    /// Returns the user's id.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Returns the user's e-mail address, if the account has one.
    pub fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }

    /// Returns whether the token belongs to an anonymous user. After such a user adds an address, a token still says so
    /// until it is refreshed.
    pub fn is_anonymous(&self) -> bool {
        self.is_anonymous
    }

    /// Returns the token, for requests with the user's rights.
    pub fn token(&self) -> &Secret {
        &self.token
    }
}

/// A parsed token whose signature has not been checked.
pub struct UnverifiedJwt<'a> {
    token: &'a str,
    algorithm: Algorithm,
    kid: Option<String>,
    signed: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

impl<'a> UnverifiedJwt<'a> {
    /// Parses a token in compact form.
    ///
    /// # Errors
    /// Returns [`AuthError::TooLarge`] above 32 KB, [`AuthError::Malformed`] for any other form,
    /// [`AuthError::UnsupportedAlgorithm`] for an algorithm that [`Algorithm`] does not list (including `none`), and
    /// [`AuthError::UnsupportedExtension`] for a `crit` header, because no extension is supported.
    pub fn parse(token: &'a str) -> Result<Self, AuthError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(AuthError::TooLarge);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(AuthError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(AuthError::Malformed)?;
        if payload.contains('.') {
            return Err(AuthError::Malformed);
        }
        let header: Header = decode_json(header, &["alg", "kid", "crit"])?;
        let algorithm = match header.alg.as_str() {
            "ES256" => Algorithm::Es256,
            "RS256" => Algorithm::Rs256,
            "HS256" => Algorithm::Hs256,
            other => return Err(AuthError::UnsupportedAlgorithm(known_name(other))),
        };
        if header.crit {
            return Err(AuthError::UnsupportedExtension);
        }
        let signature = decode(signature)?;
        Ok(Self {
            token,
            algorithm,
            kid: header.kid,
            signed,
            payload,
            signature,
        })
    }

    /// Returns the algorithm that the token claims. It only selects which keys to search.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the id of the key that the token claims.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Checks the signature with `key`, then the claims at `now_seconds` (Unix time); `issuer` is the only accepted
    /// `iss`.
    ///
    /// # Errors
    /// Returns [`AuthError::WrongAlgorithm`] if the token's algorithm differs from the key's,
    /// [`AuthError::BadSignature`] if the signature does not match, and otherwise the error of the first invalid claim.
    pub fn verify(
        self,
        key: &Key,
        issuer: &str,
        now_seconds: u64,
    ) -> Result<VerifiedUser, AuthError> {
        // Otherwise a public key, which anyone can read, could be used as an HMAC secret.
        if self.algorithm != key.algorithm() {
            return Err(AuthError::WrongAlgorithm);
        }
        key.verify(self.signed.as_bytes(), &self.signature)?;
        let claims: Claims = decode_json(self.payload, &CLAIMS)?;
        let id = claims.check(issuer, now_seconds)?;
        let email = claims.email.filter(|email| !email.is_empty());
        let sign_ins = SignIns::of(claims.amr.as_ref());
        let is_anonymous = claims.is_anonymous == Some(Value::Bool(true));
        Ok(VerifiedUser {
            id,
            email,
            sign_ins,
            is_anonymous,
            token: Secret::new(self.token),
        })
    }
}

impl fmt::Debug for UnverifiedJwt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

/// Returns `true` for any value, including `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// The members of [`Claims`].
const CLAIMS: [&str; 10] = [
    "iss",
    "aud",
    "role",
    "sub",
    "exp",
    "nbf",
    "iat",
    "email",
    "amr",
    "is_anonymous",
];

#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    aud: Option<Value>,
    role: Option<String>,
    sub: Option<String>,
    // RFC 7519 allows fractions of seconds.
    exp: f64,
    nbf: Option<f64>,
    iat: Option<f64>,
    email: Option<String>,
    // The form of these claims does not decide whether a token is valid.
    amr: Option<Value>,
    is_anonymous: Option<Value>,
}

impl Claims {
    fn check(&self, issuer: &str, now_seconds: u64) -> Result<Uuid, AuthError> {
        let now = now_seconds as f64;
        let is_later = |time: Option<f64>| time.is_some_and(|time| time > now + LEEWAY_SECONDS);
        if self.exp <= now - LEEWAY_SECONDS {
            return Err(AuthError::Expired);
        }
        if is_later(self.nbf) || is_later(self.iat) {
            return Err(AuthError::NotYetValid);
        }
        if self.iss.as_deref() != Some(issuer) {
            return Err(AuthError::WrongIssuer);
        }
        let is_for_us = match &self.aud {
            Some(Value::Array(audiences)) => {
                audiences.iter().any(|audience| audience == AUTHENTICATED)
            }
            Some(audience) => audience == AUTHENTICATED,
            None => false,
        };
        if !is_for_us {
            return Err(AuthError::WrongAudience);
        }
        if self.role.as_deref() != Some(AUTHENTICATED) {
            return Err(AuthError::WrongRole);
        }
        let sub = self.sub.as_deref().ok_or(AuthError::WrongSubject)?;
        parse_subject(sub).ok_or(AuthError::WrongSubject)
    }
}

/// Returns the name of a known algorithm for the log. An unknown name is the sender's text and is not logged.
fn known_name(alg: &str) -> &'static str {
    KNOWN_ALGORITHMS
        .into_iter()
        .find(|known| *known == alg)
        .unwrap_or("an unknown algorithm")
}

/// Accepts the hyphenated form only, which is the form that Auth writes.
fn parse_subject(sub: &str) -> Option<Uuid> {
    Uuid::try_parse(sub)
        .ok()
        .filter(|_| sub.len() == uuid::fmt::Hyphenated::LENGTH)
}

/// Decodes base64url without padding; refuses superfluous trailing bits.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, AuthError> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| AuthError::Malformed)
}

/// Reads the named members. The others hold what users and providers wrote.
fn decode_json<T: DeserializeOwned>(text: &str, names: &[&str]) -> Result<T, AuthError> {
    read_members(&decode(text)?, names).ok_or(AuthError::Malformed)
}

#[cfg(test)]
#[path = "jwt_tests.rs"]
pub(super) mod tests;
