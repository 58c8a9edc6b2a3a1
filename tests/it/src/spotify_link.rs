//! Linking a Spotify account: by the listener who began, and by nobody else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use reqwest::{Method, Url};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::spotify::{
    agree, browser, call, come_back, complete, decide, export, link, playlist, renewals, some_tracks, start,
    status, value,
};
use crate::stack::{Stack, User};
use crate::token::{altered, claims, es256, keys};

async fn taken() -> (Stack, User) {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    (stack, user)
}

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
async fn an_app_that_spotify_refuses_is_the_operators_to_mend_and_a_listener_who_is_not_let_in_is_told() {
    let (stack, user) = taken().await;
    for (said, status, code) in [
        ("Active premium subscription required for the owner of the app.", 503, "misconfigured"),
        (
            "Check settings on developer.spotify.com/dashboard, the user may not be registered.",
            403,
            "spotify_access_denied",
        ),
    ] {
        for body in [json!(said), json!({"error": {"status": 403, "message": said}})] {
            stack.faults("spotify", json!([{"path_prefix": "/v1/me", "status": 403, "body": body}])).await;
            let code_and_state = agree(&stack, &user, "ania").await;
            complete(&stack, &user, &code_and_state).await.assert_error(status, code);
        }
    }
}

#[tokio::test]
async fn who_cancels_comes_back_with_the_reason() {
    let (stack, user) = taken().await;
    let callback = decide(&start(&stack, &user).await, "cancel", "ania").await;
    assert_eq!(come_back(&callback).await, [("spotify_error".to_owned(), "access_denied".to_owned())]);
    assert_eq!(status(&stack, &user).await, json!({"linked": false}));
}

