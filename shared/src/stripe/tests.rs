use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use futures_util::FutureExt;
use http::{HeaderName, StatusCode, header};
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::error::{Code, Error};
use crate::fakes::{FakeAnswer, FakeClock, FakeHttp, FakeRandom};
use crate::http_client::{HttpError, OutboundRequest};
use crate::supabase::{Supabase, SupabaseConfig};

const NOW_MS: u64 = 1_790_000_000_000;
const USER: Uuid = Uuid::from_u128(7);

fn lookup(name: &str) -> Option<String> {
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

fn customer() -> StripeId {
    StripeId::parse("cus_1").unwrap()
}

fn subscription(id: &str, status: &str) -> Value {
    json!({"id": id, "object": "subscription", "customer": "cus_1", "status": status, "metadata": {}})
}

fn page(subscriptions: &[Value], has_more: bool) -> FakeAnswer {
    FakeAnswer::json(200, &json!({"object": "list", "data": subscriptions, "has_more": has_more}))
}

fn refusal(status: u16, code: &str, param: &str) -> FakeAnswer {
    let error =
        json!({"type": "invalid_request_error", "code": code, "param": param, "message": "No such thing"});
    FakeAnswer::json(status, &json!({ "error": error }))
}

/// Stripe, which answers these one by one; and what it was asked.
fn with_stripe<T>(
    answers: impl IntoIterator<Item = FakeAnswer>,
    work: impl AsyncFnOnce(&Stripe<'_, FakeHttp, FakeClock>) -> T,
) -> (T, Vec<OutboundRequest>) {
    let (http, clock) = (FakeHttp::answering(answers), FakeClock::hurrying(NOW_MS));
    let config = StripeConfig::from_lookup(lookup).unwrap();
    let stripe = Stripe::new(&config, &http, &clock, NOW_MS + 15_000);
    let result = work(&stripe).now_or_never().unwrap();
    (result, http.requests())
}

fn plan(answers: impl IntoIterator<Item = FakeAnswer>) -> (Result<Plan, StripeError>, Vec<OutboundRequest>) {
    with_stripe(answers, async |stripe| stripe.plan_of(&customer()).await)
}

fn header_of<'a>(request: &'a OutboundRequest, name: &str) -> Option<&'a str> {
    request.headers.get(HeaderName::from_bytes(name.as_bytes()).unwrap())?.to_str().ok()
}

#[test]
fn every_status_makes_a_plan() {
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
        let list: Vec<_> = statuses.iter().map(|status| subscription("sub_1", status)).collect();
        let (result, requests) = plan([page(&list, false)]);
        assert_eq!(result, Ok(expected), "{statuses:?}");
        let query = "https://stripe.example/v1/subscriptions?status=all&limit=100&customer=cus_1";
        assert_eq!(requests[0].url, query);
    }
}

#[test]
fn all_pages_are_read_until_one_counts() {
    let ended = |id: &str| subscription(id, "canceled");
    let (result, requests) =
        plan([page(&[ended("sub_3"), ended("sub_2")], true), page(&[subscription("sub_1", "active")], true)]);
    assert_eq!(result, Ok(Plan::Pro));
    assert_eq!(requests.len(), 2);
    assert!(requests[1].url.ends_with("&starting_after=sub_2"), "{}", requests[1].url);
    // One who says for ever that there is more is not believed for ever, and nobody loses a plan to it.
    let (result, requests) = plan(std::iter::repeat_n(page(&[ended("sub_1")], true), 100));
    assert_eq!((result, requests.len()), (Err(StripeError::InvalidAnswer), 5));
}

#[test]
fn a_customer_that_is_gone_pays_for_nothing() {
    let (result, _) = plan([refusal(400, "resource_missing", "customer")]);
    assert_eq!(result, Ok(Plan::Free));
    let (result, _) = plan([refusal(404, "resource_missing", "starting_after")]);
    assert!(result.is_err());
}

