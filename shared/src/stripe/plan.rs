//! Reads from Stripe which plan a customer pays for.

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{Stripe, StripeError, StripeId, id, text};
use crate::json::at;

/// The largest page that Stripe returns.
const PAGE_SIZE: &str = "100";
/// The limit of pages read for one customer. No customer of the app has more subscriptions, and it ends a response
/// that always claims another page.
const MAX_PAGES_OF_A_CUSTOMER: usize = 5;

/// The end of the year 9999; a later time is not one.
const LATEST_SECONDS: u64 = 253_402_300_799;

/// The plan of a profile, as the database stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// The user pays nothing.
    Free,
    /// The user pays.
    Pro,
}

impl Plan {
    /// Parses a plan as the database writes it.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "free" => Some(Self::Free),
            "pro" => Some(Self::Pro),
            _ => None,
        }
    }
}

/// A plan, and the end of the period that is paid for.
///
/// If a customer has several subscriptions, the greatest standing counts: one that renews before one that ends, then
/// the one that lasts longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Standing {
    /// The plan.
    pub plan: Plan,
    /// Whether another period follows.
    pub renews: bool,
    /// When the current period ends, in Unix seconds. `None` for a free plan, and while a payment is overdue: then the
    /// period is not paid for.
    pub period_ends_at: Option<u64>,
}

impl Standing {
    /// The standing of a customer who pays for nothing.
    pub const FREE: Self = Self {
        plan: Plan::Free,
        renews: false,
        period_ends_at: None,
    };
}

/// The fields of a subscription that matter here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// `sub_…`
    pub id: StripeId,
    /// The customer it belongs to.
    pub customer: StripeId,
    /// The status, such as `active`.
    pub status: String,
    /// The user for whom it was bought, if its metadata names one.
    pub user_id: Option<Uuid>,
    /// Its latest invoice, if it has one.
    pub latest_invoice: Option<StripeId>,
    /// Whether collection is paused because the service cannot be provided. The operator, or Stripe at a set time,
    /// ends the pause.
    is_without_service: bool,
    /// When it renews or ends, in Unix seconds.
    period_ends_at: Option<u64>,
    /// Whether it ends at `period_ends_at`.
    is_cancelled: bool,
}

impl Subscription {
    fn read(object: &Value) -> Option<Self> {
        // Items may have periods of their own; the first that ends is charged next.
        let items = at(object, "/items/data").and_then(Value::as_array);
        let ends = items
            .into_iter()
            .flatten()
            .filter_map(|item| seconds(item, "current_period_end"));
        let period_ends_at = ends.min();
        // Depending on the billing mode, a cancellation sets one of the two or both. One that is further away than the
        // period leaves a renewal before it.
        let cancel_at = seconds(object, "cancel_at");
        let ends_at = cancel_at.filter(|at| period_ends_at.is_none_or(|end| *at <= end));
        let is_cancelled =
            ends_at.is_some() || object.get("cancel_at_period_end") == Some(&Value::Bool(true));
        Some(Self {
            period_ends_at: ends_at.or(period_ends_at),
            is_cancelled,
            id: id(object, "/id")?,
            customer: id(object, "/customer")?,
            status: text(object, "/status")?.to_owned(),
            user_id: text(object, "/metadata/user_id").and_then(|text| Uuid::try_parse(text).ok()),
            latest_invoice: id(object, "/latest_invoice"),
            is_without_service: text(object, "/pause_collection/behavior") == Some("void"),
        })
    }

    /// Returns whether it makes its customer pro. `past_due` does: most failed payments succeed a few days later, and
    /// an expired card must not end the plan at once. `unpaid`, `canceled`, `paused`, `incomplete`,
    /// `incomplete_expired` and unknown statuses do not. Nor does a subscription whose invoices are voided while
    /// collection is paused, because then no service is provided; the other two kinds of pause offer the service for
    /// free.
    pub fn is_pro(&self) -> bool {
        matches!(self.status.as_str(), "active" | "trialing" | "past_due")
            && !self.is_without_service
    }

    /// Returns the standing that it gives its customer.
    pub fn standing(&self) -> Standing {
        if !self.is_pro() {
            return Standing::FREE;
        }
        let period_ends_at = self.period_ends_at.filter(|_| self.status != "past_due");
        Standing {
            plan: Plan::Pro,
            renews: !self.is_cancelled,
            period_ends_at,
        }
    }

    /// Returns whether it has ended for good. Any other subscription may be charged, now or after it recovers.
    pub fn is_over(&self) -> bool {
        matches!(self.status.as_str(), "canceled" | "incomplete_expired")
    }

    /// Returns whether its first payment is outstanding. Stripe ends the subscription 23 hours after its creation if it
    /// stays so.
    pub fn is_incomplete(&self) -> bool {
        self.status == "incomplete"
    }
}

/// Returns a moment in Unix seconds.
fn seconds(object: &Value, name: &str) -> Option<u64> {
    object
        .get(name)?
        .as_u64()
        .filter(|seconds| *seconds <= LATEST_SECONDS)
}

