//! Paying, and managing what is paid for.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::spotify::browser;
use crate::stack::{Stack, User, taken};
use crate::stripe::{
    act, app, ask_for_checkout, ask_for_portal, becomes, cancel, deliver, hold_events, objects, pay, press,
    profile, url,
};

const DAY: u64 = 24 * 60 * 60;

async fn page(url: &str) -> String {
    browser().get(url).send().await.unwrap().text().await.unwrap()
}

async fn advance(stack: &Stack, seconds: u64) {
    stack.stripe(Method::POST, "clock", &json!({"advance_seconds": seconds})).await;
}

async fn subscriptions_of(stack: &Stack, customer: &str) -> Vec<Value> {
    let mut all = objects(stack, "subscriptions").await;
    all.retain(|subscription| subscription["customer"] == customer);
    all
}

async fn open_sessions(stack: &Stack) -> Vec<Value> {
    let mut all = objects(stack, "checkout_sessions").await;
    all.retain(|session| session["status"] == "open");
    all
}

#[tokio::test]
async fn a_person_pays_is_pro_cancels_and_is_free_again() {
    let (stack, user) = taken().await;
    assert_eq!(profile(&stack, &user).await, ("free".to_owned(), None));

    let checkout = url(ask_for_checkout(&stack, &user, "/plan").await);
    assert!(page(&checkout).await.contains("data-testid=\"pay\""));
    let sent_to = pay(&checkout).await.unwrap();
    let paid = app(&stack, "/paid?session=cs_");
    assert!(sent_to.starts_with(&paid), "{sent_to}");
    becomes(&stack, &user, "pro").await;
    let (_, used) = stack.rest(Method::POST, "rpc/usage", Some(&user), Some(&json!({}))).await;
    assert_eq!((&used["plan"], &used["ai"]["limit"]), (&json!("pro"), &json!(50)));

    // Who pays already is not asked to pay again.
    let portal = url(ask_for_checkout(&stack, &user, "/plan").await);
    assert!(portal.contains("/p/session/"), "{portal}");

    let portal = url(ask_for_portal(&stack, &user).await);
    let customer = profile(&stack, &user).await.1.unwrap();
    let subscription = subscriptions_of(&stack, &customer).await[0]["id"].as_str().unwrap().to_owned();
    press(&portal, &format!("subscription={subscription}&decision=cancel")).await;
    assert_eq!(subscriptions_of(&stack, &customer).await[0]["cancel_at_period_end"], true);
    assert_eq!(profile(&stack, &user).await.0, "pro", "what is paid for lasts to its end");
    advance(&stack, 32 * DAY).await;
    becomes(&stack, &user, "free").await;
    // And may come back.
    assert!(url(ask_for_checkout(&stack, &user, "/plan").await).contains("/c/pay/"));
}

#[tokio::test]
async fn who_stops_paying_is_free_when_stripe_gives_up() {
    let (stack, user) = taken().await;
    let checkout = url(ask_for_checkout(&stack, &user, "/plan").await);
    assert!(pay(&checkout).await.is_some());
    becomes(&stack, &user, "pro").await;
    let customer = profile(&stack, &user).await.1.unwrap();
    act(&stack, json!({"action": "set_card", "customer": customer, "works": false})).await;
    hold_events(&stack).await;
    advance(&stack, 32 * DAY).await;
    deliver(&stack).await;
    assert_eq!(subscriptions_of(&stack, &customer).await[0]["status"], "past_due");
    assert_eq!(profile(&stack, &user).await.0, "pro", "Stripe still tries");
    advance(&stack, 20 * DAY).await;
    deliver(&stack).await;
    assert_eq!(profile(&stack, &user).await.0, "free");
}

