//! Finds and corrects the differences between profiles and Stripe.
//!
//! Both sides are read in pages, Stripe's first. They may change meanwhile, so each difference is checked again by
//! itself, and corrected like an event: read from Stripe, written only if the profile has not changed.

use std::collections::HashMap;
use std::fmt;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use shared::runtime::random::Random;
use shared::stripe::{BillingProfile, Plan, PlanSync, Standing, Stripe, StripeId, Subject};
use shared::supabase::Service;
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Reports the differences.
    DryRun,
    /// Corrects them, too.
    Apply,
}

/// A profile whose plan, or its period, differs from Stripe's.
#[derive(Debug, PartialEq, Eq)]
pub struct Difference {
    pub user_id: Uuid,
    pub customer: Option<StripeId>,
    pub stored: Standing,
    pub truth: Standing,
    /// Why it was not corrected; `None` if it was corrected, or in a dry run.
    pub failure: Option<String>,
}

#[derive(Debug)]
pub struct Report {
    mode: Mode,
    pub profiles: usize,
    pub subscriptions: usize,
    pub differences: Vec<Difference>,
    /// Customers that pay and name a user whose profile has another customer, so that the payment has no effect.
    pub in_vain: Vec<(StripeId, Uuid)>,
    /// Users whose profile has a customer id that is malformed.
    pub unreadable: Vec<Uuid>,
}

/// A customer at Stripe.
struct Customer {
    standing: Standing,
    /// The user that its subscriptions name.
    user_id: Option<Uuid>,
    /// Whether a profile has this customer.
    is_known: bool,
}

pub struct Reconcile<'a> {
    stripe: &'a Stripe<'a>,
    service: &'a Service<'a>,
    sync: PlanSync<'a>,
    mode: Mode,
}

impl<'a> Reconcile<'a> {
    pub fn new(
        stripe: &'a Stripe<'a>,
        service: &'a Service<'a>,
        random: &'a dyn Random,
        mode: Mode,
    ) -> Self {
        Self {
            stripe,
            service,
            sync: PlanSync::new(stripe, service, random),
            mode,
        }
    }

    /// Compares all profiles.
    ///
    /// # Errors
    /// If one side cannot be read to its end. Failed corrections are in the report.
    pub async fn run(&self) -> Result<Report> {
        let mut report = Report::new(self.mode);
        let mut customers = self.customers(&mut report).await?;
        let mut after = None;
        loop {
            let page = self.profiles(after).await?;
            let Some(last) = page.last() else { break };
            after = Some(user_of(last)?);
            report.profiles += page.len();
            for row in &page {
                match BillingProfile::read(row) {
                    Ok(Some(profile)) => {
                        self.compare(&profile, &mut customers, &mut report).await?
                    }
                    _ => report.unreadable.push(user_of(row)?),
                }
            }
        }
        // Paying customers without a profile: the id was lost before it was stored.
        let lost = customers
            .iter()
            .filter(|(_, customer)| customer.standing.plan == Plan::Pro && !customer.is_known);
        for (id, customer) in lost {
            let Some(id) = StripeId::parse(id) else {
                continue;
            };
            let subject = Subject {
                customer: id,
                user_id: customer.user_id,
            };
            match (self.look_at(&subject).await?, customer.user_id) {
                (Some(difference), _) => report.differences.push(difference),
                // A customer of another business in the same Stripe account.
                (None, None) => {}
                (None, Some(user_id)) => report.in_vain.push((subject.customer, user_id)),
            }
        }
        Ok(report)
    }

    async fn customers(&self, report: &mut Report) -> Result<HashMap<String, Customer>> {
        let mut customers: HashMap<String, Customer> = HashMap::new();
        let mut after = None;
        loop {
            let page = self.stripe.subscriptions(None, after.as_ref()).await?;
            report.subscriptions += page.list.len();
            for subscription in &page.list {
                let customer = customers
                    .entry(subscription.customer.to_string())
                    .or_insert(Customer {
                        standing: Standing::FREE,
                        user_id: None,
                        is_known: false,
                    });
                customer.standing = customer.standing.max(subscription.standing());
                customer.user_id = customer.user_id.or(subscription.user_id);
            }
            match page.next() {
                Some(last) => after = Some(last),
                None => return Ok(customers),
            }
        }
    }

    async fn profiles(&self, after: Option<Uuid>) -> Result<Vec<Value>> {
        let page: Value = self
            .service
            .rpc("billing_profiles", &json!({ "p_after": after }))
            .await?;
        match page {
            Value::Array(page) => Ok(page),
            _ => bail!("billing_profiles returned no list"),
        }
    }

