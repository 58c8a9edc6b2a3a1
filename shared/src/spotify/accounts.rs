//! Spotify's accounts service: the user's consent, and the tokens that follow from it.
//!
//! Implements the authorization code flow of a confidential client (RFC 6749, 4.1) with `Authorization: Basic`, and
//! PKCE (RFC 7636), which binds a code to the state that it was issued for.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode, header};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::app::{pause_ms, refuse_errors};
use super::{NewState, Said, SpotifyConfig, SpotifyError, UserCallError};
use crate::form::form_urlencoded;
use crate::json::{from_slice_lenient, read_value};
use crate::redacted::Secret;
use crate::runtime::clock::Clock;
use crate::runtime::http_client::{HttpClient, HttpError, Limits, OutboundRequest, Upstream};
use crate::text::one_line;

/// The only scope that the app asks for: creating playlists that the profile does not show, and filling them.
pub const SCOPE: &str = "playlist-modify-private";

const LIMITS: Limits = Limits::document(8_000, 16 * 1024);
const MAX_NAME_CHARS: usize = 200;

/// A user's account at Spotify.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpotifyAccount {
    /// Spotify's `account_id`, which never changes, unlike `id`.
    pub id: Option<String>,
    /// The public name, if the account has one.
    pub display_name: Option<String>,
}

fn text(me: &Value, name: &str) -> Option<String> {
    let text = one_line(me.get(name)?.as_str()?, MAX_NAME_CHARS);
    Some(text).filter(|text| !text.is_empty())
}

/// The result of a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// The access token, which expires.
    pub access_token: Secret,
    /// The refresh token. If Spotify returns none, the previous one stays valid.
    pub refresh_token: Option<Secret>,
    /// The lifetime of the access token in seconds, from the moment of the request.
    pub expires_in_seconds: u64,
}

/// The reasons why there are no tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantError {
    /// The code or the refresh token is not valid (any more).
    InvalidGrant,
    /// Any other error; the code or the refresh token may still be valid.
    Spotify(SpotifyError),
}

impl From<SpotifyError> for GrantError {
    fn from(error: SpotifyError) -> Self {
        Self::Spotify(error)
    }
}

/// The accounts service, used with the app's credentials.
pub struct SpotifyAccounts<'a> {
    config: &'a SpotifyConfig,
    http: &'a dyn HttpClient,
    clock: &'a dyn Clock,
}

impl<'a> SpotifyAccounts<'a> {
    /// Creates a client of the accounts service of `config`.
    pub fn new(config: &'a SpotifyConfig, http: &'a dyn HttpClient, clock: &'a dyn Clock) -> Self {
        Self {
            config,
            http,
            clock,
        }
    }