#[tokio::test]
async fn sixteen_requests_at_once_make_one_customer_and_one_checkout() {
    let (stack, user) = taken().await;
    stack.stripe(Method::PUT, "latency", &json!({"api_ms": 40})).await;
    let asked = join_all((0..16).map(|_| ask_for_checkout(&stack, &user, "/plan"))).await;
    let urls: std::collections::BTreeSet<_> = asked.into_iter().map(url).collect();
    assert_eq!(objects(&stack, "customers").await.len(), 1);
    assert_eq!(urls.len(), 1, "{urls:?}");
    assert_eq!(open_sessions(&stack).await.len(), 1);
    assert!(pay(urls.first().unwrap()).await.is_some());
    becomes(&stack, &user, "pro").await;
}

#[tokio::test]
async fn two_tabs_end_with_one_subscription() {
    let (stack, user) = taken().await;
    let first = url(ask_for_checkout(&stack, &user, "/plan").await);
    assert_eq!(url(ask_for_checkout(&stack, &user, "/plan").await), first, "the same wish, the same page");
    let second = url(ask_for_checkout(&stack, &user, "/settings").await);
    assert_ne!(second, first);
    assert!(!page(&first).await.contains("data-testid=\"pay\""), "the first page is closed");
    assert_eq!(pay(&first).await, None);
    assert!(pay(&second).await.is_some());
    becomes(&stack, &user, "pro").await;
    let customer = profile(&stack, &user).await.1.unwrap();
    assert_eq!(subscriptions_of(&stack, &customer).await.len(), 1);
}

/// A session that another way has opened: an operator, or two requests of which one died before it could look again.
async fn surplus_session(stack: &Stack, customer: &str, id: &str) -> String {
    let template = open_sessions(stack).await.pop().unwrap();
    let mut session = template.clone();
    session["id"] = json!(id);
    session["customer"] = json!(customer);
    let url = template["url"].as_str().unwrap().replace(template["id"].as_str().unwrap(), id);
    session["url"] = json!(url);
    stack.stripe(Method::PUT, "objects", &json!([session])).await;
    url
}

#[tokio::test]
async fn two_pages_that_are_paid_before_stripe_tells_are_two_subscriptions_and_either_makes_pro() {
    let (stack, user) = taken().await;
    let first = url(ask_for_checkout(&stack, &user, "/plan").await);
    let customer = profile(&stack, &user).await.1.unwrap();
    let surplus = surplus_session(&stack, &customer, "cs_test_surplus").await;
    hold_events(&stack).await;
    assert!(pay(&first).await.is_some() && pay(&surplus).await.is_some());
    deliver(&stack).await;
    assert_eq!(profile(&stack, &user).await.0, "pro");
    // Both are shown in the portal, where either can be cancelled; the other one goes on counting.
    let portal = page(&url(ask_for_portal(&stack, &user).await)).await;
    let both = subscriptions_of(&stack, &customer).await;
    assert_eq!((both.len(), portal.matches("data-testid=\"cancel-subscription\"").count()), (2, 2));
    for (subscription, plan) in both.iter().zip(["pro", "free"]) {
        cancel(&stack, subscription["id"].as_str().unwrap()).await;
        deliver(&stack).await;
        assert_eq!(profile(&stack, &user).await.0, plan);
    }
}

/// A user whose subscription has come so far, with their customer.
async fn subscriber(stack: &Stack, payment: &str, actions: &[Value]) -> (User, String, String) {
    let user = stack.sign_up().await;
    url(ask_for_checkout(stack, &user, "/plan").await);
    let customer = profile(stack, &user).await.1.unwrap();
    for session in open_sessions(stack).await {
        let id = session["id"].as_str().unwrap();
        let mut expired = session.clone();
        (expired["status"], expired["url"]) = (json!("expired"), Value::Null);
        assert!(!id.is_empty());
        stack.stripe(Method::PUT, "objects", &json!([expired])).await;
    }
    let made = act(stack, json!({"action": "subscribe", "customer": customer, "payment": payment})).await;
    let subscription = made["subscription"]["id"].as_str().unwrap().to_owned();
    for action in actions {
        let mut action = action.clone();
        action["subscription"] = json!(subscription);
        let done = act(stack, action).await;
        assert!(done["ignored"].is_null(), "{done}");
    }
    (user, customer, subscription)
}

