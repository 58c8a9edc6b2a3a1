use futures_util::FutureExt;
use http::{HeaderName, StatusCode, header};
use serde_json::json;
use uuid::Uuid;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::error::{Code, Error};
use crate::fakes::{FakeClock, FakeHttp, FakeResponse};
use crate::runtime::http_client::{HttpError, OutboundRequest};

pub(super) const NOW_MS: u64 = 1_790_000_000_000;
/// The end of every subscription's period, in Unix seconds.
pub(super) const PERIOD_END: u64 = 1_792_000_000;
pub(super) const USER: Uuid = Uuid::from_u128(7);

pub(super) fn env(name: &str) -> Option<String> {
    let value = match name {
        "STRIPE_SECRET_KEY" => "sk_test_x",
        "STRIPE_API_BASE_URL" => "https://stripe.example",
        "SUPABASE_URL" => "https://db.example",
        "SUPABASE_PUBLISHABLE_KEY" => "sb_publishable_x",
        "SUPABASE_SECRET_KEY" => "sb_secret_x",
        _ => return None,
    };
    Some(value.to_owned())
}

pub(super) fn customer() -> StripeId {
    StripeId::parse("cus_1").unwrap()
}

pub(super) fn subscription(id: &str, status: &str) -> Value {
    json!({"id": id, "object": "subscription", "customer": "cus_1", "status": status, "metadata": {},
        "items": {"data": [{"current_period_end": PERIOD_END}]}})
}

pub(super) fn page(subscriptions: &[Value], has_more: bool) -> FakeResponse {
    FakeResponse::json(
        200,
        &json!({"object": "list", "data": subscriptions, "has_more": has_more}),
    )
}

pub(super) fn refusal(status: u16, code: &str, param: &str) -> FakeResponse {
    let error = json!({"type": "invalid_request_error", "code": code, "param": param, "message": "No such thing"});
    FakeResponse::json(status, &json!({ "error": error }))
}

/// Runs `work` against a Stripe that returns `answers` in order; returns the result and the requests sent.
pub(super) fn with_stripe<T>(
    answers: impl IntoIterator<Item = FakeResponse>,
    work: impl AsyncFnOnce(&Stripe<'_>) -> T,
) -> (T, Vec<OutboundRequest>) {
    let (http, clock) = (FakeHttp::answering(answers), FakeClock::hurrying(NOW_MS));
    let config = StripeConfig::from_env(env).unwrap();
    let stripe = Stripe::new(&config, &http, &clock, NOW_MS + 15_000);
    let result = work(&stripe).now_or_never().unwrap();
    (result, http.requests())
}

pub(super) fn plan(
    answers: impl IntoIterator<Item = FakeResponse>,
) -> (Result<Plan, StripeError>, Vec<OutboundRequest>) {
    let (standing, requests) = with_stripe(answers, async |stripe| {
        stripe.standing_of(&customer()).await
    });
    (standing.map(|it| it.plan), requests)
}

fn header_of<'a>(request: &'a OutboundRequest, name: &str) -> Option<&'a str> {
    request
        .headers
        .get(HeaderName::from_bytes(name.as_bytes()).unwrap())?
        .to_str()
        .ok()
}

#[test]
fn truncated_refusal_is_unavailable_except_for_401() {
    let cut = |status| {
        let chunks = vec![Ok("{\"error\":".into()), Err(HttpError::TooLarge)];
        FakeResponse::Response(status, http::HeaderMap::new(), chunks)
    };
    let (result, _) = plan([cut(http::StatusCode::NOT_FOUND)]);
    assert_eq!(result, Err(StripeError::Unavailable(HttpError::TooLarge)));
    let (result, _) = plan([cut(http::StatusCode::UNAUTHORIZED)]);
    assert_eq!(result, Err(StripeError::InvalidCredentials));
}

