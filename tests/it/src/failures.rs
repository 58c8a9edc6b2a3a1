//! A generation that fails: the code names who can mend it, and nothing is charged or half saved.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::generation::{self, FIVE, answer, ask, assert_error, reply, saving};
use crate::stack::{Stack, User};

const COMPLETIONS: &str = "/v1/chat/completions";
const SEARCH: &str = "/v1/search";

async fn taken() -> (Stack, User) {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    stack.llm_script(reply(&FIVE)).await;
    (stack, user)
}

#[tokio::test]
async fn a_failing_service_is_named_and_costs_nothing() {
    let (stack, _) = taken().await;
    let page = json!("<html>stack trace at /srv/x.py</html>");
    let cases = [
        ("llm", COMPLETIONS, json!({"status": 401, "body": {"error": {}}}), 503, "misconfigured"),
        ("llm", COMPLETIONS, json!({"status": 500, "body": page}), 502, "llm_unavailable"),
        ("llm", COMPLETIONS, json!({"status": 200, "body": page}), 502, "llm_invalid_answer"),
        (
            "llm",
            COMPLETIONS,
            json!({"status": 429, "headers": {"retry-after": "60"}}),
            503,
            "llm_rate_limited",
        ),
        (
            "llm",
            COMPLETIONS,
            json!({"status": 400, "body": {"error": {"code": "content_filter", "message": "x", "param": "prompt"}}}),
            422,
            "not_about_music",
        ),
        ("spotify", SEARCH, json!({"status": 500, "body": page}), 502, "spotify_unavailable"),
        (
            "spotify",
            SEARCH,
            json!({"status": 429, "headers": {"retry-after": "60"}}),
            503,
            "spotify_rate_limited",
        ),
        (
            "spotify",
            SEARCH,
            json!({"status": 403, "body": "Your application is blocked"}),
            503,
            "misconfigured",
        ),
    ];
    for (simulator, path, mut fault, status, code) in cases {
        fault["path_prefix"] = json!(path);
        stack.faults(simulator, json!([fault])).await;
        // Each case has a user of its own: several failures in a minute are too many.
        let user = stack.sign_up().await;
        let response = generation::request(&stack, &user, &saving("evening")).send().await.unwrap();
        let retry_after =
            response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(retry_after.as_deref(), code.ends_with("rate_limited").then_some("60"), "{code}");
        let answer = (response.status(), response.json::<Value>().await.unwrap());
        assert_error(&answer, status, code);
        for secret in [stack.url("/secret_key"), &user.token, "stack trace", "127.0.0.1"] {
            assert!(!answer.1.to_string().contains(secret), "{}", answer.1);
        }
        let stream = generation::stream(&stack, &user, &saving("evening")).await;
        assert_eq!(stream.last("error")["code"], code);
        stack.assert_untouched(&user, 0).await;
        stack.faults(simulator, json!([])).await;
    }
}

#[tokio::test]
async fn an_unusable_answer_of_the_model_costs_nothing() {
    let (stack, _) = taken().await;
    let text = reply(&FIVE)["reply"].to_string();
    for (script, status, code) in [
        (json!({"text": "Sure! Here are some lovely songs."}), 502, "llm_invalid_answer"),
        (json!({"text": text, "cut_after_chars": 40}), 502, "llm_unavailable"),
        (json!({"refusal": "I can't help with that."}), 422, "not_about_music"),
        (reply(&[]), 422, "no_tracks_found"),
    ] {
        let user = stack.sign_up().await;
        stack.llm_script(script).await;
        let answer = generation::json(&stack, &user, &saving("evening")).await;
        assert_error(&answer, status, code);
        assert!(!answer.1.to_string().contains("can't help"), "{}", answer.1);
        stack.assert_untouched(&user, 0).await;
    }
}

#[tokio::test]
async fn a_refused_wish_gets_three_examples_in_its_language() {
    let (stack, _) = taken().await;
    for (prompt, language, word) in
        [("write me a Python function", "en", "music"), ("napisz mi kod w pythonie", "pl", "muzy")]
    {
        let user = stack.sign_up().await;
        let refusal = json!({"reply": {
            "kind": "refusal", "language": language, "name": "", "description": "", "summary": "IGNORED", "tracks": [],
        }});
        stack.llm_script(refusal).await;
        let answer = generation::json(&stack, &user, &ask(prompt)).await;
        assert_error(&answer, 422, "not_about_music");
        assert_eq!(answer.1["examples"].as_array().unwrap().len(), 3, "{}", answer.1);
        assert!(answer.1["message"].as_str().unwrap().contains(word), "{}", answer.1);
        assert!(!answer.1.to_string().contains("IGNORED"), "{}", answer.1);
        stack.assert_untouched(&user, 0).await;
    }
}

#[tokio::test]
async fn a_lying_model_cannot_change_limits_or_tracks() {
    let (stack, user) = taken().await;
    let mut script = reply(&FIVE);
    let lie = "spotify:track:0000000000000000000000";
    script["reply"]["tracks"][0]["track_uri"] = json!(lie);
    script["reply"]["target_count"] = json!(50);
    script["reply"]["quota"] = json!({"plan": "pro"});
    script["reply"]["name"] = json!(format!("<script>alert(1)</script>\u{0}\u{202e}{}", "x".repeat(500)));
    script["usage"] = json!({"prompt_tokens": -5, "completion_tokens": 1e18, "total_tokens": 0, "cost": -3});
    stack.llm_script(script).await;
    let (status, done) = generation::json(&stack, &user, &ask("evening")).await;
    assert_eq!((status.as_u16(), &done["count"]), (200, &json!(5)), "{done}");
    assert_eq!(done["quota"]["plan"], "free");
    let name = done["name"].as_str().unwrap();
    assert!(name.chars().count() <= 100 && !name.contains(['\u{0}', '\u{202e}']), "{name}");
    assert!(done["tracks"].as_array().unwrap().iter().all(|track| track["track_uri"] != lie), "{done}");
}

