use std::cell::RefCell;
use std::rc::Rc;

use futures_util::FutureExt;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use shared::fakes::{FakeClock, FakeHttp, FakeResponse, fake_context};
use shared::runtime::http_client::{HttpError, OutboundRequest};

use super::*;

const NOW: u64 = 1_790_000_000;
const SECRET: &str = "whsec_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const USER: &str = "00000000-0000-0000-0000-000000000007";

fn env(name: &str) -> Option<String> {
    let value = match name {
        "STRIPE_WEBHOOK_SECRETS" => SECRET,
        "STRIPE_SECRET_KEY" => "sk_test_x",
        "STRIPE_API_BASE_URL" => "https://stripe.example",
        "SUPABASE_URL" => "https://db.example",
        "SUPABASE_PUBLISHABLE_KEY" => "sb_publishable_x",
        "SUPABASE_SECRET_KEY" => "sb_secret_x",
        _ => return None,
    };
    Some(value.to_owned())
}

/// Returns the response of a database and a Stripe that succeed, except for paths whose last segment is in `instead`.
fn answer(request: &OutboundRequest, instead: &[(&str, FakeResponse)]) -> FakeResponse {
    let path = request.url.split('?').next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    if let Some((_, answer)) = instead.iter().find(|(of, _)| *of == name) {
        return answer.clone();
    }
    let session = |id: &str, status: &str| json!({"id": id, "status": status, "expires_at": 2});
    match name {
        "billing_profile" => FakeResponse::json(
            200,
            &json!({"user_id": USER, "plan": "free", "plan_renews": false, "plan_period_ends_at": null,
                "stripe_customer_id": "cus_1", "plan_synced_at": null}),
        ),
        "set_billing_plan" => {
            FakeResponse::json(200, &json!({"outcome": "written", "profile": null}))
        }
        "subscriptions" => {
            let data = json!([{"id": "sub_1", "customer": "cus_1", "status": "active"}]);
            FakeResponse::json(200, &json!({"data": data, "has_more": false}))
        }
        "sessions" => FakeResponse::json(
            200,
            &json!({"data": [session("cs_2", "open"), session("cs_1", "complete")]}),
        ),
        "expire" => FakeResponse::json(200, &session("cs_2", "expired")),
        "in_1" => FakeResponse::json(
            200,
            &json!({"id": "in_1", "object": "invoice", "customer": "cus_1"}),
        ),
        other => panic!("{other}"),
    }
}

fn event(kind: &str) -> Value {
    let object = json!({"object": "subscription", "id": "sub_1", "customer": "cus_1"});
    json!({"id": "evt_1", "object": "event", "type": kind, "livemode": false, "data": {"object": object}})
}

fn signature_of(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{NOW}.").as_bytes());
    mac.update(body);
    let hex: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("t={NOW},v1={hex}")
}

