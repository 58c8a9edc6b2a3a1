//! Somebody who keeps the functions and the database busy, and remembers what they were promised.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::generation::{self, ask};
use crate::spotify;
use crate::stack::{Stack, User};
use crate::stripe;

/// What somebody is told where something is away or a quota is used up; anything else is a defect.
const DOCUMENTED: [&str; 14] = [
    "quota_exceeded",
    "generation_in_progress",
    "already_generated",
    "export_in_progress",
    "too_many_attempts",
    "database_unavailable",
    "spotify_unavailable",
    "spotify_timeout",
    "stripe_unavailable",
    "stripe_timeout",
    "llm_unavailable",
    "llm_timeout",
    "generation_timeout",
    "plan_contended",
];
/// Of these some subscribe.
const SUBSCRIBES_EVERY: usize = 2;
/// Before somebody tries again.
const PAUSE: Duration = Duration::from_millis(200);
/// More than it takes until a stack that was killed is back.
const ATTEMPTS: usize = 200;

/// What all listeners share.
#[derive(Default)]
pub struct Load {
    /// How long each waits before the next thing.
    pub pause_ms: Range<u64>,
    pub is_over: AtomicBool,
    pub under_way: AtomicUsize,
    pub answered: AtomicUsize,
    /// Answers that told of a failure, and requests without an answer.
    pub failed: AtomicUsize,
    /// What they were, and how often.
    pub failures: Mutex<BTreeMap<String, usize>>,
}

pub struct Listener {
    stack: Arc<Stack>,
    load: Arc<Load>,
    rng: Rng,
    pub user: User,
    customer: Option<String>,
    /// What they edit by hand.
    pub own: String,
    catalogue: Vec<String>,
    /// What was promised to be in it.
    pub added: BTreeSet<String>,
    /// The playlists that they were told are saved, and how many tracks each has.
    pub saved: Vec<(String, u64)>,
    /// The generation of which they do not know how it ended.
    open: Option<String>,
}

impl Listener {
    pub async fn arrive(
        stack: &Arc<Stack>,
        shared: &Stack,
        load: &Arc<Load>,
        number: usize,
        rng: Rng,
    ) -> Self {
        let user = stack.sign_up().await;
        let catalogue = spotify::some_tracks(shared, 60).await;
        let own = spotify::playlist(stack, &user, "Own", &catalogue[..1]).await;
        let url = spotify::start(stack, &user).await;
        let callback = spotify::decide(&url, "agree", "ania").await;
        let given: Vec<_> = callback.query_pairs().into_owned().collect();
        let agreed =
            json!({"code": spotify::value(&given, "code"), "state": spotify::value(&given, "state")});
        spotify::complete(stack, &user, &agreed).await.ok();
        let customer = if number.is_multiple_of(SUBSCRIBES_EVERY) {
            let customer = stripe::create_customer(shared, &user).await;
            let statement = "update public.profiles set stripe_customer_id = $2 where user_id = $1";
            stack.sql(statement, &[&user.id, &customer]).await;
            Some(customer)
        } else {
            None
        };
        let (stack, load) = (stack.clone(), load.clone());
        let added = BTreeSet::from([catalogue[0].clone()]);
        Self { stack, load, rng, user, customer, own, catalogue, added, saved: Vec::new(), open: None }
    }

    /// Works until it is over.
    pub async fn work(mut self, stripe: String) -> Self {
        while !self.load.is_over.load(Ordering::Relaxed) {
            if !self.load.pause_ms.is_empty() {
                let pause_ms = self.rng.u64(self.load.pause_ms.clone());
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            }
            let has_failed = match self.rng.usize(..10) {
                0..=3 => self.generate().await,
                4..=6 => self.add().await,
                7 => self.search().await,
                8 => self.export().await,
                _ => self.pay_or_cancel(&stripe).await,
            }
            .is_none();
            if has_failed {
                tokio::time::sleep(PAUSE).await;
            }
        }
        self
    }

    /// Generates and saves; where the end of the last one is not known, that one again.
    async fn generate(&mut self) -> Option<()> {
        let key = self.open.get_or_insert_with(|| Uuid::new_v4().to_string()).clone();
        let mut wish = ask("evening");
        wish["save"] = json!(true);
        let request = generation::request(&self.stack, &self.user, &wish).header("idempotency-key", &key);
        let (status, body) = self.ask(request).await?;
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
        let uri = self.catalogue[self.rng.usize(..self.catalogue.len())].clone();
        let body = json!({"playlist_id": self.own, "tracks": [{"track_uri": uri}]});
        let url = format!("{}/rest/v1/rpc/add_tracks", self.stack.url("/supabase_url"));
        let request = self.stack.http.post(url).header("apikey", self.stack.url("/publishable_key"));
        let (status, _) = self.ask(request.bearer_auth(&self.user.token).json(&body)).await?;
        // 409: it is there already, perhaps by a request whose answer was lost.
        if [200, 409].contains(&status) {
            self.added.insert(uri);
        }
        Some(())
    }

