//! The steps from an event to its answer.

use std::rc::Rc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use shared::api::{EventOutcome as Outcome, WebhookResponse};
use shared::clock::Clock;
use shared::endpoint::{Body, Call, Endpoint, json_response, route};
use shared::http_client::{HttpClient, STRIPE_SIGNATURE};
use shared::random::Random;
use shared::stripe::{Event, PlanSync, Stripe, Subject, Synced};
use shared::supabase::Supabase;
use shared::{Code, Error};

use crate::config::Config;

/// What the endpoint promises.
pub const ENDPOINT: Endpoint = Endpoint {
    name: "stripe-webhook",
    methods: "POST",
    routes: &[],
    max_body_bytes: 1024 * 1024,
    has_database: true,
};

/// Stripe waits some twenty seconds for an answer and then sends the event again.
const DEADLINE_MS: u64 = 15_000;

/// What one request is handed.
pub struct Deps<'a, H, C> {
    /// The way out.
    pub http: H,
    /// The time.
    pub clock: C,
    /// Randomness.
    pub random: &'a dyn Random,
    /// The configuration.
    pub config: Rc<Config>,
    /// The request, as the log knows it.
    pub call: Call,
}

/// Answers one event.
///
/// 1. Verify the signature over the raw body (400).
/// 2. Read what it is about (400), or ignore it.
/// 3. Find the customer; where the event is thin, ask Stripe for the object.
/// 4. Read what the customer pays for and write it to the profile, until that holds (502, 503, 504).
/// 5. Behind a checkout, close the customer's other sessions.
///
/// # Errors
/// As above. Stripe repeats what was not answered with 2xx, so a failure at any step is made good by the next delivery.
pub async fn handle<H: HttpClient, C: Clock>(
    request: Request<Bytes>,
    deps: &Deps<'_, H, C>,
) -> Result<Response<Body>, Error> {
    if route(request.uri().path(), ENDPOINT.name) != Some("/") {
        return Err(Error::of(Code::NotFound));
    }
    let Deps { clock, config, call, .. } = deps;
    config.secrets.verify(signature(request.headers()), request.body(), clock.now_seconds())?;
    let event = Event::parse(request.body())?;
    if let Some(kind) = &event.kind {
        call.note("event", kind.as_str());
    }
    if event.livemode != config.stripe.livemode {
        return Err(Error::of(Code::LivemodeMismatch));
    }
    let outcome = deps.converge(&event).await?;
    call.note("outcome", outcome.as_str());
    json_response(StatusCode::OK, &WebhookResponse { outcome })
}

fn signature(headers: &HeaderMap) -> Option<&str> {
    headers.get(STRIPE_SIGNATURE)?.to_str().ok()
}

impl<H: HttpClient, C: Clock> Deps<'_, H, C> {
    async fn converge(&self, event: &Event) -> Result<Outcome, Error> {
        let Some(source) = &event.source else { return Ok(Outcome::Ignored) };
        let deadline_ms = self.clock.now_ms() + DEADLINE_MS;
        let stripe = Stripe::new(&self.config.stripe, &self.http, &self.clock, deadline_ms);
        let Some(subject) = source.subject(&stripe).await? else { return Ok(Outcome::Foreign) };
        match self.sync(&stripe, &subject).await? {
            Synced::Foreign => Ok(Outcome::Foreign),
            Synced::Written(_) => {
                if event.completes_checkout {
                    stripe.close_sessions(&subject.customer).await?;
                }
                Ok(Outcome::Written)
            }
        }
    }

    async fn sync(&self, stripe: &Stripe<'_, H, C>, subject: &Subject) -> Result<Synced, Error> {
        let service = Supabase::new(&self.config.supabase, &self.http).service();
        Ok(PlanSync::new(stripe, &service, self.random).sync(subject).await?)
    }
}

#[cfg(test)]
#[path = "handler_tests.rs"]
mod tests;
