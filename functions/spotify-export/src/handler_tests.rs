use futures_util::FutureExt;
use serde_json::json;
use shared::Code;
use shared::auth::FakeIssuer;
use shared::fakes::{FakeClock, FakeHttp, FakeResponse, fake_context};
use shared::runtime::http_client::{HttpError, OutboundRequest};

use super::*;

#[path = "rejection_tests.rs"]
mod rejection;

const NOW_MS: u64 = 1_790_000_000_000;
const PLAYLIST: &str = "8b3c2a10-5f7e-4c55-9d53-0f0e6f4b8a11";
const KEY: &str = "0b7a4b0e-3c1e-4f9b-9a39-6d1f0d7b6d11";

fn env(name: &str) -> Option<String> {
    let value = match name {
        "SUPABASE_URL" => FakeIssuer::URL,
        "SUPABASE_PUBLISHABLE_KEY" => "sb_publishable_x",
        "SUPABASE_SECRET_KEY" => "sb_secret_x",
        "SPOTIFY_CLIENT_ID" | "SPOTIFY_CLIENT_SECRET" => "spotify",
        "SPOTIFY_API_BASE_URL" => "https://spotify.example",
        "SPOTIFY_ACCOUNTS_BASE_URL" => "https://accounts.example",
        "SPOTIFY_TOKEN_SECRETS" => "an-encryption-secret-of-32-chars",
        _ => return None,
    };
    Some(value.to_owned())
}

type Fill = Box<dyn Fn(&[String]) -> FakeResponse>;

/// A database and a Spotify that succeed unless overridden.
struct World {
    tracks: usize,
    taken: Value,
    begun: Value,
    linked: bool,
    create: FakeResponse,
    /// The response to adding these tracks.
    fill: Fill,
}

fn world(tracks: usize) -> World {
    World {
        tracks,
        taken: json!({"outcome": "taken"}),
        begun: json!({"outcome": "held", "spotify_playlist_id": null}),
        linked: true,
        create: FakeResponse::json(201, &json!({"id": "copy1", "external_urls": {}})),
        fill: Box::new(|_| FakeResponse::json(200, &json!({"snapshot_id": "s"}))),
    }
}

fn uri(position: usize) -> String {
    format!("spotify:track:{position:022}")
}

fn uris(request: &OutboundRequest) -> Vec<String> {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    body["uris"]
        .as_array()
        .unwrap()
        .iter()
        .map(|uri| uri.as_str().unwrap().to_owned())
        .collect()
}

fn answer(world: &World, request: &OutboundRequest) -> FakeResponse {
    let path = request.url.split('?').next().unwrap_or_default();
    match path.rsplit('/').next().unwrap_or_default() {
        "jwks.json" => FakeResponse::json(200, &FakeIssuer::with_kid("k").jwks()),
        "take_request" => FakeResponse::json(200, &world.taken),
        "begin_spotify_export" => FakeResponse::json(200, &world.begun),
        "record_spotify_export" => FakeResponse::json(200, &json!("copy1")),
        "finish_spotify_export" | "release_spotify_export" => {
            FakeResponse::text(204, "text/plain", "")
        }
        "get_spotify_tokens" if !world.linked => FakeResponse::json(200, &json!([])),
        "get_spotify_tokens" => FakeResponse::json(
            200,
            &json!([{"access_token": "a", "refresh_token": "r", "expires_at": "x", "state": "fresh"}]),
        ),
        // Out of order, because PostgREST guarantees no order.
        "playlists" if path.starts_with(FakeIssuer::URL) => {
            let track = |position: usize| json!({"position": position, "track_uri": uri(position)});
            let tracks: Vec<_> = (1..=world.tracks).rev().map(track).collect();
            FakeResponse::json(
                200,
                &json!([{"name": "Evening", "description": null, "playlist_tracks": tracks}]),
            )
        }
        "playlists" => world.create.clone(),
        "items" => (world.fill)(&uris(request)),
        other => panic!("{other}"),
    }
}

