use serde_json::{Value, json};
use uuid::Uuid;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::stripe::tests::{USER, customer};

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
fn acts_only_on_types_that_may_change_a_plan() {
    for kind in ACTED_ON {
        let parsed = parse(&event(kind, json!({"object": "subscription"}))).unwrap();
        assert!(matches!(parsed.source, Some(Source::Object(_))), "{kind}");
        assert_eq!(
            parsed.completes_checkout,
            kind == "checkout.session.completed"
        );
        let related =
            json!({"id": "sub_1", "type": "subscription", "url": "https://evil.example/"});
        let parsed = parse(&thin(&format!("v1.{kind}"), related.clone())).unwrap();
        assert_eq!(
            parsed.source,
            Some(Source::Path("/v1/subscriptions/sub_1".into())),
            "{kind}"
        );
        // A thin type does not match a snapshot's type, nor the reverse.
        assert_eq!(parse(&thin(kind, related)).unwrap().source, None, "{kind}");
        assert_eq!(
            parse(&event(&format!("v1.{kind}"), json!({})))
                .unwrap()
                .source,
            None,
            "{kind}"
        );
    }
    for kind in [
        "",
        "customer.created",
        "customer.updated",
        "invoice.created",
        "charge.dispute.created",
        "ping",
    ] {
        let mut ignored = event(kind, json!({}));
        assert_eq!(parse(&ignored).unwrap().source, None, "{kind}");
        // Neither does the type of its object.
        ignored["data"] = json!(7);
        assert_eq!(parse(&ignored).unwrap().source, None, "{kind}");
    }
}

#[test]
fn ignores_events_of_connected_accounts() {
    let mut connected = event(
        "invoice.paid",
        json!({"object": "invoice", "customer": "cus_1"}),
    );
    assert!(parse(&connected).unwrap().source.is_some());
    connected["account"] = json!("acct_1");
    assert_eq!(parse(&connected).unwrap().source, None);
    let mut connected = thin("v1.invoice.paid", json!({"id": "in_1", "type": "invoice"}));
    connected["context"] = json!("acct_1");
    assert_eq!(parse(&connected).unwrap().source, None);
}

#[test]
fn refuses_what_is_not_an_event() {
    for body in [
        "",
        "{",
        "nul",
        "{\"object\":\"event\",}",
        "\u{feff}{}",
        "{} {}",
        "NaN",
    ] {
        assert_eq!(
            Event::parse(body.as_bytes()).unwrap_err(),
            EventError::InvalidJson,
            "{body}"
        );
    }
    assert_eq!(
        Event::parse(b"{\"object\":\"\xff\"}").unwrap_err(),
        EventError::InvalidJson
    );
    assert_eq!(
        Event::parse("[".repeat(100_000).as_bytes()).unwrap_err(),
        EventError::InvalidJson
    );
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
        thin(
            "v1.invoice.paid",
            json!({"id": "../customers", "type": "invoice"}),
        ),
        thin("v1.invoice.paid", json!({"id": "", "type": "invoice"})),
    ] {
        assert_eq!(parse(&bad), Err(EventError::NotAnEvent), "{bad}");
    }
}

#[test]
fn finds_customer_and_user_in_every_api_version() {
    let other = Uuid::from_u128(8);
    for (object, user_id) in [
        (
            json!({"object": "subscription", "customer": "cus_1", "metadata": {"user_id": USER}}),
            Some(USER),
        ),
        (
            json!({"object": "subscription", "customer": {"id": "cus_1"}, "metadata": {}}),
            None,
        ),
        (
            json!({"object": "checkout.session", "customer": "cus_1", "client_reference_id": USER}),
            Some(USER),
        ),
        (
            json!({"object": "checkout.session", "customer": "cus_1", "client_reference_id": other,
                "metadata": {"user_id": USER}}),
            Some(USER),
        ),
        (
            json!({"object": "checkout.session", "customer": "cus_1", "client_reference_id": "order 7"}),
            None,
        ),
        (
            json!({"object": "invoice", "customer": "cus_1",
                "parent": {"subscription_details": {"metadata": {"user_id": USER}}}}),
            Some(USER),
        ),
        (
            json!({"object": "invoice", "customer": "cus_1", "subscription": "sub_1", "parent": null}),
            None,
        ),
        (
            json!({"object": "customer", "id": "cus_1", "metadata": {"user_id": USER}}),
            Some(USER),
        ),
        (
            json!({"object": "customer", "id": "cus_1", "deleted": true}),
            None,
        ),
    ] {
        assert_eq!(
            Subject::of(&object),
            Some(Subject {
                customer: customer(),
                user_id
            }),
            "{object}"
        );
    }
    for unknown in [
        json!({"object": "checkout.session", "customer": null, "client_reference_id": USER}),
        json!({"object": "subscription"}),
        json!({"object": "subscription", "customer": "../v1"}),
        json!({"object": "subscription", "customer": 7}),
        json!({}),
    ] {
        assert_eq!(Subject::of(&unknown), None, "{unknown}");
    }
}

#[test]
fn logs_only_well_formed_types() {
    let told = |kind: &str| parse(&event(kind, json!({}))).unwrap().kind;
    for kind in [
        "invoice.created",
        "v2.core.account_link.returned",
        &"x".repeat(64),
    ] {
        assert_eq!(told(kind).as_deref(), Some(kind));
    }
    for kind in [
        "",
        "Ann",
        "ann@example.com",
        "a b",
        "a\nb",
        "\"",
        &"x".repeat(65),
    ] {
        assert_eq!(told(kind), None, "{kind}");
    }
}

#[test]
fn reads_an_event_with_a_lone_surrogate() {
    let snapshot = event(
        "customer.subscription.updated",
        json!({"id": "sub_1", "name": "HALF"}),
    );
    let body = snapshot.to_string().replace("HALF", r"\ud83e");
    let Some(Source::Object(object)) = Event::parse(body.as_bytes()).unwrap().source else {
        panic!("{body}")
    };
    assert_eq!(object, json!({"id": "sub_1", "name": "\u{fffd}"}));
}
