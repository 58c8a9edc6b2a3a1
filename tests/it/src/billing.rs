//! Paying, and managing what is paid for.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::spotify::{browser, call};
use crate::stack::{Stack, User};
use crate::stripe::{
    act, app, ask_for_checkout, ask_for_portal, becomes, cancel, create_customer, deliver, hold_events, now,
    objects, pay, press, profile, send, subscribe, url,
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
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
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
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
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
async fn a_card_that_is_declined_changes_nothing() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    let checkout = url(ask_for_checkout(&stack, &user, "/plan").await);
    let response = press(&checkout, "decision=decline").await;
    assert!(response.headers().get("location").is_none());
    assert!(response.text().await.unwrap().contains("declined"));
    hold_events(&stack).await;
    deliver(&stack).await;
    assert_eq!(profile(&stack, &user).await.0, "free");
    // The same page still takes another card.
    assert!(pay(&checkout).await.is_some());
    deliver(&stack).await;
    assert_eq!(profile(&stack, &user).await.0, "pro");
}

#[tokio::test]
async fn sixteen_requests_at_once_make_one_customer_and_one_checkout() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
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
async fn requests_at_once_from_different_pages_leave_one_checkout_open() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    stack.stripe(Method::PUT, "latency", &json!({"api_ms": 40})).await;
    let paths: Vec<_> = (0..8).map(|number| format!("/plan/{number}")).collect();
    let asked = join_all(paths.iter().map(|path| ask_for_checkout(&stack, &user, path))).await;
    asked.into_iter().map(url).for_each(drop);
    let open = open_sessions(&stack).await;
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!(objects(&stack, "customers").await.len(), 1);
}

#[tokio::test]
async fn two_tabs_end_with_one_subscription() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
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
async fn paying_in_one_tab_closes_the_page_in_the_other() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    let first = url(ask_for_checkout(&stack, &user, "/plan").await);
    let customer = profile(&stack, &user).await.1.unwrap();
    let surplus = surplus_session(&stack, &customer, "cs_test_surplus").await;
    assert!(page(&surplus).await.contains("data-testid=\"pay\""));
    hold_events(&stack).await;
    assert!(pay(&first).await.is_some());
    deliver(&stack).await;
    assert_eq!(open_sessions(&stack).await.len(), 0);
    assert_eq!(pay(&surplus).await, None);
    assert_eq!(subscriptions_of(&stack, &customer).await.len(), 1);
}

#[tokio::test]
async fn two_pages_that_are_paid_before_stripe_tells_are_two_subscriptions_and_either_makes_pro() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
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

#[tokio::test]
async fn who_pays_without_the_database_knowing_is_sent_to_the_portal() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    hold_events(&stack).await;
    let checkout = url(ask_for_checkout(&stack, &user, "/plan").await);
    assert!(pay(&checkout).await.is_some());
    assert_eq!(profile(&stack, &user).await.0, "free");
    assert!(url(ask_for_checkout(&stack, &user, "/plan").await).contains("/p/session/"));
    assert_eq!(open_sessions(&stack).await.len(), 0);
}

#[tokio::test]
async fn a_customer_that_was_deleted_is_replaced() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    let checkout = url(ask_for_checkout(&stack, &user, "/plan").await);
    assert!(pay(&checkout).await.is_some());
    becomes(&stack, &user, "pro").await;
    let old = profile(&stack, &user).await.1.unwrap();
    act(&stack, json!({"action": "delete_customer", "customer": old})).await;
    becomes(&stack, &user, "free").await;
    ask_for_portal(&stack, &user).await.assert_error(409, "nothing_to_manage");
    let checkout = url(ask_for_checkout(&stack, &user, "/plan").await);
    let new = profile(&stack, &user).await.1.unwrap();
    assert_ne!(new, old);
    assert!(pay(&checkout).await.is_some());
    becomes(&stack, &user, "pro").await;
}

