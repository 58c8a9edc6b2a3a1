//! Tests of health checks.

use futures_util::FutureExt;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use serde_json::json;

use super::*;
use crate::config::{Problems, required};
use crate::fakes::{FakeHttp, FakeResponse, SharedClock, fake_request};
use crate::runtime::http_client::HttpError;

fn database() -> SupabaseConfig {
    SupabaseConfig::from_env(|name| match name {
        "SUPABASE_URL" => Some("https://db.example".into()),
        "SUPABASE_PUBLISHABLE_KEY" => Some("sb_publishable_x".into()),
        "SUPABASE_SECRET_KEY" => Some("sb_secret_x".into()),
        _ => None,
    })
    .unwrap()
}

fn problems(names: &[&'static str]) -> Option<ConfigError> {
    let mut problems = Problems::default();
    names
        .iter()
        .for_each(|name| drop(problems.take(required(|_| None, name))));
    problems.finish(|| Some(())).err()
}

const TOKEN: &str = "the-operators-token";

/// One instance of a function.
struct Instance {
    problems: Option<ConfigError>,
    database: Option<SupabaseConfig>,
    token: Option<Secret>,
    cache: CheckCache,
    http: FakeHttp,
    clock: SharedClock,
    call: RequestContext,
}

impl Instance {
    fn new(problems: Option<ConfigError>, has_database: bool, http: &FakeHttp) -> Self {
        let (token, http) = (Some(Secret::new(TOKEN)), http.clone());
        let (cache, clock, call) = (
            CheckCache::default(),
            SharedClock::default(),
            fake_request().0,
        );
        Self {
            problems,
            database: has_database.then(database),
            token,
            cache,
            http,
            clock,
            call,
        }
    }

    /// Returns the status and the missing dependencies.
    async fn ask(&self, token: Option<&str>) -> (u16, Value) {
        let bearer = |token| HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
        let headers = token
            .map(|token| (AUTHORIZATION, bearer(token)))
            .into_iter()
            .collect();
        let (problems, database) = (self.problems.as_ref(), self.database.as_ref());
        let setup = Setup {
            problems,
            database,
            token: self.token.as_ref(),
        };
        let response = check(
            &self.call,
            &headers,
            &setup,
            &self.cache,
            &self.http,
            &self.clock,
        )
        .await
        .unwrap();
        let status = response.status().as_u16();
        let Body::Full(bytes) = response.into_body() else {
            panic!("a stream")
        };
        let body: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(
            body["status"],
            if status == 200 { "ok" } else { "unavailable" }
        );
        (status, body["missing"].clone())
    }
}

/// Returns an operator's response.
fn ask(problems: Option<ConfigError>, has_database: bool, http: &FakeHttp) -> (u16, Value) {
    Instance::new(problems, has_database, http)
        .ask(Some(TOKEN))
        .now_or_never()
        .unwrap()
}

#[test]
fn health_checks_cause_one_request_in_five_seconds_except_for_operators() {
    let http =
        FakeHttp::responding(|_| FakeResponse::Late(Box::new(FakeResponse::json(503, &json!({})))));
    let instance = Instance::new(None, true, &http);
    let flood = || {
        instance
            .clock
            .run((0..100).map(|_| Box::pin(instance.ask(None))).collect())
    };
    assert_eq!(flood(), vec![(503, Value::Null); 100]);
    assert_eq!(http.requests().len(), 1);
    instance.clock.advance_ms(4_900);
    flood();
    assert_eq!(http.requests().len(), 1);
    let operator = vec![Box::pin(instance.ask(Some(TOKEN)))];
    assert_eq!(instance.clock.run(operator), [(503, json!(["database"]))]);
    instance.clock.advance_ms(200);
    flood();
    assert_eq!(http.requests().len(), 3);
}

#[test]
fn only_operators_see_missing_dependencies() {
    let mut instance = Instance::new(problems(&["LLM_API_KEY"]), false, &FakeHttp::answering([]));
    for (token, missing) in [
        (Some(TOKEN), json!(["language_model"])),
        (None, Value::Null),
        (Some(""), Value::Null),
        (Some("the-operators-tokem"), Value::Null),
    ] {
        assert_eq!(
            instance.ask(token).now_or_never().unwrap(),
            (503, missing),
            "{token:?}"
        );
    }
    instance.token = None;
    for token in [None, Some(TOKEN), Some("")] {
        assert_eq!(
            instance.ask(token).now_or_never().unwrap(),
            (503, Value::Null),
            "{token:?}"
        );
    }
}

#[test]
fn complete_function_is_healthy() {
    let http = FakeHttp::answering([FakeResponse::json(200, &json!([]))]);
    assert_eq!(ask(None, true, &http), (200, Value::Null));
}

#[test]
fn checks_the_database_with_the_public_key_and_a_short_timeout() {
    let http = FakeHttp::answering([FakeResponse::json(200, &json!([]))]);
    ask(None, true, &http);
    let [request] = http.requests().try_into().unwrap();
    assert!(
        request
            .url
            .starts_with("https://db.example/rest/v1/profiles?"),
        "{}",
        request.url
    );
    assert_eq!(request.headers["apikey"], "sb_publishable_x");
    assert!(!request.headers.contains_key("authorization"));
    assert_eq!(request.limits.total_ms, 2_000);
}

#[test]
fn refusal_by_the_database_counts_as_healthy() {
    for status in [400, 401, 403, 404, 429] {
        let http = FakeHttp::answering([FakeResponse::json(status, &json!({"code": "42501"}))]);
        assert_eq!(ask(None, true, &http), (200, Value::Null), "{status}");
    }
}

#[test]
fn failing_or_silent_database_is_missing() {
    for answer in [
        FakeResponse::Error(HttpError::Timeout),
        FakeResponse::Error(HttpError::Network),
        FakeResponse::json(503, &json!({"code": "PGRST001"})),
        FakeResponse::text(502, "text/html", "<h1>"),
    ] {
        assert_eq!(
            ask(None, true, &FakeHttp::answering([answer])),
            (503, json!(["database"]))
        );
    }
}

#[test]
fn function_without_a_database_asks_none() {
    let http = FakeHttp::answering([]);
    assert_eq!(ask(None, false, &http), (200, Value::Null));
    assert_eq!(http.requests().len(), 0);
}

#[test]
fn missing_dependencies_are_listed_once_and_in_order() {
    let names = [
        "STRIPE_PRICE_ID",
        "LLM_API_KEY",
        "LLM_MODEL",
        "SPOTIFY_TOKEN_SECRETS",
        "SUPABASE_URL",
        "APP_ORIGINS",
    ];
    let expected = json!([
        "configuration",
        "database",
        "spotify",
        "language_model",
        "stripe"
    ]);
    assert_eq!(
        ask(problems(&names), false, &FakeHttp::answering([])),
        (503, expected)
    );
    let http = FakeHttp::answering([FakeResponse::Error(HttpError::Network)]);
    let expected = json!(["database", "language_model"]);
    assert_eq!(
        ask(problems(&["LLM_API_KEY"]), true, &http),
        (503, expected)
    );
}

#[test]
fn only_the_log_names_variables() {
    let (call, log) = fake_request();
    let instance = Instance {
        call,
        ..Instance::new(problems(&["LLM_API_KEY"]), false, &FakeHttp::answering([]))
    };
    let (_, missing) = instance.ask(Some(TOKEN)).now_or_never().unwrap();
    assert!(!missing.to_string().contains("LLM_API_KEY"));
    instance
        .call
        .log_end(0, StatusCode::SERVICE_UNAVAILABLE, None);
    assert!(
        log.lines()[0].contains("LLM_API_KEY is missing"),
        "{:?}",
        log.lines()
    );
}
