use futures_util::FutureExt;
use serde_json::{Value, json};
use uuid::Uuid;

use http::{HeaderMap, HeaderValue};

use super::*;
use crate::auth::{FakeIssuer, JwksCache, authenticate};

use crate::fakes::{FakeClock, FakeHttp, FakeResponse, fake_request};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

pub(super) const URL: &str = "https://project.example";

pub(super) fn config_of(
    variables: &[(&str, &str)],
) -> Result<SupabaseConfig, crate::config::ConfigError> {
    SupabaseConfig::from_env(|name| {
        variables
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    })
}

pub(super) fn config() -> SupabaseConfig {
    config_of(&[
        ("SUPABASE_URL", URL),
        ("SUPABASE_PUBLISHABLE_KEY", "sb_publishable_1"),
        ("SUPABASE_SECRET_KEY", "sb_secret_1"),
    ])
    .unwrap()
}

pub(super) fn user() -> VerifiedUser {
    let issuer = FakeIssuer::with_kid("a");
    let http = FakeHttp::answering([FakeResponse::json(200, &issuer.jwks())]);
    let token = format!("Bearer {}", issuer.token(Uuid::nil(), 1_000));
    let headers = HeaderMap::from_iter([(
        header::AUTHORIZATION,
        HeaderValue::from_str(&token).unwrap(),
    )]);
    let (call, cache, clock) = (
        fake_request().0,
        JwksCache::default(),
        FakeClock::at_ms(1_000_000),
    );
    authenticate(
        &call,
        &headers,
        &FakeIssuer::config(),
        &cache,
        &http,
        &clock,
    )
    .now_or_never()
    .unwrap()
    .unwrap()
}

fn header_of<'a>(request: &'a OutboundRequest, name: &str) -> Option<&'a str> {
    request
        .headers
        .get(name)
        .map(|value| value.to_str().unwrap())
}

/// Calls an RPC as the service and returns its result.
pub(super) fn call(answer: FakeResponse) -> Result<Value, SupabaseError> {
    let http = FakeHttp::answering([answer]);
    Supabase::new(&config(), &http)
        .service()
        .rpc("reserve", &json!({}))
        .now_or_never()
        .unwrap()
}

#[cfg(feature = "tables")]
#[test]
fn reads_tables_with_the_users_token() {
    let http = FakeHttp::answering([FakeResponse::json(
        200,
        &json!([{ "name": "Calm & piano" }]),
    )]);
    let (config, user) = (config(), user());
    let rows: Vec<Value> = Supabase::new(&config, &http)
        .as_user(&user)
        .query(|db| {
            db.from("playlists")
                .select("name")
                .eq("name", "Calm & piano")
                .limit(5)
        })
        .now_or_never()
        .unwrap()
        .unwrap();
    assert_eq!(rows, [json!({ "name": "Calm & piano" })]);

    let request = &http.requests()[0];
    assert_eq!(request.method, Method::GET);
    assert_eq!(
        request.url,
        format!("{URL}/rest/v1/playlists?select=name&name=eq.Calm+%26+piano")
    );
    assert_eq!(header_of(request, "apikey"), Some("sb_publishable_1"));
    assert_eq!(
        header_of(request, "authorization"),
        Some(&*format!("Bearer {}", user.token().expose()))
    );
    assert_eq!(header_of(request, "range"), Some("0-4"));
    assert_eq!(header_of(request, "accept"), Some("application/json"));
    assert!(request.body.is_empty());
}

#[test]
fn calls_rpcs_with_the_users_token() {
    let http = FakeHttp::answering([FakeResponse::json(200, &json!({ "plan": "free" }))]);
    let (config, user) = (config(), user());
    let usage: Value = Supabase::new(&config, &http)
        .as_user(&user)
        .rpc("usage", &json!({ "name": "Łódź" }))
        .now_or_never()
        .unwrap()
        .unwrap();
    assert_eq!(usage["plan"], "free");

    let request = &http.requests()[0];
    assert_eq!(request.method, Method::POST);
    assert_eq!(request.url, format!("{URL}/rest/v1/rpc/usage"));
    assert_eq!(header_of(request, "content-type"), Some("application/json"));
    assert_eq!(
        serde_json::from_slice::<Value>(&request.body).unwrap(),
        json!({ "name": "Łódź" })
    );
}

#[cfg(feature = "tables")]
#[test]
fn credentials_are_sent_only_to_the_database() {
    let http = FakeHttp::answering([]);
    let (config, user) = (config(), user());
    let as_user = Supabase::new(&config, &http).as_user(&user);
    for elsewhere in [
        as_user
            .query::<Value>(|_| Postgrest::new("https://evil.example/rest/v1").from("x"))
            .now_or_never(),
        as_user
            .query(|_| Postgrest::new("https://project.example.evil.example").from("x"))
            .now_or_never(),
        as_user
            .query(|_| Postgrest::new("https://project.example/rest/v1x").from("x"))
            .now_or_never(),
        as_user
            .query(|db| db.from("../../auth/v1/admin/users"))
            .now_or_never(),
        as_user
            .query(|db| db.from("%2e%2e/%2e%2e/auth/v1/user"))
            .now_or_never(),
        as_user
            .query(|_| Postgrest::new("nonsense").from("x"))
            .now_or_never(),
        as_user.rpc("../playlists", &()).now_or_never(),
        as_user.rpc("usage?select=x", &()).now_or_never(),
    ] {
        assert_eq!(
            elsewhere,
            Some(Err(SupabaseError::Unavailable(HttpError::InvalidRequest)))
        );
    }
    assert!(http.requests().is_empty());
}

