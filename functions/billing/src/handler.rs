//! The steps from a request to its answer.

use std::rc::Rc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use shared::api::{self, PortalRequest, StripePage};
use shared::auth::{JwksCache, VerifiedUser, authenticate};
use shared::clock::Clock;
use shared::endpoint::{Body, Call, Endpoint, json_response, route};
use shared::http_client::HttpClient;
use shared::request::require_json;
use shared::stripe::{CheckoutRequest, Stripe, StripeError, StripeId};
use shared::supabase::{Counted, Service, Supabase, take_request};
use shared::{Code, Error};

use crate::config::Config;
use crate::customer;
use crate::request::{self};

/// What the endpoint promises.
pub const ENDPOINT: Endpoint = Endpoint {
    name: "billing",
    methods: "POST",
    routes: &["/checkout", "/portal"],
    max_body_bytes: 8 * 1024,
    has_database: true,
};

/// Nobody waits longer than this for a page to open.
const DEADLINE_MS: u64 = 25_000;
/// The one that is written down may be gone, and so may the one that Stripe remembers under our key.
const MAX_CUSTOMERS: usize = 3;

/// Finished results that outlive a request; no request's data.
#[derive(Default)]
pub struct Caches {
    /// The keys that sign users' tokens.
    pub jwks: JwksCache,
}

/// What one request is handed.
pub struct Deps<H, C> {
    /// The way out.
    pub http: H,
    /// The time.
    pub clock: C,
    /// The configuration.
    pub config: Rc<Config>,
    /// What earlier requests left.
    pub caches: Rc<Caches>,
    /// The request, as the log knows it.
    pub call: Call,
}

/// Answers one request, by its path and method.
///
/// # Errors
/// 404, 405; and what each of the routes refuses.
pub async fn handle<H: HttpClient, C: Clock>(
    request: Request<Bytes>,
    deps: &Deps<H, C>,
) -> Result<Response<Body>, Error> {
    let path = route(request.uri().path(), ENDPOINT.name).unwrap_or_default();
    let url = match (path, request.method()) {
        ("/checkout", &Method::POST) => deps.checkout(&request).await?,
        ("/portal", &Method::POST) => deps.portal(&request).await?,
        ("/checkout" | "/portal", _) => return Err(Error::method_not_allowed("POST")),
        _ => return Err(Error::of(Code::NotFound)),
    };
    json_response(StatusCode::OK, &StripePage { url })
}

impl<H: HttpClient, C: Clock> Deps<H, C> {
    /// 1. Verify the caller (401).
    /// 2. Parse (400, 413, 415, 422).
    /// 3. Count the request (403, 429).
    /// 4. Find or create their customer (403).
    /// 5. Send a customer with a subscription that is not over to where it is managed or paid.
    /// 6. Open a checkout, and close the others (409).
    async fn checkout(&self, request: &Request<Bytes>) -> Result<String, Error> {
        let user = self.caller(request).await?;
        require_json(request.headers())?;
        let urls = request::parse_checkout(request.body(), &self.config.origins)?;
        let (stripe, service) = (self.stripe(), self.service());
        take_request(&service, user.id(), Counted::Billing).await?;
        let profile = customer::profile(&service, &self.clock, user.id()).await?;
        let mut known = profile.stripe_customer_id;
        for _ in 0..MAX_CUSTOMERS {
            let customer = match known {
                Some(customer) => customer,
                None => customer::create(&stripe, &service, &self.clock, user.id(), None).await?,
            };
            match self.pay_or_manage(&stripe, &customer, &user, &urls).await {
                Err(error) if error.missing() == Some("customer") => {
                    let created =
                        customer::create(&stripe, &service, &self.clock, user.id(), Some(&customer)).await?;
                    known = Some(created);
                }
                answer => return Ok(answer?),
            }
        }
        Err(Error::of(Code::StripeUnavailable).caused_by("every customer is gone"))
    }

    async fn pay_or_manage(
        &self,
        stripe: &Stripe<'_, H, C>,
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
            price_id: &self.config.price_id,
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
    async fn portal(&self, request: &Request<Bytes>) -> Result<String, Error> {
        let user = self.caller(request).await?;
        require_json(request.headers())?;
        let PortalRequest { return_url } = request::parse_portal(request.body(), &self.config.origins)?;
        let service = self.service();
        take_request(&service, user.id(), Counted::Billing).await?;
        let profile = customer::profile(&service, &self.clock, user.id()).await?;
        let customer = profile.stripe_customer_id.ok_or_else(nothing_to_manage)?;
        match self.stripe().portal(&customer, &return_url).await {
            Err(error) if error.missing() == Some("customer") => Err(nothing_to_manage().caused_by(error)),
            answer => Ok(answer?),
        }
    }

    async fn caller(&self, request: &Request<Bytes>) -> Result<VerifiedUser, Error> {
        let Self { http, clock, config, caches, call } = self;
        authenticate(call, request.headers(), &config.auth, &caches.jwks, http, clock).await
    }

    fn service(&self) -> Service<'_, H> {
        Supabase::new(&self.config.supabase, &self.http).service()
    }

    fn stripe(&self) -> Stripe<'_, H, C> {
        let deadline_ms = self.clock.now_ms() + DEADLINE_MS;
        Stripe::new(&self.config.stripe, &self.http, &self.clock, deadline_ms)
    }
}

fn nothing_to_manage() -> Error {
    Error::of(Code::NothingToManage)
}

#[cfg(test)]
#[path = "handler_tests.rs"]
mod tests;
