//! How a client goes about an operation, and about its repetition.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

use super::calls;
use super::lane::{Lane, PROMPT, email_of};
use super::operations::{Act, Operation};
use crate::spotify::{self, Answer, call};
use crate::stack::User;
use crate::stripe::{self, ask_for_checkout, ask_for_portal, event};
use crate::wire;
use crate::{generation, health};

/// Whatever a machine under load takes beyond a function's own limit.
const SLACK_SECONDS: u64 = 5;

/// Somebody, and what they have at hand.
pub struct Subject {
    pub user: User,
    key: String,
    playlist: String,
    /// The code and the state that Spotify's page led to.
    agreed: Value,
    event: Value,
    /// The sessions that were delivered, with how many tracks.
    pub delivered: Vec<(String, u64)>,
}

/// How an operation ended.
#[derive(Debug)]
pub struct Outcome {
    pub status: u16,
    /// Empty for a success.
    pub code: String,
    pub retry_after: Option<u64>,
    pub body: Value,
    /// Its head was sent before its end was known.
    pub is_stream: bool,
}

impl Outcome {
    fn of(answer: &Answer) -> Self {
        let field = if answer.status.is_success() { "" } else { "code" };
        Self {
            status: answer.status.as_u16(),
            code: answer.body[field].as_str().unwrap_or_default().to_owned(),
            retry_after: answer.header("retry-after").and_then(|it| it.parse().ok()),
            body: answer.body.clone(),
            is_stream: false,
        }
    }

    pub fn is_success(&self) -> bool {
        self.code.is_empty() && (200..300).contains(&self.status)
    }
}

impl Subject {
    /// Somebody for an operation, with all that has to be there before.
    pub async fn prepare(lane: &Lane, act: Act) -> Self {
        let user = match act {
            Act::Export | Act::ExportRenewed | Act::ExportFailing => lane.linked.clone().unwrap().0,
            _ => lane.world.listener().await,
        };
        let nowhere = Uuid::new_v4().to_string();
        let mut subject = Self {
            user,
            key: Uuid::new_v4().to_string(),
            playlist: lane.linked.as_ref().map_or(nowhere, |(_, playlist)| playlist.clone()),
            agreed: Value::Null,
            event: Value::Null,
            delivered: Vec::new(),
        };
        match act {
            Act::Again => {
                let first = subject.perform(lane, Act::Save).await;
                assert!(first.is_success(), "{first:?}");
            }
            Act::CompleteLink => subject.agreed = spotify::agree(&lane.stack, &subject.user, "bob").await,
            Act::ExportRenewed | Act::ExportFailing => subject.use_up_token(lane).await,
            Act::ExportRevoked => subject.link(lane).await,
            Act::ExportNothing => subject.playlist = Uuid::new_v4().to_string(),
            Act::CheckoutAnew => drop(ask_for_checkout(&lane.stack, &subject.user, "/plan").await.ok()),
            _ => subject.prepare_billing(lane, act).await,
        }
        // Many cells export as one user.
        lane.stack.refill(&subject.user).await;
        subject
    }

    async fn prepare_billing(&mut self, lane: &Lane, act: Act) {
        let stack = &lane.stack;
        let is_known = match act {
            Act::CheckoutEvent | Act::Delete => {
                ask_for_checkout(stack, &self.user, "/plan").await.ok();
                true
            }
            Act::CheckoutPaid | Act::CheckoutIncomplete | Act::Portal | Act::Event | Act::ThinEvent => true,
            Act::EventOfNew => false,
            _ => return,
        };
        let customer = match stripe::profile(stack, &self.user).await.1 {
            Some(customer) => customer,
            None => stripe::create_customer(stack, &self.user).await,
        };
        if is_known {
            let statement = "update public.profiles set stripe_customer_id = $2 where user_id = $1";
            stack.sql(statement, &[&self.user.id, &customer]).await;
        }
        let payment = if act == Act::CheckoutIncomplete { "fails" } else { "succeeds" };
        let order = json!({"action": "subscribe", "customer": customer, "payment": payment});
        let subscription = stripe::act(stack, order).await["subscription"]["id"].as_str().unwrap().to_owned();
        self.event = match act {
            Act::ThinEvent => json!({"id": "evt_thin", "object": "v2.core.event", "livemode": false,
                "type": "v1.customer.subscription.updated",
                "related_object": {"id": subscription, "type": "subscription", "url": "/elsewhere"}}),
            Act::CheckoutEvent => {
                let object = json!({"object": "checkout.session", "id": "cs_x", "customer": customer});
                event("checkout.session.completed", &object)
            }
            _ => {
                let object = json!({"object": "subscription", "id": subscription, "customer": customer});
                event("customer.subscription.updated", &object)
            }
        };
    }

