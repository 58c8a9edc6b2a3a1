use http::{Method, StatusCode, header};
use serde::Deserialize;

use super::search::parse_tracks;
use super::{Said, SpotifyConfig, SpotifyError};
use crate::form::form_urlencoded;
use crate::redacted::Secret;
use crate::runtime::cache::Cached;
use crate::runtime::clock::Clock;
use crate::runtime::http_client::{
    HttpClient, HttpError, InboundResponse, Limits, OutboundRequest, Upstream,
};
use crate::track::ListedTrack;

/// The app's access token; one cache for each instance of a function.
pub type TokenCache = Cached<Secret>;

/// Spotify refuses a larger limit.
const MAX_RESULTS: u8 = 10;
/// Ten tracks have about 30 KB.
const SEARCH_LIMITS: Limits = Limits::document(5_000, 512 * 1024);
const TOKEN_LIMITS: Limits = Limits::document(5_000, 16 * 1024);
/// A token is replaced this long before it expires, so that it outlives the running requests.
const TOKEN_MARGIN_SECONDS: u64 = 60;
/// The longest wait for a rate limit, in seconds.
const MAX_WAIT_SECONDS: u64 = 3;
/// Spotify's rate window, used for a rate limit without `Retry-After`.
pub(super) const RATE_WINDOW_SECONDS: u64 = 30;
const RETRY_PAUSE_MS: u64 = 250;

/// The catalogue, read with the app's own token (client credentials).
pub struct SpotifyApp<'a> {
    config: &'a SpotifyConfig,
    tokens: &'a TokenCache,
    http: &'a dyn HttpClient,
    clock: &'a dyn Clock,
}

impl<'a> SpotifyApp<'a> {
    /// Creates a client that uses the token in `tokens` until it expires.
    pub fn new(
        config: &'a SpotifyConfig,
        tokens: &'a TokenCache,
        http: &'a dyn HttpClient,
        clock: &'a dyn Clock,
    ) -> Self {
        Self {
            config,
            tokens,
            http,
            clock,
        }
    }

    /// Searches tracks, at most ten, in Spotify's order; `market` is a country (ISO 3166-1 alpha-2).
    ///
    /// Repeats once after a transient failure (no connection, 500, 502, 503, a rate limit of up to 3 s), and once
    /// with a new token if Spotify no longer accepts the old one: two requests with a cold cache, five at most.
    ///
    /// # Errors
    /// [`SpotifyError`]; a search that finds nothing is an empty list.
    pub async fn search(
        &self,
        query: &str,
        market: Option<&str>,
        limit: u8,
    ) -> Result<Vec<ListedTrack>, SpotifyError> {
        let limit = limit.clamp(1, MAX_RESULTS).to_string();
        let mut pairs = vec![("q", query), ("type", "track"), ("limit", limit.as_str())];
        pairs.extend(market.map(|market| ("market", market)));
        let url = format!(
            "{}/v1/search?{}",
            self.config.api_base_url,
            form_urlencoded(&pairs)
        );

        let mut may_refresh = true;
        let mut may_retry = true;
        loop {
            match self.attempt(&url).await {
                Err(Failure::TokenRefused) if may_refresh => may_refresh = false,
                Err(Failure::TokenRefused) => {
                    return Err(SpotifyError::Refused {
                        status: StatusCode::UNAUTHORIZED,
                    });
                }
                Err(Failure::Final(error)) => match pause_ms(error) {
                    Some(pause_ms) if may_retry => {
                        may_retry = false;
                        self.clock.sleep_ms(pause_ms).await;
                    }
                    _ => return Err(error),
                },
                Ok(tracks) => return Ok(tracks),
            }
        }
    }

    /// Fetches the token before the first search. The search reports a failure.
    pub async fn warm_up(&self) {
        let _ = self.token().await;
    }

    async fn attempt(&self, url: &str) -> Result<Vec<ListedTrack>, Failure> {
        let token = self.token().await?;
        let request = OutboundRequest::new(Upstream::Spotify, Method::GET, url, SEARCH_LIMITS)
            .header(header::AUTHORIZATION, &format!("Bearer {}", token.expose()))
            .map_err(SpotifyError::Unavailable)?;
        let response = self
            .http
            .send(request)
            .await
            .map_err(SpotifyError::Unavailable)?;
        if response.status == StatusCode::UNAUTHORIZED {
            self.forget(&token);
            return Err(Failure::TokenRefused);
        }
        let status = response.status;
        if matches!(status, StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN) {
            let said = Said::of(&response.bytes().await.unwrap_or_default());
            return Err(Failure::Final(refusal(status, said)));
        }
        let response = refuse_errors(response)?;
        let body = response.bytes().await.map_err(SpotifyError::Unavailable)?;
        Ok(parse_tracks(&body, &self.config.image_origin)?)
    }

    /// Forgets a token that failed, unless a simultaneous search has already replaced it.
    fn forget(&self, token: &Secret) {
        if self.tokens.get(self.clock.now_ms()).as_ref() == Some(token) {
            self.tokens.clear();
        }
    }

    async fn token(&self) -> Result<Secret, SpotifyError> {
        match self.tokens.get(self.clock.now_ms()) {
            Some(token) => Ok(token),
            None => self.fetch_token().await,
        }
    }