#[cfg(feature = "tables")]
#[test]
fn replaces_a_token_set_by_the_builder() {
    let http = FakeHttp::answering([FakeResponse::json(200, &json!([]))]);
    let (config, user) = (config(), user());
    let query = Supabase::new(&config, &http);
    let _: Value = query
        .as_user(&user)
        .query(|db| db.from("x").auth("another"))
        .now_or_never()
        .unwrap()
        .unwrap();
    let authorizations = http.requests()[0]
        .headers
        .get_all("authorization")
        .iter()
        .count();
    assert_eq!(authorizations, 1);
    assert!(
        header_of(&http.requests()[0], "authorization")
            .unwrap()
            .ends_with(user.token().expose())
    );
}

#[test]
fn each_service_credential_is_sent_in_its_own_way() {
    let legacy = "eyJhbGciOiJIUzI1NiJ9.e30.c2ln";
    for (variable, value, api_key, authorization) in [
        ("SUPABASE_SECRET_KEY", "sb_secret_1", "sb_secret_1", None),
        (
            "SUPABASE_SECRET_KEYS",
            r#"{"default":"sb_secret_2"}"#,
            "sb_secret_2",
            None,
        ),
        (
            "SUPABASE_SERVICE_ROLE_KEY",
            legacy,
            legacy,
            Some(format!("Bearer {legacy}")),
        ),
        (
            "SUPABASE_SECRET_KEY",
            legacy,
            legacy,
            Some(format!("Bearer {legacy}")),
        ),
        (
            "SUPABASE_FUNCTION_TOKEN",
            legacy,
            "sb_publishable_1",
            Some(format!("Bearer {legacy}")),
        ),
    ] {
        let config = config_of(&[
            ("SUPABASE_URL", URL),
            ("SUPABASE_PUBLISHABLE_KEY", "sb_publishable_1"),
            (variable, value),
        ])
        .unwrap();
        let http = FakeHttp::answering([FakeResponse::text(204, "text/plain", "")]);
        let answer = Supabase::new(&config, &http)
            .service()
            .rpc("settle", &json!({}))
            .now_or_never();
        assert_eq!(answer, Some(Ok(())));
        let request = &http.requests()[0];
        assert_eq!(header_of(request, "apikey"), Some(api_key), "{variable}");
        assert_eq!(
            header_of(request, "authorization"),
            authorization.as_deref(),
            "{variable}"
        );
        assert!(request.headers["apikey"].is_sensitive());
    }
}

#[test]
fn retries_once_after_transient_errors() {
    for (first, is_repeated) in [
        (FakeResponse::Error(HttpError::Network), true),
        (FakeResponse::Error(HttpError::Timeout), true),
        (FakeResponse::text(502, "text/html", ""), true),
        (FakeResponse::text(503, "text/html", ""), true),
        (FakeResponse::text(504, "text/html", ""), true),
        (FakeResponse::Error(HttpError::BudgetExhausted), false),
        (FakeResponse::text(500, "text/html", ""), false),
        (
            FakeResponse::json(409, &json!({ "code": "PT409", "message": "" })),
            false,
        ),
        (FakeResponse::json(401, &json!({})), false),
        (FakeResponse::text(200, "text/html", "<h1>Hello</h1>"), true),
        (FakeResponse::Error(HttpError::TooLarge), true),
        (FakeResponse::text(429, "text/html", ""), false),
    ] {
        let http = FakeHttp::answering([first, FakeResponse::json(200, &json!("second"))]);
        let (config, clock) = (config(), FakeClock::hurrying(0));
        let service = Supabase::new(&config, &http).service();
        let answer: Result<String, _> = service
            .rpc_retrying("settle", &json!({ "id": 1 }), &clock)
            .now_or_never()
            .unwrap();
        let requests = http.requests();
        assert_eq!(answer.is_ok(), is_repeated);
        assert_eq!(requests.len(), if is_repeated { 2 } else { 1 });
        assert_eq!(clock.now_ms(), if is_repeated { 200 } else { 0 });
        assert!(
            requests
                .iter()
                .all(|request| request.body == requests[0].body)
        );
    }
}

#[test]
fn retrying_call_fails_after_the_second_failure() {
    let http = FakeHttp::answering([]);
    let (config, clock) = (config(), FakeClock::hurrying(0));
    let service = Supabase::new(&config, &http).service();
    let answer = service
        .rpc_retrying::<_, ()>("settle", &json!({}), &clock)
        .now_or_never()
        .unwrap();
    assert_eq!(answer, Err(SupabaseError::Unavailable(HttpError::Network)));
    assert_eq!(http.requests().len(), 2);
}

#[test]
fn debug_output_omits_secrets() {
    let printed = format!("{:?}", config());
    assert!(!printed.contains("sb_"), "{printed}");
}
