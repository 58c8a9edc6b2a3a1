//! Customers, and the pages of Stripe's on which they pay and manage what they pay for.

use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Stripe, StripeError, StripeId, id, text};

/// A session is not shown again when less of its day is left than somebody may need to pay.
const MIN_REMAINING_SECONDS: u64 = 30 * 60;
/// Of somebody's last hundred sessions all that can still be open are: each is for a day.
const SESSIONS: &str = "100";

/// Whose a customer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A user's.
    User(Uuid),
    /// Nobody's that we know; or it does not exist (any more).
    Nobody,
}

/// A checkout that somebody asked for.
#[derive(Debug, Clone, Copy)]
pub struct CheckoutRequest<'a> {
    /// Who pays.
    pub user_id: Uuid,
    /// For what; from the configuration, never from a client.
    pub price_id: &'a str,
    /// Where the browser is sent when it is paid for.
    pub success_url: &'a str,
    /// Where it is sent when not.
    pub cancel_url: &'a str,
}

#[derive(Debug, Clone)]
struct Session {
    id: StripeId,
    is_open: bool,
    url: Option<String>,
    expires_at: u64,
    /// What it was created for: success, cancel, price.
    leads_to: [Option<String>; 3],
}

impl Session {
    fn read(object: &Value) -> Option<Self> {
        let text = |pointer| text(object, pointer).map(str::to_owned);
        // Beyond what there is the cast saturates.
        let seconds = |name| object.get(name).and_then(Value::as_f64).map(|seconds| seconds as u64);
        Some(Self {
            id: id(object, "/id")?,
            is_open: text("/status")? == "open",
            url: text("/url"),
            expires_at: seconds("expires_at")?,
            leads_to: ["/success_url", "/cancel_url", "/metadata/price_id"].map(text),
        })
    }

    /// The URL, where it leads to just what is asked for.
    fn url_for(&self, request: &CheckoutRequest<'_>, now_seconds: u64) -> Option<&str> {
        let wanted = [request.success_url, request.cancel_url, request.price_id];
        let is_same = self.leads_to.iter().map(Option::as_deref).eq(wanted.map(Some));
        let lasts = self.expires_at >= now_seconds + MIN_REMAINING_SECONDS;
        self.url.as_deref().filter(|_| is_same && lasts)
    }
}

