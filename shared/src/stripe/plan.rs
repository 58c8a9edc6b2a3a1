//! What a customer pays for, read from Stripe.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{Stripe, StripeError, StripeId, id, text};

/// The largest page that Stripe returns.
const PAGE_SIZE: &str = "100";
/// The limit of pages read for one customer. No customer of the app has more subscriptions, and it ends a response
/// that always claims another page.
const MAX_PAGES_OF_A_CUSTOMER: usize = 5;

/// The plan of a profile, as the database stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// The user pays nothing.
    Free,
    /// The user pays.
    Pro,
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
}

impl Subscription {
    fn read(object: &Value) -> Option<Self> {
        Some(Self {
            id: id(object, "/id")?,
            customer: id(object, "/customer")?,
            status: text(object, "/status")?.to_owned(),
            user_id: text(object, "/metadata/user_id").and_then(|text| Uuid::try_parse(text).ok()),
            latest_invoice: id(object, "/latest_invoice"),
            is_without_service: text(object, "/pause_collection/behavior") == Some("void"),
        })
    }

    /// Whether it makes its customer pro. `past_due` does: most failed payments succeed a few days later, and an
    /// expired card must not end the plan at once. `unpaid`, `canceled`, `paused`, `incomplete`,
    /// `incomplete_expired` and unknown statuses do not. Nor does a subscription whose invoices are voided while
    /// collection is paused, because then no service is provided; the other two kinds of pause offer the service for
    /// free.
    pub fn is_pro(&self) -> bool {
        matches!(self.status.as_str(), "active" | "trialing" | "past_due") && !self.is_without_service
    }

    /// Whether it has ended for good. Any other subscription may be charged, now or after it recovers.
    pub fn is_over(&self) -> bool {
        matches!(self.status.as_str(), "canceled" | "incomplete_expired")
    }

    /// Whether its first payment is outstanding. Stripe ends the subscription 23 hours after its creation if it
    /// stays so.
    pub fn is_incomplete(&self) -> bool {
        self.status == "incomplete"
    }
}

/// A page of subscriptions.
#[derive(Debug)]
pub struct Subscriptions {
    /// Those on the page.
    pub list: Vec<Subscription>,
    /// Whether there are more subscriptions after the last one.
    has_more: bool,
}

impl Subscriptions {
    /// Reads a page; `None` if an item is not a subscription, so that no user loses a plan to a response that was
    /// not understood.
    fn read(page: &Value) -> Option<Self> {
        let list = page.get("data")?.as_array()?.iter().map(Subscription::read).collect::<Option<_>>()?;
        Some(Self { list, has_more: page.get("has_more")?.as_bool()? })
    }

    /// Returns the id after which the next page begins, if there is one.
    pub fn next(&self) -> Option<StripeId> {
        self.list.last().filter(|_| self.has_more).map(|last| last.id.clone())
    }
}

impl Stripe<'_> {
    /// Returns the plan that a customer pays for. One subscription that counts makes the customer pro, whatever the
    /// others are.
    ///
    /// A customer that does not exist (any more) is free.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn plan_of(&self, customer: &StripeId) -> Result<Plan, StripeError> {
        let paid = self.find_subscription(customer, Subscription::is_pro).await?;
        Ok(if paid.is_some() { Plan::Pro } else { Plan::Free })
    }

    /// Returns a subscription of the customer that has not ended. One that was paid for before is preferred.
    ///
    /// # Errors
    /// [`StripeError`].
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
    /// [`StripeError`].
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
        Ok(text(&invoice, "/hosted_invoice_url").filter(|_| is_open).map(str::to_owned))
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
    /// [`StripeError`].
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