#[test]
fn nobody_loses_a_plan_to_an_answer_that_is_not_understood() {
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
    for (status, text) in [(200, "<h1>OK</h1>"), (200, ""), (204, ""), (302, ""), (200, "{\"data\":[")] {
        let (result, _) = plan([FakeAnswer::text(status, "text/html", text)]);
        assert_eq!(result, Err(StripeError::InvalidAnswer), "{status} {text}");
    }
}

#[test]
fn what_may_pass_is_tried_again_and_what_will_not_is_not() {
    let rate_limited = |seconds: &str| {
        FakeAnswer::json(429, &json!({"error": {}})).with_header(header::RETRY_AFTER, seconds)
    };
    for (failure, attempts) in [
        (FakeAnswer::Error(HttpError::Network), 4),
        (FakeAnswer::text(500, "text/html", "<h1>"), 4),
        (FakeAnswer::text(503, "text/plain", ""), 4),
        (rate_limited("1"), 4),
        (FakeAnswer::json(429, &json!({"error": {"code": "lock_timeout"}})), 4),
        (rate_limited("60"), 1),
        (FakeAnswer::Error(HttpError::Timeout), 1),
        (FakeAnswer::Error(HttpError::TooLarge), 1),
        (FakeAnswer::json(401, &json!({"error": {"message": "Invalid API Key provided: sk_test_x"}})), 1),
        (FakeAnswer::json(403, &json!({"error": {}})), 1),
        (refusal(400, "parameter_invalid_empty", "customer"), 1),
    ] {
        let (result, requests) = plan(std::iter::repeat_n(failure.clone(), 9));
        let error = Error::from(result.unwrap_err());
        assert_eq!(requests.len(), attempts, "{error:?}");
        assert!(error.status().is_server_error() && !format!("{error:?}").contains("sk_test_x"), "{error:?}");
        if attempts > 1 {
            let (result, requests) = plan([failure, page(&[subscription("sub_1", "active")], false)]);
            assert_eq!((result, requests.len()), (Ok(Plan::Pro), 2));
        }
    }
}

#[test]
fn nothing_is_sent_behind_the_deadline() {
    let (http, clock) =
        (FakeHttp::responding(|_| FakeAnswer::text(500, "text/plain", "")), FakeClock::hurrying(NOW_MS));
    let config = StripeConfig::from_lookup(lookup).unwrap();
    let stripe = Stripe::new(&config, &http, &clock, NOW_MS + 300);
    assert!(stripe.plan_of(&customer()).now_or_never().unwrap().is_err());
    assert_eq!(http.requests().len(), 2);
    assert!(http.requests().iter().all(|request| request.limits.total_ms <= 300));
    let late = Stripe::new(&config, &http, &clock, NOW_MS);
    let error = late.plan_of(&customer()).now_or_never().unwrap().unwrap_err();
    assert_eq!((error, http.requests().len()), (StripeError::Unavailable(HttpError::Timeout), 2));
}

#[test]
fn requests_carry_key_and_version_and_errors_say_neither() {
    let (_, requests) = plan([page(&[], false)]);
    assert_eq!(header_of(&requests[0], "authorization"), Some("Bearer sk_test_x"));
    assert_eq!(header_of(&requests[0], "stripe-version"), Some("2026-10-28.endive"));
    assert!(requests[0].headers[header::AUTHORIZATION].is_sensitive());
    for (error, code) in [
        (StripeError::InvalidCredentials, Code::Misconfigured),
        (StripeError::RateLimited { retry_after_seconds: 9 }, Code::StripeRateLimited),
        (StripeError::Unavailable(HttpError::Timeout), Code::StripeTimeout),
        (StripeError::Unavailable(HttpError::Network), Code::StripeUnavailable),
        (StripeError::Failed { status: StatusCode::BAD_GATEWAY }, Code::StripeUnavailable),
        (StripeError::KeyInUse, Code::StripeUnavailable),
        (StripeError::InvalidAnswer, Code::StripeUnavailable),
    ] {
        assert_eq!(Error::from(error.clone()).code(), code, "{error:?}");
    }
}

