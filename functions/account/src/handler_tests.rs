use futures_util::FutureExt;
use http::Method;
use serde_json::Value;
use shared::auth::FakeIssuer;
use shared::fakes::{FakeClock, FakeHttp, FakeResponse, fake_context, fake_request};
use shared::runtime::http_client::{HttpError, OutboundRequest};

use super::*;

#[path = "export_tests.rs"]
mod exporting;

const NOW: u64 = 1_790_000_000;
const USER: Uuid = Uuid::from_u128(7);

fn env(name: &str) -> Option<String> {
    let value = match name {
        "SUPABASE_URL" => FakeIssuer::URL,
        "SUPABASE_PUBLISHABLE_KEY" => "sb_publishable_x",
        "SUPABASE_SECRET_KEY" => "sb_secret_x",
        "STRIPE_SECRET_KEY" => "sk_test_x",
        "STRIPE_API_BASE_URL" => "https://stripe.example",
        _ => return None,
    };
    Some(value.to_owned())
}

fn name(request: &OutboundRequest) -> String {
    let path = request.url.split('?').next().unwrap_or_default();
    format!(
        "{} {}",
        request.method,
        path.rsplit('/').next().unwrap_or_default()
    )
}

fn answer(request: &OutboundRequest, instead: &[(&str, FakeResponse)]) -> FakeResponse {
    let name = name(request);
    if let Some((_, answer)) = instead.iter().find(|(of, _)| *of == name) {
        return answer.clone();
    }
    let session = json!({"id": "cs_1", "status": "open", "expires_at": 2});
    match name.as_str() {
        "GET jwks.json" => FakeResponse::json(200, &FakeIssuer::with_kid("k").jwks()),
        "POST begin_account_deletion" => FakeResponse::json(
            200,
            &json!({"outcome": "begun", "stripe_customer_id": "cus_1"}),
        ),
        "GET sessions" => FakeResponse::json(200, &json!({ "data": [session] })),
        "POST expire" => FakeResponse::json(200, &session),
        "DELETE cus_1" => FakeResponse::json(200, &json!({"id": "cus_1", "deleted": true})),
        "POST delete_account" => FakeResponse::json(200, &json!("deleted")),
        other => panic!("{other}"),
    }
}