#[test]
fn retries_only_transient_errors() {
    let rate_limited = |seconds: &str| {
        FakeResponse::json(429, &json!({"error": {}})).with_header(header::RETRY_AFTER, seconds)
    };
    for (failure, attempts) in [
        (FakeResponse::Error(HttpError::Network), 4),
        (FakeResponse::text(500, "text/html", "<h1>"), 4),
        (FakeResponse::text(503, "text/plain", ""), 4),
        (rate_limited("1"), 4),
        (
            FakeResponse::json(429, &json!({"error": {"code": "lock_timeout"}})),
            4,
        ),
        (rate_limited("60"), 1),
        (FakeResponse::Error(HttpError::Timeout), 1),
        (FakeResponse::Error(HttpError::TooLarge), 1),
        (
            FakeResponse::json(
                401,
                &json!({"error": {"message": "Invalid API Key provided: sk_test_x"}}),
            ),
            1,
        ),
        (FakeResponse::json(403, &json!({"error": {}})), 1),
        (refusal(400, "parameter_invalid_empty", "customer"), 1),
    ] {
        let (result, requests) = plan(std::iter::repeat_n(failure.clone(), 9));
        let error = Error::from(result.unwrap_err());
        assert_eq!(requests.len(), attempts, "{error:?}");
        assert!(
            error.status().is_server_error() && !format!("{error:?}").contains("sk_test_x"),
            "{error:?}"
        );
        if attempts > 1 {
            let (result, requests) =
                plan([failure, page(&[subscription("sub_1", "active")], false)]);
            assert_eq!((result, requests.len()), (Ok(Plan::Pro), 2));
        }
    }
}

#[test]
fn sends_nothing_after_the_deadline() {
    let (http, clock) = (
        FakeHttp::responding(|_| FakeResponse::text(500, "text/plain", "")),
        FakeClock::hurrying(NOW_MS),
    );
    let config = StripeConfig::from_env(env).unwrap();
    let stripe = Stripe::new(&config, &http, &clock, NOW_MS + 300);
    assert!(
        stripe
            .standing_of(&customer())
            .now_or_never()
            .unwrap()
            .is_err()
    );
    assert_eq!(http.requests().len(), 2);
    assert!(
        http.requests()
            .iter()
            .all(|request| request.limits.total_ms <= 300)
    );
    let late = Stripe::new(&config, &http, &clock, NOW_MS);
    let error = late
        .standing_of(&customer())
        .now_or_never()
        .unwrap()
        .unwrap_err();
    assert_eq!(
        (error, http.requests().len()),
        (StripeError::Unavailable(HttpError::Timeout), 2)
    );
}

#[test]
fn requests_send_key_and_version_and_errors_omit_them() {
    let (_, requests) = plan([page(&[], false)]);
    assert_eq!(
        header_of(&requests[0], "authorization"),
        Some("Bearer sk_test_x")
    );
    assert_eq!(
        header_of(&requests[0], "stripe-version"),
        Some("2026-10-28.endive")
    );
    assert!(requests[0].headers[header::AUTHORIZATION].is_sensitive());
    for (error, code) in [
        (StripeError::InvalidCredentials, Code::Misconfigured),
        (
            StripeError::RateLimited {
                retry_after_seconds: 9,
            },
            Code::StripeRateLimited,
        ),
        (
            StripeError::Unavailable(HttpError::Timeout),
            Code::StripeTimeout,
        ),
        (
            StripeError::Unavailable(HttpError::Network),
            Code::StripeUnavailable,
        ),
        (
            StripeError::Failed {
                status: StatusCode::BAD_GATEWAY,
            },
            Code::StripeUnavailable,
        ),
        (StripeError::KeyInUse, Code::StripeUnavailable),
        (StripeError::InvalidResponse, Code::StripeUnavailable),
    ] {
        assert_eq!(Error::from(error.clone()).code(), code, "{error:?}");
    }
}

