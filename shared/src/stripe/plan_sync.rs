//! Synchronises a profile's plan with Stripe, even if several requests do so at once.
//!
//! Reading from Stripe and writing the profile are two steps. Each write names a state of the profile that was known
//! before Stripe was asked, and succeeds only if that state has not changed. The last successful write is therefore
//! based on the newest read. A caller gets a success only after its own write has succeeded.
//!
//! Every write returns the profile, so the next attempt or event need not read it.

use std::fmt;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{LastWrites, Plan, Standing, Stripe, StripeError, StripeId, Subject, text};
use crate::error::{Code, Error};
use crate::runtime::random::Random;
use crate::supabase::{Service, SupabaseError};

/// An attempt takes about 100 ms. More conflicts than this on one profile do not come from Stripe's events.
const MAX_ATTEMPTS: u32 = 5;
const FIRST_PAUSE_MS: u64 = 20;
const RETRY_AFTER_SECONDS: u64 = 5;

/// The billing fields of a profile, as `billing_profile` returns them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillingProfile {
    /// The user.
    pub user_id: Uuid,
    /// The plan that the profile states.
    pub standing: Standing,
    /// The Stripe customer, set by the first checkout.
    pub stripe_customer_id: Option<StripeId>,
    /// The state that a write has to name, exactly as the database wrote it.
    plan_synced_at: Option<String>,
}

impl BillingProfile {
    /// Reads the result of `billing_profile`: a profile, or null. It is written by hand because a derived `Deserialize`
    /// would take an eighth of the webhook's size.
    ///
    /// # Errors
    /// Returns [`SupabaseError::InvalidResponse`] if it is neither.
    pub fn read(result: &Value) -> Result<Option<Self>, SupabaseError> {
        let read = || {
            let stripe_customer_id = match result.get("stripe_customer_id")? {
                Value::Null => None,
                customer => Some(StripeId::parse(customer.as_str()?)?),
            };
            Some(Self {
                user_id: Uuid::try_parse(text(result, "/user_id")?).ok()?,
                standing: Standing {
                    plan: Plan::parse(text(result, "/plan")?)?,
                    renews: result.get("plan_renews")?.as_bool()?,
                    period_ends_at: result.get("plan_period_ends_at")?.as_u64(),
                },
                stripe_customer_id,
                plan_synced_at: text(result, "/plan_synced_at").map(str::to_owned),
            })
        };
        match result {
            Value::Null => Ok(None),
            _ => read().map(Some).ok_or(SupabaseError::InvalidResponse),
        }
    }
}

/// The outcomes of `set_billing_plan`, with the profile after them.
enum WriteOutcome {
    Written(Option<BillingProfile>),
    /// The profile was written after the state that the write names.
    Conflict(Option<BillingProfile>),
    NoProfile,
}

impl WriteOutcome {
    fn read(result: &Value) -> Result<Self, SupabaseError> {
        let profile = || BillingProfile::read(result.get("profile").unwrap_or(&Value::Null));
        match text(result, "/outcome") {
            Some("written") => Ok(Self::Written(profile()?)),
            Some("conflict") => Ok(Self::Conflict(profile()?)),
            Some("no_profile") => Ok(Self::NoProfile),
            _ => Err(SupabaseError::of_outcome(result)),
        }
    }
}

/// The result of a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synced {
    /// The profile states what Stripe states.
    Written(Standing),
    /// The customer belongs to no profile, or is no longer its user's customer.
    Foreign,
}

/// The reasons why the profile may not agree with Stripe yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncError {
    /// Stripe returned no usable response.
    Stripe(StripeError),
    /// The database returned no usable response.
    Database(SupabaseError),
    /// Another request wrote the profile at every attempt.
    Contended,
}

/// Synchronises profiles with Stripe.
pub struct PlanSync<'a> {
    stripe: &'a Stripe<'a>,
    service: &'a Service<'a>,
    random: &'a dyn Random,
    writes: Option<&'a LastWrites>,
}

impl<'a> PlanSync<'a> {
    /// Creates a sync that reads with `stripe` and writes with `service`.
    pub fn new(stripe: &'a Stripe<'a>, service: &'a Service<'a>, random: &'a dyn Random) -> Self {
        Self {
            stripe,
            service,
            random,
            writes: None,
        }
    }

    /// Starts from the last writes of this instance where it has them, in place of reading the profile.
    #[must_use]
    pub fn after(self, writes: &'a LastWrites) -> Self {
        Self {
            writes: Some(writes),
            ..self
        }
    }

    /// Writes the plan that Stripe states to the profile of `subject`.
    ///
    /// # Errors
    /// Returns a [`SyncError`], after which the caller has to try again.
    pub async fn sync(&self, subject: &Subject) -> Result<Synced, SyncError> {
        let customer = &subject.customer;
        let mut known = self.last_write(customer);
        let mut may_be_gone = known.is_some();
        for attempt in 0..MAX_ATTEMPTS {
            let profile = match known.take() {
                Some(profile) => profile,
                None => match self.profile_of(subject).await? {
                    Some(profile) => profile,
                    None => return Ok(Synced::Foreign),
                },
            };
            let standing = self.stripe.standing_of(customer).await?;
            match self.swap(&profile, Some(customer), standing).await? {
                WriteOutcome::Written(profile) => {
                    self.keep(profile);
                    return Ok(Synced::Written(standing));
                }
                // Another profile may have the customer of a profile that has gone since it was kept.
                WriteOutcome::NoProfile if may_be_gone => may_be_gone = false,
                WriteOutcome::NoProfile => return Ok(Synced::Foreign),
                WriteOutcome::Conflict(_) if self.stripe.is_late() => break,
                WriteOutcome::Conflict(profile) => {
                    known = profile.filter(|it| it.stripe_customer_id.as_ref() == Some(customer));
                    self.pause(attempt).await;
                }
            }
        }
        Err(SyncError::Contended)
    }

