//! Handles a search in numbered steps.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use shared::Error;
use shared::api::{FoundTrack, SearchResponse};
use shared::auth::{JwksCache, authenticate};
use shared::catalogue::Memory;
use shared::matching::{Scored, field_query, free_query, rank, song_key};
use shared::runtime::response::{Body, json_response};
use shared::spotify::{SpotifyApp, SpotifyError, TokenCache};
use shared::supabase::{Counted, Supabase, take_request};
use shared::track::ListedTrack;

use crate::Config;
use crate::request::{self, SearchRequest};

/// The most candidates that Spotify returns on one page.
const CANDIDATES: u8 = 10;

/// Results that outlive a request and hold no data of it.
#[derive(Default)]
pub struct Caches {
    /// The public keys that verify users' tokens.
    pub jwks: JwksCache,
    /// The app's access token for Spotify's catalogue.
    pub spotify_token: TokenCache,
}

/// The request context of this function.
pub type Context = shared::runtime::Context<Config, Caches>;

fn found(Scored { track, score }: Scored<'_, ListedTrack>) -> FoundTrack {
    FoundTrack {
        details: track.details(),
        is_playable: track.recording.is_playable,
        score: (score * 100.0).round() / 100.0,
    }
}

/// Handles a search.
///
/// 1. Verify the caller (401).
/// 2. Parse (422).
/// 3. Count the search (403, 429).
/// 4. Search by field, and by plain words if that finds nothing.
/// 5. Score the candidates, drop duplicates, keep the best.
///
/// If Spotify's rate limit is reached, the response lists the remembered recordings of the song and sets `is_partial`.
///
/// # Errors
/// Returns the errors above, and 502, 503 or 504 if Spotify fails. A search without matches returns an empty list.
pub async fn handle(request: Request<Bytes>, context: Context) -> Result<Response<Body>, Error> {
    let user = authenticate(
        &context.request,
        request.headers(),
        &context.config.auth,
        &context.caches.jwks,
        &context.http,
        &context.clock,
    )
    .await?;
    let wanted = request::parse(request.uri().query().unwrap_or_default())?;
    let service = Supabase::new(&context.config.supabase, &context.http).service();
    take_request(&service, user.id(), Counted::Search).await?;
    json_response(StatusCode::OK, &search(&wanted, &context).await?)
}

async fn search(wanted: &SearchRequest, context: &Context) -> Result<SearchResponse, Error> {
    let searched = candidates(wanted, context).await;
    let (candidates, is_partial) = match searched {
        Ok(candidates) => (candidates, false),
        Err(error @ SpotifyError::RateLimited { .. }) => {
            (remembered(wanted, context).await.ok_or(error)?, true)
        }
        Err(error) => return Err(error.into()),
    };
    let tracks = rank(&wanted.sought, &candidates)
        .into_iter()
        .take(wanted.limit)
        .map(found)
        .collect();
    Ok(SearchResponse { tracks, is_partial })
}

async fn candidates(
    wanted: &SearchRequest,
    context: &Context,
) -> Result<Vec<ListedTrack>, SpotifyError> {
    let spotify = SpotifyApp::new(
        &context.config.spotify,
        &context.caches.spotify_token,
        &context.http,
        &context.clock,
    );
    let mut candidates = Vec::new();
    for query in [field_query(&wanted.sought), free_query(&wanted.sought)] {
        // A query of quotes and colons alone is empty once they are removed.
        if !query.is_empty() {
            candidates.extend(
                spotify
                    .search(&query, wanted.market.as_deref(), CANDIDATES)
                    .await?,
            );
        }
        if !rank(&wanted.sought, &candidates).is_empty() {
            break;
        }
    }
    Ok(candidates)
}

