//! What holds over the whole database when all is back.

use std::collections::{BTreeSet, HashMap};

use reqwest::Method;
use serde_json::{Value, json};

use crate::listener::Listener;
use crate::own_stack::{PATIENCE, Place, eventually};
use crate::stack::Stack;
use crate::stripe;

/// What the plan grants.
const PRO: u64 = 50;

pub async fn everything(stack: &Stack, shared: &Stack, listeners: &[Listener]) {
    for listener in listeners {
        playlists(listener).await;
        quota(stack, listener).await;
    }
    plans(stack, shared, listeners).await;
}

/// What was promised is there, whole and in its place, and nothing is there by halves.
async fn playlists(listener: &Listener) {
    let seen = listener.playlists().await;
    for (id, tracks) in &seen {
        let positions: Vec<u64> = tracks.iter().map(|(position, _)| *position).collect();
        let dense: Vec<u64> = (1..=u64::try_from(tracks.len()).unwrap()).collect();
        assert_eq!(positions, dense, "the places in {id}");
        assert!(!tracks.is_empty(), "{id} was saved without its tracks");
    }
    let by_id: HashMap<&str, &Vec<(u64, String)>> =
        seen.iter().map(|(id, tracks)| (id.as_str(), tracks)).collect();
    for (id, count) in &listener.saved {
        let tracks = by_id.get(id.as_str()).unwrap_or_else(|| panic!("{id} was saved and is lost"));
        assert_eq!(u64::try_from(tracks.len()).unwrap(), *count, "{id} lost tracks");
    }
    assert_eq!(seen.len(), listener.saved.len() + 1, "a playlist is there that nobody was told of");
    let own = by_id[listener.own.as_str()];
    let own: BTreeSet<String> = own.iter().map(|(_, uri)| uri.clone()).collect();
    assert!(own.is_superset(&listener.added), "what was added is lost: {:?}", &listener.added - &own);
}

/// Charged is what was delivered; nothing is held any more.
async fn quota(stack: &Stack, listener: &Listener) {
    let usage = stack.ai_usage(&listener.user).await;
    let (used, limit) = (usage["used"].as_u64().unwrap(), usage["limit"].as_u64().unwrap());
    assert_eq!(used, u64::try_from(listener.saved.len()).unwrap(), "{usage}");
    // Whoever has ended a subscription may have used more while it lasted.
    let limit = if listener.has_paid() { PRO } else { limit };
    assert!(used <= limit, "{usage}");
}

/// Every profile says what Stripe says.
async fn plans(stack: &Stack, shared: &Stack, listeners: &[Listener]) {
    let objects = shared.stripe(Method::GET, "objects", &Value::Null).await;
    for listener in listeners {
        let (plan, customer) = stripe::profile(stack, &listener.user).await;
        let pays = objects["subscriptions"].as_array().unwrap().iter().any(|subscription| {
            subscription["customer"].as_str() == customer.as_deref()
                && ["active", "trialing", "past_due"].contains(&subscription["status"].as_str().unwrap())
        });
        assert_eq!(plan == "pro", pays && customer.is_some(), "{customer:?} is {plan}");
    }
}

/// The functions' log tells no secret, and of no panic.
pub fn log(place: &Place, stack: &Stack) {
    let path = place.data().join("logs/functions.log");
    let log = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    let secrets =
        ["simulated-client-secret", "simulated-llm-key", "sk_test_simulated", stack.url("/secret_key")];
    for told in secrets.into_iter().chain(["panicked", "RuntimeError", "unreachable", "eyJ"]) {
        assert!(!log.contains(told), "the log tells {told}");
    }
}

/// Stripe sends again what was not accepted, until all of it is.
pub async fn deliver_all(shared: &Stack) {
    let order = json!({"pending": true});
    let all_accepted = async || {
        let summary = shared.stripe(Method::POST, "deliver", &order).await;
        summary["failed"] == 0
    };
    shared.stripe(Method::PUT, "delivery", &json!({"paused": true})).await;
    eventually("every event is accepted", PATIENCE, all_accepted).await;
}
