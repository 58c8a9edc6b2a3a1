//! How a client performs an operation, and how it repeats it.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

use super::calls;
use super::operations::Operation;
use super::operations::Scenario::{self, *};
use super::worker::{PROMPT, Worker};
use crate::generation;
use crate::health;
use crate::spotify;
use crate::stack::{Response, User, send};
use crate::stripe::{self, ask_for_checkout, ask_for_portal, event};
use crate::wire;

/// The allowance for a machine under load, beyond a function's own limit.
const SLACK_SECONDS: u64 = 20;

pub struct Subject {
    pub user: User,
    key: String,
    playlist: String,
    agreed: Value,
    event: Value,
    pub delivered: Vec<(String, u64)>,
}

#[derive(Debug)]
pub struct Outcome {
    pub status: u16,
    pub code: String,
    pub retry_after: Option<u64>,
    pub body: Value,
    pub is_stream: bool,
}

impl Outcome {
    fn of(response: Response) -> Self {
        let Response { status, ref body, .. } = response;
        let code = if status < 300 { "" } else { body["code"].as_str().unwrap_or_default() };
        let (code, retry_after) = (code.to_owned(), response.retry_after());
        Self { status, code, retry_after, body: response.body, is_stream: false }
    }

    pub fn is_success(&self) -> bool {
        self.code.is_empty() && (200..300).contains(&self.status)
    }
}

impl Subject {
    /// A user for an operation, with everything that the operation presupposes.
    pub async fn prepare(worker: &Worker, scenario: Scenario) -> Self {
        let user = match scenario {
            Export | ExportRenewed | ExportFailing => worker.linked.clone().unwrap().0,
            _ => worker.environment.user().await,
        };
        let playlist = worker.linked.as_ref().map(|(_, playlist)| playlist.clone());
        let mut subject = Self {
            user,
            key: Uuid::new_v4().to_string(),
            playlist: playlist.unwrap_or_else(|| Uuid::new_v4().to_string()),
            agreed: Value::Null,
            event: Value::Null,
            delivered: Vec::new(),
        };
        let (stack, user) = (&worker.stack, &subject.user);
        // Many cases export the same playlist; each must be a first export.
        for table in ["spotify_exports", "spotify_copies"] {
            stack.sql(&format!("delete from public.{table} where user_id = $1"), &[&user.id]).await;
        }
        match scenario {
            Again => {
                let first = subject.perform(worker, Save).await;
                assert!(first.is_success(), "{first:?}");
            }
            CompleteLink => subject.agreed = spotify::agree(stack, user, "bob").await,
            ExportRenewed | ExportFailing => subject.expire_token(worker).await,
            ExportRevoked => {
                spotify::link(stack, user, "bob").await;
                let tracks = spotify::some_tracks(stack, 3).await;
                subject.playlist = spotify::playlist(stack, user, "Evening", &tracks).await;
                subject.expire_token(worker).await;
            }
            ExportNothing => subject.playlist = Uuid::new_v4().to_string(),
            CheckoutAnew => drop(ask_for_checkout(stack, user, "/plan").await.ok()),
            _ => subject.prepare_billing(worker, scenario).await,
        }
        // Many cases export as one user.
        stack.refill(&subject.user).await;
        subject
    }

    async fn prepare_billing(&mut self, worker: &Worker, scenario: Scenario) {
        let (stack, user) = (&worker.stack, &self.user);
        let customer = match scenario {
            CheckoutEvent | Delete => {
                ask_for_checkout(stack, user, "/plan").await.ok();
                stripe::profile(stack, user).await.1.unwrap()
            }
            CheckoutPaid | CheckoutIncomplete | Portal | Event | ThinEvent | EventOfNew => {
                stripe::create_customer(stack, user).await
            }
            _ => return,
        };
        if scenario != EventOfNew {
            stripe::store_customer(stack, user, &customer).await;
        }
        let payment = if scenario == CheckoutIncomplete { "fails" } else { "succeeds" };
        let order = json!({"action": "subscribe", "customer": customer, "payment": payment});
        let made = stripe::act(stack, order).await;
        let subscription = &made["subscription"]["id"];
        self.event = match scenario {
            ThinEvent => json!({"id": "evt_thin", "object": "v2.core.event", "livemode": false,
                "type": "v1.customer.subscription.updated",
                "related_object": {"id": subscription, "type": "subscription", "url": "/elsewhere"}}),
            CheckoutEvent => {
                let object = json!({"object": "checkout.session", "id": "cs_x", "customer": customer});
                event("checkout.session.completed", &object)
            }
            _ => {
                let object = json!({"object": "subscription", "id": subscription, "customer": customer});
                event("customer.subscription.updated", &object)
            }
        };
    }

    async fn expire_token(&self, worker: &Worker) {
        let statement = "update public.spotify_tokens set expires_at = now(), refreshing_until = null
            where user_id = $1";
        worker.stack.sql(statement, &[&self.user.id]).await;
    }