/// Exports with these upstreams; returns the result and the requests sent, in order.
fn export(world: World, key: Option<&str>) -> (Result<Value, Error>, Vec<OutboundRequest>) {
    let http = FakeHttp::responding(move |request| answer(&world, request));
    let token = FakeIssuer::with_kid("k").token(Uuid::from_u128(7), NOW_MS / 1000);
    let mut request = Request::post("https://x/functions/v1/spotify-export")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let request = request
        .body(Bytes::from(json!({"playlist_id": PLAYLIST}).to_string()))
        .unwrap();
    let context = fake_context(
        &http,
        &FakeClock::hurrying(NOW_MS),
        Config::from_env(env).unwrap(),
    )
    .0;
    let result = handle(request, context)
        .now_or_never()
        .unwrap()
        .map(|response| match response.into_body() {
            Body::Full(bytes) => serde_json::from_slice(&bytes).unwrap(),
            Body::Stream(_) => panic!("a stream"),
        });
    (result, http.requests())
}

fn names(requests: &[OutboundRequest]) -> Vec<String> {
    let name = |request: &OutboundRequest| {
        let path = request.url.split('?').next().unwrap_or_default();
        path.rsplit('/').next().unwrap_or_default().to_owned()
    };
    requests
        .iter()
        .map(name)
        .filter(|name| name != "jwks.json")
        .collect()
}

#[test]
fn exports_tracks_in_order() {
    let (result, requests) = export(world(100), None);
    let result = result.unwrap();
    assert_eq!(
        (&result["exported"], &result["total"]),
        (&json!(100), &json!(100))
    );
    assert_eq!(result["url"], "https://open.spotify.com/playlist/copy1");
    let expected: Vec<_> = (1..=100).map(uri).collect();
    let filled = requests
        .iter()
        .find(|request| request.url.ends_with("/items"))
        .unwrap();
    assert_eq!(uris(filled), expected);
    let created = requests
        .iter()
        .find(|request| request.url.ends_with("/v1/me/playlists"))
        .unwrap();
    let created: Value = serde_json::from_slice(&created.body).unwrap();
    assert_eq!(
        created,
        json!({"name": "Evening", "description": "Made with Sound Whiskers", "public": false})
    );
}

#[test]
fn copy_is_recorded_before_it_is_filled() {
    let expected = [
        "begin_spotify_export",
        "playlists",
        "take_request",
        "get_spotify_tokens",
        "playlists",
        "record_spotify_export",
        "items",
        "finish_spotify_export",
    ];
    for key in [Some(KEY), None] {
        let (result, requests) = export(world(3), key);
        assert!(result.is_ok());
        assert_eq!(names(&requests), expected);
    }
}

#[test]
fn fills_an_existing_copy_and_returns_a_finished_result() {
    let begun = json!({"outcome": "held", "spotify_playlist_id": "begun1"});
    let (result, requests) = export(World { begun, ..world(3) }, Some(KEY));
    assert_eq!(result.unwrap()["spotify_playlist_id"], "begun1");
    assert_eq!(
        requests
            .iter()
            .filter(|request| request.url.ends_with("/v1/me/playlists"))
            .count(),
        0
    );
    let begun = json!({"outcome": "finished", "result": {"exported": 2}});
    let (result, requests) = export(World { begun, ..world(3) }, Some(KEY));
    assert_eq!(
        (result.unwrap(), names(&requests).len()),
        (json!({"exported": 2}), 1)
    );
}

