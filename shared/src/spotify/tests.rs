use futures_util::FutureExt;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use super::*;
use crate::fakes::{FakeClock, FakeHttp, FakeResponse};
use crate::runtime::clock::Clock;
use crate::runtime::http_client::{HttpError, OutboundRequest};
use crate::track::ListedTrack;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

pub(super) const URI: &str = "spotify:track:4uLU6hMCjMI75M1A2tKUQC";
const TOKEN_URL: &str = "https://accounts.spotify.com/api/token";

fn config_of(variables: &[(&str, &str)]) -> Result<SpotifyConfig, ConfigError> {
    SpotifyConfig::from_env(|name| {
        variables
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    })
}

fn config() -> SpotifyConfig {
    config_of(&[
        ("SPOTIFY_CLIENT_ID", "id"),
        ("SPOTIFY_CLIENT_SECRET", "secret"),
    ])
    .unwrap()
}

/// An instance of a function: what outlives its requests, and its fake environment.
pub(super) struct Instance {
    pub(super) config: SpotifyConfig,
    tokens: TokenCache,
    pub(super) http: FakeHttp,
    pub(super) clock: FakeClock,
}

impl Instance {
    pub(super) fn answered(answers: impl IntoIterator<Item = FakeResponse>) -> Self {
        Self {
            config: config(),
            tokens: TokenCache::default(),
            http: FakeHttp::answering(answers),
            clock: FakeClock::hurrying(0),
        }
    }

    /// An instance that already holds the token `cached`.
    pub(super) fn warm(answers: impl IntoIterator<Item = FakeResponse>) -> Self {
        let instance = Self::answered(answers);
        instance.tokens.put(Secret::new("cached"), u64::MAX);
        instance
    }

    fn app(&self) -> SpotifyApp<'_> {
        SpotifyApp::new(&self.config, &self.tokens, &self.http, &self.clock)
    }

    pub(super) fn search(&self) -> Result<Vec<ListedTrack>, SpotifyError> {
        self.app().search("song", None, 10).now_or_never().unwrap()
    }

    /// The requests that were sent: `token`, or the bearer token of a search.
    pub(super) fn sent(&self) -> Vec<String> {
        self.http.requests().iter().map(describe).collect()
    }
}

pub(super) fn describe(request: &OutboundRequest) -> String {
    let authorization = request.headers[header::AUTHORIZATION].to_str().unwrap();
    match request.url.as_str() {
        TOKEN_URL => "token".to_owned(),
        _ => authorization.strip_prefix("Bearer ").unwrap().to_owned(),
    }
}

pub(super) fn token(value: &str) -> FakeResponse {
    FakeResponse::json(
        200,
        &json!({ "access_token": value, "token_type": "Bearer", "expires_in": 3600 }),
    )
}

pub(super) fn item() -> Value {
    json!({ "type": "track", "uri": URI, "name": "Zażółć", "artists": [{ "name": "Ann" }] })
}

fn item_with(changes: Value) -> Value {
    let mut item = item();
    for (name, value) in changes.as_object().unwrap() {
        item[name] = value.clone();
    }
    item
}

pub(super) fn found(items: &[Value]) -> FakeResponse {
    FakeResponse::json(
        200,
        &json!({ "tracks": { "items": items, "total": items.len() } }),
    )
}

pub(super) fn status(status: u16) -> FakeResponse {
    FakeResponse::text(
        status,
        "text/plain",
        "User not registered in the Developer Dashboard",
    )
}

fn limited(retry_after: &str) -> FakeResponse {
    status(429).with_header(header::RETRY_AFTER, retry_after)
}

pub(super) fn refused(status: u16) -> SpotifyError {
    SpotifyError::Refused {
        status: StatusCode::from_u16(status).unwrap(),
    }
}

/// The error of `status(403)`.
fn forbidden() -> SpotifyError {
    SpotifyError::AppForbidden(Said::of(b"User not registered in the Developer Dashboard"))
}

