//! Subscribing, and managing the subscription.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::own_stack::eventually;
use crate::stack::{Stack, client, stack_and_user};
use crate::stripe::{ask_for_checkout, ask_for_portal, becomes, objects, pay, period, press, profile, url};

async fn page(url: &str) -> String {
    client().get(url).send().await.unwrap().text().await.unwrap()
}

async fn subscriptions_of(stack: &Stack, customer: &str) -> Vec<Value> {
    let mut all = objects(stack, "subscriptions").await;
    all.retain(|subscription| subscription["customer"] == customer);
    all
}

#[tokio::test]
async fn subscriber_is_pro_until_the_end_of_the_cancelled_period() {
    let (stack, user) = stack_and_user().await;
    assert_eq!(profile(&stack, &user).await, ("free".to_owned(), None));
    let checkout = url(ask_for_checkout(&stack, &user, "/plan").await);
    assert!(page(&checkout).await.contains("data-testid=\"pay\""));
    let sent_to = pay(&checkout).await.unwrap();
    assert!(sent_to.starts_with(&stack.app("/paid?session=cs_")), "{sent_to}");
    becomes(&stack, &user, "pro").await;
    assert_eq!(stack.ai_usage(&user).await["limit"], 50);
    let (renews, ends_at) = period(&stack, &user).await;
    assert!(renews && ends_at.is_some(), "{ends_at:?}");

    // A subscriber is sent to the portal and not asked to pay again.
    let portal = url(ask_for_checkout(&stack, &user, "/plan").await);
    assert!(portal.contains("/p/session/"), "{portal}");

    let portal = url(ask_for_portal(&stack, &user).await);
    let customer = profile(&stack, &user).await.1.unwrap();
    let subscription = subscriptions_of(&stack, &customer).await[0]["id"].as_str().unwrap().to_owned();
    press(&portal, &[("subscription", &subscription), ("decision", "cancel")]).await;
    assert_eq!(subscriptions_of(&stack, &customer).await[0]["cancel_at_period_end"], true);
    let cancelled = (false, ends_at);
    eventually("it does not renew", async || period(&stack, &user).await == cancelled).await;
    assert_eq!(profile(&stack, &user).await.0, "pro", "the period is paid for");
    stack.stripe(Method::POST, "clock", json!({"advance_seconds": 32 * 24 * 60 * 60})).await;
    becomes(&stack, &user, "free").await;
    assert_eq!(period(&stack, &user).await, (false, None));
    assert!(url(ask_for_checkout(&stack, &user, "/plan").await).contains("/c/pay/"));
}

#[tokio::test]
async fn sixteen_requests_at_once_create_one_customer_and_one_checkout() {
    let (stack, user) = stack_and_user().await;
    stack.stripe(Method::PUT, "latency", json!({"api_ms": 40})).await;
    let asked = join_all((0..16).map(|_| ask_for_checkout(&stack, &user, "/plan"))).await;
    let urls: BTreeSet<_> = asked.into_iter().map(url).collect();
    assert_eq!((objects(&stack, "customers").await.len(), urls.len()), (1, 1), "{urls:?}");
    let sessions = objects(&stack, "checkout_sessions").await;
    assert_eq!(sessions.iter().filter(|session| session["status"] == "open").count(), 1);
    assert!(pay(urls.first().unwrap()).await.is_some());
    becomes(&stack, &user, "pro").await;
}

#[tokio::test]
async fn two_tabs_end_with_one_subscription() {
    let (stack, user) = stack_and_user().await;
    let first = url(ask_for_checkout(&stack, &user, "/plan").await);
    assert_eq!(url(ask_for_checkout(&stack, &user, "/plan").await), first, "the same request, the same page");
    let second = url(ask_for_checkout(&stack, &user, "/settings").await);
    assert_ne!(second, first);
    assert!(!page(&first).await.contains("data-testid=\"pay\""), "the first page is closed");
    assert_eq!(pay(&first).await, None);
    assert!(pay(&second).await.is_some());
    becomes(&stack, &user, "pro").await;
    let customer = profile(&stack, &user).await.1.unwrap();
    assert_eq!(subscriptions_of(&stack, &customer).await.len(), 1);
}
