//! What holds whatever happened.

use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;

use super::acts::Subject;
use super::lane::{Lane, World};
use super::operations::{Act, Operation};
use crate::spotify;
use crate::stripe;

/// What is wrong with somebody, when all is well again; `is_open` where an unsaved playlist may have been charged for
/// although the answer that told so was lost, and its repetition.
pub async fn complaints(lane: &Lane, operation: &Operation, subject: &Subject, is_open: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    match operation.act {
        Act::Delete => {
            let statement = "select count(*) from auth.users where id = $1";
            let left: i64 = lane.stack.sql(statement, &[&subject.user.id]).await[0].get(0);
            if left > 0 {
                wrong.push("the account is still there".to_owned());
            }
            return wrong;
        }
        Act::Event | Act::EventOfNew | Act::ThinEvent | Act::CheckoutEvent => {
            let (plan, _) = stripe::profile(&lane.stack, &subject.user).await;
            if plan != "pro" {
                wrong.push(format!("the plan is {plan}, and Stripe says pro"));
            }
        }
        Act::CompleteLink if spotify::status(&lane.stack, &subject.user).await["linked"] != true => {
            wrong.push("the account is not linked".to_owned());
        }
        _ => {}
    }
    if operation.function == "ai-playlist" && operation.act != Act::Health {
        wrong.extend(quota(lane, subject, is_open).await);
        let is_saved = matches!(operation.act, Act::Save | Act::Again);
        wrong.extend(playlists(lane, subject, is_saved).await);
    }
    wrong
}

/// Charged is what was delivered, and nothing is held any more.
async fn quota(lane: &Lane, subject: &Subject, is_open: bool) -> Option<String> {
    subject.wait_for_holds(lane).await;
    let usage = lane.stack.ai_usage(&subject.user).await;
    let (used, limit) = (usage["used"].as_u64().unwrap(), usage["limit"].as_u64().unwrap());
    let delivered = u64::try_from(subject.delivered.len()).unwrap();
    let is_right = used == delivered || is_open && used == delivered + 1;
    (!is_right || used > limit).then(|| format!("{used} of {limit} are charged, {delivered} were delivered"))
}

/// A playlist is there with all its tracks, in their places, or it is not there at all.
async fn playlists(lane: &Lane, subject: &Subject, is_saved: bool) -> Vec<String> {
    let path = "playlists?select=id,playlist_tracks(position)";
    let rows = lane.stack.rows(Some(&subject.user), path).await;
    let mut wrong = Vec::new();
    let expected = if is_saved { subject.delivered.len() } else { 0 };
    if rows.len() != expected {
        wrong.push(format!("{} playlists are there in place of {expected}", rows.len()));
    }
    for row in rows {
        let positions = row["playlist_tracks"].as_array().unwrap().iter();
        let mut positions: Vec<u64> = positions.map(|it| it["position"].as_u64().unwrap()).collect();
        positions.sort_unstable();
        let delivered = subject.delivered.iter().find(|(session, _)| row["id"] == session.as_str());
        let expected: Vec<u64> = (1..=delivered.map_or(0, |(_, count)| *count)).collect();
        if delivered.is_none() || positions != expected {
            wrong.push(format!(
                "the playlist {} was delivered as {delivered:?} and has {positions:?}",
                row["id"]
            ));
        }
    }
    wrong
}

/// What is to stand in no log and stands in this one.
pub fn told(lane: &Lane, log: &str) -> Vec<String> {
    let mut wrong: Vec<String> = lane
        .secrets()
        .into_iter()
        .filter(|secret| log.contains(secret.as_str()))
        .map(|secret| format!("the log tells {}…", secret.chars().take(12).collect::<String>()))
        .collect();
    for word in ["panicked", "RuntimeError", "unreachable"] {
        wrong.extend(log.lines().find(|line| line.contains(word)).map(|line| format!("the log says {line}")));
    }
    wrong
}

/// Compares all profiles and everything at Stripe.
pub async fn billing(world: &World) -> Vec<String> {
    let objects = world.shared.stripe(reqwest::Method::GET, "objects", &Value::Null).await;
    let all = |kind: &str| objects[kind].as_array().unwrap().clone();
    let mut wrong = Vec::new();
    let mut customers: HashMap<String, Vec<String>> = HashMap::new();
    for customer in all("customers").iter().filter(|customer| customer["deleted"] != true) {
        if let Some(user) = customer["metadata"]["user_id"].as_str() {
            customers.entry(user.to_owned()).or_default().push(customer["id"].as_str().unwrap().to_owned());
        }
    }
    let paying: Vec<Value> = all("subscriptions")
        .into_iter()
        .filter(|it| ["active", "trialing", "past_due"].contains(&it["status"].as_str().unwrap()))
        .map(|it| it["customer"].clone())
        .collect();
    let mut open: HashMap<String, usize> = HashMap::new();
    for session in all("checkout_sessions").iter().filter(|session| session["status"] == "open") {
        *open.entry(session["customer"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    wrong.extend(
        open.iter()
            .filter(|(_, count)| **count > 1)
            .map(|(id, count)| format!("{id} has {count} open checkouts")),
    );
    let statement = "select p.user_id, p.plan::text from public.profiles p";
    let plans: HashMap<Uuid, String> =
        world.shared.sql(statement, &[]).await.iter().map(|row| (row.get(0), row.get(1))).collect();
    for (user, theirs) in customers {
        let pays = theirs.iter().any(|id| paying.iter().any(|it| it == id.as_str()));
        if theirs.len() > 1 {
            wrong.push(format!("{user} has the customers {theirs:?}"));
        }
        if pays && !plans.contains_key(&user.parse().unwrap()) {
            wrong.push(format!("{user} is deleted and pays"));
        }
    }
    wrong
}
