//! What functions say of their health, and the gateway of all of them.

use std::time::{Duration, Instant};

use reqwest::Response;
use serde_json::{Map, Value, json};

use crate::fault_proxy::{Fate, FaultProxy};
use crate::faults::Fault;
use crate::own_stack::{Place, functions_alone};
use crate::stack::Stack;

/// The functions, as the folders name them.
fn functions() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions");
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name != "gateway").collect();
    names.sort();
    assert!(names.len() >= 7, "{names:?}");
    names
}

async fn read(response: Response) -> (u16, Value) {
    let headers = response.headers();
    assert_eq!(headers["cache-control"], "no-store");
    assert!(headers.contains_key("x-request-id"));
    (response.status().as_u16(), response.json().await.unwrap())
}

/// The operators' of the local stack.
pub const TOKEN: &str = "local-health-token";

/// What an operator is told.
async fn ask(stack: &Stack, url: String) -> (u16, Value) {
    read(stack.http.get(url).bearer_auth(TOKEN).send().await.unwrap()).await
}

async fn ask_gateway(stack: &Stack) -> (u16, Value) {
    ask(stack, format!("{}/health", stack.url("/web_url"))).await
}

fn ok() -> Value {
    json!({"status": "ok"})
}

fn missing(names: &[&str]) -> Value {
    json!({"status": "unavailable", "missing": names})
}

/// What the gateway answers where these functions say that and all others are well.
fn report(unwell: &[(&str, Value)]) -> (u16, Value) {
    let mut all: Map<String, Value> = functions().into_iter().map(|name| (name, ok())).collect();
    for (name, answer) in unwell {
        all.insert((*name).to_owned(), answer.clone());
    }
    let (code, status) = if unwell.is_empty() { (200, "ok") } else { (503, "unavailable") };
    (code, json!({"status": status, "functions": all}))
}

#[tokio::test]
async fn every_function_is_well_and_tells_anybody() {
    let stack = Stack::take().await;
    for name in functions() {
        let url = format!("{}/health", stack.function(&name));
        assert_eq!(ask(&stack, url.clone()).await, (200, ok()), "{name}");
        let behind_supabase = format!("{}/functions/v1/{name}/health", stack.url("/supabase_url"));
        let request = stack.http.get(behind_supabase).header("apikey", stack.url("/publishable_key"));
        assert_eq!(read(request.send().await.unwrap()).await, (200, ok()), "{name}");
        let head = stack.http.head(&url).send().await.unwrap();
        assert_eq!((head.status().as_u16(), head.text().await.unwrap().as_str()), (200, ""), "{name}");
    }
    for simulator in ["spotify", "llm", "stripe"] {
        assert!(stack.log(simulator).await.is_empty(), "{simulator} was asked");
    }
}

/// On a stack of its own, which runs on workerd wherever the shared one does: Deno has no gateway.
#[tokio::test]
async fn what_is_missing_is_told_by_the_function_and_by_the_gateway() {
    let shared = Stack::take().await;
    let place = Place::take().await;
    let proxy = FaultProxy::start(shared.url("/supabase_url"), 0).await;
    let alone = functions_alone(&shared, &proxy.url);
    let running = place.start_with(&alone).await;
    let stack = &running.stack;
    assert_eq!(ask_gateway(stack).await, report(&[]));
    let head = stack.http.head(format!("{}/health", stack.url("/web_url"))).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.text().await.unwrap().as_str()), (200, ""));
    let refused = stack.http.post(format!("{}/health", stack.url("/web_url"))).send().await.unwrap();
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["allow"]),
        (405, &"GET, HEAD".parse().unwrap())
    );

    let functions = functions();
    let without: Vec<_> = functions.iter().map(|name| (name.as_str(), missing(&["database"]))).collect();
    proxy.decide(|_| Fate::Fault(Fault::Error503));
    assert_eq!(ask_gateway(stack).await, report(&without));
    let url = format!("{}/health", stack.function("billing"));
    assert_eq!(ask(stack, url.clone()).await, (503, missing(&["database"])));
    for url in [url.clone(), format!("{}/health", stack.url("/web_url"))] {
        let head = stack.http.head(&url).bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!((head.status().as_u16(), head.text().await.unwrap().as_str()), (503, ""));
        let told = read(stack.http.get(&url).bearer_auth("another").send().await.unwrap()).await.1;
        assert!(told["functions"].is_null() && told["missing"].is_null(), "{told}");
    }
    let mut is_silent = true;
    proxy.decide(move |request| match request.path.ends_with("limit=1") && std::mem::take(&mut is_silent) {
        true => Fate::Fault(Fault::Timeout),
        false => Fate::Pass,
    });
    let asked = Instant::now();
    assert_eq!(ask(stack, url).await, (503, missing(&["database"])));
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    assert_eq!(ask_gateway(stack).await, report(&[]), "it is back");
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
    assert_eq!(ask_gateway(&running.stack).await, report(&unwell));
    proxy.decide(|_| Fate::Fault(Fault::Error503));
    let url = format!("{}/health", running.stack.function("ai-playlist"));
    let expected = missing(&["configuration", "database", "language_model"]);
    assert_eq!(ask(&running.stack, url.clone()).await, (503, expected));
    let response = running.stack.http.get(url).send().await.unwrap();
    assert!(!response.headers().contains_key("server-timing"), "it was not wanted");
}