/// A page of subscriptions.
#[derive(Debug)]
pub struct Subscriptions {
    /// Those on the page.
    pub list: Vec<Subscription>,
    /// Whether another page follows.
    has_more: bool,
}

impl Subscriptions {
    /// Reads a page; `None` if an item is not a subscription, so that no user loses a plan to a response that was
    /// not understood.
    fn read(page: &Value) -> Option<Self> {
        let list = page
            .get("data")?
            .as_array()?
            .iter()
            .map(Subscription::read)
            .collect::<Option<_>>()?;
        Some(Self {
            list,
            has_more: page.get("has_more")?.as_bool()?,
        })
    }

    /// Returns the id after which the next page begins, if there is one.
    pub fn next(&self) -> Option<StripeId> {
        self.list
            .last()
            .filter(|_| self.has_more)
            .map(|last| last.id.clone())
    }
}

impl Stripe<'_> {
    /// Returns the customer's standing. One subscription that counts makes the customer pro, whatever the others are.
    ///
    /// A customer that does not exist (any more) is free.
    ///
    /// # Errors
    /// Returns a [`StripeError`] if Stripe sends no usable response.
    pub async fn standing_of(&self, customer: &StripeId) -> Result<Standing, StripeError> {
        let mut best = Standing::FREE;
        let read = self
            .find_subscription(customer, |it| {
                best = best.max(it.standing());
                false
            })
            .await;
        match read {
            // There are too many pages, but one subscription that counts has been found.
            Err(StripeError::InvalidAnswer) if best.plan == Plan::Pro => Ok(best),
            Err(error) => Err(error),
            Ok(_) => Ok(best),
        }
    }

    /// Returns a subscription of the customer that has not ended. One that was paid for before is preferred.
    ///
    /// # Errors
    /// Returns a [`StripeError`] if Stripe sends no usable response.
    pub async fn lasting_subscription(
        &self,
        customer: &StripeId,
    ) -> Result<Option<Subscription>, StripeError> {
        let mut incomplete = None;
        let begun = self
            .find_subscription(customer, |it| {
                if it.is_incomplete() {
                    incomplete.get_or_insert_with(|| it.clone());
                }
                !it.is_over() && !it.is_incomplete()
            })
            .await?;
        Ok(begun.or(incomplete))
    }

    /// Returns the page on which the first invoice of an incomplete subscription is paid, if it can still be paid.
    ///
    /// # Errors
    /// Returns a [`StripeError`] if Stripe sends no usable response.
    pub async fn first_payment(&self, of: &Subscription) -> Result<Option<String>, StripeError> {
        let Some(invoice) = of.latest_invoice.as_ref().filter(|_| of.is_incomplete()) else {
            return Ok(None);
        };
        let invoice = match self.get(&format!("/v1/invoices/{invoice}"), &[]).await {
            Err(error) if error.missing().is_some() => return Ok(None),
            invoice => invoice?,
        };
        if id(&invoice, "/id").as_ref() != of.latest_invoice.as_ref() {
            return Err(StripeError::InvalidAnswer);
        }
        let is_open = text(&invoice, "/status") == Some("open");
        Ok(text(&invoice, "/hosted_invoice_url")
            .filter(|_| is_open)
            .map(str::to_owned))
    }

    /// Returns the first match among a customer's subscriptions, newest first. A customer that does not exist (any
    /// more) has none.
    async fn find_subscription(
        &self,
        customer: &StripeId,
        mut is_sought: impl FnMut(&Subscription) -> bool,
    ) -> Result<Option<Subscription>, StripeError> {
        let mut after = None;
        for _ in 0..MAX_PAGES_OF_A_CUSTOMER {
            let page = match self.subscriptions(Some(customer), after.as_ref()).await {
                Err(error) if error.missing() == Some("customer") => return Ok(None),
                page => page?,
            };
            after = page.next();
            if let Some(found) = page.list.into_iter().find(|it| is_sought(it)) {
                return Ok(Some(found));
            }
            if after.is_none() {
                return Ok(None);
            }
        }
        Err(StripeError::InvalidAnswer)
    }

    /// Returns a page of subscriptions in every status, newest first: one customer's, or all.
    ///
    /// # Errors
    /// Returns a [`StripeError`] if Stripe sends no usable response.
    pub async fn subscriptions(
        &self,
        customer: Option<&StripeId>,
        after: Option<&StripeId>,
    ) -> Result<Subscriptions, StripeError> {
        let mut query = vec![("status", "all"), ("limit", PAGE_SIZE)];
        query.extend(customer.map(|customer| ("customer", customer.as_str())));
        query.extend(after.map(|after| ("starting_after", after.as_str())));
        let page = self.get("/v1/subscriptions", &query).await?;
        Subscriptions::read(&page).ok_or(StripeError::InvalidAnswer)
    }
}
