//! Finds or creates the user's Stripe customer: one for each user, also if several requests arrive at once.

use serde_json::json;
use shared::runtime::clock::Clock;
use shared::stripe::{BillingProfile, Stripe, StripeId};
use shared::supabase::Service;
use shared::{Code, Error};
use uuid::Uuid;

/// Reads the billing fields of the caller's profile.
///
/// # Errors
/// Returns 403 `profile_not_found` if the account was deleted, and 503 if the database does not respond.
pub async fn profile(
    service: &Service<'_>,
    clock: &dyn Clock,
    user_id: Uuid,
) -> Result<BillingProfile, Error> {
    let answer = service
        .rpc_retrying("billing_profile", &json!({ "p_user_id": user_id }), clock)
        .await?;
    BillingProfile::read(&answer)?.ok_or_else(no_profile)
}

/// Creates a customer in place of `known`, which is `None` or no longer exists; returns the customer that the profile
/// has afterwards.
///
/// # Errors
/// Returns 502, 503 or 504 if Stripe or the database fails. If the new customer could not be stored, the next attempt
/// gets the same one.
pub async fn create(
    stripe: &Stripe<'_>,
    service: &Service<'_>,
    clock: &dyn Clock,
    user_id: Uuid,
    seen: Option<&StripeId>,
) -> Result<StripeId, Error> {
    let created = stripe.create_customer(user_id, seen).await?;
    let args = json!({
        "p_user_id": user_id,
        "p_seen_customer_id": seen.map(StripeId::as_str),
        "p_stripe_customer_id": created.as_str(),
    });
    let counts: Option<String> = service
        .rpc_retrying("set_stripe_customer", &args, clock)
        .await?;
    // None if the account was deleted meanwhile.
    counts
        .as_deref()
        .and_then(StripeId::parse)
        .ok_or_else(no_profile)
}

fn no_profile() -> Error {
    Error::of(Code::ProfileNotFound)
}
