//! Whatever the catalogue does: a clear answer, nothing charged, nothing unverified.

use serde_json::json;

use crate::generation::{self, FIVE, ask, assert_error, reply};
use crate::stack::{Stack, User};

const SEARCH: &str = "/v1/search";

async fn taken() -> (Stack, User) {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    stack.llm_script(reply(&FIVE)).await;
    (stack, user)
}

async fn fails(stack: &Stack, user: &User, status: u16, code: &str) {
    let mut body = ask("evening");
    body["save"] = json!(true);
    assert_error(&generation::json(stack, user, &body).await, status, code);
    stack.assert_untouched(user, 0).await;
}

#[tokio::test]
async fn a_token_that_spotify_forgot_is_replaced_once() {
    let (stack, user) = taken().await;
    assert_eq!(generation::json(&stack, &user, &ask("evening")).await.0, 200);
    stack.expire_spotify_tokens().await;
    let (status, done) = generation::json(&stack, &user, &ask("evening")).await;
    assert_eq!((status.as_u16(), &done["count"]), (200, &json!(5)), "{done}");
}

#[tokio::test]
async fn a_token_is_used_for_many_generations() {
    let (stack, user) = taken().await;
    stack.expire_spotify_tokens().await;
    for _ in 0..3 {
        assert_eq!(generation::json(&stack, &user, &ask("evening")).await.0, 200);
    }
    let tokens = stack.log_of("spotify", "/api/token").await.len();
    assert!(tokens <= 5, "{tokens} tokens for three generations"); // Five searches may all meet the old one.
}

#[tokio::test]
async fn a_token_that_is_never_accepted_is_an_upstream_failure() {
    let (stack, user) = taken().await;
    stack
        .faults(
            "spotify",
            json!([{"path_prefix": SEARCH, "status": 401, "body": {"error": {"status": 401}}}]),
        )
        .await;
    fails(&stack, &user, 502, "spotify_unavailable").await;
}

#[tokio::test]
async fn refused_app_credentials_mean_that_we_are_misconfigured() {
    let (stack, user) = taken().await;
    stack.expire_spotify_tokens().await;
    let fault = json!([{"path_prefix": "/api/token", "status": 400, "body": {"error": "invalid_client"}}]);
    stack.faults("spotify", fault).await;
    fails(&stack, &user, 503, "misconfigured").await;
}

#[tokio::test]
async fn a_short_rate_limit_is_waited_for() {
    let (stack, user) = taken().await;
    let fault = json!([{"path_prefix": SEARCH, "status": 429, "headers": {"retry-after": "1"}, "times": 1}]);
    stack.faults("spotify", fault).await;
    let (status, done) = generation::json(&stack, &user, &ask("evening")).await;
    assert_eq!((status.as_u16(), &done["count"]), (200, &json!(5)), "{done}");
}

#[tokio::test]
async fn a_long_rate_limit_is_passed_on() {
    let (stack, user) = taken().await;
    let fault = json!([{"path_prefix": SEARCH, "status": 429, "headers": {"retry-after": "48925"},
        "body": {"error": {"status": 429, "reason": "QUOTA_EXCEEDED"}}}]);
    stack.faults("spotify", fault).await;
    let response = generation::request(&stack, &user, &ask("evening")).send().await.unwrap();
    assert_eq!(response.headers()["retry-after"], "48925");
    assert_error(&(response.status(), response.json().await.unwrap()), 503, "spotify_rate_limited");
    let searches = stack.log_of("spotify", SEARCH).await.len();
    assert!(searches <= 5, "{searches} searches against a rate limit of hours");
    stack.assert_untouched(&user, 0).await;
}

#[tokio::test]
async fn a_failing_catalogue_is_an_upstream_failure() {
    for fault in [
        json!({"status": 500, "body": {"error": {"status": 500}}}),
        json!({"status": 200, "body": "<html>We'll be right back</html>", "headers": {"content-type": "text/html"}}),
        json!({"status": 200, "body": {"tracks": {"items": "none"}}}),
        json!({"status": 200, "body": "{\"tracks\":{\"items\":[{\"uri\":"}),
        json!({"reset_connection": true}),
        json!({"truncate_after_bytes": 50}),
    ] {
        let (stack, user) = taken().await;
        let mut fault = fault;
        fault["path_prefix"] = json!(SEARCH);
        stack.faults("spotify", json!([fault])).await;
        fails(&stack, &user, 502, "spotify_unavailable").await;
    }
}

#[tokio::test]
async fn a_catalogue_that_hangs_is_a_timeout() {
    let (stack, user) = taken().await;
    stack.faults("spotify", json!([{"path_prefix": SEARCH, "delay_ms": 60_000}])).await;
    fails(&stack, &user, 504, "spotify_timeout").await;
}

#[tokio::test]
async fn a_lookup_that_failed_is_not_a_song_that_does_not_exist() {
    let (stack, user) = taken().await;
    let mut songs = FIVE.to_vec();
    songs.insert(0, ("Nobody At All", "Nowhere To Be Found", 1999));
    stack.llm_script(reply(&songs)).await;
    // The second song's lookup fails, with its repetition.
    let fault = json!([{"path_prefix": SEARCH, "status": 404, "times": 1, "after": 1}]);
    stack.faults("spotify", fault).await;
    let stream = generation::stream(&stack, &user, &ask("evening")).await;
    let reasons: Vec<_> = stream.all("miss").iter().map(|miss| miss["reason"].as_str().unwrap()).collect();
    assert!(reasons.contains(&"lookup_failed"), "{reasons:?}");
    let unknown =
        stream.all("miss").into_iter().find(|miss| miss["title"] == "Nowhere To Be Found").unwrap().clone();
    assert!(["not_found", "low_score"].contains(&unknown["reason"].as_str().unwrap()), "{unknown}");
}

#[tokio::test]
async fn a_passing_failure_costs_no_track() {
    let (stack, user) = taken().await;
    stack.faults("spotify", json!([{"path_prefix": SEARCH, "status": 503, "times": 1}])).await;
    let (status, done) = generation::json(&stack, &user, &ask("evening")).await;
    assert_eq!((status.as_u16(), &done["count"]), (200, &json!(5)), "{done}");
}

#[tokio::test]
async fn a_market_that_spotify_does_not_have_ends_the_generation_as_the_requests_mistake() {
    let (stack, user) = taken().await;
    for market in ["UK", "CN"] {
        let mut body = ask("evening");
        body["market"] = json!(market);
        let refused = generation::json(&stack, &user, &body).await;
        assert_error(&refused, 422, "invalid_request");
        assert!(refused.1["message"].as_str().unwrap().starts_with("market "), "{}", refused.1);
        let stream = generation::stream(&stack, &user, &body).await;
        assert_eq!(stream.last("error")["code"], "invalid_request");
    }
    assert_eq!(
        stack.log_of("llm", "/v1/chat/completions").await.len(),
        4,
        "the model was asked again in vain"
    );
    stack.assert_untouched(&user, 0).await;
}

#[tokio::test]
async fn a_catalogue_that_refuses_the_app_itself_is_the_operators_to_mend() {
    for body in [
        json!("Active premium subscription required for the owner of the app."),
        json!({"error": {"status": 403, "message": "Your application is blocked from accessing the Web API."}}),
    ] {
        let (stack, user) = taken().await;
        stack.faults("spotify", json!([{"path_prefix": SEARCH, "status": 403, "body": body}])).await;
        fails(&stack, &user, 503, "misconfigured").await;
        assert_eq!(
            stack.log_of("llm", "/v1/chat/completions").await.len(),
            1,
            "the model was asked again in vain"
        );
    }
}
