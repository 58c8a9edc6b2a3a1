use std::cell::RefCell;

use futures_util::future::{LocalBoxFuture, poll_fn};
use futures_util::task::noop_waker;
use serde_json::{Value, json};
use shared::Code;
use shared::auth::FakeIssuer;
use shared::config::ConfigError;
use shared::fakes::{FakeAnswer, FakeClock, FakeHttp, FakeLog, fake_context};
use shared::runtime::cors::AllowedOrigins;
use shared::runtime::endpoint::serve;
use shared::runtime::http_client::OutboundRequest;
use uuid::Uuid;

use super::*;
use crate::ENDPOINT;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const NOW_MS: u64 = 1_790_000_000_000;
const USER: Uuid = Uuid::from_u128(7);

#[path = "delivery_tests.rs"]
mod delivery;
#[path = "memory_tests.rs"]
mod memory;
#[path = "refine_tests.rs"]
mod refining;

/// The function with fake upstreams and a fixed clock.
struct Bench {
    http: FakeHttp,
    clock: FakeClock,
    log: FakeLog,
    work: Rc<RefCell<Vec<LocalBoxFuture<'static, ()>>>>,
    client_leaves: Option<oneshot::Sender<()>>,
    context: Context,
}

fn config(name: &str) -> Option<String> {
    let value = match name {
        "SUPABASE_URL" => FakeIssuer::URL,
        "SUPABASE_PUBLISHABLE_KEY" => "sb_publishable_x",
        "SUPABASE_SECRET_KEY" => "sb_secret_x",
        "SPOTIFY_CLIENT_ID" | "SPOTIFY_CLIENT_SECRET" => "spotify",
        "SPOTIFY_API_BASE_URL" => "https://spotify.example",
        "SPOTIFY_ACCOUNTS_BASE_URL" => "https://accounts.example",
        "LLM_BASE_URL" => "https://llm.example/v1",
        "LLM_API_KEY" | "LLM_MODEL" => "llm",
        _ => return None,
    };
    Some(value.to_owned())
}

impl Bench {
    fn new(world: impl Fn(&OutboundRequest) -> FakeAnswer + 'static) -> Self {
        let (http, clock, log) = (
            FakeHttp::responding(world),
            FakeClock::at_ms(NOW_MS),
            FakeLog::default(),
        );
        let work: Rc<RefCell<Vec<LocalBoxFuture<'static, ()>>>> = Rc::default();
        let (client_leaves, gone) = oneshot::channel();
        let (spawned, gone) = (work.clone(), gone.map(drop).boxed_local().shared());
        let log_of_request = Rc::new(log.clone());
        let request = RequestContext::new(
            ENDPOINT,
            &http::Method::POST,
            Uuid::nil(),
            NOW_MS,
            log_of_request,
        );
        let (context, _) = fake_context(&http, &clock, Config::from_env(config).unwrap());
        let context = Context {
            spawn: Rc::new(move |future| spawned.borrow_mut().push(future)),
            client_gone: Rc::new(move || gone.clone().boxed_local()),
            request,
            ..context
        };
        Self {
            http,
            clock,
            log,
            work,
            client_leaves: Some(client_leaves),
            context,
        }
    }

    /// Switches the catalogue memory off.
    fn forget(&mut self) {
        let off = |name: &str| {
            if name == "CATALOGUE_MEMORY_DAYS" {
                Some("0".to_owned())
            } else {
                config(name)
            }
        };
        self.context.config = Rc::new(Config::from_env(off).unwrap());
    }