#[tokio::test]
async fn linking_again_begins_anew_and_renewing_does_not() {
    let (stack, user) = taken().await;
    link(&stack, &user, "ania").await;
    let back = "update public.spotify_tokens set created_at = '2026-06-01T00:00:00Z', expires_at = now() where user_id = $1";
    stack.sql(back, &[&user.id]).await;
    let playlist = playlist(&stack, &user, "One", &some_tracks(&stack, 1).await).await;
    export(&stack, &user, &playlist, None).await.ok();
    assert_eq!(renewals(&stack).await, 1);
    let shown = status(&stack, &user).await;
    assert_eq!(
        (&shown["linked_at"], &shown["expires_at"]),
        (&json!("2026-06-01T00:00:00Z"), &json!("2026-12-01T00:00:00Z"))
    );
    let again = link(&stack, &user, "bob").await;
    assert_eq!(again["spotify_display_name"], "Bob");
    assert_ne!(again["linked_at"], "2026-06-01T00:00:00Z");
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
    let old = json!({"amr": [{"method": "password", "timestamp": now() - 601}]});
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

/// A state as the stack itself would sign it, or with another key.
fn signed(key: &str, user: Uuid, seconds: u64) -> String {
    let mut payload = vec![1_u8];
    payload.extend_from_slice(user.as_bytes());
    payload.extend_from_slice(&[7; 16]);
    payload.extend_from_slice(&seconds.to_be_bytes());
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(b"sound-whiskers/spotify-state/");
    mac.update(&payload);
    format!("{}.{}", URL_SAFE_NO_PAD.encode(&payload), URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// What the local stack signs with.
fn own_key(stack: &Stack) -> String {
    let hash = Sha256::digest(format!("spotify-state/{}", stack.url("/secret_key")));
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

#[tokio::test]
async fn a_state_that_is_not_the_callers_and_fresh_and_ours_is_refused() {
    let (stack, user) = taken().await;
    let good = agree(&stack, &user, "ania").await;
    let (code, state) = (good["code"].as_str().unwrap(), good["state"].as_str().unwrap());
    let own = own_key(&stack);
    let (payload, signature) = state.split_once('.').unwrap();
    let other = signed(&own, Uuid::new_v4(), now());
    let other_payload = other.split('.').next().unwrap();
    for (what, state) in [
        ("tampered", format!("{other_payload}.{signature}")),
        ("truncated", state[..state.len() - 4].to_owned()),
        ("without signature", payload.to_owned()),
        ("of another key", signed(&"k".repeat(64), user.id, now())),
        ("expired", signed(&own, user.id, now() - 601)),
        ("from the future", signed(&own, user.id, now() + 120)),
        ("nothing", String::new()),
    ] {
        let answer = complete(&stack, &user, &json!({"code": code, "state": state})).await;
        assert_eq!(answer.body["code"], "invalid_state", "{what}: {}", answer.body);
        assert_eq!(answer.status, 400, "{what}");
    }
    assert_eq!(stack.log_of("spotify", "/api/token").await.len(), 0);
    // That the forging is done right: the same, fresh and for the caller, passes; but the code is another state's.
    let forged = json!({"code": code, "state": signed(&own, user.id, now())});
    complete(&stack, &user, &forged).await.assert_error(400, "invalid_code");
    complete(&stack, &user, &good).await.ok();
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
async fn a_code_for_another_redirect_uri_is_of_no_use() {
    let (stack, user) = taken().await;
    let mut url = start(&stack, &user).await;
    let elsewhere = format!("{}/elsewhere", stack.url("/web_url"));
    let query: Vec<_> = url.query_pairs().into_owned().collect();
    let query = query.into_iter().map(|(name, value)| match name.as_str() {
        "redirect_uri" => (name, elsewhere.clone()),
        _ => (name, value),
    });
    url.query_pairs_mut().clear().extend_pairs(query.collect::<Vec<_>>());
    let sent = decide(&url, "agree", "ania").await;
    assert!(sent.as_str().starts_with(&elsewhere), "{sent}");
    let brought: Vec<_> = sent.query_pairs().into_owned().collect();
    let body = json!({"code": value(&brought, "code"), "state": value(&brought, "state")});
    complete(&stack, &user, &body).await.assert_error(400, "invalid_code");
    assert_eq!(status(&stack, &user).await, json!({"linked": false}));
}

#[tokio::test]
async fn the_callback_sends_nobody_anywhere_but_to_the_app() {
    let (stack, user) = taken().await;
    let callback = decide(&start(&stack, &user).await, "agree", "ania").await;
    let app = stack.url("/web_url");
    let evil = [
        "?redirect_uri=https://evil.example&state=https://evil.example",
        "?code=a%0d%0aLocation:%20https://evil.example&state=x",
        "?error=%0d%0ahttps://evil.example",
        "?next=//evil.example",
        "",
        &format!("?{}&next=https://evil.example", callback.query().unwrap()),
    ];
    for query in evil {
        let url = format!("{}{query}", stack.function("spotify-oauth/callback"));
        let request = browser()
            .get(&url)
            .header("host", "evil.example")
            .header("x-forwarded-host", "evil.example")
            .header("origin", "https://evil.example");
        let response = request.send().await.unwrap();
        let location = response.headers()["location"].to_str().unwrap().to_owned();
        assert!(location.starts_with(&format!("{app}/#spotify_")), "{query}: {location}");
        assert!(!location.contains("evil"), "{query}: {location}");
    }
}

#[tokio::test]
async fn routes_know_their_methods_and_callers() {
    let (stack, user) = taken().await;
    for (method, path, allow) in [
        (Method::GET, "start", "POST"),
        (Method::DELETE, "complete", "POST"),
        (Method::POST, "callback", "GET"),
        (Method::POST, "status", "GET"),
        (Method::GET, "link", "DELETE"),
    ] {
        let answer = call(&stack, method, &format!("spotify-oauth/{path}"), Some(&user), None).await;
        answer.assert_error(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some(allow), "{path}");
    }
    for (method, path) in [
        (Method::POST, "start"),
        (Method::POST, "complete"),
        (Method::GET, "status"),
        (Method::DELETE, "link"),
    ] {
        let answer = call(&stack, method, &format!("spotify-oauth/{path}"), None, Some(&json!({}))).await;
        answer.assert_error(401, "missing_token");
    }
    call(&stack, Method::GET, "spotify-oauth/elsewhere", Some(&user), None)
        .await
        .assert_error(404, "not_found");
}

#[tokio::test]
async fn whatever_spotify_does_while_linking_the_answer_is_clear_and_the_link_of_before_stays() {
    let (stack, user) = taken().await;
    link(&stack, &user, "ania").await;
    for (fault, status_code, code) in [
        (json!({"status": 429, "headers": {"retry-after": "48925"}}), 503, "spotify_rate_limited"),
        (json!({"status": 500, "body": "<h1>Oops</h1>"}), 502, "spotify_unavailable"),
        (json!({"status": 200, "body": "<h1>Hi</h1>"}), 502, "spotify_unavailable"),
        (
            json!({"status": 200, "body": {"access_token": "a", "token_type": "Bearer", "expires_in": 3600}}),
            502,
            "spotify_unavailable",
        ),
        (json!({"reset_connection": true}), 502, "spotify_unavailable"),
        (json!({"truncate_after_bytes": 20}), 502, "spotify_unavailable"),
        (json!({"delay_ms": 30_000}), 504, "spotify_timeout"),
        (json!({"status": 400, "body": {"error": "invalid_client"}}), 503, "misconfigured"),
    ] {
        let code_and_state = agree(&stack, &user, "bob").await;
        let mut fault_at = fault.clone();
        fault_at["path_prefix"] = json!("/api/token");
        stack.faults("spotify", json!([fault_at])).await;
        let answer = complete(&stack, &user, &code_and_state).await;
        answer.assert_error(status_code, code);
        if code == "spotify_rate_limited" {
            assert_eq!(answer.header("retry-after"), Some("48925"));
        }
        stack.faults("spotify", json!([])).await;
        assert_eq!(status(&stack, &user).await["spotify_display_name"], "Ania Żółć", "{fault}");
    }
    // A rate limit of a second is waited for; a name that cannot be had is done without.
    let code_and_state = agree(&stack, &user, "bob").await;
    let faults = json!([
        {"path_prefix": "/api/token", "status": 429, "headers": {"retry-after": "1"}, "times": 1},
        {"path_prefix": "/v1/me", "status": 500, "body": "no"},
    ]);
    stack.faults("spotify", faults).await;
    let linked = complete(&stack, &user, &code_and_state).await.ok();
    assert_eq!((&linked["linked"], linked.get("spotify_display_name")), (&json!(true), None));
}

#[tokio::test]
async fn whatever_spotify_does_while_a_token_is_renewed_the_link_stays() {
    let (stack, user) = taken().await;
    link(&stack, &user, "ania").await;
    let playlist = playlist(&stack, &user, "One", &some_tracks(&stack, 1).await).await;
    for (fault, status_code, code) in [
        (json!({"status": 429, "headers": {"retry-after": "48925"}}), 503, "spotify_rate_limited"),
        (json!({"status": 500, "body": "<h1>Oops</h1>"}), 502, "spotify_unavailable"),
        (json!({"status": 200, "body": "<h1>Hi</h1>"}), 502, "spotify_unavailable"),
        (json!({"status": 400, "body": "invalid_grant"}), 502, "spotify_unavailable"),
        (json!({"reset_connection": true}), 502, "spotify_unavailable"),
        (json!({"truncate_after_bytes": 20}), 502, "spotify_unavailable"),
        (json!({"delay_ms": 30_000}), 504, "spotify_timeout"),
        (json!({"status": 400, "body": {"error": "invalid_client"}}), 503, "misconfigured"),
    ] {
        stack
            .sql("update public.spotify_tokens set expires_at = now() where user_id = $1", &[&user.id])
            .await;
        let mut fault = fault;
        fault["path_prefix"] = json!("/api/token");
        stack.faults("spotify", json!([fault])).await;
        stack.refill(&user).await;
        let answer = export(&stack, &user, &playlist, None).await;
        answer.assert_error(status_code, code);
        if code == "spotify_rate_limited" {
            assert_eq!(answer.header("retry-after"), Some("48925"));
        }
        // The next request need not wait for the right to renew: it was given back.
        let once = json!([{"path_prefix": "/api/token", "status": 429, "headers": {"retry-after": "1"}, "times": 1}]);
        stack.faults("spotify", once).await;
        let before = renewals(&stack).await;
        export(&stack, &user, &playlist, None).await.ok();
        assert_eq!(renewals(&stack).await, before + 2, "refused for a second, then renewed");
    }
}

#[tokio::test]
async fn an_account_that_the_app_may_not_act_for_is_told_so() {
    let (stack, user) = taken().await;
    let code_and_state = agree(&stack, &user, "stranger").await;
    complete(&stack, &user, &code_and_state).await.assert_error(403, "spotify_access_denied");
    assert_eq!(status(&stack, &user).await, json!({"linked": false}));
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

#[tokio::test]
async fn the_consent_page_belongs_to_the_registered_address_alone() {
    let (stack, user) = taken().await;
    let url = start(&stack, &user).await;
    let elsewhere = url.as_str().replace("spotify-oauth%2Fcallback", "elsewhere");
    let response = browser().get(Url::parse(&elsewhere).unwrap()).send().await.unwrap();
    assert_eq!(response.status(), 400);
    assert!(response.headers().get("location").is_none());
}
