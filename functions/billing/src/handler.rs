//! Handles a request in numbered steps.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use shared::api::{self, PortalRequest, PriceResponse, StripePage};
use shared::auth::{JwksCache, VerifiedUser, authenticate};
use shared::request::require_json;
use shared::runtime::cache::{Cached, Once};
use shared::runtime::clock::Clock;
use shared::runtime::response::{Body, json_response};
use shared::stripe::{CheckoutRequest, Stripe, StripeError, StripeId};
use shared::supabase::{Counted, Service, Supabase, take_request};
use shared::{Code, Error};

use crate::customer;
use crate::request;
use crate::{Config, ENDPOINT};

/// The time limit for all requests to Stripe until a page opens.
const DEADLINE_MS: u64 = 25_000;
/// The time limit for reading the price: a page that shows it does not wait longer.
const PRICE_DEADLINE_MS: u64 = 5_000;
/// The lifetime of a cached price.
const PRICE_LIFETIME_MS: u64 = 10 * 60_000;
/// The pause after a failure, because any client may request the price.
const NO_PRICE_LIFETIME_MS: u64 = 2_000;
/// The stored customer may be deleted, and so may the one that Stripe returns for our idempotency key.
const MAX_CUSTOMERS: usize = 3;

/// Results that outlive a request and hold no data of it.
#[derive(Default)]
pub struct Caches {
    /// The public keys that verify users' tokens.
    pub jwks: JwksCache,
    /// The plan's price.
    pub price: Cached<PriceResponse>,
    /// The last result, which simultaneous requests share.
    pub last_price: Once<Result<PriceResponse, StripeError>>,
}

/// The request context of this function.
pub type Context = shared::runtime::Context<Config, Caches>;

/// Routes a request by its path.
///
/// # Errors
/// Returns the error of the route, or 404 if no route has this path.
pub async fn handle(request: Request<Bytes>, context: Context) -> Result<Response<Body>, Error> {
    let url = match ENDPOINT.path(&request) {
        "/checkout" => checkout(&context, &request).await?,
        "/portal" => portal(&context, &request).await?,
        "/price" => return json_response(StatusCode::OK, &price(&context).await?),
        _ => return Err(Error::not_found()),
    };
    json_response(StatusCode::OK, &StripePage { url })
}

/// 1. Verify the caller (401).
/// 2. Parse (400, 413, 415, 422).
/// 3. Count the request (403, 429).
/// 4. Find or create their customer (403).
/// 5. Return the portal or the unpaid invoice to a customer whose subscription has not ended.
/// 6. Open a checkout, and close the user's others (409).
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
                let created = customer::create(
                    &stripe,
                    &service,
                    &context.clock,
                    user.id(),
                    Some(&customer),
                )
                .await?;
                known = Some(created);
            }
            result => return Ok(result?),
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
    // The profile may be older than Stripe's state, and an unpaid subscription may recover: both would be charged.
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
    let PortalRequest { return_url } =
        request::parse_portal(request.body(), &context.config.origins)?;
    let service = service(context);
    take_request(&service, user.id(), Counted::Billing).await?;
    let profile = customer::profile(&service, &context.clock, user.id()).await?;
    let customer = profile.stripe_customer_id.ok_or_else(nothing_to_manage)?;
    match stripe(context).portal(&customer, &return_url).await {
        Err(error) if error.missing() == Some("customer") => {
            Err(nothing_to_manage().caused_by(error))
        }
        result => Ok(result?),
    }
}

async fn price(context: &Context) -> Result<PriceResponse, StripeError> {
    let Context {
        clock,
        config,
        caches,
        ..
    } = context;
    if let Some(price) = caches.price.get(clock.now_ms()) {
        return Ok(price);
    }
    let read = async {
        stripe_until(context, PRICE_DEADLINE_MS)
            .price(&config.price_id)
            .await
    };
    let price = caches
        .last_price
        .get_or(clock, NO_PRICE_LIFETIME_MS, PRICE_DEADLINE_MS, read)
        .await?;
    caches
        .price
        .put(price.clone(), clock.now_ms() + PRICE_LIFETIME_MS);
    Ok(price)
}

async fn caller(context: &Context, request: &Request<Bytes>) -> Result<VerifiedUser, Error> {
    authenticate(
        &context.request,
        request.headers(),
        &context.config.auth,
        &context.caches.jwks,
        &context.http,
        &context.clock,
    )
    .await
}

fn service(context: &Context) -> Service<'_> {
    Supabase::new(&context.config.supabase, &context.http).service()
}

fn stripe(context: &Context) -> Stripe<'_> {
    stripe_until(context, DEADLINE_MS)
}

fn stripe_until(context: &Context, ms: u64) -> Stripe<'_> {
    let deadline_ms = context.clock.now_ms() + ms;
    Stripe::new(
        &context.config.stripe,
        &context.http,
        &context.clock,
        deadline_ms,
    )
}

fn nothing_to_manage() -> Error {
    Error::of(Code::NothingToManage)
}

#[cfg(test)]
#[path = "handler_tests.rs"]
mod tests;