    async fn link(&mut self, lane: &Lane) {
        spotify::link(&lane.stack, &self.user, "bob").await;
        let tracks = spotify::some_tracks(&lane.stack, 3).await;
        self.playlist = spotify::playlist(&lane.stack, &self.user, &self.key, &tracks).await;
        self.use_up_token(lane).await;
    }

    async fn use_up_token(&self, lane: &Lane) {
        let statement = "update public.spotify_tokens set expires_at = now(), refreshing_until = null
            where user_id = $1";
        lane.stack.sql(statement, &[&self.user.id]).await;
    }

    /// What else goes wrong, as belongs to the act.
    pub fn worsen(lane: &Lane, act: Act) {
        let (call, answer, times) = match act {
            Act::GenerateRenewed => (calls::SEARCH, wire::Answer::json(401, "{}"), 2),
            Act::SearchRenewed => (calls::SEARCH, wire::Answer::json(401, "{}"), 1),
            Act::GenerateFailing => (calls::COMPLETIONS, wire::Answer::json(500, "{}"), usize::MAX),
            Act::ExportFailing => (calls::TOKEN, wire::Answer::json(500, "{}"), usize::MAX),
            Act::ExportRevoked => {
                (calls::TOKEN, wire::Answer::json(400, "{\"error\":\"invalid_grant\"}"), usize::MAX)
            }
            _ => return,
        };
        lane.answer(call, answer, times);
    }

    /// As [`Self::perform`], for as long as anybody waits.
    pub async fn attempt(&mut self, lane: &Lane, operation: &Operation) -> Result<Outcome, String> {
        let limit = operation.seconds + SLACK_SECONDS;
        let performing = self.perform_at(lane, operation);
        tokio::time::timeout(Duration::from_secs(limit), performing)
            .await
            .map_err(|_| format!("no answer within {limit} s"))
    }

    async fn perform_at(&mut self, lane: &Lane, operation: &Operation) -> Outcome {
        if operation.act != Act::Health {
            return self.perform(lane, operation.act).await;
        }
        let path = format!("{}/health", operation.function);
        let operator = User { id: Uuid::nil(), token: health::TOKEN.to_owned() };
        let answer = call(&lane.stack, Method::GET, &path, Some(&operator), None).await;
        let code = answer.body["status"].as_str().unwrap_or_default().to_owned();
        Outcome { code, ..Outcome::of(&answer) }
    }