    async fn compare(
        &self,
        profile: &BillingProfile,
        customers: &mut HashMap<String, Customer>,
        report: &mut Report,
    ) -> Result<()> {
        let customer = profile
            .stripe_customer_id
            .as_ref()
            .and_then(|id| customers.get_mut(id.as_str()));
        let standing = customer.map_or(Standing::FREE, |customer| {
            customer.is_known = true;
            customer.standing
        });
        if standing != profile.standing {
            report.differences.extend(self.look_again(profile).await?);
        }
        Ok(())
    }

    async fn look_again(&self, profile: &BillingProfile) -> Result<Option<Difference>> {
        match &profile.stripe_customer_id {
            Some(customer) => {
                self.look_at(&Subject {
                    customer: customer.clone(),
                    user_id: Some(profile.user_id),
                })
                .await
            }
            // Pro without a subscription at Stripe.
            None => {
                let failure = match self.mode {
                    Mode::DryRun => None,
                    Mode::Apply => self
                        .sync
                        .withdraw(profile)
                        .await
                        .err()
                        .map(|error| error.to_string()),
                };
                Ok(Some(difference(profile, None, Standing::FREE, failure)))
            }
        }
    }

    async fn look_at(&self, subject: &Subject) -> Result<Option<Difference>> {
        let Some((profile, standing)) = self.sync.compare(subject).await? else {
            return Ok(None);
        };
        if profile.standing == standing && profile.stripe_customer_id.is_some() {
            return Ok(None);
        }
        let failure = match self.mode {
            Mode::DryRun => None,
            Mode::Apply => self
                .sync
                .sync(subject)
                .await
                .err()
                .map(|error| error.to_string()),
        };
        Ok(Some(difference(
            &profile,
            Some(subject.customer.clone()),
            standing,
            failure,
        )))
    }
}

fn user_of(row: &Value) -> Result<Uuid> {
    let id = row
        .get("user_id")
        .and_then(Value::as_str)
        .context("billing_profiles returned a row without a user")?;
    Ok(Uuid::try_parse(id)?)
}

fn difference(
    profile: &BillingProfile,
    customer: Option<StripeId>,
    truth: Standing,
    failure: Option<String>,
) -> Difference {
    Difference {
        user_id: profile.user_id,
        customer,
        stored: profile.standing,
        truth,
        failure,
    }
}

impl Report {
    fn new(mode: Mode) -> Self {
        let (profiles, subscriptions) = (0, 0);
        let (differences, in_vain, unreadable) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            mode,
            profiles,
            subscriptions,
            differences,
            in_vain,
            unreadable,
        }
    }

    /// Whether every profile agrees with Stripe after this run.
    pub fn agrees(&self) -> bool {
        let corrected = match self.mode {
            Mode::DryRun => self.differences.is_empty(),
            Mode::Apply => self
                .differences
                .iter()
                .all(|difference| difference.failure.is_none()),
        };
        corrected && self.in_vain.is_empty() && self.unreadable.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for difference in &self.differences {
            let Difference {
                user_id,
                customer,
                stored,
                truth,
                failure,
            } = difference;
            let customer = customer.as_ref().map_or("no customer", StripeId::as_str);
            write!(
                f,
                "{user_id}  {customer}  {} is {}",
                name(*stored),
                name(*truth)
            )?;
            if stored.plan == truth.plan {
                write!(f, " until another day")?;
            }
            match (failure, self.mode) {
                (Some(failure), _) => writeln!(f, "  not corrected: {failure}")?,
                (None, Mode::Apply) => writeln!(f, "  corrected")?,
                (None, Mode::DryRun) => writeln!(f)?,
            }
        }
        for (customer, user_id) in &self.in_vain {
            writeln!(
                f,
                "{user_id}  {customer}  pays, and is not their customer: end it at Stripe"
            )?;
        }
        for user_id in &self.unreadable {
            writeln!(
                f,
                "{user_id}  its stripe_customer_id is no id of Stripe's: not compared"
            )?;
        }
        let Self {
            profiles,
            subscriptions,
            ..
        } = self;
        writeln!(
            f,
            "{profiles} profiles, {subscriptions} subscriptions, {} differ",
            self.differences.len()
        )?;
        match self.mode {
            Mode::DryRun if !self.differences.is_empty() => {
                writeln!(f, "nothing was changed; --apply corrects it")
            }
            _ => Ok(()),
        }
    }
}

fn name(standing: Standing) -> &'static str {
    match standing.plan {
        Plan::Free => "free",
        Plan::Pro => "pro",
    }
}

#[cfg(test)]
#[path = "reconcile_tests.rs"]
mod tests;
