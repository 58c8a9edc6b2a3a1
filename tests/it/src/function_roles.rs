//! What a function may do in the database by itself: the work of its role, and nothing else.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::generation::{self, FIVE, ask, reply};
use crate::own_stack::Place;
use crate::stack::{Stack, User};
use crate::token::{Keys, es256, hs256, keys};

const ROLES: [&str; 4] = ["fn_ai", "fn_spotify", "fn_billing", "fn_account"];
const TABLES: [&str; 5] = ["profiles", "playlists", "playlist_tracks", "ai_sessions", "spotify_tokens"];

/// Calls that do nothing, each with the one role whose work it is.
fn calls() -> [(&'static str, &'static str, Value); 11] {
    let nobody = Uuid::new_v4();
    let secret = "s".repeat(32);
    [
        (
            "fn_ai",
            "ai_reserve",
            json!({"p_session_id": nobody, "p_user_id": nobody, "p_prompt": "p", "p_save": false}),
        ),
        (
            "fn_ai",
            "ai_settle",
            json!({"p_session_id": nobody, "p_user_id": nobody, "p_status": "failed", "p_cost": 0}),
        ),
        (
            "fn_ai",
            "save_generated_playlist",
            json!({"p_session_id": nobody, "p_user_id": nobody, "p_cost": 0, "p_name": "n", "p_description": null,
                "p_tracks": [{"track_uri": "spotify:track:4uLU6hMCjMI75M1A2tKUQC"}]}),
        ),
        ("fn_spotify", "get_spotify_tokens", json!({"p_user_id": nobody, "p_secret": secret})),
        ("fn_spotify", "delete_spotify_tokens", json!({"p_user_id": nobody})),
        (
            "fn_spotify",
            "rotate_spotify_tokens",
            json!({"p_new_secret": secret, "p_old_secret": secret, "p_limit": 1}),
        ),
        ("fn_billing", "billing_profile", json!({"p_user_id": nobody})),
        (
            "fn_billing",
            "set_billing_plan",
            json!({"p_user_id": nobody, "p_seen_synced_at": null, "p_stripe_customer_id": null, "p_plan": "free"}),
        ),
        (
            "fn_account",
            "begin_account_deletion",
            json!({"p_user_id": nobody, "p_confirmation": "nobody@example.test"}),
        ),
        ("fn_account", "delete_account", json!({"p_user_id": nobody})),
        ("a user", "usage", json!({})),
    ]
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn token(keys: &Keys, role: &str, expires: u64) -> String {
    let header = json!({"alg": "ES256", "typ": "JWT", "kid": keys.kid});
    es256(keys, &header, &json!({"role": role, "iat": now() - 60, "exp": expires}))
}

/// Somebody who is nobody but bears a token.
fn bearer(token: String) -> User {
    User { id: Uuid::nil(), token }
}

#[tokio::test]
async fn a_role_does_its_own_work_and_no_other() {
    let stack = Stack::take().await;
    let keys = keys();
    for role in ROLES {
        let bearer = bearer(token(&keys, role, now() + 600));
        for (owner, function, arguments) in calls() {
            let path = format!("rpc/{function}");
            let (status, body) =
                stack.rest(reqwest::Method::POST, &path, Some(&bearer), Some(&arguments)).await;
            let expected = if owner == role { 200 } else { 403 };
            assert_eq!(status, expected, "{role} calls {function}: {body}");
        }
        for table in TABLES {
            let (status, body) = stack.rest(reqwest::Method::GET, table, Some(&bearer), None).await;
            assert_eq!((status, &body["code"]), (403, &json!("42501")), "{role} reads {table}: {body}");
            let change = json!({"updated_at": "2026-01-01T00:00:00Z"});
            let (status, _) = stack.rest(reqwest::Method::PATCH, table, Some(&bearer), Some(&change)).await;
            assert!((400..=403).contains(&status), "{role} changes {table}: {status}");
        }
    }
}

#[tokio::test]
async fn a_role_is_believed_by_its_signature_and_while_it_lasts() {
    let stack = Stack::take().await;
    let keys = keys();
    let other = Keys {
        es256: p256::ecdsa::SigningKey::from_slice(&[9; 32]).unwrap(),
        jwt_secret: String::new(),
        ..crate::token::keys()
    };
    let header = json!({"alg": "HS256", "typ": "JWT"});
    let claims = json!({"role": "fn_ai", "iat": now(), "exp": now() + 600});
    for (what, token) in [
        ("expired", token(&keys, "fn_ai", now() - 300)),
        ("of another key", token(&other, "fn_ai", now() + 600)),
        ("of another secret", hs256(b"another secret of at least 32 bytes", &header, &claims)),
        ("unsigned", crate::token::none(&claims)),
    ] {
        let (_, function, arguments) = &calls()[0];
        let path = format!("rpc/{function}");
        let (status, body) =
            stack.rest(reqwest::Method::POST, &path, Some(&bearer(token)), Some(arguments)).await;
        assert_eq!(status, 401, "a token {what}: {body}");
    }
}

/// Under what a runtime's process is given the functions' tokens: workerd each function's, Deno each role's.
const HOLD_A_TOKEN: [&str; 2] = ["SUPABASE_FUNCTION_TOKEN=", "FN_AI_TOKEN="];

/// What the functions' process was given; nothing where the system does not tell.
fn environment_of_functions(stack: &Stack) -> String {
    let pid = stack.ready["pids"]["functions"].as_u64().unwrap();
    let bytes = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn the_functions_hold_their_tokens_and_not_the_secret_key() {
    let stack = Stack::take().await;
    let environment = environment_of_functions(&stack);
    if cfg!(target_os = "linux") {
        assert!(HOLD_A_TOKEN.iter().any(|name| environment.contains(name)), "no token");
    }
    assert!(!environment.contains(stack.url("/secret_key")), "the secret key");
    stack.llm_script(reply(&FIVE)).await;
    let (status, done) = generation::json(&stack, &stack.sign_up().await, &ask("calm")).await;
    assert_eq!(status, 200, "{done}");
}

#[tokio::test]
async fn where_there_is_no_token_the_secret_key_serves() {
    let shared = Stack::take().await;
    let place = Place::take().await;
    // As somebody would name a hosted project.
    let given = ["supabase_url", "publishable_key", "secret_key"].map(|name| shared.url(&format!("/{name}")));
    let names = ["SUPABASE_URL", "SUPABASE_PUBLISHABLE_KEY", "SUPABASE_SECRET_KEY"];
    let lines = names.iter().zip(given).map(|(name, value)| format!("{name}={value}\n")).collect::<String>();
    let running = place.start_with(&lines).await;
    if cfg!(target_os = "linux") {
        let environment = environment_of_functions(&running.stack);
        assert!(!HOLD_A_TOKEN.iter().any(|name| environment.contains(name)), "a token");
    }
    running.stack.llm_script(reply(&FIVE)).await;
    let user = shared.sign_up().await;
    let mut request = ask("calm");
    request["save"] = json!(true);
    let (status, done) = generation::json(&running.stack, &user, &request).await;
    assert_eq!(status, 200, "{done}");
    assert_eq!(shared.ai_usage(&user).await["used"], 1);
}
