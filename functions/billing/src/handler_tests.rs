use std::cell::Cell;

use futures_util::FutureExt;
use http::Method;
use serde_json::{Value, json};
use shared::auth::FakeIssuer;
use shared::fakes::{FakeAnswer, FakeClock, FakeHttp, fake_context};
use shared::runtime::http_client::{HttpError, OutboundRequest};
use uuid::Uuid;

use super::*;

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
    instead: Vec<(&'static str, FakeAnswer)>,
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

fn answer(world: &World, request: &OutboundRequest) -> FakeAnswer {
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
        return FakeAnswer::json(400, &json!({ "error": error }));
    }
    match (name, request.method.as_str()) {
        ("jwks.json", _) => FakeAnswer::json(200, &FakeIssuer::with_kid("k").jwks()),
        ("take_request", _) => FakeAnswer::json(200, &json!({"outcome": "taken"})),
        ("billing_profile", _) => FakeAnswer::json(
            200,
            &json!({"user_id": USER, "plan": "free", "plan_renews": false, "plan_period_ends_at": null,
                "stripe_customer_id": world.customer, "plan_synced_at": null}),
        ),
        ("set_stripe_customer", _) => {
            let args: Value = serde_json::from_slice(&request.body).unwrap();
            FakeAnswer::json(200, &args["p_stripe_customer_id"])
        }
        ("customers", "POST") => FakeAnswer::json(200, &json!({"id": "cus_new"})),
        ("subscriptions", _) => {
            let data: Vec<_> = world
                .status
                .iter()
                .map(|status| json!({"id": "sub_1", "customer": "cus_1", "status": status, "latest_invoice": "in_1"}))
                .collect();
            FakeAnswer::json(200, &json!({"data": data, "has_more": false}))
        }
        ("sessions", "GET") => {
            let mut sessions = world.sessions.clone();
            if world.has_created.get() {
                sessions.insert(world.newer, session("cs_new", "https://app.example/paid"));
            }
            FakeAnswer::json(200, &json!({ "data": sessions }))
        }
        ("sessions", _) if path.ends_with("billing_portal/sessions") => {
            FakeAnswer::json(200, &json!({"url": "https://portal.example/"}))
        }
        ("sessions", _) if world.conflicts.get() > 0 => {
            world.conflicts.set(world.conflicts.get() - 1);
            mixed_currencies()
        }
        ("sessions", _) => {
            world.has_created.set(true);
            FakeAnswer::json(200, &session("cs_new", "https://app.example/paid"))
        }
        ("expire", _) => FakeAnswer::json(200, &json!({"id": path.rsplit('/').nth(1)})),
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
fn first_checkout_creates_a_customer() {
    let (url, requests) = checkout(World {
        customer: None,
        ..world()
    });
    assert_eq!(url.unwrap(), "https://checkout.example/cs_new");
    assert_eq!(posts(&requests), ["customers", "checkout/sessions"]);
    let form = body_of(
        requests
            .iter()
            .rfind(|request| request.url.ends_with("/checkout/sessions"))
            .unwrap(),
    );
    for part in [
        "mode=subscription",
        "customer=cus_new",
        &format!("client_reference_id={USER}"),
        &format!("subscription_data%5Bmetadata%5D%5Buser_id%5D={USER}"),
        "line_items%5B0%5D%5Bprice%5D=price_1",
        "success_url=https%3A%2F%2Fapp.example%2Fpaid",
    ] {
        assert!(form.contains(part), "{part} is not in {form}");
    }
}

#[test]
fn subscriber_is_sent_to_portal() {
    for status in [
        "active", "trialing", "past_due", "unpaid", "paused", "invented",
    ] {
        let (url, requests) = checkout(World {
            status: Some(status),
            ..world()
        });
        assert_eq!(url.unwrap(), "https://portal.example/", "{status}");
        assert_eq!(posts(&requests), ["billing_portal/sessions"], "{status}");
    }
    for status in ["canceled", "incomplete_expired"] {
        let (url, _) = checkout(World {
            status: Some(status),
            ..world()
        });
        assert_eq!(url.unwrap(), "https://checkout.example/cs_new", "{status}");
    }
}

#[test]
fn incomplete_subscription_is_sent_to_its_open_invoice() {
    let open =
        json!({"id": "in_1", "status": "open", "hosted_invoice_url": "https://invoice.example/"});
    for (invoice, expected) in [
        (FakeAnswer::json(200, &open), "https://invoice.example/"),
        (
            FakeAnswer::json(
                200,
                &json!({"id": "in_1", "status": "paid", "hosted_invoice_url": "x"}),
            ),
            PORTAL,
        ),
        (
            FakeAnswer::json(
                200,
                &json!({"id": "in_1", "status": "open", "hosted_invoice_url": null}),
            ),
            PORTAL,
        ),
        (
            FakeAnswer::json(
                404,
                &json!({"error": {"code": "resource_missing", "param": "id"}}),
            ),
            PORTAL,
        ),
    ] {
        let instead = vec![("in_1", invoice)];
        let (url, requests) = checkout(World {
            status: Some("incomplete"),
            instead,
            ..world()
        });
        assert_eq!(url.unwrap(), expected);
        assert!(!posts(&requests).contains(&"checkout/sessions"));
    }
    // A subscription that was paid before takes precedence: the portal has its invoice.
    let data = json!([
        {"id": "sub_2", "customer": "cus_1", "status": "incomplete", "latest_invoice": "in_1"},
        {"id": "sub_1", "customer": "cus_1", "status": "unpaid"},
    ]);
    let page = FakeAnswer::json(200, &json!({"data": data, "has_more": false}));
    let (url, _) = checkout(World {
        instead: vec![("subscriptions", page)],
        ..world()
    });
    assert_eq!(url.unwrap(), PORTAL);
}

fn mixed_currencies() -> FakeAnswer {
    let message = "You cannot combine currencies on a single customer. This customer has an active subscription mode \
                   checkout session with currency gbp.";
    FakeAnswer::json(
        400,
        &json!({"error": {"type": "invalid_request_error", "message": message}}),
    )
}

#[test]
fn currency_conflict_is_resolved_or_reported() {
    let sessions = vec![session("cs_1", "https://app.example/other")];
    let (url, requests) = checkout(World {
        sessions,
        conflicts: Cell::new(1),
        ..world()
    });
    assert_eq!(url.unwrap(), "https://checkout.example/cs_new");
    let created = [
        "checkout/sessions",
        "checkout/sessions/cs_1/expire",
        "checkout/sessions",
    ];
    assert_eq!(posts(&requests)[..3], created);
    let keys: Vec<bool> = requests
        .iter()
        .filter(|request| {
            request.method == Method::POST && request.url.ends_with("/checkout/sessions")
        })
        .map(|request| request.headers.contains_key("idempotency-key"))
        .collect();
    assert_eq!(
        keys,
        [true, false],
        "Stripe would repeat its refusal under the key"
    );

    let (url, requests) = checkout(World {
        conflicts: Cell::new(9),
        ..world()
    });
    assert_eq!(url.unwrap_err().code(), Code::CurrencyConflict);
    assert_eq!(posts(&requests), ["checkout/sessions"; 2]);
}

#[test]
fn one_checkout_is_open_at_a_time() {
    let same = session("cs_2", "https://app.example/paid");
    let other = session("cs_3", "https://app.example/other");
    let older = session("cs_1", "https://app.example/paid");
    let ends_soon = json!({"expires_at": NOW + 60});
    let merged = |mut session: Value, with: &Value| {
        session
            .as_object_mut()
            .unwrap()
            .extend(with.as_object().unwrap().clone());
        session
    };
    for (sessions, url, expected) in [
        (vec![same.clone()], "cs_2", vec![]),
        (
            vec![same.clone(), older.clone()],
            "cs_2",
            vec!["checkout/sessions/cs_1/expire"],
        ),
        (
            vec![other.clone()],
            "cs_new",
            vec!["checkout/sessions", "checkout/sessions/cs_3/expire"],
        ),
        (
            vec![other, older],
            "cs_new",
            vec![
                "checkout/sessions",
                "checkout/sessions/cs_3/expire",
                "checkout/sessions/cs_1/expire",
            ],
        ),
        (
            vec![merged(same.clone(), &ends_soon)],
            "cs_new",
            vec!["checkout/sessions", "checkout/sessions/cs_2/expire"],
        ),
        (
            vec![merged(same.clone(), &json!({"status": "complete"}))],
            "cs_new",
            vec!["checkout/sessions"],
        ),
        (
            vec![merged(same, &json!({"metadata": {"price_id": "price_0"}}))],
            "cs_new",
            vec!["checkout/sessions", "checkout/sessions/cs_2/expire"],
        ),
    ] {
        let (answer, requests) = checkout(World {
            sessions: sessions.clone(),
            ..world()
        });
        assert_eq!(
            answer.unwrap(),
            format!("https://checkout.example/{url}"),
            "{sessions:?}"
        );
        assert_eq!(posts(&requests), expected, "{sessions:?}");
    }
}

#[test]
fn concurrent_checkouts_both_keep_the_newest() {
    let other = || vec![session("cs_other", "https://app.example/other")];
    let (url, requests) = checkout(World {
        sessions: other(),
        newer: 1,
        ..world()
    });
    assert_eq!(url.unwrap(), "https://checkout.example/cs_other");
    assert_eq!(
        posts(&requests),
        ["checkout/sessions", "checkout/sessions/cs_new/expire"]
    );
    let (url, requests) = checkout(World {
        sessions: other(),
        newer: 0,
        ..world()
    });
    assert_eq!(url.unwrap(), "https://checkout.example/cs_new");
    assert_eq!(
        posts(&requests),
        ["checkout/sessions", "checkout/sessions/cs_other/expire"]
    );
}

#[test]
fn session_key_depends_on_the_previous_session() {
    let key = |sessions: Vec<Value>, cancel: &str| {
        let urls = json!({"success_url": "https://app.example/paid", "cancel_url": cancel});
        let (_, requests) = call(
            World {
                sessions,
                ..world()
            },
            "/checkout",
            &urls,
        );
        let create = requests.iter().find(|request| {
            request.method == Method::POST && request.url.ends_with("/checkout/sessions")
        });
        create.unwrap().headers["idempotency-key"]
            .to_str()
            .unwrap()
            .to_owned()
    };
    let done = |id: &str| json!({"id": id, "status": "complete", "expires_at": 2});
    let plan = "https://app.example/plan";
    assert_eq!(key(vec![], plan), key(vec![], plan));
    assert_eq!(key(vec![done("cs_1")], plan), key(vec![done("cs_1")], plan));
    assert_ne!(key(vec![], plan), key(vec![done("cs_1")], plan));
    assert_ne!(
        key(vec![done("cs_2"), done("cs_1")], plan),
        key(vec![done("cs_1")], plan)
    );
    assert_ne!(key(vec![], plan), key(vec![], "https://app.example/other"));
    assert!(key(vec![], plan).len() <= 255);
}

#[test]
fn replaces_a_missing_customer() {
    let (url, requests) = checkout(World {
        gone: &["cus_1"],
        ..world()
    });
    assert_eq!(url.unwrap(), "https://checkout.example/cs_new");
    let created = requests
        .iter()
        .find(|request| request.url.ends_with("/v1/customers"))
        .unwrap();
    assert_eq!(
        created.headers["idempotency-key"],
        format!("customer-{USER}-cus_1")
    );
    let set = requests
        .iter()
        .find(|request| request.url.ends_with("/set_stripe_customer"))
        .unwrap();
    let args: Value = serde_json::from_slice(&set.body).unwrap();
    assert_eq!(
        (&args["p_seen_customer_id"], &args["p_stripe_customer_id"]),
        (&json!("cus_1"), &json!("cus_new"))
    );
    // If each new customer is missing too, the request fails.
    let (url, requests) = checkout(World {
        gone: &["cus_1", "cus_new"],
        ..world()
    });
    assert_eq!(url.unwrap_err().code(), Code::StripeUnavailable);
    assert!(requests.len() < 30, "{}", requests.len());
}

#[test]
fn stored_customer_wins_over_a_new_one() {
    let instead = vec![(
        "set_stripe_customer",
        FakeAnswer::json(200, &json!("cus_first")),
    )];
    let (_, requests) = checkout(World {
        customer: None,
        instead,
        ..world()
    });
    let create = requests
        .iter()
        .rfind(|request| request.url.ends_with("/checkout/sessions"))
        .unwrap();
    assert!(body_of(create).contains("customer=cus_first"));
    let instead = vec![("set_stripe_customer", FakeAnswer::json(200, &Value::Null))];
    let (url, _) = checkout(World {
        customer: None,
        instead,
        ..world()
    });
    assert_eq!(url.unwrap_err().code(), Code::ProfileNotFound);
}

#[test]
fn price_is_kept_for_ten_minutes_and_a_failure_for_two_seconds() {
    let price = json!({"id": "price_1", "currency": "usd", "unit_amount": 499,
        "recurring": {"interval": "month", "interval_count": 1}});
    let failure = FakeAnswer::json(
        404,
        &json!({"error": {"code": "resource_missing", "param": "price"}}),
    );
    for (answer, lasts_ms, expected) in [
        (FakeAnswer::json(200, &price), 600_000, Ok(json!("4.99"))),
        (
            FakeAnswer::json(200, &json!({"id": "price_2"})),
            2_000,
            Err(Code::StripeUnavailable),
        ),
        (
            FakeAnswer::Error(HttpError::Timeout),
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
            fails("billing_profile", FakeAnswer::json(200, &Value::Null)),
            Code::ProfileNotFound,
        ),
        (
            fails("billing_profile", FakeAnswer::Error(HttpError::Network)),
            Code::DatabaseUnavailable,
        ),
        (
            fails("customers", FakeAnswer::json(401, &json!({}))),
            Code::Misconfigured,
        ),
        (
            fails("customers", FakeAnswer::Error(HttpError::Timeout)),
            Code::StripeTimeout,
        ),
        (
            fails("customers", FakeAnswer::json(200, &json!({"id": "../x"}))),
            Code::StripeUnavailable,
        ),
        (
            fails(
                "set_stripe_customer",
                FakeAnswer::text(503, "text/plain", ""),
            ),
            Code::DatabaseUnavailable,
        ),
        (
            fails("subscriptions", FakeAnswer::text(500, "text/html", "<h1>")),
            Code::StripeUnavailable,
        ),
        (
            fails(
                "sessions",
                FakeAnswer::json(
                    400,
                    &json!({"error": {"code": "resource_missing", "param": "line_items[0][price]"}}),
                ),
            ),
            Code::Misconfigured,
        ),
        (
            fails(
                "sessions",
                FakeAnswer::json(429, &json!({})).with_header(http::header::RETRY_AFTER, "60"),
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
