//! Whether a function can do its work: what is not configured, and whether the database answers.
//!
//! Anybody may ask, so it costs one small request, and no other upstream is asked: that would cost quota.

use std::fmt::Write;

use http::{Response, StatusCode};
use serde_json::{Map, Value};

use crate::config::ConfigError;
use crate::endpoint::{Body, Call, json_response};
use crate::error::Error;
use crate::http_client::HttpClient;
use crate::supabase::{Supabase, SupabaseConfig};

/// What a function may be missing, in the order in which it is told; a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dependency {
    /// A variable that belongs to none of the others.
    Configuration,
    /// It is not configured, or does not answer.
    Database,
    /// It is not configured.
    Spotify,
    /// It is not configured.
    LanguageModel,
    /// It is not configured.
    Stripe,
}

impl Dependency {
    const ALL: [Self; 5] =
        [Self::Configuration, Self::Database, Self::Spotify, Self::LanguageModel, Self::Stripe];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Database => "database",
            Self::Spotify => "spotify",
            Self::LanguageModel => "language_model",
            Self::Stripe => "stripe",
        }
    }

    /// Whose variable that is.
    fn of(variable: &str) -> Self {
        let found = PREFIXES.iter().find(|(prefix, _)| variable.starts_with(prefix));
        found.map_or(Self::Configuration, |(_, dependency)| *dependency)
    }
}

const PREFIXES: [(&str, Dependency); 4] = [
    ("SUPABASE_", Dependency::Database),
    ("SPOTIFY_", Dependency::Spotify),
    ("LLM_", Dependency::LanguageModel),
    ("STRIPE_", Dependency::Stripe),
];

/// Answers a question for the function's health: 200, or 503 with what is missing. The log tells why.
///
/// `problems` is what is wrong with its configuration; `database` is asked, where there is one.
///
/// # Errors
/// Where the answer cannot be written.
pub async fn check(
    call: &Call,
    problems: Option<&ConfigError>,
    database: Option<&SupabaseConfig>,
    http: &impl HttpClient,
) -> Result<Response<Body>, Error> {
    let failure = match database {
        Some(database) => Supabase::new(database, http).answers().await.err(),
        None => None,
    };
    let is_missing = |dependency: &Dependency| {
        let is_away = *dependency == Dependency::Database && failure.is_some();
        is_away || problems.is_some_and(|it| it.names().any(|name| Dependency::of(name) == *dependency))
    };
    let missing: Vec<_> = Dependency::ALL.into_iter().filter(is_missing).map(Dependency::as_str).collect();
    if missing.is_empty() {
        return answer(StatusCode::OK, "ok", None);
    }
    let mut cause = problems.map(ToString::to_string).unwrap_or_default();
    if let Some(failure) = &failure {
        let separator = if cause.is_empty() { "" } else { "; " };
        // Writing to a string never fails.
        let _ = write!(cause, "{separator}{failure}");
    }
    call.note("cause", cause);
    answer(StatusCode::SERVICE_UNAVAILABLE, "unavailable", Some(missing))
}

