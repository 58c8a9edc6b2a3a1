use std::fmt;

use crate::error::{Code, Error};

/// The reasons why a caller could not be identified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthError {
    /// There is no bearer token.
    Missing,
    /// It is not a JWT in compact form, or a part is malformed.
    Malformed,
    /// It is larger than 32 KB.
    TooLarge,
    /// It is signed with this algorithm, which is not supported.
    UnsupportedAlgorithm(&'static str),
    /// It is signed with HS256, and the legacy secret is not configured.
    NoLegacySecret,
    /// It has a `crit` header, and no extension is supported.
    UnsupportedExtension,
    /// Its algorithm differs from its key's algorithm.
    WrongAlgorithm,
    /// It names no key, or an unpublished one.
    UnknownKey,
    /// The signature does not match the key.
    BadSignature,
    /// It has expired.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// Another issuer signed it.
    WrongIssuer,
    /// It is meant for another audience.
    WrongAudience,
    /// It is not a user's token, but for example an API key.
    WrongRole,
    /// Its subject is not a user id.
    WrongSubject,
    /// The keys could not be fetched, so the token can be neither accepted nor refused.
    KeysUnavailable(String),
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "no bearer token",
            Self::Malformed => "the token is malformed",
            Self::TooLarge => "the token is larger than 32 KB",
            Self::UnsupportedAlgorithm(name) => {
                return write!(
                    f,
                    "the token is signed with {name}; ES256, RS256 and HS256 are supported"
                );
            }
            Self::NoLegacySecret => {
                "the token is signed with HS256, and SUPABASE_JWT_SECRET is not set"
            }
            Self::UnsupportedExtension => "the token demands an extension",
            Self::WrongAlgorithm => "the token's algorithm is not its key's",
            Self::UnknownKey => "the token's key is not known",
            Self::BadSignature => "the token's signature is wrong",
            Self::Expired => "the token has expired",
            Self::NotYetValid => "the token is not valid yet",
            Self::WrongIssuer => "the token has another issuer",
            Self::WrongAudience => "the token has another audience",
            Self::WrongRole => "the token has another role",
            Self::WrongSubject => "the token's subject is not a user id",
            Self::KeysUnavailable(cause) => {
                return write!(f, "the keys could not be fetched: {cause}");
            }
        })
    }
}

impl std::error::Error for AuthError {}

impl From<AuthError> for Error {
    fn from(error: AuthError) -> Self {
        let shown = match error {
            AuthError::Missing => Self::of(Code::MissingToken),
            AuthError::Expired => Self::of(Code::TokenExpired),
            AuthError::TooLarge => Self::of(Code::TokenTooLarge),
            AuthError::KeysUnavailable(_) => {
                Self::of(Code::DatabaseUnavailable).retry_after(RETRY_AFTER_SECONDS)
            }
            _ => Self::of(Code::InvalidToken),
        };
        shown.caused_by(error)
    }
}

const RETRY_AFTER_SECONDS: u64 = 5;
