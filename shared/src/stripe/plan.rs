//! What a customer pays for, as Stripe says now.

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{Stripe, StripeError, StripeId, id, text};

/// What a page holds at most.
const PAGE_SIZE: &str = "100";
/// A customer with more subscriptions than this is none of ours; and where Stripe says for ever that there is more, it
/// ends all the same.
const MAX_PAGES_OF_A_CUSTOMER: usize = 5;

/// The plan of a profile, as in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// Pays nothing.
    Free,
    /// Pays.
    Pro,
}

impl Plan {
    /// Reads a plan as the database writes it.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "free" => Some(Self::Free),
            "pro" => Some(Self::Pro),
            _ => None,
        }
    }
}

/// A subscription, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// `sub_…`
    pub id: StripeId,
    /// Whose it is.
    pub customer: StripeId,
    /// Such as `active`.
    pub status: String,
    /// The user that it was bought for, where it says so.
    pub user_id: Option<Uuid>,
    /// Its last invoice, if it has one.
    pub latest_invoice: Option<StripeId>,
    /// Collection is paused because the service cannot be provided, until the operator, or Stripe at a set time, resumes it.
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

    /// Whether it makes its customer pro. `past_due` does: most payments that fail once come a few days later, and
    /// nobody is to lose what they have for an expired card. `unpaid`, `canceled`, `paused`, `incomplete`,
    /// `incomplete_expired` and whatever Stripe may invent do not; nor does one whose invoices are voided while
    /// collection is paused, which says that there is no service. The other two kinds of such a pause offer it for free.
    pub fn is_pro(&self) -> bool {
        matches!(self.status.as_str(), "active" | "trialing" | "past_due") && !self.is_without_service
    }

    /// Whether it is over for good. Any other may be charged, now or once it recovers.
    pub fn is_over(&self) -> bool {
        matches!(self.status.as_str(), "canceled" | "incomplete_expired")
    }

    /// Whether its first payment is still to come. If it does not come within 23 hours, the subscription is over.
    pub fn is_incomplete(&self) -> bool {
        self.status == "incomplete"
    }
}

/// A page of subscriptions.
#[derive(Debug)]
pub struct Subscriptions {
    /// Those on the page.
    pub list: Vec<Subscription>,
    /// Whether there are more behind the last one.
    has_more: bool,
}

impl Subscriptions {
    /// A page on which something else than a subscription stands is none: nobody loses a plan to what was not understood.
    fn read(page: &Value) -> Option<Self> {
        let list = page.get("data")?.as_array()?.iter().map(Subscription::read).collect::<Option<_>>()?;
        Some(Self { list, has_more: page.get("has_more")?.as_bool()? })
    }

    /// Behind which the next page begins, if there is one.
    pub fn next(&self) -> Option<StripeId> {
        self.list.last().filter(|_| self.has_more).map(|last| last.id.clone())
    }
}

impl Stripe<'_> {
    /// The plan that a customer pays for: any subscription that counts makes it pro, whatever the others are.
    ///
    /// A customer that does not exist (any more) pays for nothing.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn plan_of(&self, customer: &StripeId) -> Result<Plan, StripeError> {
        let paid = self.find_subscription(customer, Subscription::is_pro).await?;
        Ok(if paid.is_some() { Plan::Pro } else { Plan::Free })
    }

    /// A subscription of the customer that is not over; of several one that has been paid for before, if there is one.
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

    /// The page on which the first invoice of an incomplete subscription is paid, where it still can be.
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

    /// The first of a customer's subscriptions that is looked for, the newest first. A customer that does not exist (any
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

    /// A page of subscriptions of every status, the newest first: a customer's, or all.
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
