//! The copy on Spotify: created once, then filled by replacing, which can be repeated.

use std::ops::Range;

use serde::Serialize;
use shared::redacted::Secret;
use shared::runtime::clock::Clock;
use shared::runtime::http_client::HttpClient;
use shared::spotify::{
    SpotifyConfig, SpotifyError, SpotifyLinks, SpotifyPlaylist, SpotifyPlaylists, UserCallError,
};
use shared::{Code, Error};
use uuid::Uuid;

use crate::playlist::Track;

/// How often tracks are offered to find those that Spotify does not take. Cloudflare's free plan allows 50 requests an
/// invocation, and all else takes about a dozen. Among 100 tracks four or five are found so.
const MAX_OFFERS: usize = 36;

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Our playlist.
    pub playlist_id: Uuid,
    /// The copy.
    pub spotify_playlist_id: String,
    /// Where the copy is opened.
    pub url: String,
    /// How many tracks the copy has.
    pub exported: usize,
    /// How many tracks the playlist has.
    pub total: usize,
    /// The tracks that Spotify did not take.
    pub rejected: Vec<Rejected>,
}

/// A track that Spotify did not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// Its place in our playlist, from 1.
    pub position: usize,
    /// `spotify:track:…`
    pub track_uri: String,
}

/// Gets access tokens of the user who exports.
pub struct AccessTokens<'a> {
    /// The user's link to a Spotify account.
    pub links: SpotifyLinks<'a>,
    /// The user.
    pub user_id: Uuid,
}

impl AccessTokens<'_> {
    /// Returns a token that is valid for at least a minute; a new one where Spotify has refused `refused`.
    ///
    /// # Errors
    /// 403 where no account is linked, 502, 503.
    async fn get(&self, refused: Option<&Secret>) -> Result<Secret, Error> {
        Ok(self.links.access_token(self.user_id, refused).await?)
    }
}

/// The listener's account on Spotify, for one export.
pub struct Exporter<'a> {
    config: &'a SpotifyConfig,
    http: &'a dyn HttpClient,
    clock: &'a dyn Clock,
    tokens: &'a AccessTokens<'a>,
    token: Secret,
    deadline_ms: u64,
}

/// Why a call failed, its token being good.
pub enum Failure {
    /// Spotify does not take what was sent.
    Rejected,
    /// There is no such playlist, or the listener may not change it.
    Unreachable(Error),
    /// Anything else.
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
    /// The account that `tokens` opens; nothing is begun there after `deadline_ms`.
    ///
    /// # Errors
    /// 403 where no account is linked (any more), and why no token can be had.
    pub async fn new(
        config: &'a SpotifyConfig,
        http: &'a dyn HttpClient,
        clock: &'a dyn Clock,
        tokens: &'a AccessTokens<'a>,
        deadline_ms: u64,
    ) -> Result<Self, Error> {
        let token = tokens.get(None).await?;
        Ok(Self { config, http, clock, tokens, token, deadline_ms })
    }

    /// Creates the empty copy.
    ///
    /// # Errors
    /// 403, 502, 503, 504; the copy may exist all the same, without a track.
    pub async fn create(&mut self, name: &str, description: &str) -> Result<SpotifyPlaylist, Error> {
        Ok(self.call(async |spotify| spotify.create(name, description).await).await?)
    }

    /// Fills the copy and answers which tracks, by their index, Spotify does not take.
    ///
    /// One bad track makes Spotify refuse all that come with it. So halves are offered until the bad ones stand alone,
    /// and the rest is written at last.
    ///
    /// # Errors
    /// 403, 502, 503, 504; unless it is unreachable, the copy then holds some of the tracks, and filling it can be repeated.
    pub async fn fill(&mut self, copy: &SpotifyPlaylist, tracks: &[Track]) -> Result<Vec<usize>, Failure> {
        let uris: Vec<&str> = tracks.iter().map(|track| track.track_uri.as_str()).collect();
        let mut offers = Offers { copy, uris: &uris, left: MAX_OFFERS };
        if offers.accepted(self, 0..uris.len()).await? {
            return Ok(Vec::new());
        }
        let mut bad = Vec::new();
        // Ranges with a bad track in them, and ranges of which that is not known; the leftmost on top.
        let mut open = vec![Suspect { range: 0..uris.len(), is_bad: true }];
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
                open.push(Suspect { range: right, is_bad: true });
            } else {
                open.push(Suspect { range: right, is_bad: false });
                open.push(Suspect { range: left, is_bad: true });
            }
        }
        let good: Vec<&str> =
            uris.iter().enumerate().filter(|(index, _)| !bad.contains(index)).map(|(_, uri)| *uri).collect();
        self.call(async |spotify| spotify.replace_items(copy, &good).await).await.map(|()| bad)
    }

    /// Calls Spotify, once more with another token where this one is no longer accepted.
    async fn call<R>(
        &mut self,
        call: impl AsyncFn(SpotifyPlaylists<'_>) -> Result<R, UserCallError>,
    ) -> Result<R, Failure> {
        if self.clock.now_ms() >= self.deadline_ms {
            return Err(Failure::Final(
                Error::new(Code::SpotifyTimeout, "Spotify is too slow right now. Please try again.")
                    .caused_by("the export's deadline"),
            ));
        }
        let first = call(self.playlists()).await;
        let answer = match first {
            Err(UserCallError::TokenRefused) => {
                self.token = self.tokens.get(Some(&self.token)).await.map_err(Failure::Final)?;
                call(self.playlists()).await
            }
            answer => answer,
        };
        answer.map_err(|error| match error {
            UserCallError::Rejected => Failure::Rejected,
            UserCallError::TokenRefused => Failure::Final(unavailable("a new token was refused")),
            UserCallError::Forbidden => Failure::Unreachable(Error::new(
                Code::SpotifyAccessDenied,
                "Spotify does not allow this for your account. Link it again, or ask us to be let in.",
            )),
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
    /// Whether Spotify takes these tracks; they are the copy's only ones then.
    async fn accepted(&mut self, exporter: &mut Exporter<'_>, range: Range<usize>) -> Result<bool, Failure> {
        let Some(left) = self.left.checked_sub(1) else {
            return Err(Failure::Final(
                Error::new(Code::SpotifyUnavailable, "Spotify refuses too many of these tracks.")
                    .caused_by("no offers left"),
            ));
        };
        self.left = left;
        let uris = self.uris.get(range).unwrap_or_default();
        match exporter.call(async |spotify| spotify.replace_items(self.copy, uris).await).await {
            Ok(()) => Ok(true),
            Err(Failure::Rejected) => Ok(false),
            Err(failure) => Err(failure),
        }
    }
}

fn unavailable(cause: &'static str) -> Error {
    Error::from(SpotifyError::InvalidAnswer).caused_by(cause)
}
