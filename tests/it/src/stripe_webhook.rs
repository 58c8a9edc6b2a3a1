//! What an event does: whatever comes, in whichever order, the profile says what Stripe says.

use reqwest::Method;
use serde_json::{Value, json};

use crate::own_stack::{PATIENCE, eventually};
use crate::stack::{Stack, User, taken};
use crate::stripe::{
    EVENT_TYPES, act, cancel, create_customer, deliver, event, hold_events, objects, profile, send, subscribe,
};

/// Somebody with a customer that their profile knows, before they pay.
async fn customer_of(stack: &Stack, user: &User) -> String {
    let customer = create_customer(stack, user).await;
    let statement = "update public.profiles set stripe_customer_id = $2 where user_id = $1";
    stack.sql(statement, &[&user.id, &customer]).await;
    customer
}

async fn about(stack: &Stack, subscription: &str, kind: &str) -> Value {
    let all = objects(stack, "subscriptions").await;
    event(kind, all.iter().find(|it| it["id"] == subscription).unwrap())
}

#[tokio::test]
async fn every_change_of_a_subscription_changes_the_plan() {
    let (stack, user) = taken().await;
    hold_events(&stack).await;
    let customer = customer_of(&stack, &user).await;
    let subscription = subscribe(&stack, &customer).await;
    for (action, more, plan) in [
        ("renew", json!({}), "pro"),
        ("fail_payment", json!({}), "pro"),
        ("retry_payment", json!({"succeeds": false}), "pro"),
        ("retry_payment", json!({"succeeds": true}), "pro"),
        ("pause", json!({}), "free"),
        ("resume", json!({}), "pro"),
        ("dispute", json!({}), "pro"),
        ("cancel_at_period_end", json!({}), "pro"),
        ("end_period", json!({}), "free"),
    ] {
        let mut order = json!({"action": action, "subscription": subscription});
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let done = act(&stack, order).await;
        assert!(done.get("ignored").is_none(), "{action}: {done}");
        deliver(&stack).await;
        assert_eq!(profile(&stack, &user).await.0, plan, "{action}");
    }
}

#[tokio::test]
async fn snapshots_and_thin_events_say_the_same() {
    let stack = Stack::take().await;
    for style in ["snapshot", "thin", "both"] {
        let user = stack.sign_up().await;
        hold_events(&stack).await;
        stack.stripe(Method::PUT, "delivery", &json!({"style": style})).await;
        let customer = create_customer(&stack, &user).await;
        let subscription = subscribe(&stack, &customer).await;
        deliver(&stack).await;
        assert_eq!(profile(&stack, &user).await, ("pro".to_owned(), Some(customer)), "{style}");
        cancel(&stack, &subscription).await;
        deliver(&stack).await;
        assert_eq!(profile(&stack, &user).await.0, "free", "{style}");
    }
}

/// How often the customer's subscriptions were asked for.
async fn asked(stack: &Stack) -> usize {
    stack.log_of("stripe", "/v1/subscriptions").await.len()
}

/// A asks Stripe and is answered late; meanwhile the subscription ends, B is told, asks and writes. Then A's answer comes.
async fn race(stack: &Stack, stored: &str) -> String {
    let user = stack.sign_up().await;
    hold_events(stack).await;
    let customer = customer_of(stack, &user).await;
    let subscription = subscribe(stack, &customer).await;
    let statement = "update public.profiles set plan = $2::text::public.plan_type where user_id = $1";
    stack.sql(statement, &[&user.id, &stored]).await;
    let event = about(stack, &subscription, "customer.subscription.updated").await;
    let before = asked(stack).await;

    stack.faults("stripe", json!([{"path_prefix": "/v1/subscriptions", "times": 1, "hold_ms": 3_000}])).await;
    let a = send(stack, &event);
    let others = async {
        eventually("A has asked", PATIENCE, async || asked(stack).await == before + 1).await;
        cancel(stack, &subscription).await;
        let b = send(stack, &event).await;
        assert_eq!((b.status.as_u16(), &b.body["outcome"]), (200, &json!("written")));
        assert_eq!(profile(stack, &user).await.0, "free");
        let log = stack.log_of("stripe", "/v1/subscriptions").await;
        assert!(log[before]["finished_ms"].is_null(), "A was answered before B had written: {log:?}");
    };
    let (a, ()) = futures_util::future::join(a, others).await;
    assert_eq!((a.status.as_u16(), &a.body["outcome"]), (200, &json!("written")));
    assert_eq!(asked(stack).await, before + 3, "A asks again");
    profile(stack, &user).await.0
}

#[tokio::test]
async fn who_asked_first_and_writes_last_does_not_win() {
    let stack = Stack::take().await;
    assert_eq!(race(&stack, "pro").await, "free");
    // B writes what stands there already, and A has been told something older all the same.
    assert_eq!(race(&stack, "free").await, "free");
}

#[tokio::test]
async fn an_endpoint_needs_no_more_than_the_listed_events() {
    let (stack, user) = taken().await;
    hold_events(&stack).await;
    let customer = create_customer(&stack, &user).await;
    subscribe(&stack, &customer).await;
    let order = json!({"pending": true});
    let summary = stack.stripe(Method::POST, "deliver", &order).await;
    assert_eq!(summary["failed"], 0);
    let deliveries = stack.stripe(Method::GET, "deliveries", &Value::Null).await;
    for delivery in deliveries.as_array().unwrap() {
        let is_listed = EVENT_TYPES.contains(&delivery["type"].as_str().unwrap());
        let is_ignored = delivery["body"].as_str().unwrap().contains("ignored");
        assert_eq!(is_listed, !is_ignored, "{delivery}");
    }
}
