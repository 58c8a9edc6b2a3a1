use futures_util::FutureExt;
use serde_json::{Value, json};
use uuid::Uuid;

use http::{HeaderMap, HeaderValue};

use super::*;
use crate::auth::{FakeIssuer, JwksCache, authenticate};
use crate::error::{Code, Error};
use crate::fakes::{FakeAnswer, FakeClock, FakeHttp, fake_request};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const URL: &str = "https://project.example";

fn config_of(variables: &[(&str, &str)]) -> Result<SupabaseConfig, crate::config::ConfigError> {
    SupabaseConfig::from_env(|name| {
        variables
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    })
}

fn config() -> SupabaseConfig {
    config_of(&[
        ("SUPABASE_URL", URL),
        ("SUPABASE_PUBLISHABLE_KEY", "sb_publishable_1"),
        ("SUPABASE_SECRET_KEY", "sb_secret_1"),
    ])
    .unwrap()
}

fn user() -> VerifiedUser {
    let issuer = FakeIssuer::with_kid("a");
    let http = FakeHttp::answering([FakeAnswer::json(200, &issuer.jwks())]);
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
fn call(answer: FakeAnswer) -> Result<Value, SupabaseError> {
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
    let http = FakeHttp::answering([FakeAnswer::json(200, &json!([{ "name": "Calm & piano" }]))]);
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
    let http = FakeHttp::answering([FakeAnswer::json(200, &json!({ "plan": "free" }))]);
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
    let http = FakeHttp::answering([FakeAnswer::json(200, &json!([]))]);
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
        let http = FakeHttp::answering([FakeAnswer::text(204, "text/plain", "")]);
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
fn newer_variables_and_function_tokens_take_precedence() {
    let mut variables = vec![
        ("SUPABASE_URL", URL),
        ("SUPABASE_ANON_KEY", "eyJanon"),
        ("SUPABASE_SERVICE_ROLE_KEY", "eyJservice"),
    ];
    for (more, publishable_key, service) in [
        (
            None,
            "eyJanon",
            ServiceCredential::LegacyJwt(Secret::new("eyJservice")),
        ),
        (
            Some(("SUPABASE_PUBLISHABLE_KEY", "p1")),
            "p1",
            ServiceCredential::LegacyJwt(Secret::new("eyJservice")),
        ),
        (
            Some(("SUPABASE_SECRET_KEY", "s1")),
            "p1",
            ServiceCredential::SecretKey(Secret::new("s1")),
        ),
        (
            Some((
                "SUPABASE_PUBLISHABLE_KEYS",
                r#"{"default":"p2","web":"p3"}"#,
            )),
            "p2",
            ServiceCredential::SecretKey(Secret::new("s1")),
        ),
        (
            Some(("SUPABASE_SECRET_KEYS", r#"{"default":"s2"}"#)),
            "p2",
            ServiceCredential::SecretKey(Secret::new("s2")),
        ),
        (
            Some(("SUPABASE_FUNCTION_TOKEN", "t")),
            "p2",
            ServiceCredential::FunctionToken(Secret::new("t")),
        ),
    ] {
        variables.extend(more);
        let config = config_of(&variables).unwrap();
        assert_eq!(config.publishable_key, Secret::new(publishable_key));
        assert_eq!(config.service, service);
    }
}

#[test]
fn names_every_missing_variable() {
    let error = config_of(&[]).unwrap_err();
    assert_eq!(
        error.names().collect::<Vec<_>>(),
        [
            "SUPABASE_URL",
            "SUPABASE_PUBLISHABLE_KEY",
            "SUPABASE_SECRET_KEY"
        ]
    );
}

#[test]
fn refuses_keys_of_another_kind() {
    for (name, value) in [
        ("SUPABASE_PUBLISHABLE_KEYS", r#"{"default":"sb_secret_1"}"#),
        ("SUPABASE_PUBLISHABLE_KEYS", r#"{"web":"sb_secret_1"}"#),
        ("SUPABASE_SECRET_KEYS", r#"{"default":"sb_publishable_1"}"#),
        ("SUPABASE_SECRET_KEYS", r#"{"default":"two words"}"#),
        ("SUPABASE_FUNCTION_TOKEN", "line\nbreak"),
        ("SUPABASE_URL", "project.example"),
    ] {
        let mut variables = vec![(name, value)];
        variables.extend([
            ("SUPABASE_URL", URL),
            ("SUPABASE_PUBLISHABLE_KEY", "p"),
            ("SUPABASE_SECRET_KEY", "s"),
        ]);
        let error = config_of(&variables).unwrap_err();
        assert_eq!(error.names().collect::<Vec<_>>(), [name], "{value}");
        assert!(!error.to_string().contains(value), "{error}");
    }
}

/// Documents of named keys, each with the key that is used; `None` if the next variable is read.
const NAMED_KEYS: [(&str, Option<&str>); 14] = [
    (r#"{"default":"k1","web":"k2"}"#, Some("k1")),
    (r#"{"web":"k2","default":"k1"}"#, Some("k1")),
    (r#"{"web":"k2"}"#, Some("k2")),
    (r#"{"web":"k2","app":"k3"}"#, Some("k2")),
    (r#" {"zebra" : "k2", "app" : "k3"} "#, Some("k2")),
    (r#"{"default":"","web":"k2"}"#, Some("k2")),
    (
        r#"{"default":null,"nested":{"default":"k4"},"web":"k2"}"#,
        Some("k2"),
    ),
    ("{}", None),
    (r#"{"default":""}"#, None),
    (r#"{"default":7}"#, None),
    (r#"["k1"]"#, None),
    ("sb_publishable_1", None),
    (r#"{"default":"k1""#, None),
    (r#"{"default":"k1"} {"#, None),
];

#[test]
fn uses_the_default_key_then_the_first_then_the_next_variable() {
    for (document, key) in NAMED_KEYS {
        for [named, next] in [
            ["SUPABASE_PUBLISHABLE_KEYS", "SUPABASE_PUBLISHABLE_KEY"],
            ["SUPABASE_PUBLISHABLE_KEYS", "SUPABASE_ANON_KEY"],
        ] {
            let variables = [
                ("SUPABASE_URL", URL),
                (named, document),
                (next, "next"),
                ("SUPABASE_SECRET_KEY", "s"),
            ];
            let config = config_of(&variables).unwrap();
            assert_eq!(
                config.publishable_key.expose(),
                key.unwrap_or("next"),
                "{document} {next}"
            );
        }
        for [named, next] in [
            ["SUPABASE_SECRET_KEYS", "SUPABASE_SECRET_KEY"],
            ["SUPABASE_SECRET_KEYS", "SUPABASE_SERVICE_ROLE_KEY"],
        ] {
            let variables = [
                ("SUPABASE_URL", URL),
                (named, document),
                (next, "next"),
                ("SUPABASE_ANON_KEY", "p"),
            ];
            let expected = ServiceCredential::SecretKey(Secret::new(key.unwrap_or("next")));
            assert_eq!(
                config_of(&variables).unwrap().service,
                expected,
                "{document} {next}"
            );
        }
    }
}

#[test]
fn empty_named_keys_without_an_alternative_are_an_error() {
    for (document, _) in NAMED_KEYS.iter().filter(|(_, key)| key.is_none()) {
        let variables = [
            ("SUPABASE_URL", URL),
            ("SUPABASE_PUBLISHABLE_KEYS", document),
            ("SUPABASE_SECRET_KEYS", document),
        ];
        let error = config_of(&variables).unwrap_err();
        assert_eq!(
            error.names().collect::<Vec<_>>(),
            ["SUPABASE_PUBLISHABLE_KEYS", "SUPABASE_SECRET_KEYS"],
            "{document}"
        );
        assert!(
            error
                .to_string()
                .contains(r#"must be JSON like {"default":"sb_…"}"#),
            "{error}"
        );
    }
}

#[test]
fn refusal_by_our_sql_keeps_its_code() {
    let body =
        json!({ "code": "PT409", "message": "still running", "details": null, "hint": null });
    let error = call(FakeAnswer::json(409, &body)).unwrap_err();
    assert_eq!(error.code(), Some("PT409"));
    assert_eq!(error.to_string(), "database: 409 PT409 still running");
    assert_eq!(Error::from(error).code(), Code::Internal);

    let forbidden = call(FakeAnswer::json(
        403,
        &json!({ "code": "PT403", "message": "no profile" }),
    ))
    .unwrap_err();
    assert_eq!(
        forbidden.code(),
        Some("PT403"),
        "raised by our SQL, so the credential was accepted"
    );
}

#[test]
fn refused_service_credential_is_misconfigured() {
    for (status, body) in [
        (401, json!({ "message": "Invalid API key" })),
        (401, json!({ "code": "PGRST301", "message": "JWT invalid" })),
        (
            403,
            json!({ "code": "42501", "message": "permission denied for function reserve" }),
        ),
    ] {
        let error = Error::from(call(FakeAnswer::json(status, &body)).unwrap_err());
        assert_eq!(error.code(), Code::Misconfigured, "{body}");
        assert!(
            error
                .cause()
                .unwrap()
                .contains(body["message"].as_str().unwrap())
        );
    }
}

#[test]
fn refused_user_token_is_the_callers_error() {
    let http = FakeHttp::answering([FakeAnswer::json(
        401,
        &json!({ "code": "PGRST303", "message": "JWT expired" }),
    )]);
    let (config, user) = (config(), user());
    let database = Supabase::new(&config, &http);
    let answer = database
        .as_user(&user)
        .rpc::<_, Value>("usage", &json!({}))
        .now_or_never()
        .unwrap();
    assert_eq!(Error::from(answer.unwrap_err()).code(), Code::InvalidToken);
}

#[test]
fn outage_has_retry_after() {
    let html = || FakeAnswer::text(502, "text/html", "<h1>Bad gateway</h1>");
    for (answer, seconds) in [
        (FakeAnswer::Error(HttpError::Network), 5),
        (FakeAnswer::Error(HttpError::Timeout), 5),
        (html(), 5),
        (html().with_header(header::RETRY_AFTER, "17"), 17),
        (
            FakeAnswer::json(
                500,
                &json!({ "code": "40001", "message": "could not serialize access" }),
            ),
            5,
        ),
        (
            FakeAnswer::json(
                503,
                &json!({ "code": "PGRST000", "message": "no connection" }),
            ),
            5,
        ),
        // A proxy responds in the database's place.
        (FakeAnswer::text(200, "text/html", "<h1>Hello</h1>"), 5),
        (FakeAnswer::text(302, "text/html", ""), 5),
        (
            FakeAnswer::text(429, "text/html", "").with_header(header::RETRY_AFTER, "3"),
            3,
        ),
        (FakeAnswer::Error(HttpError::TooLarge), 5),
    ] {
        let error = Error::from(call(answer).unwrap_err());
        assert_eq!(error.code(), Code::DatabaseUnavailable);
        assert_eq!(error.retry_after_seconds(), Some(seconds));
    }
}

#[test]
fn other_refusals_are_internal_errors() {
    for answer in [
        FakeAnswer::json(
            400,
            &json!({ "code": "23514", "message": "violates check" }),
        ),
        FakeAnswer::text(404, "text/html", "<h1>Not found</h1>"),
        FakeAnswer::Error(HttpError::BudgetExhausted),
    ] {
        assert_eq!(
            Error::from(call(answer).unwrap_err()).code(),
            Code::Internal
        );
    }
}

#[test]
fn unknown_or_incomplete_outcome_is_named_in_the_cause_and_not_repeated() {
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Answer {
        outcome: Outcome,
        seconds: u32,
    }
    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Outcome {
        Taken,
    }
    let call = |answer: Value| {
        let http = FakeHttp::responding(move |_| FakeAnswer::json(200, &answer));
        let (config, clock) = (config(), FakeClock::hurrying(0));
        let service = Supabase::new(&config, &http).service();
        let read = service
            .rpc_retrying::<_, Answer>("f", &json!({}), &clock)
            .now_or_never()
            .unwrap();
        (read.map_err(Error::from), http.requests().len())
    };
    let taken = Answer {
        outcome: Outcome::Taken,
        seconds: 7,
    };
    assert_eq!(
        call(json!({"outcome": "taken", "seconds": 7, "more": 1})).0,
        Ok(taken)
    );
    for (answer, outcome) in [
        (json!({"outcome": "lost"}), "lost"),
        (json!({"outcome": "taken"}), "taken"),
        (json!({"outcome": "taken", "seconds": "7"}), "taken"),
        (json!("lost"), "lost"),
        (json!({"outcome": "x".repeat(99)}), &"x".repeat(40)),
    ] {
        let (read, requests) = call(answer.clone());
        let error = read.unwrap_err();
        assert_eq!((error.code(), requests), (Code::Internal, 1), "{answer}");
        assert_eq!(
            error.cause(),
            Some(&*format!("database: unexpected outcome {outcome}")),
            "{answer}"
        );
        assert!(!error.to_string().contains(outcome), "{error}");
    }
    for answer in [json!({}), json!([]), json!({"outcome": 7}), Value::Null] {
        assert_eq!(
            call(answer.clone()).0.unwrap_err().code(),
            Code::DatabaseUnavailable,
            "{answer}"
        );
    }
}

#[test]
fn truncated_response_is_an_outage() {
    let cut_off = FakeAnswer::Response(
        http::StatusCode::OK,
        HeaderMap::new(),
        vec![Ok("[1,".into()), Err(HttpError::Network)],
    );
    assert_eq!(
        call(cut_off),
        Err(SupabaseError::Unavailable(HttpError::Network))
    );
}

#[test]
fn retries_once_after_transient_errors() {
    for (first, is_repeated) in [
        (FakeAnswer::Error(HttpError::Network), true),
        (FakeAnswer::Error(HttpError::Timeout), true),
        (FakeAnswer::text(502, "text/html", ""), true),
        (FakeAnswer::text(503, "text/html", ""), true),
        (FakeAnswer::text(504, "text/html", ""), true),
        (FakeAnswer::Error(HttpError::BudgetExhausted), false),
        (FakeAnswer::text(500, "text/html", ""), false),
        (
            FakeAnswer::json(409, &json!({ "code": "PT409", "message": "" })),
            false,
        ),
        (FakeAnswer::json(401, &json!({})), false),
        (FakeAnswer::text(200, "text/html", "<h1>Hello</h1>"), true),
        (FakeAnswer::Error(HttpError::TooLarge), true),
        (FakeAnswer::text(429, "text/html", ""), false),
    ] {
        let http = FakeHttp::answering([first, FakeAnswer::json(200, &json!("second"))]);
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
