//! Exporting and deleting an account.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::generation::{self, after_ms, ask, document, saving};
use crate::spotify;
use crate::stack::{Response, Stack, User};
use crate::stripe::{ask_for_checkout, counts, objects, profile, subscriber};

/// The tables with rows of a user, and the column that names the user.
const TABLES: [(&str, &str); 7] = [
    ("auth.users", "id"),
    ("public.profiles", "user_id"),
    ("public.playlists", "owner_id"),
    ("public.ai_sessions", "user_id"),
    ("public.spotify_tokens", "user_id"),
    ("public.spotify_exports", "user_id"),
    ("public.spotify_copies", "user_id"),
];

async fn rows_of(stack: &Stack, user: &User) -> Vec<(&'static str, i64)> {
    let mut rows = Vec::new();
    for (table, column) in TABLES {
        let statement = format!("select count(*) from {table} where {column} = $1");
        rows.push((table, stack.sql(&statement, &[&user.id]).await[0].get(0)));
    }
    rows
}

/// The tables of all schemas that contain the user's id or address.
async fn traces(stack: &Stack, user: &User) -> Vec<String> {
    let tables = "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'";
    let mut found = Vec::new();
    for row in stack.sql(tables, &[]).await {
        let table: String = row.get(0);
        let statement = format!(
            "select 1 from {table} t where t::text ilike '%' || $1 || '%' or t::text ilike '%' || $2 || '%' limit 1"
        );
        if !stack.sql(&statement, &[&user.id.to_string(), &user.email]).await.is_empty() {
            found.push(table);
        }
    }
    found
}

pub async fn exists(stack: &Stack, user: &User) -> bool {
    rows_of(stack, user).await[0].1 > 0
}

pub async fn assert_gone(stack: &Stack, user: &User) {
    assert_eq!(rows_of(stack, user).await, TABLES.map(|(table, _)| (table, 0)));
}

pub async fn pays(stack: &Stack, user: &User) -> bool {
    let subscriptions = objects(stack, "subscriptions").await;
    subscriptions.iter().any(|subscription| {
        subscription["metadata"]["user_id"] == user.id.to_string()
            && counts(subscription["status"].as_str().unwrap())
    })
}

pub async fn delete(stack: &Stack, user: &User, confirm: &str) -> Response {
    stack.call(Method::DELETE, "account", user, json!({"confirm": confirm})).await
}

#[tokio::test]
async fn deletion_removes_all_data_of_the_user_ends_the_subscription_and_affects_no_other_user() {
    let stack = Stack::take().await;
    let (user, other) = (subscriber(&stack).await, subscriber(&stack).await);
    spotify::link(&stack, &user, "ania").await;
    let tracks = spotify::some_tracks(&stack, 3).await;
    let playlist = spotify::playlist(&stack, &user, "Evening", &tracks).await;
    let key = Uuid::new_v4().to_string();
    spotify::export(&stack, &user, &playlist, Some(&key)).await.ok();
    document(&stack, &user, &ask("calm")).await.ok();
    for statement in [
        "create table if not exists auth.audit_log_entries (id uuid primary key, payload json)",
        "insert into auth.audit_log_entries (id, payload) select gen_random_uuid(),
         json_build_object('actor_id', id, 'actor_username', upper(email)) from auth.users",
    ] {
        stack.sql(statement, &[]).await;
    }
    let all = rows_of(&stack, &user).await;
    assert!(all.iter().all(|(_, count)| *count > 0), "the test lacks rows: {all:?}");
    let before = (rows_of(&stack, &other).await, traces(&stack, &other).await);
    assert!(before.1.iter().any(|table| table == "auth.audit_log_entries"), "{before:?}");

    let exported = stack.call(Method::GET, "account/export", &user, Value::Null).await.ok();
    assert_eq!(
        (&exported["account"]["email"], &exported["profile"]["plan"]),
        (&json!(user.email), &json!("pro"))
    );
    assert_eq!(exported["playlists"][0]["tracks"].as_array().unwrap().len(), 3);
    assert_eq!(exported["generations"][0]["prompt"], "calm");
    assert!(!exported.to_string().contains("_token"), "{exported}");

    assert_eq!(delete(&stack, &user, &user.email.to_uppercase()).await.status, 204);
    assert_gone(&stack, &user).await;
    assert_eq!(traces(&stack, &user).await, Vec::<String>::new());
    assert!(!pays(&stack, &user).await, "the subscription did not end");
    assert_eq!((rows_of(&stack, &other).await, traces(&stack, &other).await), before);
    assert!(pays(&stack, &other).await && profile(&stack, &other).await.0 == "pro");
    // The token stays valid for a while, but no longer grants access.
    document(&stack, &user, &ask("calm")).await.assert_error(403, "profile_not_found");
    ask_for_checkout(&stack, &user, "/plan").await.assert_error(403, "profile_not_found");
    for key in [None, Some(key.as_str())] {
        spotify::export(&stack, &user, &playlist, key).await.assert_error(403, "profile_not_found");
    }
    let exported = stack.call(Method::GET, "account/export", &user, Value::Null).await;
    exported.assert_error(403, "profile_not_found");
    assert_eq!(delete(&stack, &user, &user.email).await.status, 204, "a repeat changes nothing");

    // Another form of the address has the former account's quota.
    let (mailbox, domain) = user.email.split_once('@').unwrap();
    let (again, address) = (Uuid::new_v4(), format!("{}+again@{domain}", mailbox.to_uppercase()));
    stack.sql("insert into auth.users (id, email) values ($1, $2)", &[&again, &address]).await;
    let usage = stack.sql("select (private.ai_quota($1, now()) ->> 'used')::int", &[&again]).await;
    assert_eq!(usage[0].get::<_, i32>(0), 1);
}

#[tokio::test]
async fn unconfirmed_or_anonymous_deletion_is_refused() {
    let stack = Stack::take().await;
    let (user, other) = (subscriber(&stack).await, stack.sign_up().await);
    delete(&stack, &user, &other.email).await.assert_error(422, "not_confirmed");
    delete(&stack, &other, &user.email).await.assert_error(422, "not_confirmed");
    let body = json!({"confirm": user.email});
    stack.call(Method::DELETE, "account", None, body).await.assert_error(401, "missing_token");
    assert!(exists(&stack, &user).await && pays(&stack, &user).await);
}

#[tokio::test]
async fn generation_of_a_user_who_is_deleted_meanwhile_leaves_nothing() {
    let stack = Stack::take().await;
    stack.llm_script(after_ms(8_000)).await;
    join_all([ask("evening"), saving("evening")].map(async |body| {
        let user = stack.sign_up().await;
        let response = generation::streaming(&stack, &user, &body).send().await.unwrap();
        assert_eq!(delete(&stack, &user, &user.email).await.status, 204);
        let stream = generation::read(response).await;
        assert_eq!(stream.last("error")["code"], "generation_timeout", "{body}");
        assert_gone(&stack, &user).await;
    }))
    .await;
}