    pub fn script(worker: &Worker, scenario: Scenario) {
        let (call, status, body, times) = match scenario {
            GenerateRenewed => (calls::SEARCH, 401, "{}", 2),
            SearchRenewed => (calls::SEARCH, 401, "{}", 1),
            GenerateFailing => (calls::COMPLETIONS, 500, "{}", usize::MAX),
            ExportFailing => (calls::TOKEN, 500, "{}", usize::MAX),
            ExportRevoked => (calls::TOKEN, 400, r#"{"error":"invalid_grant"}"#, usize::MAX),
            _ => return,
        };
        worker.script(call, wire::Response::json(status, body), times);
    }

    /// Performs the operation within its limit.
    pub async fn attempt(&mut self, worker: &Worker, operation: &Operation) -> Result<Outcome, String> {
        let limit = operation.seconds + SLACK_SECONDS;
        let performing = async {
            if operation.scenario != Health {
                return self.perform(worker, operation.scenario).await;
            }
            let path = format!("{}/health", operation.function);
            let response =
                worker.stack.call(Method::GET, &path, &User::bearer(health::TOKEN), Value::Null).await;
            let code = response.body["status"].as_str().unwrap_or_default().to_owned();
            Outcome { code, ..Outcome::of(response) }
        };
        let timeout = tokio::time::timeout(Duration::from_secs(limit), performing).await;
        timeout.map_err(|_| format!("no response within {limit} s"))
    }

    async fn perform(&mut self, worker: &Worker, scenario: Scenario) -> Outcome {
        let (stack, user) = (&worker.stack, &self.user);
        if let Some((method, path)) = scenario.plain_request() {
            return Outcome::of(stack.call(method, path, user, Value::Null).await);
        }
        Outcome::of(match scenario {
            Save | Stream | GenerateRenewed | GenerateFailing | Again => {
                return self.generate(worker, scenario).await;
            }
            CompleteLink => spotify::complete(stack, user, &self.agreed).await,
            Export | ExportFailing => spotify::export(stack, user, &self.playlist, Some(&self.key)).await,
            ExportRenewed | ExportRevoked | ExportNothing => {
                spotify::export(stack, user, &self.playlist, None).await
            }
            Checkout | CheckoutPaid | CheckoutIncomplete => ask_for_checkout(stack, user, "/plan").await,
            CheckoutAnew => ask_for_checkout(stack, user, "/other").await,
            Portal | PortalWithoutCustomer => ask_for_portal(stack, user).await,
            Event | EventOfNew | ThinEvent | CheckoutEvent => stripe::send_event(stack, &self.event).await,
            Delete | DeleteUnconfirmed => {
                let confirm = if scenario == Delete { &user.email } else { "x@matrix.test" };
                crate::account::delete(stack, user, confirm).await
            }
            _ => unreachable!("it is a plain request, or asked at any function"),
        })
    }

    async fn generate(&mut self, worker: &Worker, scenario: Scenario) -> Outcome {
        let count = if scenario == GenerateRenewed { 2 } else { 5 };
        let is_saved = matches!(scenario, Save | Again);
        let body = json!({"prompt": PROMPT, "target_count": count, "save": is_saved});
        let mut request = generation::request(&worker.stack, &self.user, &body);
        if is_saved {
            request = request.header("idempotency-key", &self.key);
        }
        let outcome = match scenario {
            Stream => streamed(request).await,
            _ => Outcome::of(send(request.header("accept", "application/json")).await),
        };
        if outcome.is_success() {
            let session = outcome.body["session_id"].as_str().unwrap().to_owned();
            let delivered = (session, outcome.body["count"].as_u64().unwrap());
            if !self.delivered.contains(&delivered) {
                self.delivered.push(delivered);
            }
        }
        outcome
    }

    pub async fn before_repeat(&mut self, worker: &Worker, scenario: Scenario, last: &Outcome) {
        let is_unlinked = ["spotify_link_expired", "spotify_not_linked"].contains(&last.code.as_str());
        match scenario {
            // A code is valid once.
            CompleteLink => self.agreed = spotify::agree(&worker.stack, &self.user, "bob").await,
            ExportRevoked if is_unlinked => {
                spotify::link(&worker.stack, &self.user, "bob").await;
            }
            // The instance caches the failure for a while.
            Price => worker.restart().await,
            _ => {}
        }
    }

    /// Expires every reservation and lock.
    pub async fn expire_holds(&self, worker: &Worker) {
        worker.stack.expire_reservations(&self.user).await;
        for statement in [
            "update public.spotify_exports set held_until = now() where user_id = $1",
            "update public.spotify_tokens set refreshing_until = null where user_id = $1",
        ] {
            worker.stack.sql(statement, &[&self.user.id]).await;
        }
    }
}

async fn streamed(request: RequestBuilder) -> Outcome {
    let response = request.header("accept", "text/event-stream").send().await.unwrap();
    if response.status() != 200 {
        return Outcome::of(Response::read(response).await);
    }
    let stream = generation::read(response).await;
    let last = stream.events.last().expect("an empty stream");
    assert!(["done", "error"].contains(&last.name.as_str()), "{last:?}");
    let code = last.data["code"].as_str().unwrap_or_default().to_owned();
    Outcome { status: 200, code, retry_after: None, body: last.data.clone(), is_stream: true }
}
