//! Invariants after a case of the matrix.

use std::collections::{HashMap, HashSet};

use reqwest::Method;
use serde_json::Value;

use super::operations::Operation;
use super::operations::Scenario::{
    Again, CheckoutEvent, CompleteLink, Delete, Event, EventOfNew, Health, Save, ThinEvent,
};
use super::scenario::Subject;
use super::worker::{Environment, Worker};
use crate::account::exists;
use crate::spotify;
use crate::stripe::{counts, profile};

/// The violated invariants of the subject once all upstreams work again; `is_open` where a playlist may be charged although the
/// response that said so was lost.
pub async fn state(worker: &Worker, operation: &Operation, subject: &Subject, is_open: bool) -> Vec<String> {
    let (stack, user) = (&worker.stack, &subject.user);
    let mut wrong = Vec::new();
    match operation.scenario {
        Delete if exists(stack, user).await => wrong.push("the account still exists".to_owned()),
        Event | EventOfNew | ThinEvent | CheckoutEvent if profile(stack, user).await.0 != "pro" => {
            wrong.push("the plan is free, and Stripe says pro".to_owned());
        }
        CompleteLink if spotify::status(stack, user).await["linked"] != true => {
            wrong.push("the account is not linked".to_owned());
        }
        _ => {}
    }
    if operation.function == "ai-playlist" && operation.scenario != Health {
        subject.expire_holds(worker).await;
        wrong.extend(quota(worker, subject, is_open).await);
        let is_saved = matches!(operation.scenario, Save | Again);
        wrong.extend(playlists(worker, subject, is_saved).await);
    }
    wrong
}

async fn quota(worker: &Worker, subject: &Subject, is_open: bool) -> Option<String> {
    let usage = worker.stack.ai_usage(&subject.user).await;
    let (used, limit) = (usage["used"].as_u64().unwrap(), usage["limit"].as_u64().unwrap());
    let delivered = subject.delivered.len() as u64;
    let is_right = used == delivered || is_open && used == delivered + 1;
    (!is_right || used > limit).then(|| format!("{used} of {limit} are charged, {delivered} were delivered"))
}

/// A saved playlist has all its tracks, in their places, and no other playlist exists.
async fn playlists(worker: &Worker, subject: &Subject, is_saved: bool) -> Vec<String> {
    let rows = worker.stack.rows(&subject.user, "playlists?select=id,playlist_tracks(position)").await;
    let mut wrong = Vec::new();
    let expected = if is_saved { subject.delivered.len() } else { 0 };
    if rows.len() != expected {
        wrong.push(format!("{} playlists exist in place of {expected}", rows.len()));
    }
    for row in rows {
        let positions = row["playlist_tracks"].as_array().unwrap().iter();
        let mut positions: Vec<u64> = positions.map(|it| it["position"].as_u64().unwrap()).collect();
        positions.sort_unstable();
        let delivered = subject.delivered.iter().find(|(session, _)| row["id"] == session.as_str());
        if !delivered.is_some_and(|(_, count)| positions.into_iter().eq(1..=*count)) {
            wrong.push(format!("the playlist {row} was delivered as {delivered:?}"));
        }
    }
    wrong
}

/// The secrets that a log contains.
pub fn log(worker: &Worker, log: &str) -> Vec<String> {
    let secrets = worker.secrets().into_iter().filter(|secret| log.contains(secret.as_str()));
    let beginning = |secret: String| secret.chars().take(12).collect::<String>();
    let mut wrong: Vec<String> = secrets.map(|it| format!("the log contains {}…", beginning(it))).collect();
    for word in ["panicked", "RuntimeError", "unreachable"] {
        wrong.extend(log.lines().find(|line| line.contains(word)).map(|line| format!("the log says {line}")));
    }
    wrong
}

/// Compares all profiles with Stripe: each user has one customer and one open checkout, and no deleted user pays.
pub async fn billing(environment: &Environment) -> Vec<String> {
    let objects = environment.shared.stripe(Method::GET, "objects", Value::Null).await;
    let all = |kind: &str| objects[kind].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut open: HashMap<String, usize> = HashMap::new();
    for session in all("checkout_sessions").filter(|session| session["status"] == "open") {
        *open.entry(text(&session["customer"])).or_default() += 1;
    }
    open.retain(|_, count| *count > 1);
    let mut wrong: Vec<String> =
        open.iter().map(|(id, count)| format!("{id} has {count} open checkouts")).collect();
    let paying: HashSet<String> = all("subscriptions")
        .filter(|subscription| counts(&text(&subscription["status"])))
        .map(|subscription| text(&subscription["customer"]))
        .collect();
    let mut customers: HashMap<String, Vec<String>> = HashMap::new();
    for customer in
        all("customers").filter(|it| it["deleted"] != true && it["metadata"]["user_id"].is_string())
    {
        customers.entry(text(&customer["metadata"]["user_id"])).or_default().push(text(&customer["id"]));
    }
    let rows = environment.shared.sql("select user_id::text from public.profiles", &[]).await;
    let users: HashSet<String> = rows.iter().map(|row| row.get(0)).collect();
    for (user, theirs) in customers {
        if theirs.len() > 1 {
            wrong.push(format!("{user} has the customers {theirs:?}"));
        }
        if !users.contains(&user) && theirs.iter().any(|id| paying.contains(id)) {
            wrong.push(format!("{user} is deleted and pays"));
        }
    }
    wrong
}