#[test]
fn a_key_that_could_move_money_unseen_is_not_taken_for_another() {
    let mode = |key: &str| {
        let lookup = |name: &str| (name == "STRIPE_SECRET_KEY").then(|| key.to_owned());
        StripeConfig::from_lookup(lookup).map(|config| config.livemode)
    };
    for (key, livemode) in
        [("sk_live_x", true), ("rk_live_x", true), ("sk_test_x", false), ("rk_test_x", false)]
    {
        assert_eq!(mode(key).unwrap(), livemode, "{key}");
    }
    for key in ["", "pk_live_x", "sk_x", "live_x", "whsec_x", "sk_live", "sk_live_ x"] {
        assert!(mode(key).is_err(), "{key}");
    }
    let config =
        StripeConfig::from_lookup(|name| (name == "STRIPE_SECRET_KEY").then(|| "sk_live_x".to_owned()));
    assert!(!format!("{config:?}").contains("sk_live_x"));
}

fn keys(requests: &[OutboundRequest]) -> Vec<&str> {
    requests.iter().filter_map(|request| header_of(request, "idempotency-key")).collect()
}

#[test]
fn a_failure_that_stripe_remembers_is_not_asked_for_again() {
    let created = FakeAnswer::json(200, &json!({"id": "cus_9", "object": "customer"}));
    let create = |answers: Vec<FakeAnswer>| {
        with_stripe(answers, async |stripe| stripe.create_customer(USER, None).await)
    };
    let first = format!("customer-{USER}");
    // No answer: perhaps it was created, and the same key answers it.
    let (result, requests) = create(vec![FakeAnswer::Error(HttpError::Network), created.clone()]);
    assert_eq!(result.unwrap().as_str(), "cus_9");
    assert_eq!(keys(&requests), [&first, &first]);
    // Others are at it.
    let busy = refusal(409, "idempotency_key_in_use", "");
    let (_, requests) = create(vec![busy.clone(), busy, created.clone()]);
    assert_eq!(keys(&requests), [&first, &first, &first]);
    // A failure would be answered for a day.
    let (_, requests) = create(vec![FakeAnswer::text(500, "text/plain", ""), created]);
    assert_eq!(keys(&requests), [&first, &format!("{first}-{}", NOW_MS / 60_000)]);
    assert_eq!(requests[0].body, format!("metadata%5Buser_id%5D={USER}"));
}

#[test]
fn a_customer_in_place_of_another_is_another() {
    let answer = || FakeAnswer::json(200, &json!({"id": "cus_9"}));
    let (_, first) = with_stripe([answer()], async |stripe| stripe.create_customer(USER, None).await);
    let (_, second) =
        with_stripe([answer()], async |stripe| stripe.create_customer(USER, Some(&customer())).await);
    assert_ne!(keys(&first), keys(&second));
}

// -- Events.

fn event(kind: &str, object: Value) -> Value {
    json!({"id": "evt_1", "object": "event", "type": kind, "livemode": false, "data": {"object": object}})
}

fn thin(kind: &str, related: Value) -> Value {
    json!({"id": "evt_1", "object": "v2.core.event", "type": kind, "livemode": false, "context": null,
        "related_object": related})
}

fn parse(event: &Value) -> Result<Event, EventError> {
    Event::parse(event.to_string().as_bytes())
}

const ACTED_ON: [&str; 11] = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "invoice.paid",
    "invoice.payment_failed",
    "customer.deleted",
];

