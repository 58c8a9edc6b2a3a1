use std::cell::RefCell;
use std::rc::Rc;

use futures_util::FutureExt;
use serde_json::{Value, json};

use super::*;
use crate::fakes::{FakeClock, FakeHttp, FakeResponse};
use crate::runtime::http_client::{HttpError, OutboundRequest};
use crate::supabase::{Supabase, SupabaseConfig};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const NOW_MS: u64 = 1_790_000_000_000;
pub(super) const USER: Uuid = Uuid::from_u128(7);

pub(super) fn env(name: &str) -> Option<String> {
    let value = match name {
        "SUPABASE_URL" => "https://project.example",
        "SUPABASE_PUBLISHABLE_KEY" => "sb_publishable_x",
        "SUPABASE_SECRET_KEY" => "sb_secret_x",
        "SPOTIFY_CLIENT_ID" | "SPOTIFY_CLIENT_SECRET" => "spotify",
        "SPOTIFY_API_BASE_URL" => "https://spotify.example",
        "SPOTIFY_ACCOUNTS_BASE_URL" => "https://accounts.example",
        "SPOTIFY_TOKEN_SECRETS" => {
            "an-encryption-secret-of-32-chars,another-encryption-secret-32-char"
        }
        _ => return None,
    };
    Some(value.to_owned())
}

/// The database's result of each read, and the other responses of the database and Spotify.
struct World {
    reads: RefCell<Vec<Value>>,
    grant: FakeResponse,
    swapped: bool,
    expired: bool,
}

fn stored(state: &str, access: &str, refresh: &str) -> Value {
    json!([{"access_token": access, "refresh_token": refresh, "expires_at": "2026-01-01T00:00:00+00:00", "state": state}])
}

fn granted(refresh_token: Option<&str>) -> FakeResponse {
    let mut body =
        json!({"access_token": "new-access", "token_type": "Bearer", "expires_in": 3600});
    if let Some(token) = refresh_token {
        body["refresh_token"] = json!(token);
    }
    FakeResponse::json(200, &body)
}

fn invalid_grant() -> FakeResponse {
    FakeResponse::json(
        400,
        &json!({"error": "invalid_grant", "error_description": "Refresh token revoked"}),
    )
}

/// Asks for a token in that world; returns it with the calls made, in order.
fn ask(world: World, refused: Option<&str>) -> (Result<Secret, LinkError>, Vec<(String, Value)>) {
    let world = Rc::new(world);
    let told = world.clone();
    let http = FakeHttp::responding(move |request: &OutboundRequest| {
        let name = request.url.rsplit('/').next().unwrap_or_default();
        match name {
            "get_spotify_tokens" => {
                let mut reads = told.reads.borrow_mut();
                let next = if reads.len() > 1 {
                    reads.remove(0)
                } else {
                    reads[0].clone()
                };
                FakeResponse::json(200, &next)
            }
            "token" => told.grant.clone(),
            "refresh_spotify_tokens" => FakeResponse::json(200, &json!(told.swapped)),
            "expire_spotify_link" => FakeResponse::json(200, &json!(told.expired)),
            "release_spotify_refresh" => FakeResponse::text(204, "application/json", ""),
            other => panic!("{other}"),
        }
    });
    let supabase = SupabaseConfig::from_env(env).unwrap();
    let config = SpotifyConfig::from_env(env).unwrap();
    let secrets = TokenSecrets::from_env(env).unwrap();
    let clock = FakeClock::hurrying(NOW_MS);
    let links = SpotifyLinks::new(
        &secrets,
        Supabase::new(&supabase, &http).service(),
        &config,
        &http,
        &clock,
    );
    let refused = refused.map(Secret::new);
    let token = links
        .access_token(USER, refused.as_ref())
        .now_or_never()
        .unwrap();
    let name = |request: &OutboundRequest| request.url.rsplit('/').next().unwrap().to_owned();
    let calls = http.requests();
    let body =
        |request: &OutboundRequest| serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    (
        token,
        calls
            .iter()
            .map(|request| (name(request), body(request)))
            .collect(),
    )
}

fn names(calls: &[(String, Value)]) -> Vec<&str> {
    calls.iter().map(|(name, _)| name.as_str()).collect()
}

fn world(reads: Vec<Value>, grant: FakeResponse) -> World {
    World {
        reads: RefCell::new(reads),
        grant,
        swapped: true,
        expired: true,
    }
}

#[test]
fn returns_a_valid_token_unchanged() {
    let (token, calls) = ask(world(vec![stored("fresh", "a", "r")], granted(None)), None);
    assert_eq!(token, Ok(Secret::new("a")));
    assert_eq!(names(&calls), ["get_spotify_tokens"]);
    assert_eq!(
        calls[0].1["p_other_secret"],
        "another-encryption-secret-32-char"
    );
}

#[test]
fn user_without_a_link_gets_not_linked() {
    let (token, _) = ask(world(vec![json!([])], granted(None)), None);
    assert_eq!(token, Err(LinkError::NotLinked));
}

