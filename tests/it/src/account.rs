//! Deleting an account: nobody is deleted who still pays, and nobody is half deleted behind the repetition.

use reqwest::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use crate::generation::{self, FIVE, ask, reply};
use crate::own_stack::{PATIENCE, eventually};
use crate::spotify::{self, Answer, call};
use crate::stack::{Stack, User, taken};
use crate::stripe::{ask_for_checkout, becomes, objects, pay, profile, url};

/// The tables with rows of a user, and the column that says whose they are.
const TABLES: [(&str, &str); 6] = [
    ("auth.users", "id"),
    ("public.profiles", "user_id"),
    ("public.playlists", "owner_id"),
    ("public.ai_sessions", "user_id"),
    ("public.spotify_tokens", "user_id"),
    ("public.spotify_exports", "user_id"),
];

async fn email_of(stack: &Stack, user: &User) -> String {
    stack.sql("select email from auth.users where id = $1", &[&user.id]).await[0].get(0)
}

async fn rows_of(stack: &Stack, user: Uuid) -> Vec<(&'static str, i64)> {
    let mut rows = Vec::new();
    for (table, column) in TABLES {
        let statement = format!("select count(*) from {table} where {column} = $1");
        rows.push((table, stack.sql(&statement, &[&user]).await[0].get(0)));
    }
    rows
}

/// The tables of all schemas in which one of these texts stands.
async fn traces(stack: &Stack, texts: &[&str]) -> Vec<String> {
    let tables = "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'";
    let mut found = Vec::new();
    for row in stack.sql(tables, &[]).await {
        let table: String = row.get(0);
        let statement =
            format!("select 1 from {table} t where strpos(lower(t::text), lower($1)) > 0 limit 1");
        for text in texts {
            if !stack.sql(&statement, &[text]).await.is_empty() {
                found.push(format!("{text} in {table}"));
            }
        }
    }
    found
}

pub async fn exists(stack: &Stack, user: &User) -> bool {
    rows_of(stack, user.id).await[0].1 > 0
}

pub async fn assert_gone(stack: &Stack, user: &User) {
    for (table, count) in rows_of(stack, user.id).await {
        assert_eq!(count, 0, "{table}");
    }
}

/// Whether a subscription of theirs still takes money.
pub async fn pays(stack: &Stack, user: &User) -> bool {
    let user_id = user.id.to_string();
    objects(stack, "subscriptions").await.iter().any(|subscription| {
        let is_theirs = subscription["metadata"]["user_id"].as_str() == Some(&user_id);
        is_theirs && ["active", "trialing", "past_due"].contains(&subscription["status"].as_str().unwrap())
    })
}

pub async fn delete(stack: &Stack, user: &User, confirm: &str) -> Answer {
    call(stack, Method::DELETE, "account", Some(user), Some(&json!({ "confirm": confirm }))).await
}

/// Somebody who pays.
pub async fn subscriber(stack: &Stack) -> (User, String) {
    let user = stack.sign_up().await;
    assert!(pay(&url(ask_for_checkout(stack, &user, "/plan").await)).await.is_some());
    becomes(stack, &user, "pro").await;
    let email = email_of(stack, &user).await;
    (user, email)
}