#[tokio::test]
async fn a_failed_lookup_is_not_a_song_that_does_not_exist() {
    let (stack, user) = taken().await;
    let mut songs = FIVE.to_vec();
    songs.insert(0, ("Nobody At All", "Nowhere To Be Found", 1999));
    stack.llm_script(reply(&songs)).await;
    stack.faults("spotify", json!([{"path_prefix": SEARCH, "status": 404, "times": 1, "after": 1}])).await;
    let stream = generation::stream(&stack, &user, &ask("evening")).await;
    let misses = stream.all("miss");
    assert!(misses.iter().any(|miss| miss["reason"] == "lookup_failed"), "{misses:?}");
    let unknown = misses.iter().find(|miss| miss["title"] == "Nowhere To Be Found").unwrap();
    assert!(["not_found", "low_score"].contains(&unknown["reason"].as_str().unwrap()), "{unknown}");
}

#[tokio::test]
async fn a_market_that_spotify_does_not_have_ends_the_generation() {
    let (stack, user) = taken().await;
    let mut body = ask("evening");
    body["market"] = json!("UK");
    let refused = generation::json(&stack, &user, &body).await;
    assert_error(&refused, 422, "invalid_request");
    assert!(refused.1["message"].as_str().unwrap().starts_with("market "), "{}", refused.1);
    assert_eq!(stack.log_of("llm", COMPLETIONS).await.len(), 1, "the model was asked again");
    stack.assert_untouched(&user, 0).await;
}

#[tokio::test]
async fn an_invalid_request_is_refused_before_anything_is_asked() {
    let (stack, user) = taken().await;
    let json_type = "application/json";
    let large = format!("{{\"prompt\":\"{}\"}}", "x".repeat(200 * 1024));
    for (content_type, body, status, code) in [
        (json_type, "{\"prompt\":\"evening\"".to_owned(), 400, "invalid_json"),
        (json_type, large, 413, "body_too_large"),
        ("text/plain", ask("evening").to_string(), 415, "unsupported_media_type"),
        (json_type, ask("").to_string(), 422, "invalid_request"),
        (json_type, ask("\u{200b}\u{0}").to_string(), 422, "invalid_request"),
        (json_type, json!({"prompt": "x", "target_count": 51}).to_string(), 422, "invalid_request"),
    ] {
        let request = stack.http.post(stack.function("ai-playlist")).bearer_auth(&user.token);
        let request = request.header("content-type", content_type).header("accept", "text/event-stream");
        assert_error(&answer(request.body(body)).await, status, code);
    }
    stack.assert_untouched(&user, 0).await;
    assert!(stack.log("llm").await.is_empty());
}

#[tokio::test]
async fn a_user_without_a_profile_or_an_account_is_told_so() {
    let (stack, _) = taken().await;
    for table in ["public.profiles where user_id", "auth.users where id"] {
        let user = stack.sign_up().await;
        stack.sql(&format!("delete from {table} = $1"), &[&user.id]).await;
        assert_error(&generation::json(&stack, &user, &ask("evening")).await, 403, "profile_not_found");
    }
    assert!(stack.log("llm").await.is_empty());
}

#[tokio::test]
async fn a_user_with_fifty_playlists_is_told_before_anything_is_generated() {
    let (stack, user) = taken().await;
    let fill = "insert into public.playlists (owner_id, name) select $1, 'playlist ' || n from generate_series(1, 50) n";
    stack.sql(fill, &[&user.id]).await;
    assert_error(&generation::json(&stack, &user, &saving("evening")).await, 409, "playlist_limit_reached");
    assert!(stack.log("llm").await.is_empty());
    assert_eq!(generation::json(&stack, &user, &ask("evening")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_fiftieth_playlist_made_meanwhile_leaves_a_playlist_that_is_charged_and_delivered_unsaved() {
    let (stack, user) = taken().await;
    let fill = "insert into public.playlists (owner_id, name) select $1, 'playlist ' || n from generate_series(1, 49) n";
    stack.sql(fill, &[&user.id]).await;
    let mut script = reply(&FIVE);
    script["first_token_ms"] = json!(1_500);
    stack.llm_script(script).await;
    let request =
        generation::request(&stack, &user, &saving("evening")).header("accept", "text/event-stream");
    // The headers come when the slot is reserved.
    let response = request.send().await.unwrap();
    let last = json!({"owner_id": user.id, "name": "the fiftieth"});
    assert_eq!(stack.rest(reqwest::Method::POST, "playlists", Some(&user), Some(&last)).await.0, 201);
    let stream = generation::read(response).await;
    let done = stream.last("done");
    assert_eq!((&done["not_saved"], &done["count"]), (&json!("playlist_limit_reached"), &json!(5)));
    assert_eq!(stack.ai_usage(&user).await["used"], 1);
    assert_eq!(stack.rows(Some(&user), "playlists?select=id").await.len(), 50);
}
