//! Linking a Spotify account: by the listener who began, and by nobody else.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::spotify::{agree, call, come_back, complete, decide, link, start, status, value};
use crate::stack::taken;
use crate::token::{altered, claims, es256, keys};

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
async fn a_code_that_was_stolen_links_nothing_to_the_thiefs_account() {
    let (stack, thief) = taken().await;
    let victim = stack.sign_up().await;
    let stolen = agree(&stack, &victim, "bob").await;
    let own = agree(&stack, &thief, "ania").await;
    let mixed = json!({"code": stolen["code"], "state": own["state"]});
    complete(&stack, &thief, &mixed).await.assert_error(400, "invalid_code");
    assert_eq!(status(&stack, &thief).await, json!({"linked": false}));
    complete(&stack, &victim, &stolen).await.ok();
}

#[tokio::test]
async fn an_old_session_neither_begins_a_link_nor_deletes_the_account_and_a_new_sign_in_does() {
    let (stack, user) = taken().await;
    let keys = keys();
    let header = json!({"alg": "ES256", "typ": "JWT", "kid": keys.kid});
    // As after a refresh: the token is new, the sign-in is not.
    let old = json!({"amr": [{"method": "password", "timestamp": SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() - 601}]});
    let mut held = user.clone();
    held.token = es256(&keys, &header, &altered(&user, &old));
    let confirmation = json!({"confirm": claims(&user.token)["email"]});
    for (method, path, body) in
        [(Method::POST, "spotify-oauth/start", None), (Method::DELETE, "account", Some(&confirmation))]
    {
        call(&stack, method, path, Some(&held), body).await.assert_error(403, "sign_in_again");
    }
    assert_eq!(status(&stack, &held).await, json!({"linked": false}));
    link(&stack, &user, "ania").await;
    assert_eq!(call(&stack, Method::DELETE, "account", Some(&user), Some(&confirmation)).await.status, 204);
}

#[tokio::test]
async fn what_stands_in_the_urls_is_not_enough_to_redeem_a_code() {
    let (stack, user) = taken().await;
    let url = start(&stack, &user).await;
    let query: Vec<_> = url.query_pairs().into_owned().collect();
    let (state, challenge) = (value(&query, "state"), value(&query, "code_challenge"));
    assert_eq!((value(&query, "code_challenge_method"), challenge.len()), ("S256", 43));
    let callback = decide(&url, "agree", "ania").await;
    let back = come_back(&callback).await;
    complete(&stack, &user, &json!({"code": value(&back, "spotify_code"), "state": state})).await.ok();
    let sent = stack.log_of("spotify", "/api/token").await;
    let form = sent[0]["body"].as_str().unwrap();
    let form: Vec<_> = Url::parse(&format!("http://x/?{form}")).unwrap().query_pairs().into_owned().collect();
    let verifier = value(&form, "code_verifier");
    assert_eq!(URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)), challenge);
    assert!(![url.as_str(), callback.as_str()].iter().any(|url| url.contains(verifier)));
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
