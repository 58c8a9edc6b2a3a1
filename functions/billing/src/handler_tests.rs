use std::cell::Cell;

use futures_util::FutureExt;
use http::Method;
use serde_json::{Value, json};
use shared::auth::FakeIssuer;
use shared::fakes::{FakeClock, FakeHttp, FakeResponse, fake_context};
use shared::runtime::http_client::{HttpError, OutboundRequest};
use uuid::Uuid;

use super::*;

#[path = "checkout_tests.rs"]
mod checkout;

const NOW: u64 = 1_790_000_000;
const USER: Uuid = Uuid::from_u128(7);
const PORTAL: &str = "https://portal.example/";

fn env(name: &str) -> Option<String> {
    let value = match name {
        "SUPABASE_URL" => FakeIssuer::URL,
        "SUPABASE_PUBLISHABLE_KEY" => "sb_publishable_x",
        "SUPABASE_SECRET_KEY" => "sb_secret_x",
        "STRIPE_SECRET_KEY" => "sk_test_x",
        "STRIPE_PRICE_ID" => "price_1",
        "STRIPE_API_BASE_URL" => "https://stripe.example",
        "APP_ORIGINS" => "https://app.example",
        _ => return None,
    };
    Some(value.to_owned())
}

/// The caller's state in the database and at Stripe.
struct World {
    customer: Option<&'static str>,
    /// The customers that Stripe has deleted.
    gone: &'static [&'static str],
    status: Option<&'static str>,
    /// The newest first, as Stripe lists them.
    sessions: Vec<Value>,
    /// The number of sessions that other requests created after ours, before we list them again.
    newer: usize,
    has_created: Cell<bool>,
    /// The number of times that Stripe still refuses to mix currencies.
    conflicts: Cell<usize>,
    instead: Vec<(&'static str, FakeResponse)>,
}

fn world() -> World {
    World {
        customer: Some("cus_1"),
        gone: &[],
        status: None,
        sessions: Vec::new(),
        newer: 0,
        has_created: Cell::default(),
        conflicts: Cell::default(),
        instead: Vec::new(),
    }
}

fn session(id: &str, success_url: &str) -> Value {
    json!({"id": id, "status": "open", "url": format!("https://checkout.example/{id}"),
        "expires_at": NOW + 86_400, "success_url": success_url, "cancel_url": "https://app.example/plan",
        "metadata": {"price_id": "price_1"}})
}

fn body_of(request: &OutboundRequest) -> String {
    String::from_utf8(request.body.to_vec()).unwrap()
}

