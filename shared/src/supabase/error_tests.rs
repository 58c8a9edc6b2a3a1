//! Tests of the errors that responses mean for clients.

use futures_util::FutureExt;
use http::HeaderMap;
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::super::*;
use super::*;
use crate::error::{Code, Error};
use crate::fakes::{FakeClock, FakeHttp, FakeResponse};
use crate::supabase::tests::*;

#[test]
fn refusal_by_our_sql_keeps_its_code() {
    let body =
        json!({ "code": "PT409", "message": "still running", "details": null, "hint": null });
    let error = call(FakeResponse::json(409, &body)).unwrap_err();
    assert_eq!(error.code(), Some("PT409"));
    assert_eq!(error.to_string(), "database: 409 PT409 still running");
    assert_eq!(Error::from(error).code(), Code::Internal);

    let forbidden = call(FakeResponse::json(
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
        let error = Error::from(call(FakeResponse::json(status, &body)).unwrap_err());
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
    let http = FakeHttp::answering([FakeResponse::json(
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
    let html = || FakeResponse::text(502, "text/html", "<h1>Bad gateway</h1>");
    for (answer, seconds) in [
        (FakeResponse::Error(HttpError::Network), 5),
        (FakeResponse::Error(HttpError::Timeout), 5),
        (html(), 5),
        (html().with_header(header::RETRY_AFTER, "17"), 17),
        (
            FakeResponse::json(
                500,
                &json!({ "code": "40001", "message": "could not serialize access" }),
            ),
            5,
        ),
        (
            FakeResponse::json(
                503,
                &json!({ "code": "PGRST000", "message": "no connection" }),
            ),
            5,
        ),
        // A proxy responds in the database's place.
        (FakeResponse::text(200, "text/html", "<h1>Hello</h1>"), 5),
        (FakeResponse::text(302, "text/html", ""), 5),
        (
            FakeResponse::text(429, "text/html", "").with_header(header::RETRY_AFTER, "3"),
            3,
        ),
        (FakeResponse::Error(HttpError::TooLarge), 5),
    ] {
        let error = Error::from(call(answer).unwrap_err());
        assert_eq!(error.code(), Code::DatabaseUnavailable);
        assert_eq!(error.retry_after_seconds(), Some(seconds));
    }
}

#[test]
fn other_refusals_are_internal_errors() {
    for answer in [
        FakeResponse::json(
            400,
            &json!({ "code": "23514", "message": "violates check" }),
        ),
        FakeResponse::text(404, "text/html", "<h1>Not found</h1>"),
        FakeResponse::Error(HttpError::BudgetExhausted),
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
        let http = FakeHttp::responding(move |_| FakeResponse::json(200, &answer));
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
    let cut_off = FakeResponse::Response(
        http::StatusCode::OK,
        HeaderMap::new(),
        vec![Ok("[1,".into()), Err(HttpError::Network)],
    );
    assert_eq!(
        call(cut_off),
        Err(SupabaseError::Unavailable(HttpError::Network))
    );
}