#[test]
fn accepts_only_secret_keys_and_reads_their_mode() {
    let mode = |key: &str| {
        let env = |name: &str| (name == "STRIPE_SECRET_KEY").then(|| key.to_owned());
        StripeConfig::from_env(env).map(|config| config.livemode)
    };
    for (key, livemode) in [
        ("sk_live_x", true),
        ("rk_live_x", true),
        ("sk_test_x", false),
        ("rk_test_x", false),
    ] {
        assert_eq!(mode(key).unwrap(), livemode, "{key}");
    }
    for key in [
        "",
        "pk_live_x",
        "sk_x",
        "live_x",
        "whsec_x",
        "sk_live",
        "sk_live_ x",
    ] {
        assert!(mode(key).is_err(), "{key}");
    }
    let config = StripeConfig::from_env(|name| {
        (name == "STRIPE_SECRET_KEY").then(|| "sk_live_x".to_owned())
    });
    assert!(!format!("{config:?}").contains("sk_live_x"));
}

fn keys(requests: &[OutboundRequest]) -> Vec<&str> {
    requests
        .iter()
        .filter_map(|request| header_of(request, "idempotency-key"))
        .collect()
}

#[test]
fn retries_a_stored_failure_with_another_key() {
    let created = FakeResponse::json(200, &json!({"id": "cus_9", "object": "customer"}));
    let create = |answers: Vec<FakeResponse>| {
        with_stripe(answers, async |stripe| {
            stripe.create_customer(USER, None).await
        })
    };
    let first = format!("customer-{USER}");
    // Without a response the customer may exist; the same key returns it.
    let (result, requests) = create(vec![
        FakeResponse::Error(HttpError::Network),
        created.clone(),
    ]);
    assert_eq!(result.unwrap().as_str(), "cus_9");
    assert_eq!(keys(&requests), [&first, &first]);
    // Another request uses the key.
    let busy = refusal(409, "idempotency_key_in_use", "");
    let (_, requests) = create(vec![busy.clone(), busy, created.clone()]);
    assert_eq!(keys(&requests), [&first, &first, &first]);
    // Stripe would repeat this failure for a day.
    let (_, requests) = create(vec![FakeResponse::text(500, "text/plain", ""), created]);
    assert_eq!(
        keys(&requests),
        [&first, &format!("{first}-{}", NOW_MS / 60_000)]
    );
    assert_eq!(requests[0].body, format!("metadata%5Buser_id%5D={USER}"));
}

#[test]
fn replacement_customer_uses_another_key() {
    let answer = || FakeResponse::json(200, &json!({"id": "cus_9"}));
    let (_, first) = with_stripe([answer()], async |stripe| {
        stripe.create_customer(USER, None).await
    });
    let (_, second) = with_stripe([answer()], async |stripe| {
        stripe.create_customer(USER, Some(&customer())).await
    });
    assert_ne!(keys(&first), keys(&second));
}

#[test]
fn reads_a_response_with_a_lone_surrogate() {
    let body = r#"{"object":"list","data":[{"id":"sub_1","customer":"cus_1","status":"active","description":"\ud83e"}],"has_more":false}"#;
    assert_eq!(
        plan([FakeResponse::text(200, "application/json", body)]).0,
        Ok(Plan::Pro)
    );
    let missing = r#"{"error":{"code":"resource_missing","param":"customer","message":"\ud83e"}}"#;
    assert_eq!(
        plan([FakeResponse::text(404, "application/json", missing)]).0,
        Ok(Plan::Free)
    );
}

#[test]
fn recognises_a_currency_conflict() {
    for (message, is_conflict) in [
        (
            "You cannot combine currencies on a single customer. This customer has an active subscription, subscription \
             schedule, discount, quote, or invoice item with currency eur.",
            true,
        ),
        ("Can't combine currencies on a single customer.", true),
        (
            "The currency of the selected prices (eur) does not match the customer currency (usd).",
            true,
        ),
        ("No such price: 'price_x'", false),
        ("Invalid currency: xyz", false),
    ] {
        let body = json!({"error": {"type": "invalid_request_error", "message": message}});
        let error = plan([FakeResponse::json(400, &body)]).0.unwrap_err();
        assert_eq!(
            error == StripeError::CurrencyConflict,
            is_conflict,
            "{message}"
        );
    }
}
