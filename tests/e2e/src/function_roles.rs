//! The rights of a function's role in the database.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::generation::{ask, document, saving};
use crate::own_stack::Place;
use crate::stack::{Stack, User, now, stack_and_user};
use crate::token::{Keys, keys, none};

#[tokio::test]
async fn forged_or_expired_token_of_a_role_is_refused_by_the_database() {
    let stack = Stack::take().await;
    let keys = keys();
    let other_key = p256::ecdsa::SigningKey::from_slice(&[9; 32]).unwrap();
    let other = Keys { kid: keys.kid.clone(), es256: other_key, jwt_secret: String::new() };
    let claims = |expires: u64| json!({"role": "fn_ai", "iat": now() - 600, "exp": expires});
    let valid = claims(now() + 600);
    let id = Uuid::new_v4();
    let reservation = json!({"p_session_id": id, "p_user_id": id, "p_prompt": "p", "p_save": false});
    let reserve = async |token: String| {
        let user = User::bearer(&token);
        stack.rest(Method::POST, "rpc/ai_reserve", &user, reservation.clone()).await.status
    };
    assert_eq!(reserve(keys.es256(&valid)).await, 200);
    for (what, token) in [
        ("expired", keys.es256(&claims(now() - 300))),
        ("of another key", other.es256(&valid)),
        ("unsigned", none(&valid)),
    ] {
        assert_eq!(reserve(token).await, 401, "a token {what}");
    }
}

/// The names under which a runtime's process receives tokens: workerd each function's, Deno each role's.
fn holds_a_token(environment: &str) -> bool {
    ["SUPABASE_FUNCTION_TOKEN=", "FN_AI_TOKEN="].iter().any(|name| environment.contains(name))
}

/// The environment of the functions' process; `None` where the system does not show it.
fn environment_of_functions(stack: &Stack) -> Option<String> {
    let pid: &Value = &stack.ready["pids"]["functions"];
    let bytes = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test]
async fn functions_hold_their_tokens_and_not_the_secret_key() {
    let (stack, user) = stack_and_user().await;
    if let Some(environment) = environment_of_functions(&stack) {
        assert!(holds_a_token(&environment) && !environment.contains(stack.url("/secret_key")));
    }
    document(&stack, &user, &ask("calm")).await.ok();
}

#[tokio::test]
async fn functions_use_the_secret_key_where_there_is_no_token() {
    let shared = Stack::take().await;
    let place = Place::take().await;
    // Hosted projects may have no tokens of roles.
    let lines = ["supabase_url", "publishable_key", "secret_key"].map(|name| {
        let variable = if name == "supabase_url" { name.to_owned() } else { format!("supabase_{name}") };
        format!("{}={}\n", variable.to_uppercase(), shared.url(&format!("/{name}")))
    });
    let running = place.start_with(&lines.concat()).await;
    if let Some(environment) = environment_of_functions(&running.stack) {
        assert!(!holds_a_token(&environment));
    }
    let user = shared.sign_up().await;
    running.stack.llm_script(crate::generation::reply(&crate::generation::FIVE)).await;
    document(&running.stack, &user, &saving("calm")).await.ok();
    shared.assert_used(&user, 1, 1).await;
}