#[test]
fn an_answer_of_more_than_was_asked_for_is_cut() {
    let artists = vec![json!({"name": "Ann"}); 1_000];
    let instance = Instance::warm([found(&vec![item_with(json!({ "artists": artists })); 100])]);
    let tracks = instance.search().unwrap();
    assert_eq!((tracks.len(), tracks[0].recording.artists.len()), (10, 50));
}

#[test]
fn a_search_asks_for_tracks_with_the_apps_token() {
    let instance = Instance::answered([token("t1"), found(&[item()])]);
    let query = r#"track:"A&B" artist:"Łódź""#;
    let tracks = instance
        .app()
        .search(query, Some("PL"), 10)
        .now_or_never()
        .unwrap()
        .unwrap();
    let titles: Vec<_> = tracks
        .iter()
        .map(|track| track.recording.title.as_str())
        .collect();
    assert_eq!(titles, ["Zażółć"]);

    let requests = instance.http.requests();
    assert_eq!(requests[0].url, TOKEN_URL);
    assert_eq!(
        requests[0].headers[header::AUTHORIZATION],
        "Basic aWQ6c2VjcmV0"
    );
    assert_eq!(
        requests[0].headers[header::CONTENT_TYPE],
        "application/x-www-form-urlencoded"
    );
    assert_eq!(requests[0].body, "grant_type=client_credentials");
    assert_eq!(
        requests[1].url,
        "https://api.spotify.com/v1/search?q=track%3A%22A%26B%22+artist%3A%22%C5%81%C3%B3d%C5%BA%22\
         &type=track&limit=10&market=PL"
    );
    assert_eq!(requests[1].headers[header::AUTHORIZATION], "Bearer t1");
}

#[test]
fn limits_results_to_spotifys_maximum() {
    for (limit, sent) in [
        (0, "limit=1"),
        (1, "limit=1"),
        (10, "limit=10"),
        (50, "limit=10"),
    ] {
        let instance = Instance::warm([found(&[])]);
        instance
            .app()
            .search("x", None, limit)
            .now_or_never()
            .unwrap()
            .unwrap();
        assert!(instance.http.requests()[0].url.ends_with(sent));
    }
}

#[test]
fn repeats_a_transient_failure_once() {
    for (first, waited_ms) in [
        (status(500), 250),
        (status(502), 250),
        (status(503), 250),
        (FakeResponse::Error(HttpError::Network), 250),
        (limited("0"), 0),
        (limited("3"), 3_000),
    ] {
        let instance = Instance::warm([first.clone(), found(&[item()])]);
        assert_eq!(instance.search().unwrap().len(), 1);
        assert_eq!(instance.clock.now_ms(), waited_ms);

        let instance = Instance::warm([first.clone(), first, found(&[item()])]);
        assert!(instance.search().is_err());
        assert_eq!(instance.sent().len(), 2);
    }
}

#[test]
fn does_not_repeat_a_lasting_failure() {
    for (answer, error) in [
        (
            limited("4"),
            SpotifyError::RateLimited {
                retry_after_seconds: 4,
            },
        ),
        (
            limited("48925"),
            SpotifyError::RateLimited {
                retry_after_seconds: 48_925,
            },
        ),
        (
            limited("soon"),
            SpotifyError::RateLimited {
                retry_after_seconds: 30,
            },
        ),
        (
            status(429),
            SpotifyError::RateLimited {
                retry_after_seconds: 30,
            },
        ),
        (status(400), refused(400)),
        (status(403), forbidden()),
        (status(504), refused(504)),
        (status(302), refused(302)),
        (
            FakeResponse::Error(HttpError::Timeout),
            SpotifyError::Unavailable(HttpError::Timeout),
        ),
        (
            FakeResponse::Error(HttpError::BudgetExhausted),
            SpotifyError::Unavailable(HttpError::BudgetExhausted),
        ),
        (
            FakeResponse::text(200, "text/html", "<h1>Hello</h1>"),
            SpotifyError::InvalidResponse,
        ),
        (
            FakeResponse::json(200, &json!([])),
            SpotifyError::InvalidResponse,
        ),
        (
            FakeResponse::json(200, &json!({ "tracks": null })),
            SpotifyError::InvalidResponse,
        ),
        (
            FakeResponse::json(200, &json!({ "tracks": { "items": {} } })),
            SpotifyError::InvalidResponse,
        ),
    ] {
        let instance = Instance::warm([answer]);
        assert_eq!(instance.search(), Err(error));
        assert_eq!(instance.sent(), ["cached"]);
        assert_eq!(instance.clock.now_ms(), 0);
    }
}