#[tokio::test]
async fn an_account_goes_with_all_that_belongs_to_it() {
    let stack = Stack::take().await;
    let (user, email) = subscriber(&stack).await;
    let (other, _) = subscriber(&stack).await;
    spotify::link(&stack, &user, "ania").await;
    let tracks = spotify::some_tracks(&stack, 3).await;
    let playlist = spotify::playlist(&stack, &user, "Evening", &tracks).await;
    let key = Uuid::new_v4().to_string();
    spotify::export(&stack, &user, &playlist, Some(&key)).await.ok();
    stack.llm_script(reply(&FIVE)).await;
    let (status, done) = generation::json(&stack, &user, &ask("calm")).await;
    assert_eq!(status, 200, "{done}");
    for (table, count) in rows_of(&stack, user.id).await {
        assert!(count > 0, "the test has no row in {table}");
    }
    let before = rows_of(&stack, other.id).await;
    let exported = call(&stack, Method::GET, "account/export", Some(&user), None).await.ok();
    assert_eq!((&exported["account"]["email"], &exported["profile"]["plan"]), (&json!(email), &json!("pro")));
    assert_eq!(exported["playlists"][0]["tracks"].as_array().unwrap().len(), 3);
    assert_eq!(exported["generations"][0]["prompt"], "calm");
    assert!(!exported.to_string().contains("_token"), "{exported}");

    assert_eq!(delete(&stack, &user, &email.to_uppercase()).await.status, StatusCode::NO_CONTENT);
    assert_gone(&stack, &user).await;
    assert!(!pays(&stack, &user).await, "the subscription goes on");
    assert_eq!(rows_of(&stack, other.id).await, before, "somebody else lost rows");
    assert!(pays(&stack, &other).await && profile(&stack, &other).await.0 == "pro");
    // Their token is good for a while still, and opens nothing; asking again changes nothing.
    let (status, error) = generation::json(&stack, &user, &ask("calm")).await;
    assert_eq!((status, &error["code"]), (StatusCode::FORBIDDEN, &json!("profile_not_found")));
    ask_for_checkout(&stack, &user, "/plan").await.assert_error(403, "profile_not_found");
    let exported = call(&stack, Method::GET, "account/export", Some(&user), None).await;
    exported.assert_error(403, "profile_not_found");
    assert_eq!(delete(&stack, &user, &email).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn who_does_not_confirm_is_not_deleted() {
    let stack = Stack::take().await;
    let (user, email) = subscriber(&stack).await;
    let stranger = stack.sign_up().await;
    delete(&stack, &user, &email_of(&stack, &stranger).await).await.assert_error(422, "not_confirmed");
    delete(&stack, &user, "").await.assert_error(422, "invalid_request");
    delete(&stack, &stranger, &email).await.assert_error(422, "not_confirmed");
    let body = json!({ "confirm": email });
    call(&stack, Method::DELETE, "account", None, Some(&body)).await.assert_error(401, "missing_token");
    call(&stack, Method::POST, "account", Some(&user), Some(&body))
        .await
        .assert_error(405, "method_not_allowed");
    call(&stack, Method::DELETE, "account/x", Some(&user), Some(&body)).await.assert_error(404, "not_found");
    assert!(exists(&stack, &user).await && pays(&stack, &user).await);
    assert_eq!(profile(&stack, &user).await.0, "pro");
}

#[tokio::test]
async fn who_has_no_address_confirms_with_the_phone_number_and_who_has_neither_with_the_id() {
    let stack = Stack::take().await;
    for (email, phone) in [(None, Some("48500600700")), (Some(""), None), (None, None)] {
        let (user, address) = subscriber(&stack).await;
        let set = "update auth.users set email = $2, phone = $3 where id = $1";
        stack.sql(set, &[&user.id, &email, &phone]).await;
        let id = user.id.to_string();
        let (confirmation, words, others) = match phone {
            Some(_) => ("+48 500-600-700", "phone number", [address.as_str(), id.as_str(), "500600700"]),
            None => (&*format!(" {} ", id.to_uppercase()), "id", [address.as_str(), "48500600700", "null"]),
        };
        for other in others {
            let refused = delete(&stack, &user, other).await;
            refused.assert_error(422, "not_confirmed");
            assert!(refused.body["message"].as_str().unwrap().contains(words), "{}", refused.body);
        }
        assert!(exists(&stack, &user).await && pays(&stack, &user).await);
        assert_eq!(delete(&stack, &user, confirmation).await.status, StatusCode::NO_CONTENT);
        assert_gone(&stack, &user).await;
        assert!(!pays(&stack, &user).await);
    }
}

#[tokio::test]
async fn whatever_stripe_fails_at_nobody_is_deleted_who_pays_and_the_repetition_completes_it() {
    let stack = Stack::take().await;
    for (method, path, fault) in [
        ("DELETE", "/v1/customers", json!({"status": 401, "body": {}})),
        // It happens, and the answer is lost.
        ("DELETE", "/v1/customers", json!({"truncate_after_bytes": 5})),
        ("GET", "/v1/checkout/sessions", json!({"status": 503, "after": 1})),
    ] {
        let (user, email) = subscriber(&stack).await;
        let mut fault = fault;
        fault["method"] = json!(method);
        fault["path_prefix"] = json!(path);
        stack.faults("stripe", json!([fault])).await;
        let answer = delete(&stack, &user, &email).await;
        assert!(answer.status.is_server_error(), "{fault}: {}", answer.status);
        assert!(exists(&stack, &user).await, "{fault}: deleted before Stripe was told");
        stack.faults("stripe", json!([])).await;
        assert_eq!(delete(&stack, &user, &email).await.status, StatusCode::NO_CONTENT, "{fault}");
        assert_gone(&stack, &user).await;
        assert!(!pays(&stack, &user).await, "{fault}");
    }
}

#[tokio::test]
async fn what_runs_for_somebody_who_is_deleted_ends_cleanly() {
    let stack = Stack::take().await;
    for save in [false, true] {
        let user = stack.sign_up().await;
        let email = email_of(&stack, &user).await;
        let mut script = reply(&FIVE);
        script["first_token_ms"] = json!(2_000);
        stack.llm_script(script).await;
        let mut wish = ask("evening");
        wish["save"] = json!(save);
        let request = generation::request(&stack, &user, &wish).header("accept", "text/event-stream");
        let response = request.send().await.unwrap();
        assert_eq!(delete(&stack, &user, &email).await.status, StatusCode::NO_CONTENT);
        let stream = generation::read(response).await;
        assert_eq!(stream.last("error")["code"], "generation_timeout", "save: {save}");
        assert_gone(&stack, &user).await;
    }
}

#[tokio::test]
async fn an_export_of_somebody_who_is_deleted_ends_cleanly() {
    let (stack, user) = taken().await;
    let email = email_of(&stack, &user).await;
    spotify::link(&stack, &user, "ania").await;
    let tracks = spotify::some_tracks(&stack, 3).await;
    let playlist = spotify::playlist(&stack, &user, "Evening", &tracks).await;
    stack.faults("spotify", json!([{"path_prefix": "/v1/me/playlists", "hold_ms": 2_000}])).await;
    let key = Uuid::new_v4().to_string();
    let export = spotify::export(&stack, &user, &playlist, Some(&key));
    let deletion = async {
        eventually("the copy is being made", PATIENCE, async || {
            !stack.log_of("spotify", "/v1/me/playlists").await.is_empty()
        })
        .await;
        delete(&stack, &user, &email).await
    };
    let (export, deletion) = futures_util::future::join(export, deletion).await;
    assert_eq!(deletion.status, StatusCode::NO_CONTENT);
    // The copy was begun with the listener's own account, and is completed there.
    assert_eq!((export.status.as_u16(), &export.body["exported"]), (200, &json!(3)), "{}", export.body);
    assert_gone(&stack, &user).await;
}

#[tokio::test]
async fn who_is_gone_exports_nothing_with_a_key_or_without() {
    let (stack, user) = taken().await;
    let email = email_of(&stack, &user).await;
    assert_eq!(delete(&stack, &user, &email).await.status, StatusCode::NO_CONTENT);
    let playlist = Uuid::new_v4().to_string();
    for key in [None, Some(playlist.as_str())] {
        spotify::export(&stack, &user, &playlist, key).await.assert_error(403, "profile_not_found");
    }
}

#[tokio::test]
async fn after_a_deletion_neither_id_nor_address_is_found_in_any_table_and_the_quota_goes_on() {
    let stack = Stack::take().await;
    let (user, other) = (stack.sign_up().await, stack.sign_up().await);
    let (email, id) = (email_of(&stack, &user).await, user.id.to_string());
    let other_id = other.id.to_string();
    let log = "create table if not exists auth.audit_log_entries (id uuid primary key, payload json)";
    stack.sql(log, &[]).await;
    let entry = "insert into auth.audit_log_entries (id, payload)
        select gen_random_uuid(), json_build_object('actor_id', id, 'actor_username', upper(email)) from auth.users";
    stack.sql(entry, &[]).await;
    stack.llm_script(reply(&FIVE)).await;
    for _ in 0..2 {
        assert_eq!(generation::json(&stack, &user, &ask("evening")).await.0, 200);
    }
    spotify::playlist(&stack, &user, "Evening", &spotify::some_tracks(&stack, 1).await).await;
    assert!(traces(&stack, &[&id, &email]).await.len() > 3);
    let others = [other_id.as_str()];
    let of_others = || traces(&stack, &others);
    let before = of_others().await;
    assert_eq!(delete(&stack, &user, &email).await.status, StatusCode::NO_CONTENT);
    assert_eq!(traces(&stack, &[&id, &email]).await, Vec::<String>::new());
    assert_eq!(of_others().await, before);
    assert!(before.iter().any(|trace| trace.ends_with("auth.audit_log_entries")), "{before:?}");

    let (mailbox, domain) = email.split_once('@').unwrap();
    let again = Uuid::new_v4();
    let other_form = format!("{}+again@{domain}", mailbox.to_uppercase());
    stack.sql("insert into auth.users (id, email) values ($1, $2)", &[&again, &other_form]).await;
    let usage = stack.sql("select (private.ai_quota($1, now()) ->> 'used')::int", &[&again]).await;
    assert_eq!(usage[0].get::<_, i32>(0), 2);
}
