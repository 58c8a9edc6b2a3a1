//! The steps from a request to its answer.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use shared::api::{self, PortalRequest, StripePage};
use shared::auth::{JwksCache, VerifiedUser, authenticate};
use shared::request::require_json;
use shared::runtime::clock::Clock;
use shared::runtime::endpoint::{Body, json_response};
use shared::stripe::{CheckoutRequest, Stripe, StripeError, StripeId};
use shared::supabase::{Counted, Service, Supabase, take_request};
use shared::{Code, Error};

use crate::ENDPOINT;
use crate::config::Config;
use crate::customer;
use crate::request;

/// Nobody waits longer than this for a page to open.
const DEADLINE_MS: u64 = 25_000;
/// The one that is written down may be gone, and so may the one that Stripe remembers under our key.
const MAX_CUSTOMERS: usize = 3;

/// Finished results that outlive a request. They hold no data of a request.
#[derive(Default)]
pub struct Caches {
    /// The keys that sign users' tokens.
    pub jwks: JwksCache,
}

/// What the handler gets with a request.
pub type Context = shared::runtime::Context<Config, Caches>;

/// Handles one request, by its path.
///
/// # Errors
/// Those of the routes.
pub async fn handle(request: Request<Bytes>, context: Context) -> Result<Response<Body>, Error> {
    let url = match ENDPOINT.path(&request) {
        "/checkout" => checkout(&context, &request).await?,
        "/portal" => portal(&context, &request).await?,
        _ => return Err(Error::not_found()),
    };
    json_response(StatusCode::OK, &StripePage { url })
}

/// 1. Verify the caller (401).
/// 2. Parse (400, 413, 415, 422).
/// 3. Count the request (403, 429).
/// 4. Find or create their customer (403).
/// 5. Send a customer with a subscription that is not over to where it is managed or paid.
/// 6. Open a checkout, and close the others (409).
async fn checkout(context: &Context, request: &Request<Bytes>) -> Result<String, Error> {
    let user = caller(context, request).await?;
    require_json(request.headers())?;
    let urls = request::parse_checkout(request.body(), &context.config.origins)?;
    let (stripe, service) = (stripe(context), service(context));
    take_request(&service, user.id(), Counted::Billing).await?;
    let profile = customer::profile(&service, &context.clock, user.id()).await?;
    let mut known = profile.stripe_customer_id;
    for _ in 0..MAX_CUSTOMERS {
        let customer = match known {
            Some(customer) => customer,
            None => customer::create(&stripe, &service, &context.clock, user.id(), None).await?,
        };
        match pay_or_manage(context, &stripe, &customer, &user, &urls).await {
            Err(error) if error.missing() == Some("customer") => {
                let created =
                    customer::create(&stripe, &service, &context.clock, user.id(), Some(&customer)).await?;
                known = Some(created);
            }
            answer => return Ok(answer?),
        }
    }
    Err(Error::of(Code::StripeUnavailable).caused_by("every customer is gone"))
}

async fn pay_or_manage(
    context: &Context,
    stripe: &Stripe<'_>,
    customer: &StripeId,
    user: &VerifiedUser,
    urls: &api::CheckoutRequest,
) -> Result<String, StripeError> {
    // The database may not know yet, and what is not paid for now may recover: a second subscription would be charged
    // beside the first.
    if let Some(begun) = stripe.lasting_subscription(customer).await? {
        return match stripe.first_payment(&begun).await? {
            Some(url) => Ok(url),
            None => stripe.portal(customer, &urls.cancel_url).await,
        };
    }
    let request = CheckoutRequest {
        user_id: user.id(),
        price_id: &context.config.price_id,
        success_url: &urls.success_url,
        cancel_url: &urls.cancel_url,
    };
    stripe.checkout(customer, &request).await
}

/// 1. Verify the caller (401).
/// 2. Parse (400, 413, 415, 422).
/// 3. Count the request (403, 429).
/// 4. Find their customer (403, 409).
/// 5. Open the portal.
async fn portal(context: &Context, request: &Request<Bytes>) -> Result<String, Error> {
    let user = caller(context, request).await?;
    require_json(request.headers())?;
    let PortalRequest { return_url } = request::parse_portal(request.body(), &context.config.origins)?;
    let service = service(context);
    take_request(&service, user.id(), Counted::Billing).await?;
    let profile = customer::profile(&service, &context.clock, user.id()).await?;
    let customer = profile.stripe_customer_id.ok_or_else(nothing_to_manage)?;
    match stripe(context).portal(&customer, &return_url).await {
        Err(error) if error.missing() == Some("customer") => Err(nothing_to_manage().caused_by(error)),
        answer => Ok(answer?),
    }
}

async fn caller(context: &Context, request: &Request<Bytes>) -> Result<VerifiedUser, Error> {
    let Context { http, clock, config, caches, request: call, .. } = context;
    authenticate(call, request.headers(), &config.auth, &caches.jwks, http, clock).await
}

fn service(context: &Context) -> Service<'_> {
    Supabase::new(&context.config.supabase, &context.http).service()
}

fn stripe(context: &Context) -> Stripe<'_> {
    let deadline_ms = context.clock.now_ms() + DEADLINE_MS;
    Stripe::new(&context.config.stripe, &context.http, &context.clock, deadline_ms)
}

fn nothing_to_manage() -> Error {
    Error::of(Code::NothingToManage)
}

#[cfg(test)]
#[path = "handler_tests.rs"]
mod tests;
