//! Invariants of the whole database after recovery.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::own_stack::{Place, eventually};
use crate::stack::Stack;
use crate::stripe::{counts, profile};
use crate::virtual_user::VirtualUser;

pub async fn assert_all(stack: &Stack, shared: &Stack, users: &[VirtualUser]) {
    let objects = shared.stripe(Method::GET, "objects", Value::Null).await;
    for user in users {
        playlists(user).await;
        let usage = stack.ai_usage(&user.user).await;
        let (used, limit) = (usage["used"].as_u64().unwrap(), usage["limit"].as_u64().unwrap());
        assert_eq!(used, u64::try_from(user.saved.len()).unwrap(), "{usage}");
        // A subscription that has ended may have granted 50 while it lasted.
        assert!(used <= if user.customer.is_some() { 50 } else { limit }, "{usage}");
        let (plan, customer) = profile(stack, &user.user).await;
        let pays = objects["subscriptions"].as_array().unwrap().iter().any(|subscription| {
            subscription["customer"].as_str() == customer.as_deref()
                && counts(subscription["status"].as_str().unwrap())
        });
        assert_eq!(plan == "pro", pays && customer.is_some(), "{customer:?} is {plan}");
    }
}

/// Asserts that exactly the confirmed playlists exist, with all their tracks in order.
async fn playlists(user: &VirtualUser) {
    let rows = user.stack.rows(&user.user, "playlists?select=id,playlist_tracks(position,track_uri)").await;
    assert_eq!(rows.len(), user.saved.len() + 1, "an unconfirmed playlist exists");
    for row in &rows {
        let tracks = row["playlist_tracks"].as_array().unwrap();
        let mut positions: Vec<usize> =
            tracks.iter().map(|track| track["position"].as_u64().unwrap() as usize).collect();
        positions.sort_unstable();
        assert!(!tracks.is_empty() && positions.into_iter().eq(1..=tracks.len()), "{row}");
    }
    let tracks_of = |id: &str| {
        let row = rows.iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("{id} is lost"));
        row["playlist_tracks"].as_array().unwrap()
    };
    for (id, count) in &user.saved {
        assert_eq!(tracks_of(id).len() as u64, *count, "{id} lost tracks");
    }
    let own = tracks_of(&user.own).iter().map(|track| track["track_uri"].as_str().unwrap().to_owned());
    let own: BTreeSet<String> = own.collect();
    assert!(own.is_superset(&user.added), "tracks are lost: {:?}", &user.added - &own);
}

pub fn assert_log(place: &Place, stack: &Stack) {
    let log = String::from_utf8_lossy(&place.log("stack")).into_owned();
    let words =
        ["simulated-client-secret", "simulated-llm-key", "sk_test_simulated", stack.url("/secret_key")];
    for word in words.into_iter().chain(["panicked", "RuntimeError", "unreachable", "eyJ"]) {
        assert!(!log.contains(word), "{word} is in the log");
    }
}

/// Lets Stripe repeat events until all are accepted.
pub async fn deliver_all(shared: &Stack) {
    shared.stripe(Method::PUT, "delivery", json!({"paused": true})).await;
    eventually("every event is accepted", async || {
        shared.stripe(Method::POST, "deliver", json!({"pending": true})).await["failed"] == 0
    })
    .await;
}