    async fn fetch_token(&self) -> Result<Secret, SpotifyError> {
        let url = format!("{}/api/token", self.config.accounts_base_url);
        let request = OutboundRequest::new(Upstream::Spotify, Method::POST, url, TOKEN_LIMITS)
            .header(
                header::AUTHORIZATION,
                self.config.basic_authorization().expose(),
            )
            .and_then(|request| {
                request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            })
            .map_err(SpotifyError::Unavailable)?
            .body(form_urlencoded(&[("grant_type", "client_credentials")]));
        let asked_ms = self.clock.now_ms();
        let response = self
            .http
            .send(request)
            .await
            .map_err(SpotifyError::Unavailable)?;
        if matches!(
            response.status,
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED
        ) {
            return Err(SpotifyError::InvalidCredentials);
        }
        if response.status == StatusCode::FORBIDDEN {
            return Err(SpotifyError::AppForbidden(Said::of(
                &response.bytes().await.unwrap_or_default(),
            )));
        }
        let answer: TokenAnswer =
            refuse_errors(response)?
                .json()
                .await
                .map_err(|error| match error {
                    HttpError::InvalidBody => SpotifyError::InvalidResponse,
                    error => SpotifyError::Unavailable(error),
                })?;
        let token = Secret::new(answer.access_token);
        // The cast saturates.
        let lifetime_ms = (answer.expires_in as u64)
            .saturating_sub(TOKEN_MARGIN_SECONDS)
            .saturating_mul(1000);
        self.tokens
            .put(token.clone(), asked_ms.saturating_add(lifetime_ms));
        Ok(token)
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    expires_in: f64,
}

/// The reasons why an attempt failed.
enum Failure {
    /// Spotify no longer accepts the token, which has been forgotten.
    TokenRefused,
    /// Anything else.
    Final(SpotifyError),
}

impl From<SpotifyError> for Failure {
    fn from(error: SpotifyError) -> Self {
        Self::Final(error)
    }
}

pub(super) fn refuse_errors(response: InboundResponse) -> Result<InboundResponse, SpotifyError> {
    match response.status {
        StatusCode::OK => Ok(response),
        StatusCode::TOO_MANY_REQUESTS => {
            let retry_after_seconds = response
                .retry_after_seconds()
                .unwrap_or(RATE_WINDOW_SECONDS);
            Err(SpotifyError::RateLimited {
                retry_after_seconds,
            })
        }
        status => Err(SpotifyError::Refused { status }),
    }
}

/// Returns why a search was refused. The app asks, so a prohibition concerns the app.
fn refusal(status: StatusCode, said: Said) -> SpotifyError {
    match status {
        StatusCode::FORBIDDEN => SpotifyError::AppForbidden(said),
        _ if said.as_str().to_ascii_lowercase().contains("market") => SpotifyError::InvalidMarket,
        status => SpotifyError::Refused { status },
    }
}

/// Returns how long to wait before the next attempt, or `None` if another attempt would not help or take too long.
///
/// A timeout is not repeated: it has already used its share of the user's time.
pub(super) fn pause_ms(error: SpotifyError) -> Option<u64> {
    match error {
        SpotifyError::RateLimited {
            retry_after_seconds,
        } if retry_after_seconds <= MAX_WAIT_SECONDS => Some(retry_after_seconds * 1000),
        SpotifyError::Unavailable(HttpError::Network) => Some(RETRY_PAUSE_MS),
        SpotifyError::Refused { status } if matches!(status.as_u16(), 500 | 502 | 503) => {
            Some(RETRY_PAUSE_MS)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use futures_util::FutureExt;

    use super::*;
    use crate::fakes::FakeHttp;
    use crate::spotify::tests::{Instance, describe, found, item, refused, status, token};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_token_serves_until_a_minute_before_it_expires() {
        let instance =
            Instance::answered([token("t1"), found(&[]), found(&[]), token("t2"), found(&[])]);
        instance.search().unwrap();
        instance.clock.advance_ms(3_540_000 - 1);
        instance.search().unwrap();
        instance.clock.advance_ms(1);
        instance.search().unwrap();
        assert_eq!(instance.sent(), ["token", "t1", "t1", "token", "t2"]);
    }

    #[test]
    fn a_token_that_spotify_no_longer_accepts_is_replaced_once() {
        let instance = Instance::warm([status(401), token("t2"), found(&[item()])]);
        assert_eq!(instance.search().unwrap().len(), 1);
        assert_eq!(instance.sent(), ["cached", "token", "t2"]);

        let instance = Instance::warm([status(401), token("t2"), status(401)]);
        assert_eq!(instance.search(), Err(refused(401)));
        assert_eq!(instance.sent(), ["cached", "token", "t2"]);
    }

    #[test]
    fn a_token_that_another_search_has_replaced_is_kept() {
        let instance = Instance::warm([]);
        let tokens = Rc::new(TokenCache::default());
        tokens.put(Secret::new("cached"), u64::MAX);
        let replaced = tokens.clone();
        let http = FakeHttp::responding(move |request| match describe(request).as_str() {
            "cached" => {
                replaced.put(Secret::new("newer"), u64::MAX);
                status(401)
            }
            _ => found(&[]),
        });
        let app = SpotifyApp::new(&instance.config, &tokens, &http, &instance.clock);
        assert_eq!(
            app.search("x", None, 10).now_or_never().unwrap(),
            Ok(vec![])
        );
        assert_eq!(
            http.requests().iter().map(describe).collect::<Vec<_>>(),
            ["cached", "newer"]
        );
    }
}
