//! Handles an event in numbered steps.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use shared::api::{EventOutcome as Outcome, WebhookResponse};
use shared::runtime::clock::Clock;
use shared::runtime::http_client::STRIPE_SIGNATURE;
use shared::runtime::response::{Body, json_response};
use shared::stripe::{Event, LastWrites, PlanSync, Stripe, Subject, Synced};
use shared::supabase::Supabase;
use shared::{Code, Error};

use crate::Config;

/// Stripe waits about twenty seconds for a response before it sends the event again.
const DEADLINE_MS: u64 = 15_000;

/// Results that outlive a request.
#[derive(Default)]
pub struct Caches {
    /// The profiles that were written last.
    pub writes: LastWrites,
}

/// The request context of this function.
pub type Context = shared::runtime::Context<Config, Caches>;

/// Handles an event.
///
/// 1. Verify the signature over the raw body (400).
/// 2. Parse the event (400), or ignore its type.
/// 3. Find the customer; for a thin event, read the object from Stripe.
/// 4. Read the customer's subscriptions and write the plan to the profile until both agree (502, 503, 504).
/// 5. After a checkout, close the customer's other sessions.
///
/// # Errors
/// Returns the errors above. Stripe repeats an event until it gets 2xx, so the next delivery recovers from a failure at
/// any step.
pub async fn handle(request: Request<Bytes>, context: Context) -> Result<Response<Body>, Error> {
    let Context {
        clock,
        config,
        request: call,
        ..
    } = &context;
    config.secrets.verify(
        signature(request.headers()),
        request.body(),
        clock.now_seconds(),
    )?;
    let event = Event::parse(request.body())?;
    if let Some(kind) = &event.kind {
        call.note("event", kind.as_str());
    }
    if event.livemode != config.stripe.livemode {
        return Err(Error::of(Code::LivemodeMismatch));
    }
    let outcome = converge(&context, &event).await?;
    call.note("outcome", outcome.as_str());
    json_response(StatusCode::OK, &WebhookResponse { outcome })
}

fn signature(headers: &HeaderMap) -> Option<&str> {
    headers.get(STRIPE_SIGNATURE)?.to_str().ok()
}

async fn converge(context: &Context, event: &Event) -> Result<Outcome, Error> {
    let Some(source) = &event.source else {
        return Ok(Outcome::Ignored);
    };
    let deadline_ms = context.clock.now_ms() + DEADLINE_MS;
    let stripe = Stripe::new(
        &context.config.stripe,
        &context.http,
        &context.clock,
        deadline_ms,
    );
    let Some(subject) = source.subject(&stripe).await? else {
        return Ok(Outcome::Foreign);
    };
    match sync(context, &stripe, &subject).await? {
        Synced::Foreign => Ok(Outcome::Foreign),
        Synced::Written(_) => {
            if event.completes_checkout {
                stripe.close_sessions(&subject.customer).await?;
            }
            Ok(Outcome::Written)
        }
    }
}

async fn sync(context: &Context, stripe: &Stripe<'_>, subject: &Subject) -> Result<Synced, Error> {
    let service = Supabase::new(&context.config.supabase, &context.http).service();
    Ok(PlanSync::new(stripe, &service, context.random.as_ref())
        .after(&context.caches.writes)
        .sync(subject)
        .await?)
}

#[cfg(test)]
#[path = "handler_tests.rs"]
mod tests;