#[test]
fn a_search_never_sends_more_than_five_requests() {
    let instance = Instance::answered([
        token("t1"),
        status(401),
        token("t2"),
        status(503),
        status(401),
    ]);
    assert_eq!(instance.search(), Err(refused(401)));
    let instance = Instance::answered([
        token("t1"),
        status(503),
        status(401),
        token("t2"),
        status(503),
    ]);
    assert_eq!(instance.search(), Err(refused(503)));
    assert_eq!(instance.sent(), ["token", "t1", "t1", "token", "t2"]);
}

#[test]
fn a_token_that_cannot_be_had_is_told_apart() {
    let invalid_client = || FakeResponse::json(400, &json!({ "error": "invalid_client" }));
    for (answers, error) in [
        (vec![invalid_client()], SpotifyError::InvalidCredentials),
        (vec![status(401)], SpotifyError::InvalidCredentials),
        (
            vec![limited("60")],
            SpotifyError::RateLimited {
                retry_after_seconds: 60,
            },
        ),
        (vec![status(503), status(503)], refused(503)),
        (
            vec![FakeResponse::text(200, "text/html", "<h1>Hello</h1>")],
            SpotifyError::InvalidResponse,
        ),
        (
            vec![FakeResponse::json(200, &json!({ "token_type": "Bearer" }))],
            SpotifyError::InvalidResponse,
        ),
        (
            vec![FakeResponse::Error(HttpError::Timeout)],
            SpotifyError::Unavailable(HttpError::Timeout),
        ),
    ] {
        let expected_requests = answers.len();
        let instance = Instance::answered(answers);
        assert_eq!(instance.search(), Err(error));
        assert_eq!(instance.sent(), vec!["token"; expected_requests]);
    }
    let instance = Instance::answered([status(503), token("t1"), found(&[])]);
    assert_eq!(instance.search(), Ok(vec![]));
}

#[test]
fn truncated_response_is_an_error() {
    let cut_off = FakeResponse::Response(
        StatusCode::OK,
        HeaderMap::new(),
        vec![Ok("{".into()), Err(HttpError::Network)],
    );
    let instance = Instance::warm([cut_off, found(&[item()])]);
    assert_eq!(instance.search().unwrap().len(), 1);
}

#[test]
fn every_variable_that_is_missing_or_invalid_is_named() {
    let error = config_of(&[("SPOTIFY_API_BASE_URL", "api.spotify.com")]).unwrap_err();
    assert_eq!(
        error.names().collect::<Vec<_>>(),
        [
            "SPOTIFY_CLIENT_ID",
            "SPOTIFY_CLIENT_SECRET",
            "SPOTIFY_API_BASE_URL"
        ]
    );
    assert!(!format!("{:?}", config()).contains("secret\""));
}

#[test]
fn reads_a_response_with_a_lone_surrogate() {
    let body = json!({ "tracks": { "items": [item_with(json!({ "name": "HALF" })), item()] } });
    let body = body.to_string().replace("HALF", r"Song \ud83e");
    let tracks = Instance::warm([FakeResponse::text(200, "application/json", &body)])
        .search()
        .unwrap();
    assert_eq!(
        tracks
            .iter()
            .map(|track| track.recording.title.as_str())
            .collect::<Vec<_>>(),
        ["Song \u{fffd}", "Zażółć"]
    );
}
