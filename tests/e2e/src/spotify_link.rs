//! Linking a Spotify account, which only the user who started can complete.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::spotify::{agree, come_back, complete, decide, link, pairs, start, status, value};
use crate::stack::{data_dir, stack_and_user};

fn unlinked() -> Value {
    json!({"linked": false})
}

#[tokio::test]
async fn user_links_an_account_and_unlinks_it() {
    let (stack, user) = stack_and_user().await;
    assert_eq!(status(&stack, &user).await, unlinked());
    let linked = link(&stack, &user, "ania").await;
    assert_eq!((&linked["linked"], &linked["spotify_display_name"]), (&json!(true), &json!("Ania Żółć")));
    assert_eq!(status(&stack, &user).await, linked);
    for _ in 0..2 {
        assert_eq!(stack.call(Method::DELETE, "spotify-oauth/link", &user, Value::Null).await.status, 204);
    }
    assert_eq!(status(&stack, &user).await, unlinked());
}

#[tokio::test]
async fn consent_of_one_user_links_no_account_of_another() {
    let (stack, attacker) = stack_and_user().await;
    let victim = stack.sign_up().await;
    // The attacker starts, the victim consents with their own Spotify account, and the victim's app completes.
    let lured = agree(&stack, &attacker, "bob").await;
    complete(&stack, &victim, &lured).await.assert_error(403, "state_of_another_user");
    // The attacker starts and consents, and has the victim's app complete, to see what the victim exports.
    let planted = agree(&stack, &attacker, "ania").await;
    complete(&stack, &victim, &planted).await.assert_error(403, "state_of_another_user");
    assert_eq!(stack.log("spotify", "/api/token").await.len(), 0, "a code was exchanged");
    // The attacker uses a stolen code with a state of their own.
    let stolen = agree(&stack, &victim, "bob").await;
    let mixed = json!({"code": stolen["code"], "state": planted["state"]});
    complete(&stack, &attacker, &mixed).await.assert_error(400, "invalid_code");
    for user in [&attacker, &victim] {
        assert_eq!(status(&stack, user).await, unlinked());
    }
    complete(&stack, &victim, &stolen).await.ok();
}

#[tokio::test]
async fn tampered_state_used_code_and_unlisted_account_are_refused() {
    let (stack, user) = stack_and_user().await;
    let used = agree(&stack, &user, "ania").await;
    let (payload, signature) = used["state"].as_str().unwrap().split_once('.').unwrap();
    let tampered = format!("{}A{}.{signature}", &payload[..payload.len() - 2], &payload[payload.len() - 1..]);
    for state in [&tampered, payload, ""] {
        let body = json!({"code": used["code"], "state": state});
        complete(&stack, &user, &body).await.assert_error(400, "invalid_state");
    }
    assert_eq!(stack.log("spotify", "/api/token").await.len(), 0, "a code was exchanged");
    let unlisted = agree(&stack, &user, "stranger").await;
    complete(&stack, &user, &unlisted).await.assert_error(403, "spotify_access_denied");
    assert_eq!(status(&stack, &user).await, unlinked());
    complete(&stack, &user, &used).await.ok();
    complete(&stack, &user, &used).await.assert_error(400, "invalid_code");
    assert_eq!(status(&stack, &user).await["linked"], true, "the first link stays");
}

#[tokio::test]
async fn code_cannot_be_redeemed_with_the_contents_of_the_urls() {
    let (stack, user) = stack_and_user().await;
    let url = start(&stack, &user).await;
    let query = pairs(&url);
    let challenge = value(&query, "code_challenge");
    for (name, expected) in
        [("scope", "playlist-modify-private"), ("response_type", "code"), ("code_challenge_method", "S256")]
    {
        assert_eq!(value(&query, name), expected);
    }
    let callback = decide(&url, "agree", "ania").await;
    let back = come_back(&callback).await;
    let body = json!({"code": value(&back, "spotify_code"), "state": value(&query, "state")});
    complete(&stack, &user, &body).await.ok();
    let sent = stack.log("spotify", "/api/token").await;
    let form = pairs(&Url::parse(&format!("http://x/?{}", sent[0]["body"].as_str().unwrap())).unwrap());
    let verifier = value(&form, "code_verifier");
    assert_eq!(URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)), challenge);
    assert!(![url.as_str(), callback.as_str()].iter().any(|url| url.contains(verifier)));
}

#[tokio::test]
async fn no_token_of_spotify_can_be_read_in_the_database_or_the_logs() {
    let (stack, user) = stack_and_user().await;
    link(&stack, &user, "ania").await;
    let issued = stack.spotify(Method::GET, "tokens", Value::Null).await;
    let issued = issued.as_object().unwrap().values().flat_map(|tokens| tokens.as_array().unwrap());
    let issued: Vec<&str> = issued.map(|token| token.as_str().unwrap()).collect();
    assert!(issued.len() >= 3);
    // A bytea prints as hexadecimal digits.
    let hex = |token: &str| token.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let forms: Vec<String> = issued.iter().flat_map(|token| [(*token).to_owned(), hex(token)]).collect();
    let holds = |text: &str| forms.iter().any(|form| text.contains(form));
    let tables = "select format('%I.%I', schemaname, tablename) from pg_tables
        where schemaname not in ('pg_catalog', 'information_schema')";
    let mut rows = 0;
    for table in stack.sql(tables, &[]).await {
        let table: String = table.get(0);
        for row in stack.sql(&format!("select t::text from {table} t"), &[]).await {
            assert!(!holds(row.get(0)), "in {table}");
            rows += 1;
        }
    }
    let mut files = 0;
    for file in std::fs::read_dir(data_dir().join("logs")).unwrap() {
        let path = file.unwrap().path();
        assert!(!holds(&String::from_utf8_lossy(&std::fs::read(&path).unwrap())), "in {}", path.display());
        files += 1;
    }
    assert!(rows > 3 && files >= 4, "{rows} rows, {files} logs");
}