/// Sends a deletion; returns the status or the error, and the requests that the function sent.
fn delete(instead: &[(&'static str, FakeResponse)]) -> (Result<u16, Error>, Vec<String>) {
    delete_signed_in_for(0, instead)
}

fn delete_signed_in_for(
    seconds: u64,
    instead: &[(&'static str, FakeResponse)],
) -> (Result<u16, Error>, Vec<String>) {
    let instead = instead.to_vec();
    let http = FakeHttp::responding(move |request| answer(request, &instead));
    let mut claims = FakeIssuer::claims(USER, NOW);
    claims["amr"][0]["timestamp"] = json!(NOW - seconds);
    let token = FakeIssuer::with_kid("k").sign(&claims);
    let request = Request::delete("https://x/functions/v1/account")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(Bytes::from_static(br#"{"confirm":"ann@example.com"}"#))
        .unwrap();
    let context = fake_context(
        &http,
        &FakeClock::hurrying(NOW * 1000),
        Config::from_env(env).unwrap(),
    )
    .0;
    let result = handle(request, context)
        .now_or_never()
        .unwrap()
        .map(|response| response.status().as_u16());
    let sent = http
        .requests()
        .iter()
        .map(name)
        .filter(|name| name != "GET jwks.json")
        .collect();
    (result, sent)
}

fn missing(param: &str) -> FakeResponse {
    FakeResponse::json(
        404,
        &json!({"error": {"code": "resource_missing", "param": param}}),
    )
}

#[test]
fn each_route_has_one_method() {
    let check = |method: Method, path: &str| {
        let request = Request::builder()
            .method(method)
            .uri(format!("https://x/account{path}"))
            .body(())
            .unwrap();
        ENDPOINT.check_route(&request).map_err(|error| error.code())
    };
    assert_eq!(check(Method::DELETE, ""), Ok(()));
    assert_eq!(check(Method::GET, "/export"), Ok(()));
    assert_eq!(check(Method::GET, ""), Err(Code::MethodNotAllowed));
    assert_eq!(
        check(Method::DELETE, "/export"),
        Err(Code::MethodNotAllowed)
    );
    assert_eq!(check(Method::GET, "/exports"), Err(Code::NotFound));
}

#[test]
fn customer_is_deleted_at_stripe_before_the_user() {
    let (status, sent) = delete(&[]);
    assert_eq!(status.unwrap(), 204);
    let expected = [
        "POST begin_account_deletion",
        "GET sessions",
        "POST expire",
        "DELETE cus_1",
        "GET sessions",
        "POST expire",
        "POST delete_account",
    ];
    assert_eq!(sent, expected);
}

#[test]
fn deletion_needs_a_recent_sign_in() {
    assert_eq!(delete_signed_in_for(600, &[]).0.unwrap(), 204);
    let (result, sent) = delete_signed_in_for(601, &[]);
    assert_eq!(
        (result.unwrap_err().code(), sent),
        (Code::SignInAgain, vec![])
    );
}

#[test]
fn deletes_a_user_without_a_customer_without_stripe() {
    let begun = FakeResponse::json(
        200,
        &json!({"outcome": "begun", "stripe_customer_id": null}),
    );
    let (status, sent) = delete(&[("POST begin_account_deletion", begun)]);
    assert_eq!((status.unwrap(), sent.len()), (204, 2));
}

#[test]
fn ignores_missing_customer() {
    for instead in [
        ("GET sessions", missing("customer")),
        ("DELETE cus_1", missing("id")),
        (
            "POST delete_account",
            FakeResponse::json(200, &json!("no_account")),
        ),
        (
            "POST begin_account_deletion",
            FakeResponse::json(200, &json!({"outcome": "no_account"})),
        ),
    ] {
        let of = instead.0;
        assert_eq!(delete(&[instead]).0.unwrap(), 204, "{of}");
    }
}

#[test]
fn account_is_deleted_although_the_auth_log_cannot_be_cleaned() {
    let (call, log) = fake_request();
    let http = FakeHttp::responding(|request| {
        answer(
            request,
            &[(
                "POST delete_account",
                FakeResponse::json(200, &json!("deleted_but_logged")),
            )],
        )
    });
    let clock = FakeClock::hurrying(NOW * 1000);
    let config = Config::from_env(env).unwrap();
    let service = Supabase::new(&config.supabase, &http).service();
    assert_eq!(
        super::delete(&service, &clock, USER, &call)
            .now_or_never()
            .unwrap(),
        Ok(())
    );
    call.log_end(NOW * 1000, StatusCode::NO_CONTENT, None);
    assert!(
        log.lines()[0].contains("\"auth_log\":\"kept\""),
        "{:?}",
        log.lines()
    );
}

#[test]
fn user_whose_customer_remains_is_not_deleted() {
    for (of, failure, code) in [
        (
            "GET sessions",
            FakeResponse::text(500, "text/plain", ""),
            Code::StripeUnavailable,
        ),
        (
            "POST expire",
            FakeResponse::Error(HttpError::Timeout),
            Code::StripeTimeout,
        ),
        (
            "POST expire",
            FakeResponse::json(200, &json!({})),
            Code::StripeUnavailable,
        ),
        (
            "DELETE cus_1",
            FakeResponse::Error(HttpError::Network),
            Code::StripeUnavailable,
        ),
        (
            "DELETE cus_1",
            FakeResponse::json(401, &json!({})),
            Code::Misconfigured,
        ),
        (
            "DELETE cus_1",
            FakeResponse::text(200, "text/html", "<h1>"),
            Code::StripeUnavailable,
        ),
        (
            "DELETE cus_1",
            FakeResponse::json(200, &json!({"id": "cus_1"})),
            Code::StripeUnavailable,
        ),
        (
            "DELETE cus_1",
            FakeResponse::json(400, &json!({"error": {}})),
            Code::Misconfigured,
        ),
        (
            "POST begin_account_deletion",
            FakeResponse::Error(HttpError::Network),
            Code::DatabaseUnavailable,
        ),
        (
            "POST begin_account_deletion",
            FakeResponse::json(200, &json!({"outcome": "begun", "stripe_customer_id": "?"})),
            Code::Internal,
        ),
        (
            "POST begin_account_deletion",
            FakeResponse::json(
                200,
                &json!({"outcome": "not_confirmed", "confirm_with": "email"}),
            ),
            Code::NotConfirmed,
        ),
        (
            "POST begin_account_deletion",
            FakeResponse::json(200, &json!({"outcome": "not_confirmed"})),
            Code::Internal,
        ),
    ] {
        let (result, sent) = delete(&[(of, failure)]);
        assert_eq!(result.unwrap_err().code(), code, "{of}");
        assert!(
            !sent.contains(&"POST delete_account".to_owned()),
            "{of}: {sent:?}"
        );
    }
    let (result, _) = delete(&[(
        "POST delete_account",
        FakeResponse::json(200, &json!("not_begun")),
    )]);
    assert_eq!(result.unwrap_err().code(), Code::Internal);
}

#[test]
fn wrong_confirmation_is_refused_with_the_expected_kind() {
    for (kind, words) in [
        ("email", "e-mail address"),
        ("phone", "phone number"),
        ("id", "account's id"),
    ] {
        let answer = FakeResponse::json(
            200,
            &json!({"outcome": "not_confirmed", "confirm_with": kind}),
        );
        let error = delete(&[("POST begin_account_deletion", answer)])
            .0
            .unwrap_err();
        assert_eq!(error.code(), Code::NotConfirmed);
        assert!(error.to_string().contains(words), "{error}");
    }
}