/// Delivers an event; returns the outcome or the error, and the last segments of the requested paths.
fn deliver_with(
    path: &str,
    signature: Option<String>,
    body: &str,
    instead: &[(&'static str, FakeResponse)],
) -> (Result<Value, Error>, Vec<String>) {
    let instead = instead.to_vec();
    let http = FakeHttp::responding(move |request| answer(request, &instead));
    let mut request = Request::post(format!("https://x{path}"));
    if let Some(signature) = signature {
        request = request.header("stripe-signature", signature);
    }
    let context = fake_context(
        &http,
        &FakeClock::hurrying(NOW * 1000),
        Config::from_env(env).unwrap(),
    )
    .0;
    let result = handle(request.body(Bytes::from(body.to_owned())).unwrap(), context)
        .now_or_never()
        .unwrap();
    let outcome = result.map(|response| match response.into_body() {
        Body::Full(bytes) => serde_json::from_slice::<Value>(&bytes).unwrap()["outcome"].clone(),
        Body::Stream(_) => panic!("a stream"),
    });
    let name = |request: &OutboundRequest| {
        request
            .url
            .split('?')
            .next()
            .unwrap_or_default()
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    (outcome, http.requests().iter().map(name).collect())
}

fn deliver(
    event: &Value,
    instead: &[(&'static str, FakeResponse)],
) -> (Result<Value, Error>, Vec<String>) {
    let body = event.to_string();
    deliver_with(
        "/functions/v1/stripe-webhook",
        Some(signature_of(body.as_bytes())),
        &body,
        instead,
    )
}

#[test]
fn next_event_of_a_customer_starts_from_the_last_write() {
    let profile = json!({"user_id": USER, "plan": "pro", "plan_renews": true, "plan_period_ends_at": null,
        "stripe_customer_id": "cus_1", "plan_synced_at": "2026-11-26T12:00:00Z"});
    let written = FakeResponse::json(200, &json!({"outcome": "written", "profile": profile}));
    let http = FakeHttp::responding(move |request| {
        answer(request, &[("set_billing_plan", written.clone())])
    });
    let clock = FakeClock::hurrying(NOW * 1000);
    let context = fake_context(&http, &clock, Config::from_env(env).unwrap()).0;
    let body = event("customer.subscription.updated").to_string();
    for requests in [3, 5] {
        let request = Request::post("https://x/functions/v1/stripe-webhook")
            .header("stripe-signature", signature_of(body.as_bytes()))
            .body(Bytes::from(body.clone()))
            .unwrap();
        let result = handle(request, context.clone()).now_or_never().unwrap();
        assert_eq!(result.unwrap().status(), StatusCode::OK);
        assert_eq!(http.requests().len(), requests);
    }
}

#[test]
fn event_triggers_a_read_from_stripe_and_a_write_to_the_profile() {
    let (outcome, asked) = deliver(&event("customer.subscription.updated"), &[]);
    assert_eq!(outcome.unwrap(), "written");
    assert_eq!(
        asked,
        ["billing_profile", "subscriptions", "set_billing_plan"]
    );
}

#[test]
fn fetches_the_object_of_a_thin_event() {
    let thin = json!({"object": "v2.core.event", "type": "v1.invoice.paid", "livemode": false,
        "related_object": {"id": "in_1", "type": "invoice", "url": "/v1/invoices/in_1"}});
    let (outcome, asked) = deliver(&thin, &[]);
    assert_eq!(outcome.unwrap(), "written");
    assert_eq!(
        asked,
        [
            "in_1",
            "billing_profile",
            "subscriptions",
            "set_billing_plan"
        ]
    );
    let missing = json!({"error": {"code": "resource_missing", "param": "id"}});
    let (outcome, asked) = deliver(&thin, &[("in_1", FakeResponse::json(404, &missing))]);
    assert_eq!((outcome.unwrap(), asked.len()), (json!("foreign"), 1));
    // A response that is not the invoice does not mean that the event has no customer.
    for lie in [
        json!({}),
        json!({"id": "in_2", "customer": "cus_1"}),
        json!([]),
    ] {
        let (outcome, asked) = deliver(&thin, &[("in_1", FakeResponse::json(200, &lie))]);
        assert_eq!(
            (outcome.unwrap_err().code(), asked.len()),
            (Code::StripeUnavailable, 1),
            "{lie}"
        );
    }
}

#[test]
fn payment_closes_checkouts_in_other_tabs() {
    let (outcome, asked) = deliver(&event("checkout.session.completed"), &[]);
    assert_eq!(outcome.unwrap(), "written");
    assert_eq!(
        asked,
        [
            "billing_profile",
            "subscriptions",
            "set_billing_plan",
            "sessions",
            "expire"
        ]
    );
    // The other session has been paid or has expired, so there is nothing to close.
    let late = json!({"error": {"message": "Only Checkout Sessions with a status in [\"open\"] can be expired."}});
    let (outcome, _) = deliver(
        &event("checkout.session.completed"),
        &[("expire", FakeResponse::json(400, &late))],
    );
    assert_eq!(outcome.unwrap(), "written");
    let (outcome, _) = deliver(
        &event("checkout.session.completed"),
        &[("expire", FakeResponse::text(500, "text/plain", ""))],
    );
    assert_eq!(outcome.unwrap_err().code(), Code::StripeUnavailable);
}

#[test]
fn accepts_and_ignores_foreign_events() {
    let (outcome, asked) = deliver(&event("charge.refunded"), &[]);
    assert_eq!((outcome.unwrap(), asked.len()), (json!("ignored"), 0));
    let unknown = [
        ("billing_profile", FakeResponse::json(200, &Value::Null)),
        (
            "cus_1",
            FakeResponse::json(200, &json!({"id": "cus_1", "metadata": {}})),
        ),
    ];
    let (outcome, asked) = deliver(&event("invoice.paid"), &unknown);
    assert_eq!(
        (outcome.unwrap(), asked),
        (
            json!("foreign"),
            vec!["billing_profile".to_owned(), "cus_1".to_owned()]
        )
    );
}

#[test]
fn event_not_from_stripe_is_refused_before_any_request() {
    let good = event("invoice.paid").to_string();
    let live = good.replace("\"livemode\":false", "\"livemode\":true");
    let signed = |body: &str| Some(signature_of(body.as_bytes()));
    let here = "/functions/v1/stripe-webhook";
    for (path, signature, body, code) in [
        (here, None, good.as_str(), Code::InvalidSignature),
        (here, Some("t=1".to_owned()), &good, Code::InvalidSignature),
        (here, signed("{}"), &good, Code::InvalidSignature),
        (here, signed("{"), "{", Code::InvalidJson),
        (here, signed(""), "", Code::InvalidJson),
        (here, signed("{}"), "{}", Code::InvalidEvent),
        (here, signed(&live), &live, Code::LivemodeMismatch),
    ] {
        let (outcome, asked) = deliver_with(path, signature, body, &[]);
        assert_eq!(outcome.unwrap_err().code(), code, "{body}");
        assert_eq!(asked.len(), 0, "{body}");
    }
}

#[test]
fn every_failure_is_a_5xx() {
    for (of, failure, status) in [
        (
            "billing_profile",
            FakeResponse::Error(HttpError::Timeout),
            503,
        ),
        (
            "billing_profile",
            FakeResponse::json(401, &json!({"code": "PGRST301"})),
            503,
        ),
        (
            "billing_profile",
            FakeResponse::json(200, &json!({"user_id": 7})),
            503,
        ),
        (
            "subscriptions",
            FakeResponse::text(500, "text/plain", ""),
            502,
        ),
        (
            "subscriptions",
            FakeResponse::Error(HttpError::Timeout),
            504,
        ),
        ("subscriptions", FakeResponse::json(401, &json!({})), 503),
        (
            "subscriptions",
            FakeResponse::json(200, &json!({"data": [{}]})),
            502,
        ),
        (
            "set_billing_plan",
            FakeResponse::text(502, "text/html", "<h1>"),
            503,
        ),
        (
            "set_billing_plan",
            FakeResponse::json(200, &json!({"outcome": "conflict", "profile": null})),
            503,
        ),
    ] {
        let (outcome, _) = deliver(&event("invoice.paid"), &[(of, failure)]);
        assert_eq!(outcome.unwrap_err().status().as_u16(), status, "{of}");
    }
}

#[test]
fn logs_only_the_events_type() {
    let seen: Rc<RefCell<Vec<OutboundRequest>>> = Rc::default();
    let kept = seen.clone();
    let http = FakeHttp::responding(move |request| {
        kept.borrow_mut().push(request.clone());
        answer(request, &[])
    });
    let mut event = event("invoice.paid");
    event["data"]["object"]["customer_email"] = json!("ann@example.com");
    let body = event.to_string();
    let request = Request::post("https://x/stripe-webhook")
        .header("stripe-signature", signature_of(body.as_bytes()));
    let (context, log) = fake_context(
        &http,
        &FakeClock::hurrying(NOW * 1000),
        Config::from_env(env).unwrap(),
    );
    let call = context.request.clone();
    handle(request.body(Bytes::from(body)).unwrap(), context)
        .now_or_never()
        .unwrap()
        .unwrap();
    for request in seen
        .borrow()
        .iter()
        .filter(|request| request.url.starts_with("https://db.example"))
    {
        let body = String::from_utf8_lossy(&request.body);
        assert!(
            !body.contains("ann@") && !body.contains("evt_1") && !body.contains("sub_1"),
            "{body}"
        );
    }
    call.log_end(0, StatusCode::OK, None);
    let line: Value = serde_json::from_str(&log.lines()[0]).unwrap();
    assert_eq!(
        (&line["event"], &line["outcome"]),
        (&json!("invoice.paid"), &json!("written"))
    );
    let line = line.to_string();
    assert!(
        !["ann@", "evt_1", "sub_1", "cus_", USER]
            .iter()
            .any(|told| line.contains(told)),
        "{line}"
    );
}