#[test]
fn unfillable_copy_is_replaced_once() {
    for status in [403, 404] {
        let begun = json!({"outcome": "held", "spotify_playlist_id": "gone1"});
        let refused = FakeResponse::text(status, "text/plain", "no");
        // The new copy is filled.
        let answers = std::cell::RefCell::new(vec![refused.clone()]);
        let fill: Fill = Box::new(move |_| {
            let first = answers.borrow_mut().pop();
            first.unwrap_or_else(|| FakeResponse::json(200, &json!({"snapshot_id": "s"})))
        });
        let (result, requests) = export(
            World {
                begun: begun.clone(),
                fill,
                ..world(3)
            },
            Some(KEY),
        );
        assert_eq!(result.unwrap()["spotify_playlist_id"], "copy1", "{status}");
        let record = requests
            .iter()
            .find(|request| request.url.ends_with("record_spotify_export"))
            .unwrap();
        let record: Value = serde_json::from_slice(&record.body).unwrap();
        assert_eq!(
            (&record["p_spotify_playlist_id"], &record["p_instead_of"]),
            (&json!("copy1"), &json!("gone1")),
        );
        // Nor is that one.
        let (result, requests) = export(
            World {
                begun,
                fill: Box::new(move |_| refused.clone()),
                ..world(3)
            },
            Some(KEY),
        );
        assert!(
            [Code::SpotifyAccessDenied, Code::SpotifyUnavailable]
                .contains(&result.unwrap_err().code())
        );
        let created = requests
            .iter()
            .filter(|request| request.url.ends_with("/v1/me/playlists"))
            .count();
        assert_eq!(
            (created, names(&requests).last().unwrap().as_str()),
            (1, "release_spotify_export")
        );
    }
}

#[test]
fn refused_export_releases_its_key() {
    for (world, code) in [
        (world(0), Code::PlaylistEmpty),
        (
            World {
                linked: false,
                ..world(3)
            },
            Code::SpotifyNotLinked,
        ),
        (
            World {
                create: FakeResponse::text(403, "text/plain", "not registered"),
                ..world(3)
            },
            Code::SpotifyAccessDenied,
        ),
        (
            World {
                create: FakeResponse::Error(HttpError::Network),
                ..world(3)
            },
            Code::SpotifyUnavailable,
        ),
        (
            World {
                create: FakeResponse::json(201, &json!({"id": "../me"})),
                ..world(3)
            },
            Code::SpotifyUnavailable,
        ),
    ] {
        let (result, requests) = export(world, Some(KEY));
        assert_eq!(result.unwrap_err().code(), code);
        assert_eq!(names(&requests).last().unwrap(), "release_spotify_export");
    }
    for (outcome, code) in [
        ("in_progress", Code::ExportInProgress),
        ("key_reused", Code::IdempotencyKeyReused),
    ] {
        let begun = json!({"outcome": outcome, "retry_after_seconds": 7});
        let (result, _) = export(World { begun, ..world(3) }, Some(KEY));
        assert_eq!(result.unwrap_err().code(), code);
    }
}

#[test]
fn retries_filling_but_not_creating() {
    let count = |requests: &[OutboundRequest], end: &str| {
        requests.iter().filter(|it| it.url.ends_with(end)).count()
    };
    for create in [
        FakeResponse::Error(HttpError::Network),
        FakeResponse::text(500, "text/html", "<h1>"),
    ] {
        let (_, requests) = export(World { create, ..world(3) }, None);
        assert_eq!(count(&requests, "/v1/me/playlists"), 1);
    }
    let (result, requests) = export(
        World {
            fill: Box::new(|_| FakeResponse::text(502, "text/html", "")),
            ..world(3)
        },
        None,
    );
    assert_eq!(result.unwrap_err().code(), Code::SpotifyUnavailable);
    assert_eq!(count(&requests, "/items"), 2);
}

#[test]
fn does_not_trust_a_foreign_response() {
    for lie in [
        FakeResponse::text(200, "text/html", "<h1>Hello</h1>"),
        FakeResponse::json(200, &json!({})),
    ] {
        let (result, _) = export(
            World {
                fill: Box::new(move |_| lie.clone()),
                ..world(3)
            },
            None,
        );
        assert_eq!(result.unwrap_err().code(), Code::SpotifyUnavailable);
    }
}

#[test]
fn rate_limited_export_does_not_reach_spotify() {
    let taken = json!({"outcome": "too_many_attempts", "retry_after_seconds": 7});
    let (result, sent) = export(World { taken, ..world(2) }, Some(KEY));
    let error = result.unwrap_err();
    assert_eq!(
        (error.code(), error.retry_after_seconds()),
        (Code::TooManyAttempts, Some(7))
    );
    assert!(
        !sent
            .iter()
            .any(|request| request.url.starts_with("https://spotify.example"))
    );
    assert!(
        names(&sent)
            .iter()
            .any(|name| name.contains("release_spotify_export"))
    );
}
