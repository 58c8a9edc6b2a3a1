//! The effect of events: in any order, the profile ends with Stripe's state.

use reqwest::Method;
use serde_json::{Value, json};

use crate::own_stack::eventually;
use crate::stack::{Stack, User, now, send, with};
use crate::stripe::{
    act, cancel, create_customer, deliver, event, hold_events, objects, profile, send_event, send_signed,
    signature, store_customer, subscribe,
};

/// Returns a user with a customer and a subscription, none of whose events has arrived.
async fn paying(stack: &Stack) -> (User, String, String) {
    let user = stack.sign_up().await;
    hold_events(stack).await;
    let customer = create_customer(stack, &user).await;
    let subscription = subscribe(stack, &customer).await;
    (user, customer, subscription)
}

#[tokio::test]
async fn every_change_of_a_subscription_changes_the_plan() {
    let stack = Stack::take().await;
    let (user, customer, subscription) = paying(&stack).await;
    store_customer(&stack, &user, &customer).await;
    for (action, more, plan) in [
        ("renew", json!({}), "pro"),
        ("fail_payment", json!({}), "pro"),
        ("retry_payment", json!({"succeeds": false}), "pro"),
        ("retry_payment", json!({"succeeds": true}), "pro"),
        ("pause", json!({}), "free"),
        ("resume", json!({}), "pro"),
        ("dispute", json!({}), "pro"),
        ("fail_payment", json!({}), "pro"),
        ("give_up", json!({"becomes": "unpaid"}), "free"),
        ("retry_payment", json!({"succeeds": true}), "pro"),
        ("cancel_at_period_end", json!({}), "pro"),
        ("end_period", json!({}), "free"),
    ] {
        let done = act(&stack, with(json!({"action": action, "subscription": subscription}), &more)).await;
        assert!(done.get("ignored").is_none(), "{action}: {done}");
        deliver(&stack).await;
        assert_eq!(profile(&stack, &user).await.0, plan, "{action}");
    }
}

async fn reads(stack: &Stack) -> usize {
    stack.log("stripe", "/v1/subscriptions").await.len()
}

#[tokio::test]
async fn event_with_the_oldest_read_does_not_win() {
    let stack = Stack::take().await;
    // With "free", B writes the value that is stored already, and A's read is still the older one.
    for stored in ["pro", "free"] {
        let (user, customer, subscription) = paying(&stack).await;
        store_customer(&stack, &user, &customer).await;
        let statement = "update public.profiles set plan = $2::text::public.plan_type where user_id = $1";
        stack.sql(statement, &[&user.id, &stored]).await;
        let subscriptions = objects(&stack, "subscriptions").await;
        let object = subscriptions.iter().find(|it| it["id"] == subscription.as_str()).unwrap();
        let event = event("customer.subscription.updated", object);
        let before = reads(&stack).await;
        // A reads from Stripe and waits; meanwhile the subscription ends, and B reads and writes.
        let hold = json!([{"path_prefix": "/v1/subscriptions", "times": 1, "hold_ms": 5_000}]);
        stack.faults("stripe", hold).await;
        let others = async {
            eventually("A has read", async || reads(&stack).await == before + 1).await;
            cancel(&stack, &subscription).await;
            assert_eq!(send_event(&stack, &event).await.ok()["outcome"], "written");
            assert_eq!(profile(&stack, &user).await.0, "free");
            let log = stack.log("stripe", "/v1/subscriptions").await;
            assert!(log[before]["finished_ms"].is_null(), "A had its response before B wrote: {log:?}");
        };
        let (a, ()) = futures_util::future::join(send_event(&stack, &event), others).await;
        assert_eq!(a.ok()["outcome"], "written");
        assert_eq!(reads(&stack).await, before + 3, "A did not read again");
        assert_eq!(profile(&stack, &user).await.0, "free");
    }
}

#[tokio::test]
async fn unsigned_or_too_large_event_is_refused_before_any_request_to_stripe() {
    let stack = Stack::take().await;
    let secret = stack.url("/stripe_webhook_secret");
    let customer = "cus_neverAskedFor";
    let body = event("invoice.paid", &json!({"object": "invoice", "customer": customer})).to_string();
    const LIMIT: usize = 1024 * 1024;
    for (seconds, body, status, code) in [
        (now() - 400, body.clone().into_bytes(), 400, "invalid_signature"),
        (now(), vec![b' '; LIMIT + 1], 413, "body_too_large"),
    ] {
        send_signed(&stack, secret, seconds, body).await.assert_error(status, code);
    }
    let request = stack.request(Method::POST, "stripe-webhook", None).body(format!("{body}\n"));
    let signature = signature(secret, now(), body.as_bytes());
    send(request.header("stripe-signature", signature)).await.assert_error(400, "invalid_signature");
    let log = stack.control("stripe", Method::GET, "log", &Value::Null).await.to_string();
    assert!(!log.contains(customer), "{log}");

    let largest = event("charge.refunded", &json!({"object": "charge"}));
    let padding = LIMIT - with(largest.clone(), &json!({"padding": ""})).to_string().len();
    let largest = with(largest, &json!({"padding": "x".repeat(padding)}));
    assert_eq!(send_event(&stack, &largest).await.ok()["outcome"], "ignored");
}