#[tokio::test]
async fn who_has_a_subscription_that_is_not_over_gets_no_second_one() {
    let unpaid = [json!({"action": "fail_payment"}), json!({"action": "give_up", "becomes": "unpaid"})];
    let past_due = [json!({"action": "fail_payment"})];
    let paused = [json!({"action": "pause"})];
    let voided = [json!({"action": "pause_collection", "behavior": "void"})];
    for (actions, status, repairs, plan) in [
        (&unpaid[..], "unpaid", "pay", "free"),
        (&past_due[..], "past_due", "pay", "pro"),
        (&paused[..], "paused", "resume", "free"),
        (&voided[..], "active", "", "free"),
    ] {
        let stack = Stack::take().await;
        let (user, customer, subscription) = subscriber(&stack, "succeeds", actions).await;
        becomes(&stack, &user, plan).await;
        let portal = url(ask_for_checkout(&stack, &user, "/plan").await);
        assert!(portal.contains("/p/session/"), "{status}: {portal}");
        assert_eq!(open_sessions(&stack).await.len(), 0, "{status}");
        // The first one recovers, there or by itself.
        if repairs.is_empty() {
            act(&stack, json!({"action": "resume_collection", "subscription": subscription})).await;
        } else {
            press(&portal, &format!("subscription={subscription}&decision={repairs}")).await;
        }
        becomes(&stack, &user, "pro").await;
        let all = subscriptions_of(&stack, &customer).await;
        assert_eq!((all.len(), &all[0]["status"]), (1, &json!("active")), "{status}");
    }
}

#[tokio::test]
async fn a_subscription_whose_first_payment_failed_is_paid_and_no_other_is_begun() {
    let stack = Stack::take().await;
    let (user, customer, _) = subscriber(&stack, "fails", &[]).await;
    let invoice = url(ask_for_checkout(&stack, &user, "/plan").await);
    assert!(page(&invoice).await.contains("data-testid=\"pay-invoice\""), "{invoice}");
    assert_eq!(open_sessions(&stack).await.len(), 0);
    press(&invoice, "decision=pay").await;
    becomes(&stack, &user, "pro").await;
    let all = subscriptions_of(&stack, &customer).await;
    assert_eq!((all.len(), &all[0]["status"]), (1, &json!("active")));
}

/// From now on the price is in euros.
async fn sell_in_euros(stack: &Stack) {
    let mut price = objects(stack, "prices").await.pop().unwrap();
    price["currency"] = json!("eur");
    stack.stripe(Method::PUT, "objects", &json!([price])).await;
}

#[tokio::test]
async fn a_customer_who_owes_in_another_currency_is_told_so_and_may_pay_once_that_is_settled() {
    let stack = Stack::take().await;
    let (user, customer, subscription) = subscriber(&stack, "succeeds", &[]).await;
    cancel(&stack, &subscription).await;
    act(&stack, json!({"action": "add_invoice_item", "customer": customer, "currency": "usd"})).await;
    sell_in_euros(&stack).await;
    for _ in 0..2 {
        ask_for_checkout(&stack, &user, "/plan").await.assert_error(409, "currency_conflict");
    }
    assert_eq!(profile(&stack, &user).await.1, Some(customer.clone()), "no other customer takes its place");
    assert_eq!(objects(&stack, "customers").await.len(), 1);
    act(&stack, json!({"action": "add_invoice_item", "customer": customer, "currency": "eur"})).await;
    let checkout = url(ask_for_checkout(&stack, &user, "/plan").await);
    assert!(pay(&checkout).await.is_some());
    becomes(&stack, &user, "pro").await;
}
