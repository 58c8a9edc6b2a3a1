//! The health checks of the functions and the gateway.

use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::fault_proxy::{Action, FaultProxy};
use crate::faults::Fault;
use crate::own_stack::{Place, functions_alone};
use crate::stack::{Stack, User, send};

pub const TOKEN: &str = "local-health-token";

/// The names of the functions' folders, without the gateway's.
pub fn functions() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "gateway");
    names.sort();
    names
}

async fn health(stack: &Stack, url: &str, token: &str) -> (u16, Value) {
    let response = send(stack.http.get(url).bearer_auth(token)).await;
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert!(response.header("x-request-id").is_some());
    (response.status, response.body)
}

async fn ask(stack: &Stack, url: &str) -> (u16, Value) {
    health(stack, url, TOKEN).await
}

fn missing(names: &[&str]) -> Value {
    json!({"status": "unavailable", "missing": names})
}

/// Returns the gateway's report if these functions are unhealthy and all others healthy.
fn report(unwell: &[(&str, Value)]) -> (u16, Value) {
    let well = functions().into_iter().map(|name| (name, json!({"status": "ok"})));
    let mut all: Map<String, Value> = well.collect();
    all.extend(unwell.iter().map(|(name, response)| ((*name).to_owned(), response.clone())));
    let (code, status) = if unwell.is_empty() { (200, "ok") } else { (503, "unavailable") };
    (code, json!({"status": status, "functions": all}))
}

#[tokio::test]
async fn every_function_is_healthy_and_calls_no_third_party() {
    let stack = Stack::take().await;
    let functions = functions();
    assert!(functions.len() >= 7, "{functions:?}");
    let ok = (200, json!({"status": "ok"}));
    for name in functions {
        let path = format!("{name}/health");
        assert_eq!(ask(&stack, &stack.function(&path)).await, ok, "{name}");
        let request = stack.http.get(format!("{}/functions/v1/{path}", stack.url("/supabase_url")));
        let response = send(request.header("apikey", stack.url("/publishable_key"))).await;
        assert_eq!((response.status, response.body), ok, "{name} through Supabase");
    }
    for simulator in ["spotify", "llm", "stripe"] {
        let log = stack.control(simulator, Method::GET, "log", &Value::Null).await;
        assert_eq!(log, json!([]), "{simulator} was called");
    }
}

/// On a stack of its own, which always runs on workerd: there is no gateway on Deno.
#[tokio::test]
async fn function_and_gateway_name_missing_dependencies_to_operators() {
    let shared = Stack::take().await;
    let place = Place::take().await;
    let proxy = FaultProxy::start(shared.url("/supabase_url"), 0).await;
    let alone = functions_alone(&shared, &proxy.url);
    let running = place.start_with(&alone).await;
    let stack = &running.stack;
    let (gateway, billing) = (stack.app("/health"), stack.function("billing/health"));
    assert_eq!(ask(stack, &gateway).await, report(&[]));
    let refused = send(stack.http.post(&gateway)).await;
    assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD")));

    proxy.decide(|_| Action::Inject(Fault::Error503));
    let functions = functions();
    let without: Vec<_> = functions.iter().map(|name| (name.as_str(), missing(&["database"]))).collect();
    assert_eq!(ask(stack, &gateway).await, report(&without));
    assert_eq!(ask(stack, &billing).await, (503, missing(&["database"])));
    for url in [&billing, &gateway] {
        let (_, told) = health(stack, url, "another").await;
        assert!(told["functions"].is_null() && told["missing"].is_null(), "{told}");
    }
    let mut is_silent = true;
    proxy.decide(move |request| {
        let is_first = request.path.ends_with("limit=1") && std::mem::take(&mut is_silent);
        if is_first { Action::Inject(Fault::Timeout) } else { Action::Pass }
    });
    assert_eq!(ask(stack, &billing).await, (503, missing(&["database"])));
    assert_eq!(ask(stack, &gateway).await, report(&[]), "it is back");
    drop(running);

    let broken =
        "SPOTIFY_TOKEN_SECRETS=short\nLLM_BASE_URL=nowhere\nSTRIPE_PRICE_ID=none\nSUBREQUEST_LIMIT=1\n";
    let running = place.start_with(&format!("{alone}{broken}SERVER_TIMING=false\n")).await;
    let unwell = [
        ("ai-playlist", missing(&["configuration", "language_model"])),
        ("billing", missing(&["stripe"])),
        ("spotify-export", missing(&["spotify"])),
        ("spotify-oauth", missing(&["spotify"])),
    ];
    assert_eq!(ask(&running.stack, &running.stack.app("/health")).await, report(&unwell));
    let path = "ai-playlist/health";
    let response = running.stack.call(Method::GET, path, &User::bearer(TOKEN), Value::Null).await;
    assert!(response.status == 503 && response.header("server-timing").is_none(), "{response:?}");
}