#[tokio::test]
async fn a_failure_that_stripe_remembers_does_not_last_a_day() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    for path in ["/v1/customers", "/v1/checkout/sessions"] {
        stack.stripe(Method::PUT, "idempotency_failures", &json!({"path_prefix": path, "times": 1})).await;
        ask_for_checkout(&stack, &user, &format!("/plan{path}")).await.ok();
    }
    assert_eq!(open_sessions(&stack).await.len(), 1);
    let url = open_sessions(&stack).await[0]["url"].as_str().unwrap().to_owned();
    assert!(pay(&url).await.is_some());
    becomes(&stack, &user, "pro").await;
}

#[tokio::test]
async fn when_stripe_fails_the_person_is_told_and_may_try_again() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    for (fault, status, code) in [
        (json!({"status": 500}), 502, "stripe_unavailable"),
        (json!({"status": 503, "body": "<h1>upstream</h1>"}), 502, "stripe_unavailable"),
        (json!({"reset_connection": true}), 502, "stripe_unavailable"),
        (json!({"truncate_after_bytes": 20}), 502, "stripe_unavailable"),
        (json!({"status": 200, "body": {"object": "list"}}), 502, "stripe_unavailable"),
        (json!({"status": 302, "headers": {"location": "https://example.com/"}}), 502, "stripe_unavailable"),
        (json!({"status": 401, "body": {"error": {}}}), 503, "misconfigured"),
        (json!({"status": 429, "headers": {"retry-after": "60"}}), 503, "stripe_rate_limited"),
        (json!({"delay_ms": 30_000}), 504, "stripe_timeout"),
    ] {
        let mut fault = fault;
        fault["path_prefix"] = json!("/v1/");
        stack.faults("stripe", json!([fault])).await;
        let answer = ask_for_checkout(&stack, &user, "/plan").await;
        answer.assert_error(status, code);
        if code == "stripe_rate_limited" {
            assert_eq!(answer.header("retry-after"), Some("60"));
        }
        stack.faults("stripe", json!([])).await;
    }
    assert!(url(ask_for_checkout(&stack, &user, "/plan").await).contains("/c/pay/"));
    assert_eq!(open_sessions(&stack).await.len(), 1);
}

#[tokio::test]
async fn who_may_not_ask_is_refused() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    let good = json!({"success_url": app(&stack, "/"), "cancel_url": app(&stack, "/")});
    let ask = async |user: Option<&User>, body: &Value| {
        call(&stack, Method::POST, "billing/checkout", user, Some(body)).await
    };
    ask(None, &good).await.assert_error(401, "missing_token");
    let nobody = User { id: user.id, token: "x.y.z".to_owned() };
    ask(Some(&nobody), &good).await.assert_error(401, "invalid_token");
    for body in [
        json!({}),
        json!({"success_url": app(&stack, "/")}),
        json!({"success_url": "https://evil.example/", "cancel_url": app(&stack, "/")}),
        json!({"success_url": format!("{}.evil.example/", app(&stack, "")), "cancel_url": app(&stack, "/")}),
        json!({"success_url": app(&stack, "/"), "cancel_url": app(&stack, "/"), "price": "price_cheap"}),
    ] {
        ask(Some(&user), &body).await.assert_error(422, "invalid_request");
    }
    call(&stack, Method::GET, "billing/checkout", Some(&user), None)
        .await
        .assert_error(405, "method_not_allowed");
    call(&stack, Method::POST, "billing", Some(&user), Some(&good)).await.assert_error(404, "not_found");
    ask_for_portal(&stack, &user).await.assert_error(409, "nothing_to_manage");
    assert_eq!(objects(&stack, "customers").await.len(), 0, "something was asked of Stripe");
}

