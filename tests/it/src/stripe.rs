//! Somebody who pays, and Stripe, as its simulator lets tests see and move it.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::own_stack::{PATIENCE, eventually};
use crate::spotify::{Answer, browser, call};
use crate::stack::{Stack, User};

/// The events behind which a plan may be another: what an endpoint is to be subscribed to.
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

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The header that Stripe would send with a body at a time.
pub fn signature(secret: &str, seconds: u64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

/// An event as Stripe would send it, about an object.
pub fn event(kind: &str, object: &Value) -> Value {
    json!({"id": "evt_test", "object": "event", "api_version": "2026-10-28.endive", "created": now(),
        "livemode": false, "type": kind, "data": {"object": object}})
}

/// Sends an event that is signed as Stripe signs.
pub async fn send(stack: &Stack, event: &Value) -> Answer {
    let body = event.to_string();
    let signature = signature(stack.url("/stripe_webhook_secret"), now(), body.as_bytes());
    let request = browser().post(stack.function("stripe-webhook")).header("stripe-signature", signature);
    let response =
        request.header("content-type", "application/json; charset=utf-8").body(body).send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.unwrap();
    Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
}

/// Does what somebody at Stripe could do; answers what the simulator answers.
pub async fn act(stack: &Stack, action: Value) -> Value {
    stack.stripe(Method::POST, "act", &action).await
}

/// A user's customer, as the function billing would create it; not written down yet.
pub async fn create_customer(stack: &Stack, user: &User) -> String {
    let created = act(stack, json!({"action": "create_customer", "user_id": user.id})).await;
    created["customer"]["id"].as_str().unwrap().to_owned()
}

/// A paid subscription of a customer.
pub async fn subscribe(stack: &Stack, customer: &str) -> String {
    let made = act(stack, json!({"action": "subscribe", "customer": customer})).await;
    made["subscription"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
}

pub async fn cancel(stack: &Stack, subscription: &str) {
    act(stack, json!({"action": "cancel", "subscription": subscription})).await;
}

/// From now on events wait for `deliver`.
pub async fn hold_events(stack: &Stack) {
    stack.stripe(Method::PUT, "delivery", &json!({"paused": true})).await;
}

/// Delivers what waits, until all of it is accepted.
pub async fn deliver(stack: &Stack) {
    let order = json!({"pending": true, "event_types": EVENT_TYPES});
    let summary = stack.stripe(Method::POST, "deliver", &order).await;
    assert_eq!(summary["failed"], 0, "{summary}");
}

pub async fn objects(stack: &Stack, kind: &str) -> Vec<Value> {
    let all = stack.stripe(Method::GET, "objects", &Value::Null).await;
    all[kind].as_array().unwrap_or_else(|| panic!("no {kind}")).clone()
}

/// The plan and the customer of a profile, as its owner sees them.
pub async fn profile(stack: &Stack, user: &User) -> (String, Option<String>) {
    let rows = stack.rows(Some(user), "profiles?select=plan,stripe_customer_id").await;
    let text = |name: &str| rows[0][name].as_str().map(str::to_owned);
    (text("plan").unwrap(), text("stripe_customer_id"))
}

pub async fn becomes(stack: &Stack, user: &User, plan: &str) {
    let what = format!("the plan is {plan}");
    eventually(&what, PATIENCE, async || profile(stack, user).await.0 == plan).await;
}

/// A URL of the app.
pub fn app(stack: &Stack, path: &str) -> String {
    format!("{}{path}", stack.url("/web_url").trim_end_matches('/'))
}

pub async fn ask_for_checkout(stack: &Stack, user: &User, cancel_path: &str) -> Answer {
    let body = json!({
        "success_url": app(stack, "/paid?session={CHECKOUT_SESSION_ID}"),
        "cancel_url": app(stack, cancel_path),
    });
    call(stack, Method::POST, "billing/checkout", Some(user), Some(&body)).await
}

pub async fn ask_for_portal(stack: &Stack, user: &User) -> Answer {
    let body = json!({"return_url": app(stack, "/plan")});
    call(stack, Method::POST, "billing/portal", Some(user), Some(&body)).await
}

/// The URL of a checkout or a portal.
pub fn url(answer: Answer) -> String {
    answer.ok()["url"].as_str().unwrap().to_owned()
}

/// Presses a button of one of Stripe's pages.
pub async fn press(url: &str, form: &str) -> reqwest::Response {
    let request = browser().post(url).header("content-type", "application/x-www-form-urlencoded");
    request.body(form.to_owned()).send().await.unwrap()
}

/// Pays on the page; answers where the browser is sent, where it is.
pub async fn pay(url: &str) -> Option<String> {
    let response = press(url, "decision=pay").await;
    Some(response.headers().get("location")?.to_str().unwrap().to_owned())
}
