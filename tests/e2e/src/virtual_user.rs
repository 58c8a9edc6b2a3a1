//! A simulated user who sends requests and records the confirmed results.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::iter;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::generation::{request, saving};
use crate::invariants;
use crate::spotify;
use crate::stack::{Stack, User};
use crate::stripe::{create_customer, store_customer};

/// The codes of unavailable upstreams and used-up limits; any other code is a defect.
const EXPECTED: &str = "quota_exceeded generation_in_progress already_generated export_in_progress too_many_attempts \
    database_unavailable spotify_unavailable spotify_timeout stripe_unavailable stripe_timeout llm_unavailable \
    llm_timeout generation_timeout plan_contended";
const ARRIVE_AT_ONCE: usize = 8;
const PAUSE: Duration = Duration::from_millis(200);
/// Longer than a killed stack takes to restart.
const ATTEMPTS: usize = 200;

#[derive(Default)]
pub struct Load {
    pub pause_ms: Range<u64>,
    pub is_over: AtomicBool,
    pub under_way: AtomicUsize,
    pub responses: AtomicUsize,
    /// How often each failure occurred, and how often there was no response.
    pub failures: Mutex<BTreeMap<String, usize>>,
}

impl Load {
    pub fn failed(&self) -> usize {
        self.failures.lock().unwrap().values().sum()
    }
}

pub struct Crowd(Vec<tokio::task::JoinHandle<VirtualUser>>);

impl Crowd {
    /// Signs users up on `stack`, whose simulators are those of `shared`, and lets them work.
    pub async fn start(
        stack: &Arc<Stack>,
        shared: &Stack,
        load: &Arc<Load>,
        size: usize,
        rng: &mut Rng,
    ) -> Self {
        let arriving: Vec<_> =
            (0..size).map(|number| VirtualUser::arrive(stack, shared, load, number, rng.fork())).collect();
        let users: Vec<_> = iter(arriving).buffer_unordered(ARRIVE_AT_ONCE).collect().await;
        let stripe = shared.url("/simulators/stripe");
        Self(users.into_iter().map(|user| tokio::spawn(user.work(stripe.to_owned()))).collect())
    }

    /// Ends the work, completes every unfinished operation and asserts all invariants; returns the users.
    pub async fn finish(self, stack: &Stack, shared: &Stack, load: &Load) -> Vec<VirtualUser> {
        load.is_over.store(true, Ordering::Relaxed);
        let mut users: Vec<_> = join_all(self.0).await.into_iter().map(|user| user.unwrap()).collect();
        invariants::deliver_all(shared).await;
        for user in &mut users {
            user.complete().await;
        }
        invariants::assert_all(stack, shared, &users).await;
        users
    }
}

pub struct VirtualUser {
    pub stack: Arc<Stack>,
    load: Arc<Load>,
    rng: Rng,
    pub user: User,
    /// Whether a subscription may have granted the paid plan for a while.
    pub customer: Option<String>,
    pub own: String,
    catalogue: Vec<String>,
    pub added: BTreeSet<String>,
    /// The playlists that were confirmed as saved, and how many tracks each has.
    pub saved: Vec<(String, u64)>,
    /// The key of a generation whose outcome is unknown.
    open: Option<String>,
}

impl VirtualUser {
    async fn arrive(stack: &Arc<Stack>, shared: &Stack, load: &Arc<Load>, number: usize, rng: Rng) -> Self {
        let user = stack.sign_up().await;
        let catalogue = spotify::some_tracks(shared, 60).await;
        let own = spotify::playlist(stack, &user, "Own", &catalogue[..1]).await;
        let callback = spotify::decide(&spotify::start(stack, &user).await, "agree", "ania").await;
        let given = spotify::pairs(&callback);
        let agreed =
            json!({"code": spotify::value(&given, "code"), "state": spotify::value(&given, "state")});
        spotify::complete(stack, &user, &agreed).await.ok();
        let mut customer = None;
        if number.is_multiple_of(2) {
            let created = create_customer(shared, &user).await;
            store_customer(stack, &user, &created).await;
            customer = Some(created);
        }
        let (stack, load) = (stack.clone(), load.clone());
        let added = BTreeSet::from([catalogue[0].clone()]);
        Self { stack, load, rng, user, customer, own, catalogue, added, saved: Vec::new(), open: None }
    }

    async fn work(mut self, stripe: String) -> Self {
        while !self.load.is_over.load(Ordering::Relaxed) {
            if !self.load.pause_ms.is_empty() {
                let pause_ms = self.rng.u64(self.load.pause_ms.clone());
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            }
            let done = match self.rng.usize(..10) {
                0..=3 => self.generate().await,
                4..=6 => self.add().await,
                7 => self.search().await,
                8 => self.export().await,
                _ => self.pay_or_cancel(&stripe).await,
            };
            if done.is_none() {
                tokio::time::sleep(PAUSE).await;
            }
        }
        self
    }