fn answer(
    code: StatusCode,
    status: &'static str,
    missing: Option<Vec<&'static str>>,
) -> Result<Response<Body>, Error> {
    let mut answer = Map::new();
    answer.insert("status".to_owned(), status.into());
    if let Some(missing) = missing {
        answer.insert("missing".to_owned(), missing.into());
    }
    json_response(code, &Value::Object(answer))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use serde_json::json;

    use super::*;
    use crate::config::required;
    use crate::fakes::{FakeAnswer, FakeHttp, fake_call};
    use crate::http_client::HttpError;

    fn database() -> SupabaseConfig {
        SupabaseConfig::from_lookup(|name| match name {
            "SUPABASE_URL" => Some("https://db.example".into()),
            "SUPABASE_PUBLISHABLE_KEY" => Some("sb_publishable_x".into()),
            "SUPABASE_SECRET_KEY" => Some("sb_secret_x".into()),
            _ => None,
        })
        .unwrap()
    }

    fn problems(names: &[&'static str]) -> Option<ConfigError> {
        let missing = names.iter().map(|name| required(|_| None, name).map(drop));
        missing.reduce(|a, b| crate::config::both(a, b).map(drop))?.err()
    }

    /// The status and what is missing.
    fn ask(problems: Option<ConfigError>, has_database: bool, http: &FakeHttp) -> (u16, Value) {
        let database = has_database.then(database);
        let (call, _) = fake_call();
        let response =
            check(&call, problems.as_ref(), database.as_ref(), http).now_or_never().unwrap().unwrap();
        assert_eq!(response.headers()["cache-control"], "no-store");
        let status = response.status().as_u16();
        let Body::Full(bytes) = response.into_body() else { panic!("a stream") };
        let body: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(body["status"], if status == 200 { "ok" } else { "unavailable" });
        (status, body["missing"].clone())
    }

    #[test]
    fn a_function_with_all_that_it_needs_is_well() {
        let http = FakeHttp::answering([FakeAnswer::json(200, &json!([]))]);
        assert_eq!(ask(None, true, &http), (200, Value::Null));
    }

    #[test]
    fn the_database_is_asked_with_the_public_key_and_for_a_short_time() {
        let http = FakeHttp::answering([FakeAnswer::json(200, &json!([]))]);
        ask(None, true, &http);
        let [request] = http.requests().try_into().unwrap();
        assert!(request.url.starts_with("https://db.example/rest/v1/profiles?"), "{}", request.url);
        assert_eq!(request.headers["apikey"], "sb_publishable_x");
        assert!(!request.headers.contains_key("authorization"));
        assert_eq!(request.limits.total_ms, 2_000);
    }

    #[test]
    fn whatever_the_database_refuses_it_is_there() {
        for status in [400, 401, 403, 404, 429] {
            let http = FakeHttp::answering([FakeAnswer::json(status, &json!({"code": "42501"}))]);
            assert_eq!(ask(None, true, &http), (200, Value::Null), "{status}");
        }
    }

    #[test]
    fn a_database_that_fails_or_is_silent_is_missing() {
        for answer in [
            FakeAnswer::Error(HttpError::Timeout),
            FakeAnswer::Error(HttpError::Network),
            FakeAnswer::json(503, &json!({"code": "PGRST001"})),
            FakeAnswer::text(502, "text/html", "<h1>"),
        ] {
            assert_eq!(ask(None, true, &FakeHttp::answering([answer])), (503, json!(["database"])));
        }
    }

    #[test]
    fn a_function_that_has_no_database_asks_none() {
        let http = FakeHttp::answering([]);
        assert_eq!(ask(None, false, &http), (200, Value::Null));
        assert_eq!(http.requests().len(), 0);
    }

    #[test]
    fn what_is_not_configured_is_told_in_the_order_of_the_list_and_once() {
        let names = [
            "STRIPE_PRICE_ID",
            "LLM_API_KEY",
            "LLM_MODEL",
            "SPOTIFY_TOKEN_SECRETS",
            "SUPABASE_URL",
            "APP_ORIGINS",
        ];
        let expected = json!(["configuration", "database", "spotify", "language_model", "stripe"]);
        assert_eq!(ask(problems(&names), false, &FakeHttp::answering([])), (503, expected));
        let http = FakeHttp::answering([FakeAnswer::Error(HttpError::Network)]);
        let expected = json!(["database", "language_model"]);
        assert_eq!(ask(problems(&["LLM_API_KEY"]), true, &http), (503, expected));
    }

    #[test]
    fn names_of_variables_are_for_the_log_alone() {
        let (call, log) = fake_call();
        let problems = problems(&["LLM_API_KEY"]);
        let http = FakeHttp::answering([]);
        let answer = check(&call, problems.as_ref(), None, &http).now_or_never().unwrap().unwrap();
        let Body::Full(bytes) = answer.into_body() else { panic!("a stream") };
        assert!(!String::from_utf8_lossy(&bytes).contains("LLM_API_KEY"));
        call.log_end(0, StatusCode::SERVICE_UNAVAILABLE, None);
        assert!(log.lines()[0].contains("LLM_API_KEY is missing"), "{:?}", log.lines());
    }
}