#[test]
fn only_what_may_change_a_plan_is_looked_at() {
    for kind in ACTED_ON {
        let parsed = parse(&event(kind, json!({"object": "subscription"}))).unwrap();
        assert!(matches!(parsed.source, Some(Source::Object(_))), "{kind}");
        assert_eq!(parsed.completes_checkout, kind == "checkout.session.completed");
        let related = json!({"id": "sub_1", "type": "subscription", "url": "https://evil.example/"});
        let parsed = parse(&thin(&format!("v1.{kind}"), related.clone())).unwrap();
        assert_eq!(parsed.source, Some(Source::Path("/v1/subscriptions/sub_1".into())), "{kind}");
        // The two spellings do not mix.
        assert_eq!(parse(&thin(kind, related)).unwrap().source, None, "{kind}");
        assert_eq!(parse(&event(&format!("v1.{kind}"), json!({}))).unwrap().source, None, "{kind}");
    }
    for kind in
        ["", "customer.created", "customer.updated", "invoice.created", "charge.dispute.created", "ping"]
    {
        let mut ignored = event(kind, json!({}));
        assert_eq!(parse(&ignored).unwrap().source, None, "{kind}");
        // Nor what it carries.
        ignored["data"] = json!(7);
        assert_eq!(parse(&ignored).unwrap().source, None, "{kind}");
    }
}

#[test]
fn what_happened_in_somebody_elses_account_is_none_of_our_business() {
    let mut connected = event("invoice.paid", json!({"object": "invoice", "customer": "cus_1"}));
    assert!(parse(&connected).unwrap().source.is_some());
    connected["account"] = json!("acct_1");
    assert_eq!(parse(&connected).unwrap().source, None);
    let mut connected = thin("v1.invoice.paid", json!({"id": "in_1", "type": "invoice"}));
    connected["context"] = json!("acct_1");
    assert_eq!(parse(&connected).unwrap().source, None);
}

#[test]
fn what_is_no_event_is_refused() {
    for body in ["", "{", "nul", "{\"object\":\"event\",}", "\u{feff}{}", "{} {}", "NaN"] {
        assert_eq!(Event::parse(body.as_bytes()).unwrap_err(), EventError::InvalidJson, "{body}");
    }
    assert_eq!(Event::parse(b"{\"object\":\"\xff\"}").unwrap_err(), EventError::InvalidJson);
    assert_eq!(Event::parse("[".repeat(100_000).as_bytes()).unwrap_err(), EventError::InvalidJson);
    let good = event("invoice.paid", json!({"object": "invoice"}));
    let without = |name: &str| {
        let mut event = good.clone();
        event.as_object_mut().unwrap().remove(name);
        event
    };
    let with = |name: &str, value: Value| {
        let mut event = good.clone();
        event[name] = value;
        event
    };
    for bad in [
        json!(null),
        json!([]),
        json!("event"),
        json!(7),
        json!({}),
        without("object"),
        without("type"),
        without("livemode"),
        without("data"),
        with("object", json!("customer")),
        with("object", json!(null)),
        with("type", json!(null)),
        with("type", json!(["invoice.paid"])),
        with("livemode", json!("false")),
        with("livemode", json!(null)),
        with("data", json!({})),
        with("data", json!({"object": "in_1"})),
        with("data", json!([])),
        thin("v1.invoice.paid", json!(null)),
        thin("v1.invoice.paid", json!({"id": "in_1"})),
        thin("v1.invoice.paid", json!({"type": "invoice"})),
        thin("v1.invoice.paid", json!({"id": "../customers", "type": "invoice"})),
        thin("v1.invoice.paid", json!({"id": "", "type": "invoice"})),
    ] {
        assert_eq!(parse(&bad), Err(EventError::NotAnEvent), "{bad}");
    }
}

