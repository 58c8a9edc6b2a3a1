//! Headers, CORS and errors: the frame around every answer.

use reqwest::Method;

use crate::generation::{self, FIVE, ask, reply};
use crate::stack::taken;

#[tokio::test]
async fn no_answer_is_kept_by_a_cache() {
    let (stack, user) = taken().await;
    stack.llm_script(reply(&FIVE)).await;
    for (accept, directive, buffering) in [
        ("text/event-stream", "no-cache, no-transform", Some("no")),
        ("text/event-stream;q=0", "no-store", None),
        ("application/json", "no-store", None),
    ] {
        let request = generation::request(&stack, &user, &ask("evening")).header("accept", accept);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["cache-control"], directive);
        let told = response.headers().get("x-accel-buffering").map(|value| value.to_str().unwrap());
        assert_eq!(told, buffering, "{accept}");
        assert!(response.headers().contains_key("x-request-id"));
        response.bytes().await.unwrap();
    }
}

#[tokio::test]
async fn the_functions_answer_behind_supabases_own_url_too() {
    let (stack, user) = taken().await;
    stack.llm_script(reply(&FIVE)).await;
    let url = format!("{}/functions/v1/ai-playlist", stack.url("/supabase_url"));
    let request = stack.http.post(url).bearer_auth(&user.token).json(&ask("evening"));
    let request =
        request.header("accept", "text/event-stream").header("apikey", stack.url("/publishable_key"));
    let stream = generation::read(request.send().await.unwrap()).await;
    assert_eq!(stream.last("done")["count"], 5);
}

#[tokio::test]
async fn what_clients_gateways_and_tracers_add_changes_nothing() {
    let (stack, user) = taken().await;
    stack.llm_script(reply(&FIVE)).await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (method, path, body) in [
        (Method::POST, "ai-playlist", Some(ask("evening"))),
        (Method::GET, "spotify-search", None),
        (Method::POST, "spotify-oauth/start", None),
        (Method::GET, "spotify-oauth/status", None),
        (Method::DELETE, "spotify-oauth/link", None),
        (Method::GET, "account/health", None),
    ] {
        let url = format!(
            "{}/?title=Lithium&forceFunctionRegion=eu-west-1&utm_source=mail&utm_source=x",
            stack.function(path)
        );
        let mut request = stack.http.request(method, url).bearer_auth(&user.token);
        for (name, value) in [
            ("apikey", stack.url("/publishable_key")),
            ("x-region", "eu-west-1"),
            ("x-client-info", "supabase-js-web/2.0.0"),
            ("x-supabase-api-version", "2024-01-01"),
            ("prefer", "return=minimal"),
            ("traceparent", trace),
            ("tracestate", "a=b"),
            ("baggage", "sentry-environment=production"),
            ("sentry-trace", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"),
            ("x-retry-count", "1"),
            ("x-forwarded-for", "203.0.113.7, 10.0.0.1"),
            ("x-forwarded-host", "elsewhere.example"),
            ("cookie", "a=b"),
        ] {
            request = request.header(name, value);
        }
        let request = if let Some(body) = body { request.json(&body) } else { request };
        let response = request.send().await.unwrap();
        assert!(
            response.status().is_success(),
            "{path}: {} {}",
            response.status(),
            response.text().await.unwrap()
        );
    }
}
