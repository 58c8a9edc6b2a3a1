//! What must be there afterwards: everything that was acknowledged, once.

use std::collections::HashMap;

use uuid::Uuid;

use super::listener::Listener;
use crate::logs::Log;
use crate::own_stack::{PATIENCE, eventually};
use crate::spotify::copies;
use crate::stack::Stack;
use crate::stripe::objects;

pub async fn every_request_left_one_line(listeners: &[Listener<'_>], log: &Log) {
    let sent: Vec<_> = listeners.iter().flat_map(|listener| &listener.request_ids).collect();
    let mut lines: HashMap<String, usize> = HashMap::new();
    eventually("every request has its line", PATIENCE, async || {
        lines.clear();
        for line in log.lines() {
            *lines.entry(line["request_id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        sent.iter().all(|id| lines.contains_key(*id))
    })
    .await;
    let doubled: Vec<_> = lines.iter().filter(|(_, times)| **times != 1).collect();
    assert!(doubled.is_empty(), "{doubled:?}");
}

/// Events arrive in their own time.
pub async fn plans_are_what_stripe_says(stack: &Stack, listeners: &[Listener<'_>]) {
    let paying = listeners.iter().filter(|listener| listener.has_paid).count();
    assert_eq!(objects(stack, "subscriptions").await.len(), paying, "subscriptions");
    let ids: Vec<Uuid> = listeners.iter().map(|listener| listener.user.id).collect();
    eventually("every plan is what is paid for", PATIENCE, async || {
        let statement = "select user_id, plan::text from public.profiles where user_id = any($1)";
        let rows = stack.sql(statement, &[&ids]).await;
        let plans: HashMap<Uuid, String> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let expected = |listener: &Listener<'_>| if listener.has_paid { "pro" } else { "free" };
        listeners.iter().all(|listener| plans[&listener.user.id] == expected(listener))
    })
    .await;
}

pub async fn nothing_is_lost(stack: &Stack, listeners: &[Listener<'_>]) {
    let ids: Vec<Uuid> = listeners.iter().map(|listener| listener.user.id).collect();
    let statement = "select p.owner_id, p.id::text, p.name,
          coalesce(array_agg(t.track_uri order by t.position) filter (where t.position is not null), '{}'),
          coalesce(max(t.position), 0)
        from public.playlists p left join public.playlist_tracks t on t.playlist_id = p.id
        where p.owner_id = any($1) group by p.id";
    let mut stored: HashMap<Uuid, HashMap<String, (String, Vec<String>)>> = HashMap::new();
    for row in stack.sql(statement, &[&ids]).await {
        let uris: Vec<String> = row.get(3);
        assert_eq!(usize::try_from(row.get::<_, i32>(4)).unwrap(), uris.len(), "positions have gaps");
        stored.entry(row.get(0)).or_default().insert(row.get(1), (row.get(2), uris));
    }
    let statement = "select user_id, count(*) from public.ai_sessions
        where user_id = any($1) and status = 'succeeded' group by user_id";
    let rows = stack.sql(statement, &[&ids]).await;
    let charged: HashMap<Uuid, i64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let copies = copies(stack).await;
    let copies: HashMap<_, _> = copies.iter().map(|copy| (copy["id"].as_str().unwrap(), copy)).collect();
    for listener in listeners {
        let id = listener.user.id;
        let expected: HashMap<_, _> = listener.playlists.clone().into_iter().collect();
        assert_eq!(stored.remove(&id).unwrap_or_default(), expected, "the playlists of {id}");
        let charged = charged.get(&id).copied().unwrap_or_default();
        assert_eq!(u64::try_from(charged).unwrap(), listener.delivered, "generations of {id}");
        for (copy, uris) in &listener.copies {
            let there: Vec<_> = copies[copy.as_str()]["uris"].as_array().unwrap().iter().collect();
            assert_eq!(there, uris.iter().collect::<Vec<_>>(), "copy {copy} of {id}");
        }
    }
}