    fn last_write(&self, customer: &StripeId) -> Option<BillingProfile> {
        self.writes?.of(customer, self.stripe.clock.now_ms())
    }

    fn keep(&self, written: Option<BillingProfile>) {
        if let (Some(writes), Some(profile)) = (self.writes, written) {
            writes.keep(profile, self.stripe.clock.now_ms());
        }
    }

    /// Returns the unchanged profile of `subject` and its standing at Stripe; `None` if the customer is foreign.
    ///
    /// # Errors
    /// Returns a [`SyncError`] if Stripe or the database sends no usable response.
    pub async fn compare(
        &self,
        subject: &Subject,
    ) -> Result<Option<(BillingProfile, Standing)>, SyncError> {
        match self.profile_of(subject).await? {
            Some(profile) => Ok(Some((
                profile,
                self.stripe.standing_of(&subject.customer).await?,
            ))),
            None => Ok(None),
        }
    }

    /// Sets a profile without a customer to free.
    ///
    /// # Errors
    /// Returns a [`SyncError`]; it is `Contended` if the profile was written after it was read.
    pub async fn withdraw(&self, profile: &BillingProfile) -> Result<(), SyncError> {
        match self.swap(profile, None, Standing::FREE).await? {
            WriteOutcome::Written(_) | WriteOutcome::NoProfile => Ok(()),
            WriteOutcome::Conflict(_) => Err(SyncError::Contended),
        }
    }

    /// Returns the profile of the customer, or the one without a customer that this customer belongs to.
    async fn profile_of(&self, subject: &Subject) -> Result<Option<BillingProfile>, SyncError> {
        let known = self.read(subject.user_id, Some(&subject.customer)).await?;
        match &known {
            Some(profile) if profile.stripe_customer_id.as_ref() == Some(&subject.customer) => {
                return Ok(known);
            }
            // The user has a different customer now.
            Some(BillingProfile {
                stripe_customer_id: Some(_),
                ..
            }) => return Ok(None),
            _ => {}
        }
        // No profile has this customer: Stripe has to confirm that it exists and belongs to the user.
        let Some(owner) = self
            .stripe
            .owner_of(&subject.customer, subject.user_id)
            .await?
        else {
            return Ok(None);
        };
        let profile = match known {
            Some(profile) if profile.user_id == owner => Some(profile),
            _ => self.read(Some(owner), None).await?,
        };
        Ok(profile.filter(|profile| profile.stripe_customer_id.is_none()))
    }

    async fn read(
        &self,
        user_id: Option<Uuid>,
        customer: Option<&StripeId>,
    ) -> Result<Option<BillingProfile>, SyncError> {
        let args =
            json!({"p_user_id": user_id, "p_stripe_customer_id": customer.map(StripeId::as_str)});
        Ok(BillingProfile::read(
            &self.service.rpc_value("billing_profile", &args).await?,
        )?)
    }

    async fn swap(
        &self,
        seen: &BillingProfile,
        customer: Option<&StripeId>,
        Standing {
            plan,
            renews,
            period_ends_at,
        }: Standing,
    ) -> Result<WriteOutcome, SyncError> {
        let args = json!({
            "p_user_id": seen.user_id,
            "p_seen_synced_at": seen.plan_synced_at,
            "p_stripe_customer_id": customer.map(StripeId::as_str),
            "p_plan": plan,
            "p_renews": renews,
            "p_period_ends_at": period_ends_at,
        });
        Ok(WriteOutcome::read(
            &self.service.rpc_value("set_billing_plan", &args).await?,
        )?)
    }

    /// Waits twice as long after each attempt, plus a random part, so that requests that collided do not collide
    /// again.
    async fn pause(&self, attempt: u32) {
        let mut byte = [0];
        self.random.fill(&mut byte);
        let longest_ms = FIRST_PAUSE_MS << attempt;
        let jitter_ms = longest_ms * u64::from(byte[0]) / 256;
        self.stripe.clock.sleep_ms(longest_ms + jitter_ms).await;
    }
}

impl fmt::Display for SyncError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stripe(error) => error.fmt(f),
            Self::Database(error) => error.fmt(f),
            Self::Contended => f.write_str("the profile was written by others every time"),
        }
    }
}

impl std::error::Error for SyncError {}

impl From<StripeError> for SyncError {
    fn from(error: StripeError) -> Self {
        Self::Stripe(error)
    }
}

impl From<SupabaseError> for SyncError {
    fn from(error: SupabaseError) -> Self {
        Self::Database(error)
    }
}

impl From<SyncError> for Error {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Stripe(error) => error.into(),
            SyncError::Database(error) => error.into(),
            SyncError::Contended => Self::of(Code::PlanContended)
                .retry_after(RETRY_AFTER_SECONDS)
                .caused_by(error),
        }
    }
}

#[cfg(test)]
#[path = "plan_sync_tests.rs"]
mod tests;
