//! Observes and changes the state of Stripe's simulator.

use hmac::{Hmac, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::own_stack::eventually;
use crate::stack::{Response, Stack, User, client, now, send};

/// The events that can change a plan, to which the endpoint subscribes.
pub const EVENT_TYPES: [&str; 11] = [
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

pub fn signature(secret: &str, seconds: u64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

pub fn event(kind: &str, object: &Value) -> Value {
    json!({"id": "evt_test", "object": "event", "api_version": "2026-10-28.endive", "created": now(),
        "livemode": false, "type": kind, "data": {"object": object}})
}

pub async fn send_signed(stack: &Stack, secret: &str, seconds: u64, body: Vec<u8>) -> Response {
    let request = stack.request(Method::POST, "stripe-webhook", None);
    let request = request.header("stripe-signature", signature(secret, seconds, &body));
    send(request.header("content-type", "application/json; charset=utf-8").body(body)).await
}

pub async fn send_event(stack: &Stack, event: &Value) -> Response {
    send_signed(stack, stack.url("/stripe_webhook_secret"), now(), event.to_string().into_bytes()).await
}

pub async fn act(stack: &Stack, action: Value) -> Value {
    stack.stripe(Method::POST, "act", action).await
}

/// Creates a user's customer as the function billing does, but does not store it.
pub async fn create_customer(stack: &Stack, user: &User) -> String {
    let created = act(stack, json!({"action": "create_customer", "user_id": user.id})).await;
    created["customer"]["id"].as_str().unwrap().to_owned()
}

pub async fn store_customer(stack: &Stack, user: &User, customer: &str) {
    let statement = "update public.profiles set stripe_customer_id = $2 where user_id = $1";
    stack.sql(statement, &[&user.id, &customer]).await;
}

pub async fn subscribe(stack: &Stack, customer: &str) -> String {
    let made = act(stack, json!({"action": "subscribe", "customer": customer})).await;
    made["subscription"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
}

pub async fn cancel(stack: &Stack, subscription: &str) {
    act(stack, json!({"action": "cancel", "subscription": subscription})).await;
}

/// Holds events back until `deliver`.
pub async fn hold_events(stack: &Stack) {
    stack.stripe(Method::PUT, "delivery", json!({"paused": true})).await;
}

/// Delivers the held events until all are accepted.
pub async fn deliver(stack: &Stack) {
    let order = json!({"pending": true, "event_types": EVENT_TYPES});
    let summary = stack.stripe(Method::POST, "deliver", order).await;
    assert_eq!(summary["failed"], 0, "{summary}");
}

pub async fn objects(stack: &Stack, kind: &str) -> Vec<Value> {
    let all = stack.stripe(Method::GET, "objects", Value::Null).await;
    all[kind].as_array().unwrap_or_else(|| panic!("no {kind}")).clone()
}

pub fn counts(status: &str) -> bool {
    ["active", "trialing", "past_due"].contains(&status)
}

/// The plan and the customer of a profile, as its owner sees them.
pub async fn profile(stack: &Stack, user: &User) -> (String, Option<String>) {
    let rows = stack.rows(user, "profiles?select=plan,stripe_customer_id").await;
    let text = |name: &str| rows[0][name].as_str().map(str::to_owned);
    (text("plan").unwrap(), text("stripe_customer_id"))
}

/// Whether the plan renews, and when its period ends, as the owner sees it.
pub async fn period(stack: &Stack, user: &User) -> (bool, Option<String>) {
    let rows = stack.rows(user, "profiles?select=plan_renews,plan_period_ends_at").await;
    (rows[0]["plan_renews"] == true, rows[0]["plan_period_ends_at"].as_str().map(str::to_owned))
}

pub async fn becomes(stack: &Stack, user: &User, plan: &str) {
    let what = format!("the plan is {plan}");
    eventually(&what, async || profile(stack, user).await.0 == plan).await;
}

pub async fn ask_for_checkout(stack: &Stack, user: &User, cancel_path: &str) -> Response {
    let success_url = stack.app("/paid?session={CHECKOUT_SESSION_ID}");
    let body = json!({"success_url": success_url, "cancel_url": stack.app(cancel_path)});
    stack.call(Method::POST, "billing/checkout", user, body).await
}

pub async fn ask_for_portal(stack: &Stack, user: &User) -> Response {
    stack.call(Method::POST, "billing/portal", user, json!({"return_url": stack.app("/plan")})).await
}

#[track_caller]
pub fn url(response: Response) -> String {
    response.ok()["url"].as_str().unwrap().to_owned()
}

pub async fn press(url: &str, form: &[(&str, &str)]) -> Response {
    send(client().post(url).form(form)).await
}

/// Pays on the page; returns the URL of the redirect, if there is one.
pub async fn pay(url: &str) -> Option<String> {
    press(url, &[("decision", "pay")]).await.header("location").map(str::to_owned)
}

pub async fn subscriber(stack: &Stack) -> User {
    let user = stack.sign_up().await;
    assert!(pay(&url(ask_for_checkout(stack, &user, "/plan").await)).await.is_some());
    becomes(stack, &user, "pro").await;
    user
}
