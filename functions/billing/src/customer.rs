//! The listener's customer at Stripe: one for each, however many requests come at once.

use serde_json::json;
use shared::clock::Clock;
use shared::http_client::HttpClient;
use shared::stripe::{BillingProfile, Stripe, StripeId};
use shared::supabase::Service;
use shared::{Code, Error};
use uuid::Uuid;

/// Reads what billing knows of the caller.
///
/// # Errors
/// 403 `profile_not_found`, 503.
pub async fn profile<H: HttpClient, C: Clock>(
    service: &Service<'_, H>,
    clock: &C,
    user_id: Uuid,
) -> Result<BillingProfile, Error> {
    let answer = service.rpc_retrying("billing_profile", &json!({ "p_user_id": user_id }), clock).await?;
    BillingProfile::read(&answer)?.ok_or_else(no_profile)
}

/// Creates a customer in place of the one that was seen, which is none or exists no more; answers the one that counts.
///
/// # Errors
/// 502, 503, 504. A customer that was created and could not be written down is the same at the next attempt.
pub async fn create<H: HttpClient, C: Clock>(
    stripe: &Stripe<'_, H, C>,
    service: &Service<'_, H>,
    clock: &C,
    user_id: Uuid,
    seen: Option<&StripeId>,
) -> Result<StripeId, Error> {
    let created = stripe.create_customer(user_id, seen).await?;
    let args = json!({
        "p_user_id": user_id,
        "p_seen_customer_id": seen.map(StripeId::as_str),
        "p_stripe_customer_id": created.as_str(),
    });
    let counts: Option<String> = service.rpc_retrying("set_stripe_customer", &args, clock).await?;
    // None where the account was deleted meanwhile.
    counts.as_deref().and_then(StripeId::parse).ok_or_else(no_profile)
}

fn no_profile() -> Error {
    Error::of(Code::ProfileNotFound)
}