    async fn search(&mut self) -> Option<()> {
        let url = self.stack.function("spotify-search?title=Whisky");
        let (status, _) = self.ask(self.stack.http.get(url).bearer_auth(&self.user.token)).await?;
        (status == 200).then_some(())
    }

    pub async fn export(&mut self) -> Option<()> {
        let request = self.stack.http.post(self.stack.function("spotify-export"));
        let body = json!({ "playlist_id": self.own });
        let (status, _) = self.ask(request.bearer_auth(&self.user.token).json(&body)).await?;
        (status == 200).then_some(())
    }

    /// Something happens at Stripe, which tells the functions.
    async fn pay_or_cancel(&mut self, stripe: &str) -> Option<()> {
        let customer = self.customer.clone()?;
        let act = format!("{stripe}/__control/act");
        let post = async |body: Value| -> Value {
            self.stack.http.post(&act).json(&body).send().await.unwrap().json().await.unwrap()
        };
        let made = post(json!({"action": "subscribe", "customer": customer})).await;
        if self.rng.usize(..3) == 0 {
            post(json!({"action": "cancel", "subscription": made["subscription"]["id"]})).await;
        }
        Some(())
    }

    /// The status and the body; `None` where there is no answer, or one that tells of a failure.
    async fn ask(&self, request: RequestBuilder) -> Option<(u16, Value)> {
        let Load { under_way, answered, .. } = &*self.load;
        under_way.fetch_add(1, Ordering::Relaxed);
        let answer = async {
            let response = request.send().await?;
            Ok((response.status().as_u16(), response.text().await?))
        };
        let answer: reqwest::Result<(u16, String)> = answer.await;
        under_way.fetch_sub(1, Ordering::Relaxed);
        let (status, text) = match answer {
            Ok(answer) => answer,
            Err(error) => return self.fail(format!("no answer: {error}")),
        };
        answered.fetch_add(1, Ordering::Relaxed);
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        let code = body["code"].as_str().unwrap_or_default();
        let is_functions = body["request_id"].is_string();
        assert!(
            status < 400 || !is_functions || DOCUMENTED.contains(&code),
            "{status} {text}: this is not documented"
        );
        if status >= 500 {
            return self.fail(format!("{status} {code}"));
        }
        Some((status, body))
    }

    fn fail<T>(&self, what: String) -> Option<T> {
        self.load.failed.fetch_add(1, Ordering::Relaxed);
        *self.load.failures.lock().unwrap().entry(what).or_default() += 1;
        None
    }

    /// All is well: what was left open is asked for again, and everything works.
    pub async fn complete(&mut self) {
        for statement in [
            "update public.ai_sessions set created_at = created_at - interval '90 seconds'
             where user_id = $1 and status in ('timeout', 'failed')",
            "update public.spotify_tokens set refreshing_until = null where user_id = $1",
        ] {
            self.stack.sql(statement, &[&self.user.id]).await;
        }
        let mut attempts = 0..ATTEMPTS;
        while self.open.is_some() && attempts.next().is_some() {
            if self.generate().await.is_none() {
                tokio::time::sleep(PAUSE).await;
            }
        }
        assert_eq!(self.open, None, "a generation is left open");
        assert!(self.export().await.is_some(), "the link is of no use any more");
        assert!(self.search().await.is_some());
    }

    /// Whether they may have had another plan for a while.
    pub fn has_paid(&self) -> bool {
        self.customer.is_some()
    }

    /// What they see of their playlists: each with the positions and the addresses of its tracks.
    pub async fn playlists(&self) -> Vec<(String, Vec<(u64, String)>)> {
        let path = "playlists?select=id,playlist_tracks(position,track_uri)";
        let (status, rows) = self.stack.rest(Method::GET, path, Some(&self.user), None).await;
        assert_eq!(status, 200, "{rows}");
        let track = |track: &Value| {
            (track["position"].as_u64().unwrap(), track["track_uri"].as_str().unwrap().to_owned())
        };
        let playlist = |row: &Value| {
            let mut tracks: Vec<_> = row["playlist_tracks"].as_array().unwrap().iter().map(track).collect();
            tracks.sort();
            (row["id"].as_str().unwrap().to_owned(), tracks)
        };
        rows.as_array().unwrap().iter().map(playlist).collect()
    }
}