#[test]
fn an_objects_customer_and_user_are_found_where_each_version_has_them() {
    let other = Uuid::from_u128(8);
    for (object, user_id) in [
        (json!({"object": "subscription", "customer": "cus_1", "metadata": {"user_id": USER}}), Some(USER)),
        (json!({"object": "subscription", "customer": {"id": "cus_1"}, "metadata": {}}), None),
        (json!({"object": "checkout.session", "customer": "cus_1", "client_reference_id": USER}), Some(USER)),
        (
            json!({"object": "checkout.session", "customer": "cus_1", "client_reference_id": other,
                "metadata": {"user_id": USER}}),
            Some(USER),
        ),
        (json!({"object": "checkout.session", "customer": "cus_1", "client_reference_id": "order 7"}), None),
        (
            json!({"object": "invoice", "customer": "cus_1",
                "parent": {"subscription_details": {"metadata": {"user_id": USER}}}}),
            Some(USER),
        ),
        (json!({"object": "invoice", "customer": "cus_1", "subscription": "sub_1", "parent": null}), None),
        (json!({"object": "customer", "id": "cus_1", "metadata": {"user_id": USER}}), Some(USER)),
        (json!({"object": "customer", "id": "cus_1", "deleted": true}), None),
    ] {
        assert_eq!(Subject::of(&object), Some(Subject { customer: customer(), user_id }), "{object}");
    }
    for nobody in [
        json!({"object": "checkout.session", "customer": null, "client_reference_id": USER}),
        json!({"object": "subscription"}),
        json!({"object": "subscription", "customer": "../v1"}),
        json!({"object": "subscription", "customer": 7}),
        json!({}),
    ] {
        assert_eq!(Subject::of(&nobody), None, "{nobody}");
    }
}

// -- Bringing a profile and Stripe together.

/// A database with one profile, and Stripe; what `during` does happens while Stripe is asked.
struct World {
    profile: RefCell<Value>,
    plan: RefCell<&'static str>,
    owner: Value,
    during: RefCell<Vec<fn(&World)>>,
}

fn world(customer: Value) -> Rc<World> {
    let profile =
        json!({"user_id": USER, "plan": "free", "stripe_customer_id": customer, "plan_synced_at": null});
    Rc::new(World {
        profile: RefCell::new(profile),
        plan: RefCell::new("active"),
        owner: json!({"id": "cus_1", "metadata": {"user_id": USER}}),
        during: RefCell::default(),
    })
}

impl World {
    fn write(&self, plan: &str, customer: &Value) {
        let mut profile = self.profile.borrow_mut();
        let writes = profile["plan_synced_at"].as_str().map_or(1, |it| it.parse::<u32>().unwrap() + 1);
        *profile = json!({"user_id": USER, "plan": plan, "stripe_customer_id": customer,
            "plan_synced_at": writes.to_string()});
    }

    fn answer(&self, request: &OutboundRequest) -> FakeAnswer {
        let path = request.url.split('?').next().unwrap().rsplit('/').next().unwrap();
        let args: HashMap<String, Value> = serde_json::from_slice(&request.body).unwrap_or_default();
        match path {
            "billing_profile" => {
                let profile = self.profile.borrow();
                let is = |arg: &str, field: &str| !args[arg].is_null() && args[arg] == profile[field];
                let found = is("p_stripe_customer_id", "stripe_customer_id") || is("p_user_id", "user_id");
                FakeAnswer::json(200, if found { &profile } else { &Value::Null })
            }
            "set_billing_plan" if self.profile.borrow()["plan_synced_at"] == args["p_seen_synced_at"] => {
                self.write(args["p_plan"].as_str().unwrap(), &args["p_stripe_customer_id"]);
                FakeAnswer::json(200, &json!("written"))
            }
            "set_billing_plan" => FakeAnswer::json(200, &json!("conflict")),
            "subscriptions" => {
                let answer = page(&[subscription("sub_1", *self.plan.borrow())], false);
                let next = self.during.borrow_mut().pop();
                next.into_iter().for_each(|during| during(self));
                answer
            }
            "cus_1" => FakeAnswer::json(200, &self.owner),
            other => panic!("{other}"),
        }
    }
}