/// Returns the song's recordings from the catalogue memory. Only generations write to it: a search by hand lists more
/// than one song, and its words are a user's own.
async fn remembered(wanted: &SearchRequest, context: &Context) -> Option<Vec<ListedTrack>> {
    if !context.config.memory.is_on() {
        return None;
    }
    let service = Supabase::new(&context.config.supabase, &context.http).service();
    let memory = Memory::new(service, &context.clock, wanted.market.as_deref());
    let entry = memory.recall(&[song_key(&wanted.sought)]).await?.pop()??;
    entry.is_found().then(|| entry.tracks().to_vec())
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use serde_json::{Value, json};
    use shared::Code;
    use shared::auth::FakeIssuer;
    use shared::fakes::{FakeClock, FakeHttp, FakeResponse, fake_context};
    use uuid::Uuid;

    use super::*;

    const NOW_MS: u64 = 1_790_000_000_000;

    fn env(name: &str) -> Option<String> {
        let value = match name {
            "SUPABASE_URL" => FakeIssuer::URL,
            "SUPABASE_PUBLISHABLE_KEY" => "sb_publishable_x",
            "SUPABASE_SECRET_KEY" => "sb_secret_x",
            "SPOTIFY_CLIENT_ID" | "SPOTIFY_CLIENT_SECRET" => "spotify",
            "SPOTIFY_API_BASE_URL" => "https://spotify.example",
            "SPOTIFY_ACCOUNTS_BASE_URL" => "https://accounts.example",
            _ => return None,
        };
        Some(value.to_owned())
    }

    fn item(id: u32, artist: &str, title: &str) -> Value {
        json!({"id": format!("{id:022}"), "uri": format!("spotify:track:{id:022}"), "type": "track", "name": title,
            "artists": [{"name": artist}], "album": {"name": "Album"}, "duration_ms": 1000, "explicit": false,
            "is_playable": id != 3})
    }

    /// Returns a Spotify that finds `by_field` in a search by field and `by_words` in one by plain words.
    fn world(by_field: Vec<Value>, by_words: Vec<Value>) -> FakeHttp {
        world_after(json!({"outcome": "taken"}), by_field, by_words)
    }

    /// Returns the same with the database's response to counting the search.
    fn world_after(taken: Value, by_field: Vec<Value>, by_words: Vec<Value>) -> FakeHttp {
        FakeHttp::responding(move |request| match request.url.as_str() {
            FakeIssuer::JWKS_URL => FakeResponse::json(200, &FakeIssuer::with_kid("k").jwks()),
            url if url.ends_with("/take_request") => FakeResponse::json(200, &taken),
            url if url.ends_with("/api/token") => FakeResponse::json(
                200,
                &json!({"access_token": "app", "token_type": "Bearer", "expires_in": 3600}),
            ),
            url => {
                let items = if url.contains("track%3A") || url.contains("artist%3A") {
                    &by_field
                } else {
                    &by_words
                };
                FakeResponse::json(200, &json!({"tracks": {"items": items}}))
            }
        })
    }

    fn ask(http: &FakeHttp, query: &str) -> Result<Value, Error> {
        let token = FakeIssuer::with_kid("k").token(Uuid::from_u128(7), NOW_MS / 1000);
        let request = Request::get(format!("https://x/functions/v1/spotify-search{query}"))
            .header(http::header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Bytes::new())
            .unwrap();
        let context = fake_context(
            http,
            &FakeClock::at_ms(NOW_MS),
            Config::from_env(env).unwrap(),
        )
        .0;
        match handle(request, context)
            .now_or_never()
            .unwrap()?
            .into_body()
        {
            Body::Full(bytes) => Ok(serde_json::from_slice(&bytes).unwrap()),
            Body::Stream(_) => panic!("a stream"),
        }
    }

    fn searches(http: &FakeHttp) -> usize {
        http.requests()
            .iter()
            .filter(|request| request.url.contains("/v1/search"))
            .count()
    }

    #[test]
    fn searches_plain_words_only_if_fields_find_nothing() {
        let live = || vec![item(1, "Kult", "Arahja (Live)")];
        for (by_field, found, expected) in [
            (live(), "Arahja (Live)", 1),
            (vec![], "Arahja", 2),
            (vec![item(1, "Kult", "Celina")], "Celina", 1),
        ] {
            let http = world(by_field, vec![item(2, "Kult", "Arahja")]);
            let response = ask(&http, "?artist=Kult&title=Arahja").unwrap();
            assert_eq!(
                (searches(&http), &response["tracks"][0]["title"]),
                (expected, &json!(found))
            );
        }
    }

    #[test]
    fn search_over_the_limit_or_of_a_deleted_user_does_not_reach_spotify() {
        for (taken, code, retry_after) in [
            (
                json!({"outcome": "too_many_attempts", "retry_after_seconds": 7}),
                Code::TooManyAttempts,
                Some(7),
            ),
            (
                json!({"outcome": "no_profile"}),
                Code::ProfileNotFound,
                None,
            ),
            (json!({"outcome": "?"}), Code::Internal, None),
        ] {
            let http = world_after(taken, vec![item(1, "Kult", "Arahja")], vec![]);
            let error = ask(&http, "?title=Arahja").unwrap_err();
            assert_eq!(
                (error.code(), error.retry_after_seconds()),
                (code, retry_after)
            );
            assert_eq!(searches(&http), 0);
        }
    }

    #[test]
    fn rate_limited_search_returns_remembered_recordings() {
        let track = json!({"recording": {"uri": format!("spotify:track:{:022}", 1), "title": "Arahja",
            "artists": ["Kult"], "album": "Album", "release_year": 1988, "duration_ms": 1000, "explicit": false,
            "is_playable": true}});
        let entry = |tracks: Value, by_field: u8| {
            json!([{"tracks": tracks, "by_field": by_field, "is_complete": true,
                "is_any_playable": by_field > 0}])
        };
        for (recalled, found) in [
            (
                FakeResponse::json(200, &entry(json!([track]), 1)),
                Some("Arahja"),
            ),
            (FakeResponse::json(200, &entry(json!([]), 0)), None),
            (FakeResponse::json(200, &json!([null])), None),
            (FakeResponse::json(503, &json!({})), None),
        ] {
            let http = FakeHttp::responding(move |request| match request.url.as_str() {
                FakeIssuer::JWKS_URL => FakeResponse::json(200, &FakeIssuer::with_kid("k").jwks()),
                url if url.ends_with("/take_request") => {
                    FakeResponse::json(200, &json!({"outcome": "taken"}))
                }
                url if url.ends_with("/recall_songs") => recalled.clone(),
                _ => FakeResponse::json(429, &json!({}))
                    .with_header(http::header::RETRY_AFTER, "3600"),
            });
            let response = ask(&http, "?artist=Kult&title=Arahja");
            match found {
                Some(title) => {
                    let response = response.unwrap();
                    assert_eq!(
                        (&response["tracks"][0]["title"], &response["is_partial"]),
                        (&json!(title), &json!(true))
                    );
                }
                None => assert_eq!(response.unwrap_err().code(), Code::SpotifyRateLimited),
            }
        }
    }

    #[test]
    fn marks_unplayable_tracks() {
        let http = world(vec![item(3, "Kult", "Arahja")], vec![]);
        let response = ask(&http, "?title=Arahja&market=PL").unwrap();
        assert_eq!(response["tracks"][0]["is_playable"], false);
        assert!(
            http.requests()
                .iter()
                .any(|request| request.url.contains("market=PL"))
        );
    }

    #[test]
    fn search_without_matches_returns_an_empty_list() {
        assert_eq!(
            ask(&world(vec![], vec![]), "?title=nothing").unwrap(),
            json!({"is_partial": false, "tracks": []})
        );
    }
}
