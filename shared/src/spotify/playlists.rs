//! A user's playlists on Spotify, within the scope `playlist-modify-private`.

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

/// The most tracks in one call; our playlists have no more.
pub const MAX_ITEMS: usize = 100;
/// An empty playlist has about 1 KB, one with a hundred tracks about 300 KB.
const LIMITS: Limits = Limits::document(8_000, 1024 * 1024);

/// The reasons why a call for a user failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserCallError {
    /// The access token is not accepted (any more).
    TokenRefused,
    /// The user may not do this: an app in development mode has five listed users, or the scope is missing.
    Forbidden,
    /// The playlist does not exist (any more).
    NotFound,
    /// Spotify refuses the request's content; a single track is enough.
    Rejected,
    /// Any error that does not concern this user or this request.
    Spotify(SpotifyError),
}

impl UserCallError {
    /// Returns why an action is forbidden to an app that acts for a user.
    pub(super) fn forbidden(said: Said) -> Self {
        if said.is_about_the_app() {
            SpotifyError::AppForbidden(said).into()
        } else {
            Self::Forbidden
        }
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
    /// The URL at which the playlist is opened.
    pub url: String,
}

impl SpotifyPlaylist {
    /// Returns the playlist with that id; `None` if it cannot be an id.
    pub fn with_id(id: &str) -> Option<Self> {
        let is_id = (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
        is_id.then(|| Self {
            id: id.to_owned(),
            url: format!("https://open.spotify.com/playlist/{id}"),
        })
    }
}

/// The playlists of the access token's user.
pub struct SpotifyPlaylists<'a> {
    config: &'a SpotifyConfig,
    http: &'a dyn HttpClient,
    clock: &'a dyn Clock,
    token: Secret,
}

impl<'a> SpotifyPlaylists<'a> {
    /// Creates a client for the playlists of `token`'s user.
    pub fn new(
        config: &'a SpotifyConfig,
        http: &'a dyn HttpClient,
        clock: &'a dyn Clock,
        token: Secret,
    ) -> Self {
        Self {
            config,
            http,
            clock,
            token,
        }
    }

    /// Creates an empty playlist that the user's profile does not show.
    ///
    /// Repeated only after a rate limit of up to 3 s: after any other failure the playlist may exist.
    ///
    /// # Errors
    /// [`UserCallError`].
    pub async fn create(
        &self,
        name: &str,
        description: &str,
    ) -> Result<SpotifyPlaylist, UserCallError> {
        #[derive(Deserialize)]
        struct Created {
            id: String,
        }
        let body = json!({"name": name, "description": description, "public": false});
        let is_safe = |error| matches!(error, SpotifyError::RateLimited { .. });
        let response = self
            .call(Method::POST, "/v1/me/playlists", &body, is_safe)
            .await?;
        let created: Created = response.json().await.map_err(invalid_answer)?;
        Ok(SpotifyPlaylist::with_id(&created.id).ok_or(SpotifyError::InvalidResponse)?)
    }

    /// Replaces the playlist's tracks with these, 100 at most, in this order. Can be repeated.
    ///
    /// # Errors
    /// [`UserCallError::Rejected`] if a single track is not accepted; the playlist is then unchanged.
    pub async fn replace_items(
        &self,
        playlist: &SpotifyPlaylist,
        uris: &[&str],
    ) -> Result<(), UserCallError> {
        // A response without `snapshot_id` does not come from Spotify, so nothing was written.
        #[derive(Deserialize)]
        struct Replaced {
            #[serde(rename = "snapshot_id")]
            _snapshot_id: String,
        }
        let path = format!("/v1/playlists/{}/items", playlist.id);
        let response = self
            .call(Method::PUT, &path, &json!({ "uris": uris }), |_| true)
            .await?;
        response
            .json::<Replaced>()
            .await
            .map(drop)
            .map_err(invalid_answer)
    }

    /// Sends a request, and repeats it once after a transient failure that `may_repeat` allows.
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
        .header(
            header::AUTHORIZATION,
            &format!("Bearer {}", self.token.expose()),
        )?
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
            StatusCode::FORBIDDEN => Err(UserCallError::forbidden(Said::of(
                &response.bytes().await.unwrap_or_default(),
            ))),
            StatusCode::NOT_FOUND => Err(UserCallError::NotFound),
            StatusCode::BAD_REQUEST => Err(UserCallError::Rejected),
            _ => Err(super::app::refuse_errors(response)
                .err()
                .unwrap_or(SpotifyError::InvalidResponse)
                .into()),
        }
    }
}

fn invalid_answer(error: HttpError) -> UserCallError {
    match error {
        HttpError::InvalidBody => SpotifyError::InvalidResponse.into(),
        error => error.into(),
    }
}
