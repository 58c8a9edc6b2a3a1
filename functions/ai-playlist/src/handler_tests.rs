//! The function with fake upstreams; the tests are in the child modules.

use std::cell::RefCell;

use futures_util::future::{LocalBoxFuture, poll_fn};
use futures_util::task::noop_waker;
use serde_json::{Value, json};
use shared::Code;
use shared::auth::FakeIssuer;
use shared::fakes::{FakeClock, FakeHttp, FakeLog, FakeResponse, fake_context};
use shared::runtime::cors::AllowedOrigins;
use shared::runtime::http_client::OutboundRequest;
use shared::runtime::serve::serve;
use uuid::Uuid;

use super::*;
use crate::ENDPOINT;

const NOW_MS: u64 = 1_790_000_000_000;
const USER: Uuid = Uuid::from_u128(7);

#[path = "handler_completion_tests.rs"]
mod completion;
#[path = "delivery_tests.rs"]
mod delivery;
#[path = "generation_tests.rs"]
mod generation;
#[path = "memory_tests.rs"]
mod memory;
#[path = "refine_tests.rs"]
mod refining;
#[path = "stream_tests.rs"]
mod stream;

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
    fn new(world: impl Fn(&OutboundRequest) -> FakeResponse + 'static) -> Self {
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
            .map(|answer| answer.expect("the work was dropped"))
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

fn completion(songs: &[(&str, &str)]) -> FakeResponse {
    let tracks: Vec<_> = songs
        .iter()
        .map(|(artist, title)| json!({"artist": artist, "title": title, "year": null}))
        .collect();
    let content = json!({"kind": "playlist", "language": "pl", "name": "Wieczór", "description": "d",
        "summary": "s", "tracks": tracks});
    let frame =
        json!({"choices": [{"delta": {"content": content.to_string()}, "finish_reason": "stop"}]});
    FakeResponse::text(
        200,
        "text/event-stream",
        &format!("data: {frame}\n\ndata: [DONE]\n\n"),
    )
}

/// Returns the requested song for each search.
fn found(request: &OutboundRequest) -> FakeResponse {
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
    FakeResponse::json(
        200,
        &json!({"tracks": {"items": [{
            "uri": format!("spotify:track:{hex:0<22.22}"), "name": title, "artists": [{"name": artist}],
            "album": {"name": "An Album", "release_date": "1999"}, "duration_ms": 200_000, "explicit": false,
        }]}}),
    )
}

/// Upstreams that all succeed; the model suggests `songs`.
fn world(songs: &'static [(&str, &str)]) -> impl Fn(&OutboundRequest) -> FakeResponse {
    move |request| {
        let url = request.url.as_str();
        match url {
            _ if url.ends_with("jwks.json") => {
                FakeResponse::json(200, &FakeIssuer::with_kid("k").jwks())
            }
            _ if url.ends_with("rpc/ai_reserve") => {
                FakeResponse::json(200, &json!({"outcome": "reserved", "quota": quota()}))
            }
            _ if url.ends_with("rpc/ai_settle") => FakeResponse::json(
                200,
                &json!({"outcome": "settled", "status": "x", "quota": quota()}),
            ),
            _ if url.ends_with("rpc/recall_songs") => {
                let asked: Value = serde_json::from_slice(&request.body).unwrap();
                FakeResponse::json(
                    200,
                    &json!(vec![
                        Value::Null;
                        asked["p_songs"].as_array().unwrap().len()
                    ]),
                )
            }
            _ if url.ends_with("rpc/remember_songs") => FakeResponse::text(204, "text/plain", ""),
            _ if url.ends_with("/api/token") => FakeResponse::json(
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
        true => FakeResponse::Silence,
        false => works(request),
    })
}

fn wish(count: usize) -> Value {
    json!({"prompt": "wieczór", "target_count": count})
}
