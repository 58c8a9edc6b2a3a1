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
/// How long keys serve beyond their freshness while Auth is away.
const STALE_MS: u64 = 60 * 60 * 1000;
/// Any client can invent a key id, so only this often does one cause a request.
const REFETCH_INTERVAL_MS: u64 = 30 * 1000;
/// How long a request waits before it looks for the result of another one's fetch again.
const WAIT_MS: u64 = 25;
const LIMITS: Limits = Limits::document(3_000, 64 * 1024);

/// The signing keys that can verify a token: current, standby and previously used ones.
#[derive(Clone, Default)]
pub struct Jwks(Vec<(String, Key)>);

impl Jwks {
    /// Takes the P-256 and RSA signing keys out of a JWKS document; others are left aside.
    ///
    /// # Errors
    /// [`HttpError::InvalidBody`] where it is not a JWKS document at all.
    pub fn parse(document: &[u8]) -> Result<Self, HttpError> {
        let document: Value = serde_json::from_slice(document).map_err(|_| HttpError::InvalidBody)?;
        let keys = document.get("keys").and_then(Value::as_array).ok_or(HttpError::InvalidBody)?;
        Ok(Self(keys.iter().filter_map(parse_key).collect()))
    }

    /// The key of that id.
    pub fn get(&self, kid: &str) -> Option<Key> {
        self.0.iter().find(|(id, _)| id == kid).map(|(_, key)| key.clone())
    }
}

fn parse_key(jwk: &Value) -> Option<(String, Key)> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let bytes = |name: &str| decode(text(name)?).ok();
    let is_or_absent =
        |name: &str, expected: &str| jwk.get(name).is_none_or(|value| value.is_null() || value == expected);
    let is_for = |algorithm: &str| is_or_absent("alg", algorithm) && is_or_absent("use", "sig");
    let key = match (text("kty")?, text("crv")) {
        ("EC", Some("P-256")) if is_for("ES256") => Key::Es256(p256_key(&bytes("x")?, &bytes("y")?)?),
        ("RSA", _) if is_for("RS256") => Key::Rs256(RsaKey::new(&bytes("n")?, &bytes("e")?)?),
        _ => return None,
    };
    Some((text("kid")?.to_owned(), key))
}

/// The key of that point, which is checked to lie on the curve.
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

/// The signing keys as last fetched; one for each instance of a function.
#[derive(Default)]
pub struct JwksCache {
    fetched: Cached<Fetched>,
    fetch: Cell<Fetch>,
}

/// The last request for the keys.
#[derive(Clone, Copy, Default)]
enum Fetch {
    /// There was none, or it brought the key that it was sent for.
    #[default]
    Nothing,
    UnderWay {
        since_ms: u64,
    },
    /// It did not bring the key.
    InVain {
        since_ms: u64,
        failed: bool,
    },
}

impl JwksCache {
    /// The key of that id, fetched where it is not known.
    ///
    /// Keys serve for ten minutes. Then, and for an unknown id, they are fetched again: one request at a time, and after one
    /// that did not bring the key, the next in 30 seconds. While a fetch fails, the old keys serve for another hour.
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
            let is_fresh = cached.as_ref().is_some_and(|fetched| fetched.fresh_until_ms > now_ms);
            if let (Some(key), true) = (&known, is_fresh) {
                return Ok(key.clone());
            }
            let unknown = match self.fetch.get() {
                Fetch::UnderWay { since_ms } if now_ms.saturating_sub(since_ms) < LIMITS.total_ms => None,
                Fetch::InVain { since_ms, failed }
                    if now_ms.saturating_sub(since_ms) < REFETCH_INTERVAL_MS
                        && (cached.is_some() || has_waited) =>
                {
                    Some(match failed {
                        true => AuthError::KeysUnavailable("a moment ago they could not".to_owned()),
                        false => AuthError::UnknownKey,
                    })
                }
                Fetch::Nothing if has_waited => Some(AuthError::UnknownKey),
                _ => break (known, now_ms),
            };
            match (known, unknown) {
                (Some(key), _) => return Ok(key),
                (None, Some(unknown)) => return Err(unknown),
                // Not by awaiting the other request's promise, which Workers forbid.
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
            None => Fetch::InVain { since_ms: now_ms, failed: fetched.is_err() },
        });
        match fetched {
            Ok(_) => found.ok_or(AuthError::UnknownKey),
            Err(cause) => known.ok_or(AuthError::KeysUnavailable(cause)),
        }
    }

    fn keep(&self, jwks: Jwks, now_ms: u64) {
        let fresh_until_ms = now_ms + FRESH_MS;
        self.fetched.put(Fetched { jwks, fresh_until_ms }, fresh_until_ms + STALE_MS);
    }
}

async fn fetch(url: &str, http: &dyn HttpClient) -> Result<Jwks, String> {
    let response = http
        .send(OutboundRequest::new(Upstream::Auth, Method::GET, url, LIMITS))
        .await
        .map_err(|e| e.to_string())?;
    if response.status != StatusCode::OK {
        return Err(format!("status {}", response.status.as_u16()));
    }
    let body = response.bytes().await.map_err(|e| e.to_string())?;
    Jwks::parse(&body).map_err(|e| e.to_string())
}
