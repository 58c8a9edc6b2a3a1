//! What a function may do in the database by itself: the work of its role, and nothing else.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use uuid::Uuid;

use crate::generation::{self, FIVE, ask, reply};
use crate::own_stack::Place;
use crate::stack::{Stack, User};
use crate::token::{Keys, es256, hs256, keys};

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
        let nobody = Uuid::new_v4();
        let reservation =
            json!({"p_session_id": nobody, "p_user_id": nobody, "p_prompt": "p", "p_save": false});
        let (status, body) = stack
            .rest(reqwest::Method::POST, "rpc/ai_reserve", Some(&bearer(token)), Some(&reservation))
            .await;
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
    let request = generation::saving("calm");
    let (status, done) = generation::json(&running.stack, &user, &request).await;
    assert_eq!(status, 200, "{done}");
    assert_eq!(shared.ai_usage(&user).await["used"], 1);
}
