//! The project's published signing keys (RFC 7517).

use std::cell::Cell;

use http::{Method, StatusCode};
use p256::ecdsa::VerifyingKey;
use serde_json::Value;

use super::jwt::decode;
use super::{AuthError, Key, RsaKey};
use crate::runtime::cache::Cached;
use crate::runtime::clock::Clock;
use crate::runtime::http_client::{HttpClient, HttpError, Limits, OutboundRequest, Upstream};

const FRESH_MS: u64 = 10 * 60 * 1000;
/// How long keys are used after they expire while Auth is unavailable.
const STALE_MS: u64 = 60 * 60 * 1000;
/// Any client can invent a key id, so an unknown id causes at most one fetch in this time.
const REFETCH_INTERVAL_MS: u64 = 30 * 1000;
/// How long a request waits before it checks again whether another request's fetch has finished.
const WAIT_MS: u64 = 25;
const LIMITS: Limits = Limits::document(3_000, 64 * 1024);

/// The signing keys that can verify a token: current, standby and previously used ones.
#[derive(Clone, Default)]
pub struct Jwks(Vec<(String, Key)>);

impl Jwks {
    /// Reads the P-256 and RSA signing keys of a JWKS document and skips all others.
    ///
    /// # Errors
    /// Returns [`HttpError::InvalidBody`] if it is not a JWKS document.
    pub fn parse(document: &[u8]) -> Result<Self, HttpError> {
        let document: Value =
            serde_json::from_slice(document).map_err(|_| HttpError::InvalidBody)?;
        let keys = document
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(HttpError::InvalidBody)?;
        Ok(Self(keys.iter().filter_map(parse_key).collect()))
    }

    /// Returns the key with that id.
    pub fn get(&self, kid: &str) -> Option<Key> {
        self.0
            .iter()
            .find(|(id, _)| id == kid)
            .map(|(_, key)| key.clone())
    }
}

fn parse_key(jwk: &Value) -> Option<(String, Key)> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let bytes = |name: &str| decode(text(name)?).ok();
    let is_or_absent = |name: &str, expected: &str| {
        jwk.get(name)
            .is_none_or(|value| value.is_null() || value == expected)
    };
    let is_for = |algorithm: &str| is_or_absent("alg", algorithm) && is_or_absent("use", "sig");
    let key = match (text("kty")?, text("crv")) {
        ("EC", Some("P-256")) if is_for("ES256") => {
            Key::Es256(p256_key(&bytes("x")?, &bytes("y")?)?)
        }
        ("RSA", _) if is_for("RS256") => Key::Rs256(RsaKey::new(&bytes("n")?, &bytes("e")?)?),
        _ => return None,
    };
    Some((text("kid")?.to_owned(), key))
}

/// Builds a key from the coordinates of a point; returns `None` if the point is not on the curve.
fn p256_key(x: &[u8], y: &[u8]) -> Option<VerifyingKey> {
    if x.len() != 32 || y.len() != 32 {
        return None;
    }
    // SEC 1, uncompressed.
    VerifyingKey::from_sec1_bytes(&[&[4], x, y].concat()).ok()
}

#[derive(Clone)]
struct Fetched {
    jwks: Jwks,
    fresh_until_ms: u64,
}

/// The signing keys as last fetched; one cache for each instance of a function.
#[derive(Default)]
pub struct JwksCache {
    fetched: Cached<Fetched>,
    fetch: Cell<Fetch>,
}

/// The state of the last fetch.
#[derive(Clone, Copy, Default)]
enum Fetch {
    /// There was no fetch, or it found the requested key.
    #[default]
    Nothing,
    UnderWay {
        since_ms: u64,
    },
    /// It did not find the requested key.
    InVain {
        since_ms: u64,
        failed: bool,
    },
}

impl JwksCache {
    /// Returns the key with that id, and fetches the keys if it is not known.
    ///
    /// Keys are used for ten minutes. After that, and for an unknown id, they are fetched again: one fetch at a
    /// time, and after one that did not find the key the next one in 30 seconds. While fetches fail, the old keys
    /// are used for another hour.
    pub(super) async fn key(
        &self,
        kid: &str,
        url: &str,
        http: &dyn HttpClient,
        clock: &dyn Clock,
    ) -> Result<Key, AuthError> {
        let mut has_waited = false;
        let (known, now_ms) = loop {
            let now_ms = clock.now_ms();
            let cached = self.fetched.get(now_ms);
            let known = cached.as_ref().and_then(|fetched| fetched.jwks.get(kid));
            let is_fresh = cached
                .as_ref()
                .is_some_and(|fetched| fetched.fresh_until_ms > now_ms);
            if let (Some(key), true) = (&known, is_fresh) {
                return Ok(key.clone());
            }
            let unknown = match self.fetch.get() {
                Fetch::UnderWay { since_ms }
                    if now_ms.saturating_sub(since_ms) < LIMITS.total_ms =>
                {
                    None
                }
                Fetch::InVain { since_ms, failed }
                    if now_ms.saturating_sub(since_ms) < REFETCH_INTERVAL_MS
                        && (cached.is_some() || has_waited) =>
                {
                    Some(match failed {
                        true => {
                            AuthError::KeysUnavailable("a moment ago they could not".to_owned())
                        }
                        false => AuthError::UnknownKey,
                    })
                }
                Fetch::Nothing if has_waited => Some(AuthError::UnknownKey),
                _ => break (known, now_ms),
            };
            match (known, unknown) {
                (Some(key), _) => return Ok(key),
                (None, Some(unknown)) => return Err(unknown),
                // Polls, because Workers forbid awaiting another request's promise.
                (None, None) => clock.sleep_ms(WAIT_MS).await,
            }
            has_waited = true;
        };
        self.fetch.set(Fetch::UnderWay { since_ms: now_ms });
        let fetched = fetch(url, http).await;
        if let Ok(jwks) = &fetched {
            self.keep(jwks.clone(), clock.now_ms());
        }
        let found = fetched.as_ref().ok().and_then(|jwks| jwks.get(kid));
        self.fetch.set(match found {
            Some(_) => Fetch::Nothing,
            None => Fetch::InVain {
                since_ms: now_ms,
                failed: fetched.is_err(),
            },
        });
        match fetched {
            Ok(_) => found.ok_or(AuthError::UnknownKey),
            Err(cause) => known.ok_or(AuthError::KeysUnavailable(cause)),
        }
    }

    fn keep(&self, jwks: Jwks, now_ms: u64) {
        let fresh_until_ms = now_ms + FRESH_MS;
        self.fetched.put(
            Fetched {
                jwks,
                fresh_until_ms,
            },
            fresh_until_ms + STALE_MS,
        );
    }
}

async fn fetch(url: &str, http: &dyn HttpClient) -> Result<Jwks, String> {
    let response = http
        .send(OutboundRequest::new(
            Upstream::Auth,
            Method::GET,
            url,
            LIMITS,
        ))
        .await
        .map_err(|e| e.to_string())?;
    if response.status != StatusCode::OK {
        return Err(format!("status {}", response.status.as_u16()));
    }
    let body = response.bytes().await.map_err(|e| e.to_string())?;
    Jwks::parse(&body).map_err(|e| e.to_string())
}
