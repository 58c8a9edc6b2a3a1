//! Creates the copy on Spotify once, then fills it by replacing its tracks, which can be repeated.

use std::ops::Range;

pub use shared::api::{Exported, Rejected};
use shared::redacted::Secret;
use shared::runtime::clock::Clock;
use shared::runtime::http_client::HttpClient;
use shared::spotify::{
    SpotifyConfig, SpotifyError, SpotifyLinks, SpotifyPlaylist, SpotifyPlaylists, UserCallError,
};
use shared::{Code, Error};

use uuid::Uuid;

use crate::playlist::Track;

/// The most attempts to find the tracks that Spotify refuses. Cloudflare's free plan allows 50 requests an
/// invocation, and everything else needs about a dozen. This finds four or five among 100 tracks.
const MAX_OFFERS: usize = 36;

/// Gets access tokens of the user who exports.
pub struct AccessTokens<'a> {
    /// The user's link to a Spotify account.
    pub links: SpotifyLinks<'a>,
    /// The user.
    pub user_id: Uuid,
}

impl AccessTokens<'_> {
    /// Returns a token that is valid for at least a minute, and a new one if Spotify has refused `refused`.
    ///
    /// # Errors
    /// Returns 403 if no account is linked, and 502 or 503 if Spotify or the database fails.
    async fn get(&self, refused: Option<&Secret>) -> Result<Secret, Error> {
        Ok(self.links.access_token(self.user_id, refused).await?)
    }
}

/// The user's Spotify account, during one export.
pub struct Exporter<'a> {
    config: &'a SpotifyConfig,
    http: &'a dyn HttpClient,
    clock: &'a dyn Clock,
    tokens: &'a AccessTokens<'a>,
    token: Secret,
    deadline_ms: u64,
}

/// The reasons why a call with a valid token failed.
pub enum Failure {
    /// Spotify refuses the request's content.
    Rejected,
    /// The playlist does not exist, or the user may not change it.
    Unreachable(Error),
    /// Any other error.
    Final(Error),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Rejected => unavailable("what was sent was rejected"),
            Failure::Unreachable(error) | Failure::Final(error) => error,
        }
    }
}

impl<'a> Exporter<'a> {
    /// Opens the account of `tokens`; no call starts after `deadline_ms` (Unix time in milliseconds).
    ///
    /// # Errors
    /// Returns 403 if no account is linked (any more), or the error of getting a token.
    pub async fn new(
        config: &'a SpotifyConfig,
        http: &'a dyn HttpClient,
        clock: &'a dyn Clock,
        tokens: &'a AccessTokens<'a>,
        deadline_ms: u64,
    ) -> Result<Self, Error> {
        let token = tokens.get(None).await?;
        Ok(Self {
            config,
            http,
            clock,
            tokens,
            token,
            deadline_ms,
        })
    }

    /// Creates the empty copy.
    ///
    /// # Errors
    /// Returns 403, 502, 503 or 504. The copy may exist nevertheless, without tracks.
    pub async fn create(
        &mut self,
        name: &str,
        description: &str,
    ) -> Result<SpotifyPlaylist, Error> {
        Ok(self
            .call(async |spotify| spotify.create(name, description).await)
            .await?)
    }

