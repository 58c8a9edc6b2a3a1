//! Linking a Spotify account: by the listener who began, and by nobody else.

use reqwest::Method;
use serde_json::{Value, json};

use crate::spotify::{agree, call, come_back, complete, decide, link, start, status, value};
use crate::stack::taken;

#[tokio::test]
async fn start_agree_callback_complete_status_unlink() {
    let (stack, user) = taken().await;
    assert_eq!(status(&stack, &user).await, json!({"linked": false}));
    let url = start(&stack, &user).await;
    let query: Vec<_> = url.query_pairs().into_owned().collect();
    assert_eq!(value(&query, "scope"), "playlist-modify-private");
    assert_eq!(value(&query, "response_type"), "code");
    let linked = link(&stack, &user, "ania").await;
    assert_eq!((&linked["linked"], &linked["spotify_display_name"]), (&json!(true), &json!("Ania Żółć")));
    let shown = status(&stack, &user).await;
    assert_eq!(shown, linked);
    let (from, to) = (shown["linked_at"].as_str().unwrap(), shown["expires_at"].as_str().unwrap());
    let rows = stack
        .sql("select ($1::text::timestamptz + interval '6 months') = $2::text::timestamptz", &[&from, &to])
        .await;
    assert!(rows[0].get::<_, bool>(0), "{from} to {to}");
    for _ in 0..2 {
        assert_eq!(call(&stack, Method::DELETE, "spotify-oauth/link", Some(&user), None).await.status, 204);
    }
    assert_eq!(status(&stack, &user).await, json!({"linked": false}));
}

#[tokio::test]
async fn who_cancels_comes_back_with_the_reason() {
    let (stack, user) = taken().await;
    let callback = decide(&start(&stack, &user).await, "cancel", "ania").await;
    assert_eq!(come_back(&callback).await, [("spotify_error".to_owned(), "access_denied".to_owned())]);
    assert_eq!(status(&stack, &user).await, json!({"linked": false}));
}

#[tokio::test]
async fn a_victim_who_follows_an_attackers_link_links_nothing() {
    let (stack, attacker) = taken().await;
    let victim = stack.sign_up().await;
    // The attacker begins; the victim, lured there, agrees with their own Spotify account, and their app completes.
    let lured = agree(&stack, &attacker, "bob").await;
    complete(&stack, &victim, &lured).await.assert_error(403, "state_of_another_user");
    // Or the attacker begins and agrees, and has the victim's app complete, to see what the victim exports.
    let planted = agree(&stack, &attacker, "ania").await;
    complete(&stack, &victim, &planted).await.assert_error(403, "state_of_another_user");
    for user in [&attacker, &victim] {
        assert_eq!(status(&stack, user).await, json!({"linked": false}));
    }
    // Nothing was exchanged: the codes are still good, for the one who began.
    assert_eq!(stack.log_of("spotify", "/api/token").await.len(), 0);
}

#[tokio::test]
async fn a_tampered_state_is_refused_before_spotify_is_asked() {
    let (stack, user) = taken().await;
    let good = agree(&stack, &user, "ania").await;
    let (payload, signature) = good["state"].as_str().unwrap().split_once('.').unwrap();
    let changed = format!("{}A{}", &payload[..payload.len() - 2], &payload[payload.len() - 1..]);
    for state in [format!("{changed}.{signature}"), payload.to_owned(), String::new()] {
        let body = json!({"code": good["code"], "state": state});
        complete(&stack, &user, &body).await.assert_error(400, "invalid_state");
    }
    assert_eq!(stack.log_of("spotify", "/api/token").await.len(), 0);
}

#[tokio::test]
async fn an_account_that_the_app_may_not_act_for_is_told_so() {
    let (stack, user) = taken().await;
    let code_and_state = agree(&stack, &user, "stranger").await;
    complete(&stack, &user, &code_and_state).await.assert_error(403, "spotify_access_denied");
    assert_eq!(status(&stack, &user).await, json!({"linked": false}));
}

#[tokio::test]
async fn a_code_is_good_once() {
    let (stack, user) = taken().await;
    let used = agree(&stack, &user, "ania").await;
    complete(&stack, &user, &used).await.ok();
    complete(&stack, &user, &used).await.assert_error(400, "invalid_code");
    assert_eq!(status(&stack, &user).await["linked"], true, "the link of before stays");
    for code in ["AQ-made-up", "a b", "", &"x".repeat(3_000)] {
        let state = agree(&stack, &user, "ania").await["state"].clone();
        complete(&stack, &user, &json!({"code": code, "state": state}))
            .await
            .assert_error(400, "invalid_code");
    }
}

#[tokio::test]
async fn nothing_that_spotify_issued_can_be_read_at_rest() {
    let (stack, user) = taken().await;
    link(&stack, &user, "ania").await;
    let issued = stack.spotify(Method::GET, "tokens", &Value::Null).await;
    let issued: Vec<&str> = issued
        .as_object()
        .unwrap()
        .values()
        .flat_map(|it| it.as_array().unwrap())
        .map(|it| it.as_str().unwrap())
        .collect();
    assert!(issued.len() >= 3);
    let tables = stack
        .sql("select format('%I.%I', schemaname, tablename) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')", &[])
        .await;
    let mut rows = 0;
    for table in tables {
        let table: String = table.get(0);
        for row in stack.sql(&format!("select t::text from {table} t"), &[]).await {
            let text: String = row.get(0);
            // A bytea prints as hexadecimal digits.
            let hex = |token: &str| token.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
            assert!(
                !issued.iter().any(|token| text.contains(token) || text.contains(&hex(token))),
                "in {table}"
            );
            rows += 1;
        }
    }
    assert!(rows > 3, "{rows} rows");
    let folder = std::path::PathBuf::from(std::env::var("SOUND_WHISKERS_DATA_DIR").unwrap()).join("logs");
    let mut files = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read(file.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&text);
        assert!(!issued.iter().any(|token| text.contains(token)));
        files += 1;
    }
    assert!(files >= 4, "{files} logs");
}
