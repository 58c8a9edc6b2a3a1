use futures_util::FutureExt;
use http::{HeaderName, StatusCode, header};
use serde_json::json;
use uuid::Uuid;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::error::{Code, Error};
use crate::fakes::{FakeAnswer, FakeClock, FakeHttp};
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

pub(super) fn page(subscriptions: &[Value], has_more: bool) -> FakeAnswer {
    FakeAnswer::json(
        200,
        &json!({"object": "list", "data": subscriptions, "has_more": has_more}),
    )
}

fn refusal(status: u16, code: &str, param: &str) -> FakeAnswer {
    let error = json!({"type": "invalid_request_error", "code": code, "param": param, "message": "No such thing"});
    FakeAnswer::json(status, &json!({ "error": error }))
}

/// Runs `work` against a Stripe that returns `answers` in order; returns the result and the requests sent.
pub(super) fn with_stripe<T>(
    answers: impl IntoIterator<Item = FakeAnswer>,
    work: impl AsyncFnOnce(&Stripe<'_>) -> T,
) -> (T, Vec<OutboundRequest>) {
    let (http, clock) = (FakeHttp::answering(answers), FakeClock::hurrying(NOW_MS));
    let config = StripeConfig::from_env(env).unwrap();
    let stripe = Stripe::new(&config, &http, &clock, NOW_MS + 15_000);
    let result = work(&stripe).now_or_never().unwrap();
    (result, http.requests())
}

pub(super) fn plan(
    answers: impl IntoIterator<Item = FakeAnswer>,
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
fn every_subscription_status_maps_to_a_plan() {
    for (statuses, expected) in [
        (&[][..], Plan::Free),
        (&["active"], Plan::Pro),
        (&["trialing"], Plan::Pro),
        (&["past_due"], Plan::Pro),
        (&["unpaid"], Plan::Free),
        (&["canceled"], Plan::Free),
        (&["paused"], Plan::Free),
        (&["incomplete"], Plan::Free),
        (&["incomplete_expired"], Plan::Free),
        (&["invented_in_2027"], Plan::Free),
        (&["canceled", "canceled", "active"], Plan::Pro),
        (&["active", "canceled"], Plan::Pro),
        (&["incomplete", "past_due"], Plan::Pro),
    ] {
        let list: Vec<_> = statuses
            .iter()
            .map(|status| subscription("sub_1", status))
            .collect();
        let (result, requests) = plan([page(&list, false)]);
        assert_eq!(result, Ok(expected), "{statuses:?}");
        let query = "https://stripe.example/v1/subscriptions?status=all&limit=100&customer=cus_1";
        assert_eq!(requests[0].url, query);
    }
}

#[test]
fn period_end_is_that_of_the_subscription_that_lasts_longest() {
    let made = |status: &str, more: Value| {
        let mut it = subscription("sub_1", status);
        it.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        it
    };
    let item = |end: u64| json!({"data": [{"current_period_end": end}]});
    let cancelled = json!({"cancel_at_period_end": true});
    let pro = |renews, period_ends_at| Standing {
        plan: Plan::Pro,
        renews,
        period_ends_at,
    };
    for (subscriptions, expected) in [
        (vec![made("active", json!({}))], pro(true, Some(PERIOD_END))),
        (
            vec![made("trialing", json!({}))],
            pro(true, Some(PERIOD_END)),
        ),
        (
            vec![made("active", cancelled.clone())],
            pro(false, Some(PERIOD_END)),
        ),
        // What the portal writes in the flexible billing mode.
        (
            vec![made(
                "active",
                json!({"cancel_at": PERIOD_END, "cancel_at_period_end": false}),
            )],
            pro(false, Some(PERIOD_END)),
        ),
        (
            vec![made("active", json!({"cancel_at": PERIOD_END - 9}))],
            pro(false, Some(PERIOD_END - 9)),
        ),
        (
            vec![made("active", json!({"cancel_at": PERIOD_END + 9}))],
            pro(true, Some(PERIOD_END)),
        ),
        (vec![made("past_due", json!({}))], pro(true, None)),
        (
            vec![made("active", json!({"items": {"data": []}}))],
            pro(true, None),
        ),
        (
            vec![made("active", json!({"items": null, "cancel_at": 9}))],
            pro(false, Some(9)),
        ),
        (
            vec![made(
                "active",
                json!({"items": {"data": [{"current_period_end": 9}, {"current_period_end": 7}]}}),
            )],
            pro(true, Some(7)),
        ),
        (
            vec![
                made("canceled", json!({"cancel_at": 9})),
                made("unpaid", json!({})),
            ],
            Standing::FREE,
        ),
        (
            vec![
                made("active", cancelled),
                made("active", json!({"items": item(9)})),
                made("canceled", json!({})),
            ],
            pro(true, Some(9)),
        ),
        (vec![], Standing::FREE),
    ] {
        for list in [
            subscriptions.clone(),
            subscriptions.into_iter().rev().collect(),
        ] {
            let (standing, _) = with_stripe([page(&list, false)], async |stripe| {
                stripe.standing_of(&customer()).await
            });
            assert_eq!(standing, Ok(expected), "{list:?}");
        }
    }
}

#[test]
fn all_pages_are_read() {
    let ended = |id: &str| subscription(id, "canceled");
    let pages = [
        page(&[ended("sub_3"), ended("sub_2")], true),
        page(&[subscription("sub_1", "active")], false),
    ];
    let (result, requests) = plan(pages);
    assert_eq!(result, Ok(Plan::Pro));
    assert_eq!(requests.len(), 2);
    assert!(
        requests[1].url.ends_with("&starting_after=sub_2"),
        "{}",
        requests[1].url
    );
    // A response that always claims another page is not followed for ever, and the user keeps the plan.
    let (result, requests) = plan(std::iter::repeat_n(page(&[ended("sub_1")], true), 100));
    assert_eq!(
        (result, requests.len()),
        (Err(StripeError::InvalidAnswer), 5)
    );
    let (result, _) = plan(std::iter::repeat_n(
        page(&[subscription("sub_1", "active")], true),
        100,
    ));
    assert_eq!(result, Ok(Plan::Pro));
}

#[test]
fn missing_customer_is_free() {
    let (result, _) = plan([refusal(400, "resource_missing", "customer")]);
    assert_eq!(result, Ok(Plan::Free));
    let (result, _) = plan([refusal(404, "resource_missing", "starting_after")]);
    assert!(result.is_err());
}

#[test]
fn invalid_response_changes_no_plan() {
    for body in [
        json!({}),
        json!([]),
        json!(null),
        json!({"data": [], "object": "list"}),
        json!({"data": [{}], "has_more": false}),
        json!({"data": [{"id": "sub_1", "customer": "cus_1"}], "has_more": false}),
        json!({"data": [{"id": "../x", "customer": "cus_1", "status": "canceled"}], "has_more": false}),
        json!({"data": {}, "has_more": false}),
        json!({"data": [], "has_more": "no"}),
    ] {
        let (result, _) = plan([FakeAnswer::json(200, &body)]);
        assert_eq!(result, Err(StripeError::InvalidAnswer), "{body}");
    }
    for (status, text) in [
        (200, "<h1>OK</h1>"),
        (200, ""),
        (204, ""),
        (302, ""),
        (200, "{\"data\":["),
    ] {
        let (result, _) = plan([FakeAnswer::text(status, "text/html", text)]);
        assert_eq!(result, Err(StripeError::InvalidAnswer), "{status} {text}");
    }
}

#[test]
fn truncated_refusal_is_unavailable_except_for_401() {
    let cut = |status| {
        let chunks = vec![Ok("{\"error\":".into()), Err(HttpError::TooLarge)];
        FakeAnswer::Response(status, http::HeaderMap::new(), chunks)
    };
    let (result, _) = plan([cut(http::StatusCode::NOT_FOUND)]);
    assert_eq!(result, Err(StripeError::Unavailable(HttpError::TooLarge)));
    let (result, _) = plan([cut(http::StatusCode::UNAUTHORIZED)]);
    assert_eq!(result, Err(StripeError::InvalidCredentials));
}

#[test]
fn retries_only_transient_errors() {
    let rate_limited = |seconds: &str| {
        FakeAnswer::json(429, &json!({"error": {}})).with_header(header::RETRY_AFTER, seconds)
    };
    for (failure, attempts) in [
        (FakeAnswer::Error(HttpError::Network), 4),
        (FakeAnswer::text(500, "text/html", "<h1>"), 4),
        (FakeAnswer::text(503, "text/plain", ""), 4),
        (rate_limited("1"), 4),
        (
            FakeAnswer::json(429, &json!({"error": {"code": "lock_timeout"}})),
            4,
        ),
        (rate_limited("60"), 1),
        (FakeAnswer::Error(HttpError::Timeout), 1),
        (FakeAnswer::Error(HttpError::TooLarge), 1),
        (
            FakeAnswer::json(
                401,
                &json!({"error": {"message": "Invalid API Key provided: sk_test_x"}}),
            ),
            1,
        ),
        (FakeAnswer::json(403, &json!({"error": {}})), 1),
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
        FakeHttp::responding(|_| FakeAnswer::text(500, "text/plain", "")),
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
        (StripeError::InvalidAnswer, Code::StripeUnavailable),
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
    let created = FakeAnswer::json(200, &json!({"id": "cus_9", "object": "customer"}));
    let create = |answers: Vec<FakeAnswer>| {
        with_stripe(answers, async |stripe| {
            stripe.create_customer(USER, None).await
        })
    };
    let first = format!("customer-{USER}");
    // Without a response the customer may exist; the same key returns it.
    let (result, requests) = create(vec![FakeAnswer::Error(HttpError::Network), created.clone()]);
    assert_eq!(result.unwrap().as_str(), "cus_9");
    assert_eq!(keys(&requests), [&first, &first]);
    // Another request uses the key.
    let busy = refusal(409, "idempotency_key_in_use", "");
    let (_, requests) = create(vec![busy.clone(), busy, created.clone()]);
    assert_eq!(keys(&requests), [&first, &first, &first]);
    // Stripe would repeat this failure for a day.
    let (_, requests) = create(vec![FakeAnswer::text(500, "text/plain", ""), created]);
    assert_eq!(
        keys(&requests),
        [&first, &format!("{first}-{}", NOW_MS / 60_000)]
    );
    assert_eq!(requests[0].body, format!("metadata%5Buser_id%5D={USER}"));
}

#[test]
fn replacement_customer_uses_another_key() {
    let answer = || FakeAnswer::json(200, &json!({"id": "cus_9"}));
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
        plan([FakeAnswer::text(200, "application/json", body)]).0,
        Ok(Plan::Pro)
    );
    let missing = r#"{"error":{"code":"resource_missing","param":"customer","message":"\ud83e"}}"#;
    assert_eq!(
        plan([FakeAnswer::text(404, "application/json", missing)]).0,
        Ok(Plan::Free)
    );
}

#[test]
fn subscription_paused_by_voiding_invoices_is_free() {
    for (pause, expected) in [
        (json!(null), Plan::Pro),
        (json!({"behavior": "void", "resumes_at": null}), Plan::Free),
        (
            json!({"behavior": "void", "resumes_at": 1_790_000_600}),
            Plan::Free,
        ),
        (json!({"behavior": "keep_as_draft"}), Plan::Pro),
        (json!({"behavior": "mark_uncollectible"}), Plan::Pro),
        (json!({"behavior": "invented"}), Plan::Pro),
    ] {
        for status in ["active", "trialing", "past_due"] {
            let mut paused = subscription("sub_1", status);
            paused["pause_collection"] = pause.clone();
            assert_eq!(
                plan([page(&[paused], false)]).0,
                Ok(expected),
                "{status} {pause}"
            );
        }
    }
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
        let error = plan([FakeAnswer::json(400, &body)]).0.unwrap_err();
        assert_eq!(
            error == StripeError::CurrencyConflict,
            is_conflict,
            "{message}"
        );
    }
}