    /// Fills the copy and returns the indices of the tracks that Spotify refuses.
    ///
    /// One bad track makes Spotify refuse the whole batch. So halves are tried until the bad tracks are found, and
    /// the rest is written at the end.
    ///
    /// # Errors
    /// Returns 403, 502, 503 or 504. The copy may then have some of the tracks, and filling it can be repeated.
    pub async fn fill(
        &mut self,
        copy: &SpotifyPlaylist,
        tracks: &[Track],
    ) -> Result<Vec<usize>, Failure> {
        let uris: Vec<&str> = tracks
            .iter()
            .map(|track| track.track_uri.as_str())
            .collect();
        let mut offers = Offers {
            copy,
            uris: &uris,
            left: MAX_OFFERS,
        };
        if offers.accepted(self, 0..uris.len()).await? {
            return Ok(Vec::new());
        }
        let mut bad = Vec::new();
        // Ranges with a bad track, and ranges that have not been tried; the leftmost is last.
        let mut open = vec![Suspect {
            range: 0..uris.len(),
            is_bad: true,
        }];
        while let Some(Suspect { range, is_bad }) = open.pop() {
            if !is_bad && offers.accepted(self, range.clone()).await? {
                continue;
            }
            if range.len() <= 1 {
                bad.extend(range);
                continue;
            }
            let middle = range.start + range.len() / 2;
            let (left, right) = (range.start..middle, middle..range.end);
            if offers.accepted(self, left.clone()).await? {
                open.push(Suspect {
                    range: right,
                    is_bad: true,
                });
            } else {
                open.push(Suspect {
                    range: right,
                    is_bad: false,
                });
                open.push(Suspect {
                    range: left,
                    is_bad: true,
                });
            }
        }
        let good: Vec<&str> = uris
            .iter()
            .enumerate()
            .filter(|(index, _)| !bad.contains(index))
            .map(|(_, uri)| *uri)
            .collect();
        self.call(async |spotify| spotify.replace_items(copy, &good).await)
            .await
            .map(|()| bad)
    }

    /// Calls Spotify, and again with another token if this one is no longer accepted.
    async fn call<R>(
        &mut self,
        call: impl AsyncFn(SpotifyPlaylists<'_>) -> Result<R, UserCallError>,
    ) -> Result<R, Failure> {
        if self.clock.now_ms() >= self.deadline_ms {
            return Err(Failure::Final(
                Error::of(Code::SpotifyTimeout).caused_by("the export's deadline"),
            ));
        }
        let first = call(self.playlists()).await;
        let result = match first {
            Err(UserCallError::TokenRefused) => {
                self.token = self
                    .tokens
                    .get(Some(&self.token))
                    .await
                    .map_err(Failure::Final)?;
                call(self.playlists()).await
            }
            result => result,
        };
        result.map_err(|error| match error {
            UserCallError::Rejected => Failure::Rejected,
            UserCallError::TokenRefused => Failure::Final(unavailable("a new token was refused")),
            UserCallError::Forbidden => Failure::Unreachable(Error::of(Code::SpotifyAccessDenied)),
            UserCallError::NotFound => Failure::Unreachable(unavailable("the copy is not there")),
            UserCallError::Spotify(error) => Failure::Final(error.into()),
        })
    }

    fn playlists(&self) -> SpotifyPlaylists<'a> {
        SpotifyPlaylists::new(self.config, self.http, self.clock, self.token.clone())
    }
}

struct Suspect {
    range: Range<usize>,
    is_bad: bool,
}

struct Offers<'a> {
    copy: &'a SpotifyPlaylist,
    uris: &'a [&'a str],
    left: usize,
}

impl Offers<'_> {
    /// Replaces the copy's tracks by these; returns whether Spotify accepts them.
    async fn accepted(
        &mut self,
        exporter: &mut Exporter<'_>,
        range: Range<usize>,
    ) -> Result<bool, Failure> {
        let Some(left) = self.left.checked_sub(1) else {
            return Err(Failure::Final(
                Error::of(Code::SpotifyUnavailable).caused_by("no offers left"),
            ));
        };
        self.left = left;
        let uris = self.uris.get(range).unwrap_or_default();
        match exporter
            .call(async |spotify| spotify.replace_items(self.copy, uris).await)
            .await
        {
            Ok(()) => Ok(true),
            Err(Failure::Rejected) => Ok(false),
            Err(failure) => Err(failure),
        }
    }
}

fn unavailable(cause: &'static str) -> Error {
    Error::from(SpotifyError::InvalidResponse).caused_by(cause)
}
