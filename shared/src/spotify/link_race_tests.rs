//! Many simultaneous requests against models of the database's functions and of a Spotify that rotates refresh
//! tokens. Both may be as slow as a call's timeout allows, and Spotify may fail: in every order, no link is lost.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_util::FutureExt;
use serde_json::{Value, json};

use super::tests::{USER, env};
use super::*;
use crate::fakes::{FakeHttp, FakeResponse, SharedClock};
use crate::runtime::http_client::{OutboundRequest, ResponseFuture};
use crate::supabase::{Supabase, SupabaseConfig};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const REQUESTS: u64 = 12;
const ROUNDS: u64 = 300;
/// How long the lock is held at most.
const RIGHT_MS: u64 = 60_000;

/// The same seed gives the same round.
struct Chance(RefCell<fastrand::Rng>);

impl Chance {
    fn below(&self, end: u64) -> u64 {
        self.0.borrow_mut().u64(..end)
    }
}

/// Delays a request and its response; the response still arrives within the timeout.
struct Slow {
    http: FakeHttp,
    clock: SharedClock,
    chance: Rc<Chance>,
}

impl HttpClient for Slow {
    fn send(&self, request: OutboundRequest) -> ResponseFuture<'_> {
        async move {
            let there_ms = self.chance.below(request.limits.total_ms);
            let back_ms = self.chance.below(request.limits.total_ms - there_ms);
            self.clock.sleep_ms(there_ms).await;
            let answer = self.http.send(request).await;
            self.clock.sleep_ms(back_ms).await;
            answer
        }
        .boxed_local()
    }
}

/// The stored link, and what Spotify accepts: tokens are numbers, each greater than the previous one.
struct World {
    clock: SharedClock,
    chance: Rc<Chance>,
    linked: Cell<bool>,
    access: Cell<u64>,
    refresh: Cell<u64>,
    used_up: Cell<bool>,
    right_until_ms: Cell<u64>,
    accepted: Cell<u64>,
}

impl World {
    fn answer(&self, name: &str, body: &[u8]) -> FakeResponse {
        let args: Value = serde_json::from_slice(body).unwrap_or_default();
        let number = |name: &str| args[name].as_str().and_then(|text| text.parse().ok());
        let is_seen =
            || self.linked.get() && number("p_seen_refresh_token") == Some(self.refresh.get());
        match name {
            "get_spotify_tokens" => self.read(),
            "refresh_spotify_tokens" => {
                let is_seen = is_seen();
                if is_seen {
                    self.access.set(number("p_access_token").unwrap());
                    self.refresh.set(number("p_refresh_token").unwrap());
                    self.used_up.set(false);
                    self.right_until_ms.set(0);
                }
                FakeResponse::json(200, &json!(is_seen))
            }
            "expire_spotify_link" => {
                let is_seen = is_seen();
                self.linked.set(self.linked.get() && !is_seen);
                FakeResponse::json(200, &json!(is_seen))
            }
            "release_spotify_refresh" => {
                self.right_until_ms.set(0);
                FakeResponse::text(204, "application/json", "")
            }
            "token" => self.grant(body),
            other => panic!("{other}"),
        }
    }

    fn read(&self) -> FakeResponse {
        if !self.linked.get() {
            return FakeResponse::json(200, &json!([]));
        }
        let now_ms = self.clock.now_ms();
        let state = match (self.used_up.get(), self.right_until_ms.get() <= now_ms) {
            (false, _) => "fresh",
            (true, false) => "wait",
            (true, true) => {
                self.right_until_ms.set(now_ms + RIGHT_MS);
                "refresh"
            }
        };
        let (access, refresh) = (
            self.access.get().to_string(),
            self.refresh.get().to_string(),
        );
        FakeResponse::json(
            200,
            &json!([{"access_token": access, "refresh_token": refresh, "state": state}]),
        )
    }

    fn grant(&self, body: &[u8]) -> FakeResponse {
        let limited = |seconds: &str| {
            FakeResponse::text(429, "text/plain", "")
                .with_header(http::header::RETRY_AFTER, seconds)
        };
        match self.chance.below(8) {
            0 | 1 => return FakeResponse::text(503, "text/html", "<h1>Oops</h1>"),
            2 => return limited("3"),
            3 => return limited("48925"),
            _ => {}
        }
        let seen = self.accepted.get();
        if !body.ends_with(format!("refresh_token={seen}").as_bytes()) {
            return FakeResponse::json(400, &json!({"error": "invalid_grant"}));
        }
        self.accepted.set(seen + 1);
        let next = (seen + 1).to_string();
        FakeResponse::json(
            200,
            &json!({"access_token": next, "refresh_token": next, "expires_in": 3600}),
        )
    }
}

/// Returns how many requests got a token.
fn round(seed: u64) -> usize {
    let chance = Rc::new(Chance(RefCell::new(fastrand::Rng::with_seed(seed))));
    let clock = SharedClock::default();
    let world = Rc::new(World {
        clock: clock.clone(),
        chance: chance.clone(),
        linked: Cell::new(true),
        access: Cell::new(1),
        refresh: Cell::new(1),
        used_up: Cell::new(true),
        right_until_ms: Cell::new(0),
        accepted: Cell::new(1),
    });
    let told = world.clone();
    let http = FakeHttp::responding(move |request: &OutboundRequest| {
        told.answer(
            request.url.rsplit('/').next().unwrap_or_default(),
            &request.body,
        )
    });
    let http = Slow {
        http,
        clock: clock.clone(),
        chance: chance.clone(),
    };
    let supabase = SupabaseConfig::from_env(env).unwrap();
    let config = SpotifyConfig::from_env(env).unwrap();
    let secrets = TokenSecrets::from_env(env).unwrap();
    let service = || Supabase::new(&supabase, &http).service();
    let request = |begins_ms: u64| {
        let links = SpotifyLinks::new(&secrets, service(), &config, &http, &clock);
        let clock = &clock;
        Box::pin(async move {
            clock.sleep_ms(begins_ms).await;
            links.access_token(USER, None).await
        })
    };
    let answers = clock.run(
        (0..REQUESTS)
            .map(|_| request(chance.below(40_000)))
            .collect(),
    );
    for answer in &answers {
        match answer {
            Ok(token) => assert_eq!(
                token.expose(),
                world.access.get().to_string(),
                "seed {seed}"
            ),
            Err(LinkError::Spotify(_) | LinkError::Busy) => {}
            Err(error) => panic!("seed {seed}: {error}"),
        }
    }
    assert!(world.linked.get(), "seed {seed}: the link is lost");
    assert_eq!(
        world.refresh.get(),
        world.accepted.get(),
        "seed {seed}: Spotify accepts another refresh token"
    );
    answers.iter().filter(|answer| answer.is_ok()).count()
}

#[test]
fn concurrent_refreshes_lose_no_link_and_replace_the_token_once() {
    let tokens: usize = (1..=ROUNDS).map(round).sum();
    assert!(
        tokens > 1_000,
        "{tokens} tokens: nearly everything failed, which proves nothing"
    );
}