#[test]
fn a_used_up_token_is_replaced_and_the_refresh_token_kept() {
    let (token, calls) = ask(
        world(vec![stored("refresh", "a", "r")], granted(None)),
        Some("a"),
    );
    assert_eq!(token, Ok(Secret::new("new-access")));
    assert_eq!(
        names(&calls),
        ["get_spotify_tokens", "token", "refresh_spotify_tokens"]
    );
    assert_eq!(calls[0].1["p_refused_access_token"], "a");
    assert_eq!(calls[2].1["p_refresh_token"], Value::Null);
    assert_eq!(calls[2].1["p_seen_refresh_token"], "r");
    assert_eq!(calls[2].1["p_expires_at"], "2026-09-21T15:13:20Z");
}

#[test]
fn another_refresh_token_is_stored() {
    let (_, calls) = ask(
        world(vec![stored("refresh", "a", "r")], granted(Some("r2"))),
        None,
    );
    assert_eq!(calls[2].1["p_refresh_token"], "r2");
}

#[test]
fn waiting_request_gets_the_refreshed_token() {
    let reads = vec![
        stored("wait", "a", "r"),
        stored("wait", "a", "r"),
        stored("fresh", "b", "r"),
    ];
    let (token, calls) = ask(world(reads, granted(None)), None);
    assert_eq!(token, Ok(Secret::new("b")));
    assert_eq!(names(&calls), ["get_spotify_tokens"; 3]);
}

#[test]
fn waiting_ends_with_an_error() {
    let (token, calls) = ask(world(vec![stored("wait", "a", "r")], granted(None)), None);
    assert_eq!(token, Err(LinkError::Busy));
    assert!(calls.len() < 60, "{}", calls.len());
}

#[test]
fn loser_of_the_swap_takes_the_winners_token() {
    let reads = vec![stored("refresh", "a", "r"), stored("fresh", "winner", "r2")];
    let lost = World {
        swapped: false,
        ..world(reads, granted(Some("mine")))
    };
    assert_eq!(ask(lost, None).0, Ok(Secret::new("winner")));
    let again = World {
        swapped: false,
        ..world(vec![stored("refresh", "a", "r")], granted(None))
    };
    assert_eq!(ask(again, None).0, Err(LinkError::Busy));
}

#[test]
fn a_refused_refresh_token_ends_the_link_if_it_is_still_the_stored_one() {
    let (token, calls) = ask(
        world(vec![stored("refresh", "a", "r")], invalid_grant()),
        None,
    );
    assert_eq!(token, Err(LinkError::Expired));
    assert_eq!(calls.last().unwrap().1["p_seen_refresh_token"], "r");
    let reads = vec![stored("refresh", "a", "r"), stored("fresh", "b", "s")];
    let meanwhile = World {
        expired: false,
        ..world(reads, invalid_grant())
    };
    assert_eq!(ask(meanwhile, None).0, Ok(Secret::new("b")));
}

#[test]
fn every_other_failure_leaves_the_link_and_gives_the_right_back() {
    let long = FakeResponse::text(429, "text/plain", "slow down")
        .with_header(http::header::RETRY_AFTER, "48925");
    for (grant, code, calls_to_spotify) in [
        (
            FakeResponse::Error(HttpError::Network),
            Code::SpotifyUnavailable,
            1,
        ),
        (
            FakeResponse::Error(HttpError::Timeout),
            Code::SpotifyTimeout,
            1,
        ),
        (
            FakeResponse::text(500, "text/html", "<h1>Oops</h1>"),
            Code::SpotifyUnavailable,
            2,
        ),
        (
            FakeResponse::text(200, "text/html", "<h1>Hi</h1>"),
            Code::SpotifyUnavailable,
            1,
        ),
        (
            FakeResponse::json(200, &json!({"access_token": "", "expires_in": 1})),
            Code::SpotifyUnavailable,
            1,
        ),
        (
            FakeResponse::json(400, &json!({"error": "invalid_client"})),
            Code::Misconfigured,
            1,
        ),
        (
            FakeResponse::text(400, "text/plain", "invalid_grant"),
            Code::SpotifyUnavailable,
            1,
        ),
        (long, Code::SpotifyRateLimited, 1),
    ] {
        let (token, calls) = ask(world(vec![stored("refresh", "a", "r")], grant), None);
        let error = Error::from(token.unwrap_err());
        assert_eq!(error.code(), code);
        assert_eq!(
            names(&calls)
                .iter()
                .filter(|name| **name == "token")
                .count(),
            calls_to_spotify,
            "{code:?}"
        );
        assert_eq!(names(&calls).last(), Some(&"release_spotify_refresh"));
        if code == Code::SpotifyRateLimited {
            assert_eq!(error.retry_after_seconds(), Some(48_925));
        }
    }
}

#[test]
fn formats_times_of_the_calendar() {
    for (seconds, expected) in [
        (0, "1970-01-01T00:00:00Z"),
        (951_782_399, "2000-02-28T23:59:59Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (1_790_003_600, "2026-09-21T15:13:20Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"),
        (u64::MAX, "9999-12-31T23:59:59Z"),
    ] {
        assert_eq!(rfc3339(seconds), expected);
    }
}