fn sync(world: &Rc<World>, user_id: Option<Uuid>) -> (Result<Synced, SyncError>, usize) {
    let shared = world.clone();
    let (http, clock) =
        (FakeHttp::responding(move |request| shared.answer(request)), FakeClock::hurrying(NOW_MS));
    let config = StripeConfig::from_lookup(lookup).unwrap();
    let stripe = Stripe::new(&config, &http, &clock, NOW_MS + 15_000);
    let supabase = SupabaseConfig::from_lookup(lookup).unwrap();
    let service = Supabase::new(&supabase, &http).service();
    let subject = Subject { customer: customer(), user_id };
    let result =
        PlanSync::new(&stripe, &service, &FakeRandom::default()).sync(&subject).now_or_never().unwrap();
    let asked = http.requests().iter().filter(|request| request.url.contains("/v1/subscriptions")).count();
    (result, asked)
}

#[test]
fn a_profile_says_what_stripe_says() {
    for (status, plan) in [("active", "pro"), ("canceled", "free")] {
        let world = world(json!("cus_1"));
        *world.plan.borrow_mut() = status;
        let expected = if plan == "pro" { Plan::Pro } else { Plan::Free };
        assert_eq!(sync(&world, None), (Ok(Synced::Written(expected)), 1));
        assert_eq!(world.profile.borrow()["plan"], plan);
    }
}

#[test]
fn who_asked_too_early_asks_again() {
    let world = world(json!("cus_1"));
    world.during.borrow_mut().push(|world| {
        // It ends, and somebody else is told and faster; they even write what stands there already.
        *world.plan.borrow_mut() = "canceled";
        world.write("free", &json!("cus_1"));
    });
    assert_eq!(sync(&world, None), (Ok(Synced::Written(Plan::Free)), 2));
    assert_eq!(world.profile.borrow()["plan"], "free");
}

#[test]
fn who_is_always_too_late_says_so() {
    let world = world(json!("cus_1"));
    let again: fn(&World) = |world| world.write("free", &json!("cus_1"));
    world.during.borrow_mut().extend([again; 20]);
    assert_eq!(sync(&world, None), (Err(SyncError::Contended), 5));
    let error = Error::from(SyncError::Contended);
    assert_eq!((error.code(), error.status().as_u16()), (Code::PlanContended, 503));
}

#[test]
fn a_customer_that_nobody_has_yet_becomes_its_users() {
    for named in [None, Some(USER)] {
        let world = world(Value::Null);
        assert_eq!(sync(&world, named).0, Ok(Synced::Written(Plan::Pro)));
        assert_eq!(world.profile.borrow()["stripe_customer_id"], "cus_1");
    }
}

#[test]
fn a_customer_of_nobody_else_or_no_more_is_foreign() {
    let other = Uuid::from_u128(8);
    for (own, owner, named) in [
        (json!("cus_2"), json!({"id": "cus_1", "metadata": {"user_id": USER}}), Some(USER)),
        (Value::Null, json!({"id": "cus_1", "deleted": true}), Some(USER)),
        (Value::Null, json!({"id": "cus_1", "metadata": {"user_id": other}}), Some(USER)),
        (Value::Null, json!({"id": "cus_1", "metadata": {"user_id": "x"}}), Some(USER)),
        (Value::Null, json!({"id": "cus_1", "metadata": {}}), None),
        (Value::Null, json!({"id": "cus_1", "metadata": {}}), Some(other)),
    ] {
        let world =
            Rc::new(World { owner, profile: RefCell::new(world(own).profile.borrow().clone()), ..empty() });
        let before = world.profile.borrow().clone();
        assert_eq!(sync(&world, named).0, Ok(Synced::Foreign), "{before} {named:?}");
        assert_eq!(*world.profile.borrow(), before);
    }
}

#[test]
fn where_the_customer_does_not_say_whose_it_is_the_event_does() {
    let world = Rc::new(World {
        owner: json!({"id": "cus_1", "metadata": {}}),
        profile: RefCell::new(world(Value::Null).profile.borrow().clone()),
        ..empty()
    });
    assert_eq!(sync(&world, Some(USER)).0, Ok(Synced::Written(Plan::Pro)));
}

fn empty() -> World {
    World {
        profile: RefCell::default(),
        plan: RefCell::new("active"),
        owner: Value::Null,
        during: RefCell::default(),
    }
}
