//! A listener's playlists on Spotify, as far as the scope `playlist-modify-private` reaches.

use http::{Method, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::app::pause_ms;
use super::{Said, SpotifyConfig, SpotifyError};
use crate::redacted::Secret;
use crate::runtime::clock::Clock;
use crate::runtime::http_client::{
    HttpClient, HttpError, InboundResponse, Limits, OutboundRequest, Upstream,
};

/// Spotify refuses more in one call; a playlist of ours has no more.
pub const MAX_ITEMS: usize = 100;
/// A playlist's object with no items is about 1 KB, one with a hundred about 300 KB.
const LIMITS: Limits = Limits::document(8_000, 1024 * 1024);

/// Why a call for a listener failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserCallError {
    /// The access token is not accepted (any more).
    TokenRefused,
    /// The listener may not do this: an app in development mode knows five listeners, or the scope is missing.
    Forbidden,
    /// There is no such playlist (any more).
    NotFound,
    /// It does not like what was sent: one bad track is enough.
    Rejected,
    /// Everything that is not about this listener or this request.
    Spotify(SpotifyError),
}

impl UserCallError {
    /// Why something is forbidden to an app that acts for a listener.
    pub(super) fn forbidden(said: Said) -> Self {
        if said.is_about_the_app() { SpotifyError::AppForbidden(said).into() } else { Self::Forbidden }
    }
}

impl From<SpotifyError> for UserCallError {
    fn from(error: SpotifyError) -> Self {
        Self::Spotify(error)
    }
}

impl From<HttpError> for UserCallError {
    fn from(error: HttpError) -> Self {
        Self::Spotify(SpotifyError::Unavailable(error))
    }
}

/// A playlist on Spotify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpotifyPlaylist {
    /// Its id: letters and digits.
    pub id: String,
    /// Where it is opened.
    pub url: String,
}

impl SpotifyPlaylist {
    /// The playlist with that id, if it can be one's.
    pub fn with_id(id: &str) -> Option<Self> {
        let is_id = (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
        is_id.then(|| Self { id: id.to_owned(), url: format!("https://open.spotify.com/playlist/{id}") })
    }
}

/// Playlists of the listener whose access token it holds.
pub struct SpotifyPlaylists<'a> {
    config: &'a SpotifyConfig,
    http: &'a dyn HttpClient,
    clock: &'a dyn Clock,
    token: Secret,
}

impl<'a> SpotifyPlaylists<'a> {
    /// The playlists that `token` gives access to.
    pub fn new(
        config: &'a SpotifyConfig,
        http: &'a dyn HttpClient,
        clock: &'a dyn Clock,
        token: Secret,
    ) -> Self {
        Self { config, http, clock, token }
    }

    /// Creates an empty playlist that is not on the listener's profile.
    ///
    /// Repeated only after a rate limit of up to 3 s: any other failure may have created it.
    ///
    /// # Errors
    /// [`UserCallError`].
    pub async fn create(&self, name: &str, description: &str) -> Result<SpotifyPlaylist, UserCallError> {
        #[derive(Deserialize)]
        struct Created {
            id: String,
        }
        let body = json!({"name": name, "description": description, "public": false});
        let is_safe = |error| matches!(error, SpotifyError::RateLimited { .. });
        let response = self.call(Method::POST, "/v1/me/playlists", &body, is_safe).await?;
        let created: Created = response.json().await.map_err(invalid_answer)?;
        Ok(SpotifyPlaylist::with_id(&created.id).ok_or(SpotifyError::InvalidAnswer)?)
    }

    /// Makes these tracks, 100 at most, the playlist's only ones, in this order. Repeating it changes nothing.
    ///
    /// # Errors
    /// [`UserCallError::Rejected`] where a single one is not accepted; the playlist is then as it was.
    pub async fn replace_items(
        &self,
        playlist: &SpotifyPlaylist,
        uris: &[&str],
    ) -> Result<(), UserCallError> {
        // Whoever answers without it, in Spotify's place, has not written anything.
        #[derive(Deserialize)]
        struct Replaced {
            #[serde(rename = "snapshot_id")]
            _snapshot_id: String,
        }
        let path = format!("/v1/playlists/{}/items", playlist.id);
        let response = self.call(Method::PUT, &path, &json!({ "uris": uris }), |_| true).await?;
        response.json::<Replaced>().await.map(drop).map_err(invalid_answer)
    }

    /// Sends, and once more after a failure that may pass and that `may_repeat` allows.
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        may_repeat: impl Fn(SpotifyError) -> bool,
    ) -> Result<InboundResponse, UserCallError> {
        let request = OutboundRequest::new(
            Upstream::Spotify,
            method,
            format!("{}{path}", self.config.api_base_url),
            LIMITS,
        )
        .header(header::AUTHORIZATION, &format!("Bearer {}", self.token.expose()))?
        .header(header::CONTENT_TYPE, "application/json")?
        .body(body.to_string());
        match self.attempt(request.clone()).await {
            Err(UserCallError::Spotify(error)) if may_repeat(error) => match pause_ms(error) {
                Some(pause_ms) => {
                    self.clock.sleep_ms(pause_ms).await;
                    self.attempt(request).await
                }
                None => Err(error.into()),
            },
            answer => answer,
        }
    }

    async fn attempt(&self, request: OutboundRequest) -> Result<InboundResponse, UserCallError> {
        let response = self.http.send(request).await?;
        match response.status {
            StatusCode::OK | StatusCode::CREATED => Ok(response),
            StatusCode::UNAUTHORIZED => Err(UserCallError::TokenRefused),
            StatusCode::FORBIDDEN => {
                Err(UserCallError::forbidden(Said::of(&response.bytes().await.unwrap_or_default())))
            }
            StatusCode::NOT_FOUND => Err(UserCallError::NotFound),
            StatusCode::BAD_REQUEST => Err(UserCallError::Rejected),
            _ => Err(super::app::refuse_errors(response).err().unwrap_or(SpotifyError::InvalidAnswer).into()),
        }
    }
}

fn invalid_answer(error: HttpError) -> UserCallError {
    match error {
        HttpError::InvalidBody => SpotifyError::InvalidAnswer.into(),
        error => error.into(),
    }
}