#[tokio::test]
async fn nobody_manages_what_another_pays_for() {
    let stack = Stack::take().await;
    let (ann, bob) = (stack.sign_up().await, stack.sign_up().await);
    let customer = create_customer(&stack, &ann).await;
    subscribe(&stack, &customer).await;
    becomes(&stack, &ann, "pro").await;
    assert_eq!(profile(&stack, &bob).await, ("free".to_owned(), None));
    ask_for_portal(&stack, &bob).await.assert_error(409, "nothing_to_manage");
    let portal = page(&url(ask_for_portal(&stack, &ann).await)).await;
    assert_eq!(portal.matches("data-testid=\"cancel-subscription\"").count(), 1);
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

#[tokio::test]
async fn a_first_payment_that_never_came_makes_room_for_another_checkout() {
    let stack = Stack::take().await;
    let (user, customer, _) = subscriber(&stack, "fails", &[]).await;
    advance(&stack, 24 * 60 * 60).await;
    let checkout = url(ask_for_checkout(&stack, &user, "/plan").await);
    assert!(checkout.contains("/c/pay/"), "{checkout}");
    assert!(pay(&checkout).await.is_some());
    becomes(&stack, &user, "pro").await;
    let mut statuses: Vec<_> = subscriptions_of(&stack, &customer).await;
    statuses.retain(|subscription| subscription["status"] == "active");
    assert_eq!(statuses.len(), 1);
}

#[tokio::test]
async fn a_subscription_that_is_paused_for_want_of_the_service_is_not_pro_and_every_other_pause_is() {
    for (behavior, plan) in [("void", "free"), ("keep_as_draft", "pro"), ("mark_uncollectible", "pro")] {
        let stack = Stack::take().await;
        let (user, _, subscription) = subscriber(&stack, "succeeds", &[]).await;
        becomes(&stack, &user, "pro").await;
        hold_events(&stack).await;
        let resumes_at = now() + 30 * DAY;
        act(&stack, json!({"action": "pause_collection", "subscription": subscription, "behavior": behavior, "resumes_at": resumes_at})).await;
        deliver(&stack).await;
        assert_eq!(profile(&stack, &user).await.0, plan, "{behavior}");
        act(&stack, json!({"action": "resume_collection", "subscription": subscription})).await;
        deliver(&stack).await;
        assert_eq!(profile(&stack, &user).await.0, "pro", "{behavior}");
    }
}

#[tokio::test]
async fn a_refund_or_a_dispute_alone_leaves_the_plan_and_the_end_of_the_subscription_takes_it() {
    for action in ["refund", "dispute"] {
        let stack = Stack::take().await;
        let (user, _, subscription) = subscriber(&stack, "succeeds", &[]).await;
        becomes(&stack, &user, "pro").await;
        hold_events(&stack).await;
        act(&stack, json!({"action": action, "subscription": subscription})).await;
        let events = stack.stripe(Method::GET, "events", &Value::Null).await;
        for event in events.as_array().unwrap().iter().rev().take(2) {
            assert!(send(&stack, event).await.status.is_success(), "{event}");
        }
        deliver(&stack).await;
        assert_eq!(profile(&stack, &user).await.0, "pro", "{action}");
        cancel(&stack, &subscription).await;
        deliver(&stack).await;
        assert_eq!(profile(&stack, &user).await.0, "free", "{action}");
    }
}

/// The price that everybody pays is in euros from now on.
async fn sell_in_euros(stack: &Stack) {
    let mut price = objects(stack, "prices").await.pop().unwrap();
    price["currency"] = json!("eur");
    stack.stripe(Method::PUT, "objects", &json!([price])).await;
}

#[tokio::test]
async fn a_page_in_another_currency_that_is_still_open_is_closed_and_another_opened() {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    let old = url(ask_for_checkout(&stack, &user, "/plan").await);
    sell_in_euros(&stack).await;
    // Another wish, for the same one is shown as it is.
    let new = url(ask_for_checkout(&stack, &user, "/settings").await);
    assert_ne!(new, old);
    let open = open_sessions(&stack).await;
    assert_eq!((open.len(), &open[0]["currency"]), (1, &json!("eur")));
    assert_eq!(pay(&old).await, None);
    assert!(pay(&new).await.is_some());
    becomes(&stack, &user, "pro").await;
}

#[tokio::test]
async fn who_owes_in_another_currency_is_told_so_and_may_pay_once_that_is_settled() {
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
