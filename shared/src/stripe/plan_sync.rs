//! Makes a profile's plan agree with Stripe, however many do so at once.
//!
//! Reading Stripe and writing the profile is not one step, so each write names the state of the profile that was read
//! before Stripe was asked, and holds only if nobody has written since. Then the last one to write has asked behind all
//! others. The answer to the caller is a success only once its own write has held.

use std::fmt;

use serde_json::{Value, json};
use uuid::Uuid;

use super::checkout::Owner;
use super::{Plan, Stripe, StripeError, StripeId, Subject, text};
use crate::error::{Code, Error};
use crate::runtime::random::Random;
use crate::supabase::{Service, SupabaseError};

/// One asks Stripe for some 100 ms; more than this at once on one profile are not Stripe's events any more.
const MAX_ATTEMPTS: u32 = 5;
const FIRST_PAUSE_MS: u64 = 20;
const RETRY_AFTER_SECONDS: u64 = 5;

/// What billing sees of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillingProfile {
    /// Whose it is.
    pub user_id: Uuid,
    /// What it says that they pay for.
    pub plan: Plan,
    /// Their customer, from the first checkout on.
    pub stripe_customer_id: Option<StripeId>,
    /// The state that a write has to name, as the database wrote it.
    plan_synced_at: Option<String>,
}

impl BillingProfile {
    /// Reads what `billing_profile` answers: a profile, or null.
    ///
    /// # Errors
    /// [`SupabaseError::InvalidAnswer`].
    pub fn read(answer: &Value) -> Result<Option<Self>, SupabaseError> {
        let read = || {
            let stripe_customer_id = match answer.get("stripe_customer_id")? {
                Value::Null => None,
                customer => Some(StripeId::parse(customer.as_str()?)?),
            };
            Some(Self {
                user_id: Uuid::try_parse(text(answer, "/user_id")?).ok()?,
                plan: Plan::parse(text(answer, "/plan")?)?,
                stripe_customer_id,
                plan_synced_at: text(answer, "/plan_synced_at").map(str::to_owned),
            })
        };
        match answer {
            Value::Null => Ok(None),
            _ => read().map(Some).ok_or(SupabaseError::InvalidAnswer),
        }
    }
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synced {
    /// The profile says what Stripe says.
    Written(Plan),
    /// The customer is none of ours, or no longer the one of its user.
    Foreign,
}

/// Why the profile may not agree with Stripe yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncError {
    /// Stripe gave no answer.
    Stripe(StripeError),
    /// The database gave no answer.
    Database(SupabaseError),
    /// Others have written, every time.
    Contended,
}

/// Brings profiles and Stripe together.
pub struct PlanSync<'a> {
    stripe: &'a Stripe<'a>,
    service: &'a Service<'a>,
    random: &'a dyn Random,
}

impl<'a> PlanSync<'a> {
    /// What reads with `stripe` and writes with `service`.
    pub fn new(stripe: &'a Stripe<'a>, service: &'a Service<'a>, random: &'a dyn Random) -> Self {
        Self { stripe, service, random }
    }

    /// Makes the profile of `subject` say what Stripe says.
    ///
    /// # Errors
    /// [`SyncError`]: then it is to be tried again.
    pub async fn sync(&self, subject: &Subject) -> Result<Synced, SyncError> {
        for attempt in 0..MAX_ATTEMPTS {
            let Some((profile, plan)) = self.compare(subject).await? else { return Ok(Synced::Foreign) };
            match self.swap(&profile, Some(&subject.customer), plan).await?.as_str() {
                Some("written") => return Ok(Synced::Written(plan)),
                Some("no_profile") => return Ok(Synced::Foreign),
                _ if self.stripe.is_late() => break,
                _ => self.pause(attempt).await,
            }
        }
        Err(SyncError::Contended)
    }

    /// The profile of `subject` as it is, and the plan that Stripe says; `None` where it is foreign.
    ///
    /// # Errors
    /// [`SyncError`].
    pub async fn compare(&self, subject: &Subject) -> Result<Option<(BillingProfile, Plan)>, SyncError> {
        match self.profile_of(subject).await? {
            Some(profile) => Ok(Some((profile, self.stripe.plan_of(&subject.customer).await?))),
            None => Ok(None),
        }
    }

    /// Makes a profile free that has no customer, and so pays for nothing.
    ///
    /// # Errors
    /// [`SyncError`]; `Contended` where it has been written since it was read.
    pub async fn withdraw(&self, profile: &BillingProfile) -> Result<(), SyncError> {
        match self.swap(profile, None, Plan::Free).await?.as_str() {
            Some("written" | "no_profile") => Ok(()),
            _ => Err(SyncError::Contended),
        }
    }

    /// The profile whose customer it is or, where that has none yet, may become.
    async fn profile_of(&self, subject: &Subject) -> Result<Option<BillingProfile>, SyncError> {
        let known = self.read(subject.user_id, Some(&subject.customer)).await?;
        match &known {
            Some(profile) if profile.stripe_customer_id.as_ref() == Some(&subject.customer) => {
                return Ok(known);
            }
            // The user has another customer by now.
            Some(BillingProfile { stripe_customer_id: Some(_), .. }) => return Ok(None),
            _ => {}
        }
        // Nobody's customer: Stripe has to say that it is that user's, and that it still exists.
        let Owner::User(owner) = self.stripe.owner_of(&subject.customer, subject.user_id).await? else {
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
        let args = json!({"p_user_id": user_id, "p_stripe_customer_id": customer.map(StripeId::as_str)});
        Ok(BillingProfile::read(&self.service.rpc("billing_profile", &args).await?)?)
    }

    async fn swap(
        &self,
        seen: &BillingProfile,
        customer: Option<&StripeId>,
        plan: Plan,
    ) -> Result<Value, SyncError> {
        let args = json!({
            "p_user_id": seen.user_id,
            "p_seen_synced_at": seen.plan_synced_at,
            "p_stripe_customer_id": customer.map(StripeId::as_str),
            "p_plan": plan,
        });
        Ok(self.service.rpc("set_billing_plan", &args).await?)
    }

    /// Twice as long each time, and each at another moment, so that those who met do not meet again.
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
            SyncError::Contended => {
                Self::new(Code::PlanContended, "Too many changes at once. Please try again.")
                    .retry_after(RETRY_AFTER_SECONDS)
                    .caused_by(error)
            }
        }
    }
}