    async fn perform(&mut self, lane: &Lane, act: Act) -> Outcome {
        let (stack, user) = (&lane.stack, &self.user);
        let plain = async |method, path: &str| call(stack, method, path, Some(user), None).await;
        let found = "spotify-search?artist=Nirvana&title=Come+as+You+Are&limit=1";
        let answer = match act {
            Act::Save | Act::Stream | Act::GenerateRenewed | Act::GenerateFailing | Act::Again => {
                return self.generate(lane, act).await;
            }
            Act::Search | Act::SearchRenewed => plain(Method::GET, found).await,
            Act::StartLink => plain(Method::POST, "spotify-oauth/start").await,
            Act::CompleteLink => spotify::complete(stack, user, &self.agreed).await,
            Act::ExportAccount => plain(Method::GET, "account/export").await,
            Act::LinkStatus => plain(Method::GET, "spotify-oauth/status").await,
            Act::Unlink => plain(Method::DELETE, "spotify-oauth/link").await,
            Act::Export | Act::ExportFailing => {
                spotify::export(stack, user, &self.playlist, Some(&self.key)).await
            }
            Act::ExportRenewed | Act::ExportRevoked | Act::ExportNothing => {
                spotify::export(stack, user, &self.playlist, None).await
            }
            Act::Checkout | Act::CheckoutPaid | Act::CheckoutIncomplete => {
                ask_for_checkout(stack, user, "/plan").await
            }
            Act::CheckoutAnew => ask_for_checkout(stack, user, "/other").await,
            Act::Portal | Act::PortalOfNobody => ask_for_portal(stack, user).await,
            Act::Event | Act::EventOfNew | Act::ThinEvent | Act::CheckoutEvent => {
                stripe::send(stack, &self.event).await
            }
            Act::Delete | Act::DeleteUnconfirmed => {
                let email = if act == Act::Delete { email_of(user.id) } else { "x@matrix.test".to_owned() };
                let body = json!({ "confirm": email });
                call(stack, Method::DELETE, "account", Some(user), Some(&body)).await
            }
            Act::Health => unreachable!("nobody in particular asks for it"),
        };
        Outcome::of(&answer)
    }

    async fn generate(&mut self, lane: &Lane, act: Act) -> Outcome {
        let count = if act == Act::GenerateRenewed { 2 } else { 5 };
        let is_saved = matches!(act, Act::Save | Act::Again);
        let wish = json!({"prompt": PROMPT, "target_count": count, "save": is_saved});
        let mut request = generation::request(&lane.stack, &self.user, &wish);
        if is_saved {
            request = request.header("idempotency-key", &self.key);
        }
        let outcome = match act {
            Act::Stream => streamed(request).await,
            _ => documented(request).await,
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

    /// What a client does before it asks again, or only time does.
    pub async fn come_again(&mut self, lane: &Lane, act: Act, last: &Outcome) {
        match act {
            // A code is good once.
            Act::CompleteLink => self.agreed = spotify::agree(&lane.stack, &self.user, "bob").await,
            Act::ExportRevoked
                if ["spotify_link_expired", "spotify_not_linked"].contains(&last.code.as_str()) =>
            {
                spotify::link(&lane.stack, &self.user, "bob").await;
            }
            _ => {}
        }
    }

    /// As if what is held for a while had been held for so long.
    pub async fn wait_for_holds(&self, lane: &Lane) {
        for statement in [
            "update public.ai_sessions set created_at = created_at - interval '90 seconds'
             where user_id = $1 and status = 'timeout'",
            "update public.spotify_exports set held_until = now() where user_id = $1",
            "update public.spotify_tokens set refreshing_until = null where user_id = $1",
        ] {
            lane.stack.sql(statement, &[&self.user.id]).await;
        }
    }
}

async fn documented(request: RequestBuilder) -> Outcome {
    let response = request.header("accept", "application/json").send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.json().await.unwrap();
    Outcome::of(&Answer { status, headers, body })
}

async fn streamed(request: RequestBuilder) -> Outcome {
    let response = request.header("accept", "text/event-stream").send().await.unwrap();
    if response.status() != 200 {
        let (status, headers) = (response.status(), response.headers().clone());
        return Outcome::of(&Answer { status, headers, body: response.json().await.unwrap() });
    }
    let stream = generation::read(response).await;
    let last = stream.events.last().expect("an empty stream");
    assert!(["done", "error"].contains(&last.name.as_str()), "{last:?}");
    let code = last.data["code"].as_str().unwrap_or_default().to_owned();
    Outcome { status: 200, code, retry_after: None, body: last.data.clone(), is_stream: true }
}