    /// Returns the URL at which Spotify asks the user. Spotify redirects the browser to `redirect_uri`.
    pub fn authorize_url(&self, redirect_uri: &str, state: &NewState) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(state.verifier.expose()));
        let query = form_urlencoded(&[
            ("client_id", &self.config.client_id),
            ("response_type", "code"),
            ("redirect_uri", redirect_uri),
            ("scope", SCOPE),
            ("state", &state.text),
            ("code_challenge_method", "S256"),
            ("code_challenge", &challenge),
        ]);
        format!("{}/authorize?{query}", self.config.accounts_base_url)
    }

    /// Exchanges the code of the redirect. A code works once, and only with the verifier of its own state.
    ///
    /// # Errors
    /// [`GrantError`].
    pub async fn exchange(
        &self,
        code: &str,
        redirect_uri: &str,
        verifier: &Secret,
    ) -> Result<Tokens, GrantError> {
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier.expose()),
        ];
        self.grant(&pairs).await
    }

    /// Returns the next access token.
    ///
    /// # Errors
    /// [`GrantError`].
    pub async fn refresh(&self, refresh_token: &Secret) -> Result<Tokens, GrantError> {
        self.grant(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose()),
        ])
        .await
    }

    /// Returns the account of the token's user, as far as Spotify tells.
    ///
    /// # Errors
    /// [`UserCallError`].
    pub async fn me(&self, access_token: &Secret) -> Result<SpotifyAccount, UserCallError> {
        let url = format!("{}/v1/me", self.config.api_base_url);
        let request = OutboundRequest::new(Upstream::Spotify, Method::GET, url, LIMITS).header(
            header::AUTHORIZATION,
            &format!("Bearer {}", access_token.expose()),
        )?;
        let response = self.http.send(request).await?;
        if response.status == StatusCode::FORBIDDEN {
            let said = Said::of(&response.bytes().await.unwrap_or_default());
            return Err(UserCallError::forbidden(said));
        }
        let me: Value = refuse_errors(response)?
            .json()
            .await
            .map_err(not_understood)?;
        Ok(SpotifyAccount {
            id: text(&me, "account_id"),
            display_name: text(&me, "display_name"),
        })
    }

    /// Requests tokens. Repeated only if Spotify said that it did nothing: a request without a response may have
    /// used up the code or replaced the refresh token.
    async fn grant(&self, pairs: &[(&str, &str)]) -> Result<Tokens, GrantError> {
        match self.attempt(pairs).await {
            Err(GrantError::Spotify(
                error @ (SpotifyError::RateLimited { .. } | SpotifyError::Refused { .. }),
            )) => match pause_ms(error) {
                Some(pause_ms) => {
                    self.clock.sleep_ms(pause_ms).await;
                    self.attempt(pairs).await
                }
                None => Err(error.into()),
            },
            answer => answer,
        }
    }

    async fn attempt(&self, pairs: &[(&str, &str)]) -> Result<Tokens, GrantError> {
        #[derive(Deserialize)]
        struct Granted {
            access_token: String,
            refresh_token: Option<String>,
            expires_in: f64,
        }
        let url = format!("{}/api/token", self.config.accounts_base_url);
        let request = OutboundRequest::new(Upstream::Spotify, Method::POST, url, LIMITS)
            .header(
                header::AUTHORIZATION,
                self.config.basic_authorization().expose(),
            )
            .and_then(|request| {
                request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            })
            .map_err(SpotifyError::Unavailable)?
            .body(form_urlencoded(pairs));
        let response = self
            .http
            .send(request)
            .await
            .map_err(SpotifyError::Unavailable)?;
        if matches!(
            response.status,
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED
        ) {
            return Err(refusal(&response.bytes().await.unwrap_or_default()));
        }
        if response.status == StatusCode::FORBIDDEN {
            let said = Said::of(&response.bytes().await.unwrap_or_default());
            return Err(SpotifyError::AppForbidden(said).into());
        }
        let granted: Granted = refuse_errors(response)?
            .json()
            .await
            .map_err(not_understood)?;
        let refresh_token = granted.refresh_token.filter(|token| !token.is_empty());
        if !is_token(&granted.access_token) || !refresh_token.as_deref().is_none_or(is_token) {
            return Err(SpotifyError::InvalidResponse.into());
        }
        Ok(Tokens {
            access_token: Secret::new(granted.access_token),
            refresh_token: refresh_token.map(Secret::new),
            expires_in_seconds: granted.expires_in as u64, // It saturates.
        })
    }
}

/// Whether the token can be sent in a header and stored.
fn is_token(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic())
}

/// `{"error":"invalid_grant"}` concerns the user's token, every other error the app (RFC 6749, 5.2).
fn refusal(body: &[u8]) -> GrantError {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    let read = from_slice_lenient(body).ok();
    match read.and_then(|document| read_value::<Refusal>(&document).ok()) {
        Some(refusal) if refusal.error == "invalid_grant" => GrantError::InvalidGrant,
        Some(refusal) if refusal.error == "invalid_client" => {
            SpotifyError::InvalidCredentials.into()
        }
        _ => SpotifyError::InvalidResponse.into(),
    }
}

fn not_understood(error: HttpError) -> SpotifyError {
    match error {
        HttpError::InvalidBody => SpotifyError::InvalidResponse,
        error => SpotifyError::Unavailable(error),
    }
}