fn answer(world: &World, request: &OutboundRequest) -> FakeResponse {
    let (path, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
    let name = path.rsplit('/').next().unwrap_or_default();
    if let Some((_, answer)) = world.instead.iter().find(|(of, _)| *of == name) {
        return answer.clone();
    }
    let sent = format!("{query}&{}", body_of(request));
    if world
        .gone
        .iter()
        .any(|gone| sent.contains(&format!("customer={gone}")))
    {
        let error = json!({"code": "resource_missing", "param": "customer"});
        return FakeResponse::json(400, &json!({ "error": error }));
    }
    match (name, request.method.as_str()) {
        ("jwks.json", _) => FakeResponse::json(200, &FakeIssuer::with_kid("k").jwks()),
        ("take_request", _) => FakeResponse::json(200, &json!({"outcome": "taken"})),
        ("billing_profile", _) => FakeResponse::json(
            200,
            &json!({"user_id": USER, "plan": "free", "plan_renews": false, "plan_period_ends_at": null,
                "stripe_customer_id": world.customer, "plan_synced_at": null}),
        ),
        ("set_stripe_customer", _) => {
            let args: Value = serde_json::from_slice(&request.body).unwrap();
            FakeResponse::json(200, &args["p_stripe_customer_id"])
        }
        ("customers", "POST") => FakeResponse::json(200, &json!({"id": "cus_new"})),
        ("subscriptions", _) => {
            let data: Vec<_> = world
                .status
                .iter()
                .map(|status| json!({"id": "sub_1", "customer": "cus_1", "status": status, "latest_invoice": "in_1"}))
                .collect();
            FakeResponse::json(200, &json!({"data": data, "has_more": false}))
        }
        ("sessions", "GET") => {
            let mut sessions = world.sessions.clone();
            if world.has_created.get() {
                sessions.insert(world.newer, session("cs_new", "https://app.example/paid"));
            }
            FakeResponse::json(200, &json!({ "data": sessions }))
        }
        ("sessions", _) if path.ends_with("billing_portal/sessions") => {
            FakeResponse::json(200, &json!({"url": "https://portal.example/"}))
        }
        ("sessions", _) if world.conflicts.get() > 0 => {
            world.conflicts.set(world.conflicts.get() - 1);
            mixed_currencies()
        }
        ("sessions", _) => {
            world.has_created.set(true);
            FakeResponse::json(200, &session("cs_new", "https://app.example/paid"))
        }
        ("expire", _) => FakeResponse::json(200, &json!({"id": path.rsplit('/').nth(1)})),
        other => panic!("{other:?}"),
    }
}

fn call(world: World, path: &str, body: &Value) -> (Result<Value, Error>, Vec<OutboundRequest>) {
    let http = FakeHttp::responding(move |request| answer(&world, request));
    let token = FakeIssuer::with_kid("k").token(USER, NOW);
    let request = Request::post(format!("https://x/functions/v1/billing{path}"))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(Bytes::from(body.to_string()))
        .unwrap();
    let context = fake_context(
        &http,
        &FakeClock::hurrying(NOW * 1000),
        Config::from_env(env).unwrap(),
    )
    .0;
    let result = handle(request, context).now_or_never().unwrap();
    let url = result.map(|response| match response.into_body() {
        Body::Full(bytes) => serde_json::from_slice::<Value>(&bytes).unwrap()["url"].clone(),
        Body::Stream(_) => panic!("a stream"),
    });
    (url, http.requests())
}

fn checkout(world: World) -> (Result<Value, Error>, Vec<OutboundRequest>) {
    let urls = json!({"success_url": "https://app.example/paid", "cancel_url": "https://app.example/plan"});
    call(world, "/checkout", &urls)
}

fn portal(world: World) -> (Result<Value, Error>, Vec<OutboundRequest>) {
    call(
        world,
        "/portal",
        &json!({"return_url": "https://app.example/plan"}),
    )
}

fn mixed_currencies() -> FakeResponse {
    let message = "You cannot combine currencies on a single customer. This customer has an active subscription mode \
                   checkout session with currency gbp.";
    FakeResponse::json(
        400,
        &json!({"error": {"type": "invalid_request_error", "message": message}}),
    )
}

/// Returns the paths of the POST requests to Stripe.
fn posts(requests: &[OutboundRequest]) -> Vec<&str> {
    let posted = requests
        .iter()
        .filter(|request| request.method == Method::POST);
    posted
        .filter_map(|request| request.url.strip_prefix("https://stripe.example/v1/"))
        .collect()
}

#[test]
fn price_is_kept_for_ten_minutes_and_a_failure_for_two_seconds() {
    let price = json!({"id": "price_1", "currency": "usd", "unit_amount": 499,
        "recurring": {"interval": "month", "interval_count": 1}});
    let failure = FakeResponse::json(
        404,
        &json!({"error": {"code": "resource_missing", "param": "price"}}),
    );
    for (answer, lasts_ms, expected) in [
        (FakeResponse::json(200, &price), 600_000, Ok(json!("4.99"))),
        (
            FakeResponse::json(200, &json!({"id": "price_2"})),
            2_000,
            Err(Code::StripeUnavailable),
        ),
        (
            FakeResponse::Error(HttpError::Timeout),
            2_000,
            Err(Code::StripeTimeout),
        ),
        (failure, 2_000, Err(Code::Misconfigured)),
    ] {
        let (http, clock) = (
            FakeHttp::responding(move |_| answer.clone()),
            FakeClock::hurrying(NOW * 1000),
        );
        let context = fake_context(&http, &clock, Config::from_env(env).unwrap()).0;
        let ask = || {
            let request = Request::get("https://x/functions/v1/billing/price")
                .body(Bytes::new())
                .unwrap();
            let result = handle(request, context.clone()).now_or_never().unwrap();
            result
                .map_err(|error| error.code())
                .map(|response| match response.into_body() {
                    Body::Full(bytes) => {
                        serde_json::from_slice::<Value>(&bytes).unwrap()["amount"].clone()
                    }
                    Body::Stream(_) => panic!("a stream"),
                })
        };
        assert_eq!((ask(), ask()), (expected.clone(), expected.clone()));
        assert_eq!(http.requests().len(), 1);
        assert_eq!(
            http.requests()[0].url,
            "https://stripe.example/v1/prices/price_1"
        );
        clock.advance_ms(lasts_ms - 1);
        assert_eq!((ask(), http.requests().len()), (expected.clone(), 1));
        clock.advance_ms(1);
        assert_eq!((ask(), http.requests().len()), (expected, 2));
    }
}

#[test]
fn portal_needs_a_customer() {
    assert_eq!(portal(world()).0.unwrap(), "https://portal.example/");
    for world in [
        World {
            customer: None,
            ..world()
        },
        World {
            gone: &["cus_1"],
            ..world()
        },
    ] {
        assert_eq!(portal(world).0.unwrap_err().code(), Code::NothingToManage);
    }
}

#[test]
fn reports_every_failure() {
    let fails = |of, answer| World {
        customer: None,
        instead: vec![(of, answer)],
        ..world()
    };
    for (world, code) in [
        (
            fails("billing_profile", FakeResponse::json(200, &Value::Null)),
            Code::ProfileNotFound,
        ),
        (
            fails("billing_profile", FakeResponse::Error(HttpError::Network)),
            Code::DatabaseUnavailable,
        ),
        (
            fails("customers", FakeResponse::json(401, &json!({}))),
            Code::Misconfigured,
        ),
        (
            fails("customers", FakeResponse::Error(HttpError::Timeout)),
            Code::StripeTimeout,
        ),
        (
            fails("customers", FakeResponse::json(200, &json!({"id": "../x"}))),
            Code::StripeUnavailable,
        ),
        (
            fails(
                "set_stripe_customer",
                FakeResponse::text(503, "text/plain", ""),
            ),
            Code::DatabaseUnavailable,
        ),
        (
            fails(
                "subscriptions",
                FakeResponse::text(500, "text/html", "<h1>"),
            ),
            Code::StripeUnavailable,
        ),
        (
            fails(
                "sessions",
                FakeResponse::json(
                    400,
                    &json!({"error": {"code": "resource_missing", "param": "line_items[0][price]"}}),
                ),
            ),
            Code::Misconfigured,
        ),
        (
            fails(
                "sessions",
                FakeResponse::json(429, &json!({})).with_header(http::header::RETRY_AFTER, "60"),
            ),
            Code::StripeRateLimited,
        ),
    ] {
        let (url, _) = checkout(world);
        assert_eq!(url.unwrap_err().code(), code);
    }
}

#[test]
fn refuses_other_paths_and_methods() {
    let ask = |method: Method, path: &str| {
        let http = FakeHttp::answering([]);
        let request = Request::builder()
            .method(method)
            .uri(format!("https://x/billing{path}"));
        let context = fake_context(
            &http,
            &FakeClock::at_ms(NOW * 1000),
            Config::from_env(env).unwrap(),
        )
        .0;
        let request = request.body(Bytes::new()).unwrap();
        let checked = ENDPOINT.check_route(&request);
        checked
            .and_then(|()| handle(request, context).now_or_never().unwrap())
            .map(drop)
            .unwrap_err()
            .code()
    };
    assert_eq!(ask(Method::GET, "/checkout"), Code::MethodNotAllowed);
    assert_eq!(ask(Method::DELETE, "/portal"), Code::MethodNotAllowed);
    assert_eq!(ask(Method::POST, ""), Code::NotFound);
    assert_eq!(ask(Method::POST, "/checkout/x"), Code::NotFound);
    assert_eq!(ask(Method::POST, "/checkout"), Code::MissingToken);
    assert_eq!(ask(Method::POST, "/portal"), Code::MissingToken);
}