impl Stripe<'_> {
    /// Whose a customer is; what an event says (`claimed`) counts only where the customer does not say it.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn owner_of(&self, of: &StripeId, claimed: Option<Uuid>) -> Result<Owner, StripeError> {
        let customer = match self.get(&format!("/v1/customers/{of}"), &[]).await {
            Err(error) if error.missing().is_some() => return Ok(Owner::Nobody),
            customer => customer?,
        };
        // What is no customer names no owner, and so leaves it to the claim.
        if text(&customer, "/id") != Some(of.as_str()) {
            return Err(StripeError::InvalidAnswer);
        }
        let user_id = match (customer.get("deleted"), text(&customer, "/metadata/user_id")) {
            (Some(Value::Bool(true)), _) => None,
            (_, Some(own)) => Uuid::try_parse(own).ok(),
            (_, None) => claimed,
        };
        Ok(user_id.map_or(Owner::Nobody, Owner::User))
    }

    /// Creates a user's customer: of many calls at once all get the same one, also those that come within a day. One
    /// that is to take the place of another gets a key of its own, or the old one would be answered again.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn create_customer(
        &self,
        user_id: Uuid,
        instead_of: Option<&StripeId>,
    ) -> Result<StripeId, StripeError> {
        let key = match instead_of {
            None => format!("customer-{user_id}"),
            Some(old) => format!("customer-{user_id}-{old}"),
        };
        // Nothing that can change may be in the form: other parameters under one key are refused.
        let user_id = user_id.to_string();
        let form = [("metadata[user_id]", user_id.as_str())];
        let customer = self.post("/v1/customers", &form, Some(key)).await?;
        id(&customer, "/id").ok_or(StripeError::InvalidAnswer)
    }

    /// The URL at which the customer pays: at any time there is one open session of a customer, the newest.
    ///
    /// # Errors
    /// [`StripeError`]; [`StripeError::missing`] is `customer` for one that does not exist any more.
    pub async fn checkout(
        &self,
        customer: &StripeId,
        request: &CheckoutRequest<'_>,
    ) -> Result<String, StripeError> {
        let sessions = self.sessions(customer).await?;
        let newest_open = sessions.iter().find(|session| session.is_open);
        if let Some(open) = newest_open
            && let Some(url) = open.url_for(request, self.clock.now_seconds())
        {
            self.expire(sessions.iter().filter(|session| session.id != open.id)).await?;
            return Ok(url.to_owned());
        }
        let created = match self.create_session(customer, request, Some(sessions.first())).await {
            // An open session in the currency of an earlier price is enough, so all are closed. Stripe keeps its refusal for
            // the key, so the repetition has none; other requests at the same time keep the newest session, too.
            Err(StripeError::CurrencyConflict) => {
                self.expire(sessions.iter()).await?;
                self.create_session(customer, request, None).await?
            }
            created => created?,
        };
        // Somebody may have created another one meanwhile. All of us keep the newest in Stripe's order, so one stays.
        let mut open = self.sessions(customer).await?;
        open.retain(|session| session.is_open);
        if !open.iter().any(|session| session.id == created.id) {
            open.insert(0, created);
        }
        self.expire(open.iter().skip(1)).await?;
        open.into_iter().next().and_then(|kept| kept.url).ok_or(StripeError::InvalidAnswer)
    }

    /// Closes all sessions of a customer that are still open: who has paid in one tab is not to pay in another.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn close_sessions(&self, customer: &StripeId) -> Result<(), StripeError> {
        self.expire(self.sessions(customer).await?.iter()).await
    }

    /// Deletes a customer: its subscriptions end at once, its cards are forgotten, its open sessions can no longer be paid
    /// for. One that does not exist any more is deleted.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn delete_customer(&self, customer: &StripeId) -> Result<(), StripeError> {
        self.close_sessions(customer).await?;
        match self.delete(&format!("/v1/customers/{customer}")).await {
            Ok(answer) if answer.get("deleted") != Some(&Value::Bool(true)) => {
                return Err(StripeError::InvalidAnswer);
            }
            Err(error) if error.missing().is_none() => return Err(error),
            _ => {}
        }
        // One that was opened in between; behind this none can be.
        self.close_sessions(customer).await
    }

    /// The URL at which the customer manages what they pay for.
    ///
    /// # Errors
    /// [`StripeError`]; [`StripeError::missing`] is `customer` for one that does not exist any more.
    pub async fn portal(&self, customer: &StripeId, return_url: &str) -> Result<String, StripeError> {
        let form = [("customer", customer.as_str()), ("return_url", return_url)];
        let portal = self.post("/v1/billing_portal/sessions", &form, None).await?;
        text(&portal, "/url").map(str::to_owned).ok_or(StripeError::InvalidAnswer)
    }

    /// A customer's last sessions, the newest first.
    async fn sessions(&self, customer: &StripeId) -> Result<Vec<Session>, StripeError> {
        let query = [("customer", customer.as_str()), ("limit", SESSIONS)];
        let page = match self.get("/v1/checkout/sessions", &query).await {
            Err(error) if error.missing() == Some("customer") => return Ok(Vec::new()),
            page => page?,
        };
        let data = page.get("data").and_then(Value::as_array).ok_or(StripeError::InvalidAnswer)?;
        data.iter().map(|it| Session::read(it).ok_or(StripeError::InvalidAnswer)).collect()
    }

    /// The key holds as long as `last` is the customer's newest session, which may be none: those who ask at once get the
    /// same one, those who ask again, when it is over, a new one. Without `last` there is no key.
    async fn create_session(
        &self,
        customer: &StripeId,
        request: &CheckoutRequest<'_>,
        last: Option<Option<&Session>>,
    ) -> Result<Session, StripeError> {
        let user_id = request.user_id.to_string();
        let form = [
            ("mode", "subscription"),
            ("customer", customer.as_str()),
            ("client_reference_id", &user_id),
            ("metadata[user_id]", &user_id),
            ("metadata[price_id]", request.price_id),
            ("subscription_data[metadata][user_id]", &user_id),
            ("line_items[0][price]", request.price_id),
            ("line_items[0][quantity]", "1"),
            ("success_url", request.success_url),
            ("cancel_url", request.cancel_url),
        ];
        let key = last.map(|last| session_key(&form, last));
        let session = self.post("/v1/checkout/sessions", &form, key).await?;
        Session::read(&session).ok_or(StripeError::InvalidAnswer)
    }

    async fn expire(&self, sessions: impl Iterator<Item = &Session>) -> Result<(), StripeError> {
        for session in sessions.filter(|session| session.is_open) {
            let path = format!("/v1/checkout/sessions/{}/expire", session.id);
            match self.post(&path, &[], None).await {
                Ok(answer) if text(&answer, "/id") != Some(session.id.as_str()) => {
                    return Err(StripeError::InvalidAnswer);
                }
                // Paid for, or expired, since it was listed.
                Ok(_) | Err(StripeError::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn session_key(form: &[(&str, &str)], last: Option<&Session>) -> String {
    let last = last.map_or("first", |session| session.id.as_str());
    let mut hash = Sha256::new();
    for text in form.iter().flat_map(|(name, value)| [name, value]) {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    let hash: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("checkout-{last}-{hash}")
}