    /// Generates and saves a playlist; repeats the last generation if its outcome is unknown.
    async fn generate(&mut self) -> Option<()> {
        let key = self.open.get_or_insert_with(|| Uuid::new_v4().to_string()).clone();
        let request = request(&self.stack, &self.user, &saving("evening")).header("idempotency-key", &key);
        let (status, body) = self.send(request).await?;
        match status {
            200 => {
                assert_eq!(body["playlist_id"], key.as_str(), "{body}");
                self.saved.push((key, body["count"].as_u64().unwrap()));
                self.open = None;
            }
            402 => self.open = None,
            _ => return None,
        }
        Some(())
    }

    async fn add(&mut self) -> Option<()> {
        let uri = self.rng.choice(&self.catalogue).unwrap().clone();
        let body = json!({"playlist_id": self.own, "tracks": [{"track_uri": uri}]});
        let url = format!("{}/rest/v1/rpc/add_tracks", self.stack.url("/supabase_url"));
        let request = self.stack.http.post(url).header("apikey", self.stack.url("/publishable_key"));
        let (status, _) = self.send(request.bearer_auth(&self.user.token).json(&body)).await?;
        // 409: the track exists already, perhaps by a request whose response was lost.
        if [200, 409].contains(&status) {
            self.added.insert(uri);
        }
        Some(())
    }

    async fn search(&mut self) -> Option<()> {
        let request = self.stack.request(Method::GET, "spotify-search?title=Whisky", &self.user);
        let (status, _) = self.send(request).await?;
        (status == 200).then_some(())
    }

    async fn export(&mut self) -> Option<()> {
        let request = self.stack.request(Method::POST, "spotify-export", &self.user);
        let (status, _) = self.send(request.json(&json!({"playlist_id": self.own}))).await?;
        (status == 200).then_some(())
    }

    /// Changes something at Stripe, which sends events to the functions.
    async fn pay_or_cancel(&mut self, stripe: &str) -> Option<()> {
        let customer = self.customer.clone()?;
        let act = async |action: Value| -> Value {
            let request = self.stack.http.post(format!("{stripe}/__control/act")).json(&action);
            request.send().await.unwrap().json().await.unwrap()
        };
        let made = act(json!({"action": "subscribe", "customer": customer})).await;
        if self.rng.usize(..3) == 0 {
            act(json!({"action": "cancel", "subscription": made["subscription"]["id"]})).await;
        }
        Some(())
    }

    /// The status and the body; `None` without a response, or for a failure of the server.
    async fn send(&self, request: RequestBuilder) -> Option<(u16, Value)> {
        let Load { under_way, responses, failures, .. } = &*self.load;
        let fail = |what: String| *failures.lock().unwrap().entry(what).or_default() += 1;
        under_way.fetch_add(1, Ordering::Relaxed);
        let response = async {
            let response = request.send().await?;
            Ok((response.status().as_u16(), response.text().await?))
        };
        let response: reqwest::Result<(u16, String)> = response.await;
        under_way.fetch_sub(1, Ordering::Relaxed);
        let (status, text) = response.inspect_err(|error| fail(format!("no response: {error}"))).ok()?;
        responses.fetch_add(1, Ordering::Relaxed);
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        let code = body["code"].as_str().unwrap_or_default();
        let is_functions = body["request_id"].is_string();
        assert!(status < 400 || !is_functions || EXPECTED.split(' ').any(|it| it == code), "{status} {text}");
        if status >= 500 {
            fail(format!("{status} {code}"));
            return None;
        }
        Some((status, body))
    }

    /// Repeats the unfinished operations and uses every feature, once all upstreams work again.
    async fn complete(&mut self) {
        self.stack.expire_reservations(&self.user).await;
        self.stack.refill(&self.user).await;
        for statement in [
            "update public.spotify_tokens set refreshing_until = null where user_id = $1",
            "update public.spotify_exports set held_until = now() where user_id = $1",
        ] {
            self.stack.sql(statement, &[&self.user.id]).await;
        }
        for _ in 0..ATTEMPTS {
            if self.open.is_none() {
                break;
            }
            if self.generate().await.is_none() {
                tokio::time::sleep(PAUSE).await;
            }
        }
        assert_eq!(self.open, None, "a generation is unfinished");
        assert!(self.export().await.is_some(), "the link is broken");
        assert!(self.search().await.is_some());
    }
}