    fn request(accept: &'static str, body: &Value) -> Request<Bytes> {
        let token = FakeIssuer::with_kid("k").token(USER, NOW_MS / 1000);
        Request::post("https://x/functions/v1/ai-playlist")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, accept)
            .body(Bytes::from(body.to_string()))
            .unwrap()
    }

    /// Polls the response and the spawned work until none makes progress.
    fn settle<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = Box::pin(future);
        let waker = noop_waker();
        let mut context = std::task::Context::from_waker(&waker);
        let mut output = None;
        for _ in 0..200 {
            if output.is_none()
                && let std::task::Poll::Ready(done) = future.poll_unpin(&mut context)
            {
                output = Some(done);
            }
            // Taken out, because polled work may spawn more.
            let mut work = self.work.take();
            work.retain_mut(|work| work.poll_unpin(&mut context).is_pending());
            self.work.borrow_mut().extend(work);
        }
        output
    }

    /// Sends a request like the platform: spawned work outlives the response.
    fn ask(&self, accept: &'static str, body: &Value) -> Option<Result<Response<Body>, Error>> {
        let (sender, answer) = oneshot::channel();
        let work = handle(Self::request(accept, body), self.context.clone());
        // Fails after the response was dropped.
        (self.context.spawn)(work.map(|answer| drop(sender.send(answer))).boxed_local());
        self.settle(answer)
            .map(|answer| answer.expect("it broke off"))
    }

    /// Returns the log line of a completed request.
    fn line(&self, body: &Value) -> Value {
        let request = Self::request("application/json", body).map(Ok);
        let origins = AllowedOrigins::default();
        let call = self.context.request.clone();
        let http = call.instrument(self.http.clone(), self.context.clock.clone());
        let context = Context {
            http: Rc::new(http),
            ..self.context.clone()
        };
        let health = async |_: &http::HeaderMap| panic!("health");
        let serving = serve(
            &call,
            &origins,
            &self.clock,
            request,
            health,
            async |request| handle(request, context).await,
        );
        self.settle(serving).expect("no answer");
        let [line] = self.log.lines().try_into().unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn json(&self, body: &Value) -> Result<Value, Error> {
        let response = self.ask("application/json", body).expect("no answer")?;
        match response.into_body() {
            Body::Full(bytes) => Ok(serde_json::from_slice(&bytes).unwrap()),
            Body::Stream(_) => panic!("a stream"),
        }
    }

    fn error(&self, body: &Value) -> Code {
        self.json(body).unwrap_err().code()
    }

    /// Returns the JSON bodies sent to a path.
    fn sent_to(&self, path: &str) -> Vec<Value> {
        let all = self.http.requests();
        let matching = all.iter().filter(|request| request.url.contains(path));
        matching
            .map(|request| serde_json::from_slice(&request.body).unwrap_or(Value::Null))
            .collect()
    }

    fn settled(&self) -> Vec<String> {
        let settled = self.sent_to("rpc/ai_settle");
        settled
            .iter()
            .map(|args| args["p_status"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn quota() -> Value {
    json!({"plan": "free", "used": 1, "limit": 3, "remaining": 2, "next_free_at": null})
}

fn completion(songs: &[(&str, &str)]) -> FakeAnswer {
    let tracks: Vec<_> = songs
        .iter()
        .map(|(artist, title)| json!({"artist": artist, "title": title, "year": null}))
        .collect();
    let content = json!({"kind": "playlist", "language": "pl", "name": "Wieczór", "description": "d",
        "summary": "s", "tracks": tracks});
    let frame =
        json!({"choices": [{"delta": {"content": content.to_string()}, "finish_reason": "stop"}]});
    FakeAnswer::text(
        200,
        "text/event-stream",
        &format!("data: {frame}\n\ndata: [DONE]\n\n"),
    )
}

/// Returns the requested song for each search.
fn found(request: &OutboundRequest) -> FakeAnswer {
    let query = request
        .url
        .split("q=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap();
    let query = query
        .replace("%22", "\"")
        .replace("%3A", ":")
        .replace('+', " ")
        .replace("%20", " ");
    let mut quoted = query.split('"').skip(1).step_by(2);
    let (title, artist) = (
        quoted.next().unwrap_or_default(),
        quoted.next().unwrap_or_default(),
    );
    let hex: String = title.bytes().map(|b| format!("{b:02x}")).collect();
    FakeAnswer::json(
        200,
        &json!({"tracks": {"items": [{
            "uri": format!("spotify:track:{hex:0<22.22}"), "name": title, "artists": [{"name": artist}],
            "album": {"name": "An Album", "release_date": "1999"}, "duration_ms": 200_000, "explicit": false,
        }]}}),
    )
}

/// Upstreams that all succeed; the model suggests `songs`.
fn world(songs: &'static [(&str, &str)]) -> impl Fn(&OutboundRequest) -> FakeAnswer {
    move |request| {
        let url = request.url.as_str();
        match url {
            _ if url.ends_with("jwks.json") => {
                FakeAnswer::json(200, &FakeIssuer::with_kid("k").jwks())
            }
            _ if url.ends_with("rpc/ai_reserve") => {
                FakeAnswer::json(200, &json!({"outcome": "reserved", "quota": quota()}))
            }
            _ if url.ends_with("rpc/ai_settle") => FakeAnswer::json(
                200,
                &json!({"outcome": "settled", "status": "x", "quota": quota()}),
            ),
            _ if url.ends_with("rpc/recall_songs") => {
                let asked: Value = serde_json::from_slice(&request.body).unwrap();
                FakeAnswer::json(
                    200,
                    &json!(vec![
                        Value::Null;
                        asked["p_songs"].as_array().unwrap().len()
                    ]),
                )
            }
            _ if url.ends_with("rpc/remember_songs") => FakeAnswer::text(204, "text/plain", ""),
            _ if url.ends_with("/api/token") => FakeAnswer::json(
                200,
                &json!({"access_token": "t", "token_type": "Bearer", "expires_in": 3600}),
            ),
            _ if url.contains("/v1/search") => found(request),
            _ if url.ends_with("/chat/completions") => completion(songs),
            _ => panic!("unexpected {request:?}"),
        }
    }
}

const SONGS: &[(&str, &str)] = &[
    ("Kult", "Arahja"),
    ("Hey", "Teksanski"),
    ("Maanam", "Boskie Buenos"),
];

fn with_silent_model() -> Bench {
    let works = world(SONGS);
    Bench::new(move |request| match request.url.contains("/chat/") {
        true => FakeAnswer::Silence,
        false => works(request),
    })
}

fn wish(count: usize) -> Value {
    json!({"prompt": "wieczór", "target_count": count})
}

#[test]
fn reserves_before_the_generation_and_settles_after_it() {
    let bench = Bench::new(world(SONGS));
    let done = bench.json(&wish(3)).unwrap();
    assert_eq!(
        (&done["count"], &done["stop_reason"], &done["language"]),
        (&json!(3), &json!("completed"), &json!("pl"))
    );
    assert_eq!(done["quota"], quota());
    let urls: Vec<_> = bench
        .http
        .requests()
        .iter()
        .map(|r| r.url.clone())
        .collect();
    let position = |part: &str| urls.iter().position(|url| url.contains(part)).unwrap();
    assert!(position("ai_reserve") < position("chat/completions"));
    assert_eq!(
        [position("ai_settle"), position("remember_songs")],
        [urls.len() - 2, urls.len() - 1]
    );
    assert_eq!(bench.settled(), ["succeeded"]);
}

#[test]
fn invalid_request_costs_nothing() {
    let bench = Bench::new(world(SONGS));
    assert_eq!(bench.error(&json!({"prompt": ""})), Code::InvalidRequest);
    assert!(
        bench
            .http
            .requests()
            .iter()
            .all(|request| request.url.ends_with("jwks.json"))
    );
}

#[test]
fn model_is_asked_once_more_for_missing_tracks() {
    let bench = Bench::new(world(SONGS));
    let done = bench.json(&wish(5)).unwrap();
    assert_eq!(
        (&done["count"], &done["stop_reason"]),
        (&json!(3), &json!("no_progress"))
    );
    assert_eq!(done["warning"], "fewer_than_12");
    assert_eq!(bench.sent_to("chat/completions").len(), 2);
}

#[test]
fn another_version_is_delivered_only_if_allowed_and_is_labelled() {
    const ONE: &[(&str, &str)] = &[("Kult", "Arahja")];
    let acoustic = json!({"tracks": {"items": [{
        "uri": "spotify:track:4uLU6hMCjMI75M1A2tKUQC", "name": "Arahja - Acoustic", "artists": [{"name": "Kult"}],
        "album": {"name": "An Album", "release_date": "1999"}, "duration_ms": 200_000, "explicit": false,
    }]}});
    let bench = || {
        let (works, acoustic) = (world(ONE), acoustic.clone());
        Bench::new(move |request| {
            if request.url.contains("/v1/search") {
                FakeAnswer::json(200, &acoustic)
            } else {
                works(request)
            }
        })
    };
    assert_eq!(bench().error(&wish(1)), Code::NoTracksFound);
    let done = bench()
        .json(&json!({"prompt": "wieczór", "target_count": 1, "allow_versions": true}))
        .unwrap();
    assert_eq!(
        (&done["count"], &done["tracks"][0]["version"]),
        (&json!(1), &json!("acoustic"))
    );
}

#[test]
fn exhausted_request_budget_delivers_the_found_tracks_and_settles() {
    const MANY: &[(&str, &str)] = &[
        ("A", "Aa"),
        ("B", "Bb"),
        ("C", "Cc"),
        ("D", "Dd"),
        ("E", "Ee"),
        ("F", "Ff"),
        ("G", "Gg"),
        ("H", "Hh"),
    ];
    let mut bench = Bench::new(world(MANY));
    let limited = |name: &str| {
        if name == "SUBREQUEST_LIMIT" {
            Some("12".to_owned())
        } else {
            config(name)
        }
    };
    bench.context.config = Rc::new(Config::from_env(limited).unwrap());
    let done = bench.json(&wish(8)).unwrap();
    // 12 = keys, reserve, model, token, 2 searches, 2 kept for a refill, 2 for the ledger, 2 for settling.
    assert_eq!(
        (&done["count"], &done["stop_reason"]),
        (&json!(2), &json!("budget"))
    );
    assert_eq!(bench.settled(), ["succeeded"]);
}

#[test]
fn at_most_five_searches_run_at_once() {
    const SEVEN: &[(&str, &str)] = &[
        ("A", "Aa"),
        ("B", "Bb"),
        ("C", "Cc"),
        ("D", "Dd"),
        ("E", "Ee"),
        ("F", "Ff"),
        ("G", "Gg"),
    ];
    let works = world(SEVEN);
    let bench = Bench::new(move |request| {
        if request.url.contains("/v1/search") {
            FakeAnswer::Silence
        } else {
            works(request)
        }
    });
    assert!(bench.ask("application/json", &wish(7)).is_none());
    assert_eq!(bench.sent_to("/v1/search").len(), 5);
}

#[test]
fn disconnected_client_ends_the_generation_as_failed() {
    let mut bench = with_silent_model();
    assert!(bench.ask("application/json", &wish(3)).is_none());
    assert_eq!(bench.settled(), Vec::<String>::new());
    bench.client_leaves.take().unwrap().send(()).unwrap();
    bench.settle(poll_fn(|_| std::task::Poll::<()>::Pending));
    assert_eq!(bench.settled(), ["failed"]);
}

#[test]
fn unread_stream_ends_the_generation_as_failed() {
    let bench = with_silent_model();
    let response = bench.ask("text/event-stream", &wish(3)).unwrap().unwrap();
    drop(response);
    bench.settle(poll_fn(|_| std::task::Poll::<()>::Pending));
    assert_eq!(bench.settled(), ["failed"]);
}

#[test]
fn silent_stream_gets_a_ping_every_five_seconds() {
    let bench = with_silent_model();
    let response = bench.ask("text/event-stream", &wish(3)).unwrap().unwrap();
    let Body::Stream(mut chunks) = response.into_body() else {
        panic!("no stream")
    };
    let mut sent = || {
        let mut text = Vec::new();
        while let Some(Some(chunk)) = bench.settle(chunks.next()) {
            text.extend_from_slice(&chunk);
        }
        String::from_utf8(text).unwrap()
    };
    assert!(!sent().contains(": ping"));
    for _ in 0..2 {
        bench.clock.advance_ms(5_000);
        assert_eq!(sent(), ": ping\n\n");
    }
}

#[test]
fn question_without_an_answer_has_its_cost_recorded() {
    let mut bench = with_silent_model();
    let priced = |name: &str| {
        if name == "LLM_PRICE_IN" {
            Some("1000".to_owned())
        } else {
            config(name)
        }
    };
    bench.context.config = Rc::new(Config::from_env(priced).unwrap());
    drop(bench.ask("text/event-stream", &wish(3)).unwrap().unwrap());
    bench.settle(poll_fn(|_| std::task::Poll::<()>::Pending));
    let cost = bench.sent_to("rpc/ai_settle")[0]["p_cost"]
        .as_str()
        .unwrap()
        .parse::<f64>()
        .unwrap();
    assert!(cost > 0.0, "{cost}");
}

#[test]
fn deadline_settles_as_timeout() {
    let mut bench = with_silent_model();
    bench.clock = FakeClock::hurrying(NOW_MS);
    bench.context.clock = Rc::new(bench.clock.clone());
    assert_eq!(bench.error(&wish(3)), Code::GenerationTimeout);
    assert_eq!(bench.settled(), ["timeout"]);
}

#[test]
fn expired_reservation_delivers_nothing() {
    let works = world(SONGS);
    let bench = Bench::new(move |request| match request.url.contains("ai_settle") {
        true => FakeAnswer::json(
            200,
            &json!({"outcome": "expired", "status": "timeout", "quota": quota()}),
        ),
        false => works(request),
    });
    assert_eq!(bench.error(&wish(3)), Code::GenerationTimeout);
}

#[test]
fn sends_simultaneous_events_as_one_chunk() {
    let bench = Bench::new(world(SONGS));
    let response = bench.ask("text/event-stream", &wish(3)).unwrap().unwrap();
    let Body::Stream(chunks) = response.into_body() else {
        panic!("no stream")
    };
    let pieces: Vec<Bytes> = bench.settle(chunks.collect()).unwrap();
    let [piece] = pieces.try_into().unwrap();
    assert_eq!(
        piece
            .split(|byte| *byte == b'\n')
            .filter(|line| line.starts_with(b"event: "))
            .count(),
        7
    );
}

#[test]
fn stream_ends_with_done_and_one_log_line() {
    let bench = Bench::new(world(SONGS));
    let response = bench.ask("text/event-stream", &wish(3)).unwrap().unwrap();
    let Body::Stream(chunks) = response.into_body() else {
        panic!("no stream")
    };
    let chunks: Vec<Bytes> = bench.settle(chunks.collect()).unwrap();
    let text = String::from_utf8(chunks.concat()).unwrap();
    let names: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("event: "))
        .collect();
    assert_eq!(
        names,
        ["stage", "stage", "stage", "track", "track", "track", "done"]
    );
    assert_eq!(bench.log.lines().len(), 1);
    assert!(
        bench.log.lines()[0].contains("\"found\":3"),
        "{:?}",
        bench.log.lines()
    );
}

#[test]
fn log_line_has_the_outcome_and_the_upstreams_of_a_generation() {
    let line = Bench::new(world(SONGS)).line(&wish(3));
    assert_eq!(
        (&line["quota"], &line["found"], &line["target"]),
        (&json!("charged"), &json!(3), &json!(3))
    );
    let calls = |name: &str| line["upstreams"][name]["calls"].clone();
    assert_eq!(
        (calls("auth"), calls("database"), calls("model")),
        (json!(1), json!(3), json!(1))
    );
    // The token and three searches.
    assert_eq!(
        (calls("spotify"), &line["subrequests"]),
        (json!(4), &json!(9))
    );
    assert_eq!(line["recalled"], 0);
    assert_eq!(line["user"].as_str().unwrap().len(), 16);
    assert!(
        !line.to_string().contains(&USER.to_string()) && !line.to_string().contains("wieczór"),
        "{line}"
    );
}

#[test]
fn log_line_has_the_quotas_decision() {
    for (rpc, outcome, quota) in [
        (
            "ai_reserve",
            json!({"outcome": "quota_exceeded", "quota": quota()}),
            json!("refused"),
        ),
        (
            "ai_reserve",
            json!({"outcome": "finished", "quota": quota()}),
            json!("repeated"),
        ),
        ("ai_reserve", json!({"outcome": "nonsense"}), Value::Null),
        (
            "ai_settle",
            json!({"outcome": "nonsense"}),
            json!("reserved"),
        ),
        ("chat", json!({"choices": []}), json!("released")),
    ] {
        let (works, answer) = (world(SONGS), outcome.clone());
        let bench = Bench::new(move |request| match request.url.contains(rpc) {
            true => FakeAnswer::json(200, &answer),
            false => works(request),
        });
        assert_eq!(bench.line(&wish(3))["quota"], quota, "{rpc} {outcome}");
    }
}

#[test]
fn configuration_error_names_the_missing_variables() {
    let names = |error: ConfigError| error.names().map(str::to_owned).collect::<Vec<_>>();
    let missing = Config::from_env(|_| None).unwrap_err();
    for name in ["SUPABASE_URL", "SPOTIFY_CLIENT_ID", "LLM_API_KEY"] {
        assert!(names(missing.clone()).contains(&name.to_owned()), "{name}");
    }
    let low = |name: &str| {
        if name == "SUBREQUEST_LIMIT" {
            Some("5".to_owned())
        } else {
            config(name)
        }
    };
    assert_eq!(
        names(Config::from_env(low).unwrap_err()),
        ["SUBREQUEST_LIMIT"]
    );
}

/// Returns a completion with this content.
fn saying(content: &str) -> FakeAnswer {
    let frame = json!({"choices": [{"delta": {"content": content}, "finish_reason": "stop"}]});
    FakeAnswer::text(
        200,
        "text/event-stream",
        &format!("data: {frame}\n\ndata: [DONE]\n\n"),
    )
}

/// Upstreams whose model returns these completions, one per request, and then `{}`.
fn model(answers: Vec<FakeAnswer>) -> impl Fn(&OutboundRequest) -> FakeAnswer {
    let (works, answers) = (world(SONGS), RefCell::new(answers.into_iter()));
    move |request| match request.url.ends_with("/chat/completions") {
        true => answers.borrow_mut().next().unwrap_or_else(|| saying("{}")),
        false => works(request),
    }
}

/// Returns the model's prompt without its first line, and that line.
fn questions(bench: &Bench) -> Vec<String> {
    let sent = bench.sent_to("chat/completions");
    let user_turn = |body: &Value| body["messages"][1]["content"].as_str().unwrap().to_owned();
    sent.iter().map(user_turn).collect()
}

#[test]
fn unusable_completion_is_requested_again_with_the_problem() {
    for (first, complaint) in [
        (saying("   "), "was empty"),
        (
            saying("I could suggest some calm songs."),
            "was not the JSON object",
        ),
        (
            saying(r#"{"kind":"playlist","language":"pl","name":"Wiec"#),
            "was not the JSON object",
        ),
        (
            FakeAnswer::text(200, "text/html", "<!doctype html>"),
            "was not the JSON object",
        ),
    ] {
        let bench = Bench::new(model(vec![first, completion(SONGS)]));
        assert_eq!(bench.json(&wish(3)).unwrap()["count"], 3, "{complaint}");
        let questions = questions(&bench);
        assert_eq!(questions.len(), 2, "{complaint}");
        assert!(
            !questions[0].contains("The answer before") && questions[1].contains(complaint),
            "{questions:?}"
        );
    }
}

#[test]
fn truncated_completion_is_completed_by_a_second_one() {
    let half = r#"{"kind":"playlist","tracks":[{"artist":"Kult","title":"Arahja"},{"artist":"He"#;
    let bench = Bench::new(model(vec![saying(half), completion(&SONGS[1..])]));
    assert_eq!(bench.json(&wish(3)).unwrap()["count"], 3);
    assert!(questions(&bench)[1].contains("broke off"));
    assert!(questions(&bench)[1].contains("Arahja"));
}

#[test]
fn second_completion_only_fills_gaps_of_the_first() {
    let second = r#"{"kind":"playlist","language":"en","name":"Other","description":"Other","summary":"Other",
        "tracks":[{"artist":"Hey","title":"Teksanski"},{"artist":"Maanam","title":"Boskie Buenos"}]}"#;
    let first = r#"{"kind":"playlist","language":"pl","tracks":[{"artist":"Kult","title":"Arahja"}],"name":"Wieczór"}"#;
    let done = Bench::new(model(vec![saying(first), saying(second)]))
        .json(&wish(3))
        .unwrap();
    assert_eq!(
        (&done["language"], &done["name"], &done["summary"]),
        (&json!("pl"), &json!("Wieczór"), &json!("Other"))
    );
}

#[test]
fn two_unusable_answers_are_an_uncharged_error() {
    for (answer, code) in [
        (saying(""), Code::LlmInvalidAnswer),
        (
            saying("I'm sorry, I can only help with music."),
            Code::LlmInvalidAnswer,
        ),
        (
            saying(r#"{"kind":"playlist","tracks":[]}"#),
            Code::NoTracksFound,
        ),
        (
            FakeAnswer::json(200, &json!({"error": {"message": "overloaded"}})),
            Code::LlmUnavailable,
        ),
    ] {
        let bench = Bench::new(model(vec![answer.clone(), answer]));
        assert_eq!(bench.error(&wish(3)), code);
        assert_eq!(bench.sent_to("chat/completions").len(), 2);
        assert_eq!(bench.settled(), ["failed"]);
    }
}

#[test]
fn prompt_blocked_by_the_providers_policy_is_refused_with_examples() {
    let refused = FakeAnswer::json(
        400,
        &json!({"error": {"code": "content_filter", "message": "filtered"}}),
    );
    let bench = Bench::new(model(vec![refused]));
    let error = bench.json(&wish(3)).unwrap_err();
    assert_eq!(error.code(), Code::NotAboutMusic);
    assert_eq!(
        error.to_json(Uuid::nil())["examples"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    assert!(
        error.cause().unwrap().contains("content_filter"),
        "{error:?}"
    );
    assert_eq!(bench.sent_to("chat/completions").len(), 1);
}

#[test]
fn refusal_is_in_the_language_that_the_model_names() {
    let refusal = r#"{"kind":"refusal","language":"en","tracks":["#;
    let bench = Bench::new(model(vec![saying(refusal)]));
    let error = bench
        .json(&json!({"prompt": "źdźbło trawy", "target_count": 3}))
        .unwrap_err();
    assert!(
        error.to_json(Uuid::nil())["message"]
            .as_str()
            .unwrap()
            .starts_with("That does not"),
        "{error:?}"
    );
}

#[test]
fn playlist_keeps_the_models_order() {
    let works = model(vec![completion(SONGS)]);
    let bench = Bench::new(move |request| match request.url.contains("Arahja") {
        true => FakeAnswer::Late(Box::new(works(request))),
        false => works(request),
    });
    let response = bench.ask("text/event-stream", &wish(3)).unwrap().unwrap();
    let Body::Stream(chunks) = response.into_body() else {
        panic!("no stream")
    };
    let chunks: Vec<Bytes> = bench.settle(chunks.collect()).unwrap();
    let text = String::from_utf8(chunks.concat()).unwrap();
    let data: Vec<Value> = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    let found: Vec<_> = data
        .iter()
        .filter(|data| data["score"].is_number())
        .map(|track| &track["title"])
        .collect();
    assert_eq!(found, ["Teksanski", "Boskie Buenos", "Arahja"]);
    let tracks = data.last().unwrap()["tracks"].as_array().unwrap();
    let places: Vec<_> = tracks
        .iter()
        .map(|track| (&track["title"], &track["index"]))
        .collect();
    let expected = [json!("Arahja"), json!("Teksanski"), json!("Boskie Buenos")];
    assert_eq!(
        places,
        [
            (&expected[0], &json!(0)),
            (&expected[1], &json!(1)),
            (&expected[2], &json!(2))
        ]
    );
}

#[test]
fn remembers_the_features_that_the_server_accepts() {
    let works = world(SONGS);
    let bench = Bench::new(move |request| {
        let is_strict = request.url.ends_with("/chat/completions")
            && request.body.windows(11).any(|w| w == b"json_schema");
        match is_strict {
            true => FakeAnswer::json(
                400,
                &json!({"error": {"message": "This response_format type is unavailable"}}),
            ),
            false => works(request),
        }
    });
    bench.json(&wish(3)).unwrap();
    bench.json(&wish(3)).unwrap();
    let modes: Vec<_> = bench
        .sent_to("chat/completions")
        .iter()
        .map(|body| body["response_format"]["type"].clone())
        .collect();
    assert_eq!(modes, ["json_schema", "json_object", "json_object"]);
}

#[test]
fn playlist_refused_by_the_database_is_settled_as_failed_at_once() {
    for (status, code) in [
        (400, "22P05"),
        (400, "23514"),
        (422, "PT422"),
        (409, "23505"),
    ] {
        let works = world(SONGS);
        let bench =
            Bench::new(
                move |request| match request.url.contains("save_generated_playlist") {
                    true => FakeAnswer::json(status, &json!({"code": code, "message": "refused"})),
                    false => works(request),
                },
            );
        let mut body = wish(3);
        body["save"] = json!(true);
        assert_eq!(bench.error(&body), Code::Internal, "{code}");
        assert_eq!(bench.settled(), ["failed"], "{code}");
    }
}

#[test]
fn playlist_of_unknown_outcome_is_left_to_a_repeat() {
    let works = world(SONGS);
    let mut bench =
        Bench::new(
            move |request| match request.url.contains("save_generated_playlist") {
                true => FakeAnswer::text(503, "text/html", "<h1>Busy</h1>"),
                false => works(request),
            },
        );
    bench.forget();
    bench.clock = FakeClock::hurrying(NOW_MS);
    bench.context.clock = Rc::new(bench.clock.clone());
    let mut body = wish(3);
    body["save"] = json!(true);
    assert_eq!(bench.error(&body), Code::DatabaseUnavailable);
    assert_eq!(bench.settled(), Vec::<String>::new());
}

#[test]
fn excess_suggestions_are_not_searched() {
    let many: Vec<(String, String)> = (0..100)
        .map(|n| (format!("Nobody {n}"), format!("Nowhere {n}")))
        .collect();
    let many: Vec<(&str, &str)> = many
        .iter()
        .map(|(artist, title)| (artist.as_str(), title.as_str()))
        .collect();
    let (works, suggested) = (world(&[]), completion(&many));
    let bench = Bench::new(move |request| match request.url.as_str() {
        url if url.contains("/v1/search") => {
            FakeAnswer::json(200, &json!({"tracks": {"items": []}}))
        }
        url if url.ends_with("/chat/completions") => suggested.clone(),
        _ => works(request),
    });
    assert_eq!(bench.error(&wish(5)), Code::NoTracksFound);
    // Twice five songs and eight, each searched for twice; the second answer repeats them.
    assert_eq!(bench.sent_to("/v1/search").len(), 36);
    assert_eq!(bench.sent_to("chat/completions").len(), 2);
}
