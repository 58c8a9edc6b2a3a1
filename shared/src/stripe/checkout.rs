//! Stripe customers, and the pages of Stripe on which they pay and manage their subscription.

use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Stripe, StripeError, StripeId, id, text};

/// The least remaining lifetime of a session that is reused, because the user needs time to pay.
const MIN_REMAINING_SECONDS: u64 = 30 * 60;
/// The page size for a customer's sessions. Sessions live for a day, so all open ones are among the newest hundred.
const SESSIONS: &str = "100";

/// A checkout that a user asked for.
#[derive(Debug, Clone, Copy)]
pub struct CheckoutRequest<'a> {
    /// The user who pays.
    pub user_id: Uuid,
    /// The price to pay; it comes from the configuration, never from a client.
    pub price_id: &'a str,
    /// The URL to return to after payment.
    pub success_url: &'a str,
    /// The URL to return to without payment.
    pub cancel_url: &'a str,
}

#[derive(Debug, Clone)]
struct Session {
    id: StripeId,
    is_open: bool,
    url: Option<String>,
    expires_at: u64,
    /// The success URL, cancel URL and price that it was created for.
    leads_to: [Option<String>; 3],
}

impl Session {
    fn read(object: &Value) -> Option<Self> {
        let text = |pointer| text(object, pointer).map(str::to_owned);
        // The cast saturates for values out of range.
        let seconds = |name| {
            object
                .get(name)
                .and_then(Value::as_f64)
                .map(|seconds| seconds as u64)
        };
        Some(Self {
            id: id(object, "/id")?,
            is_open: text("/status")? == "open",
            url: text("/url"),
            expires_at: seconds("expires_at")?,
            leads_to: ["/success_url", "/cancel_url", "/metadata/price_id"].map(text),
        })
    }

    /// Returns the session's URL if it stays open long enough and was created for the same URLs and price.
    fn url_for(&self, request: &CheckoutRequest<'_>, now_seconds: u64) -> Option<&str> {
        let wanted = [request.success_url, request.cancel_url, request.price_id];
        let is_same = self
            .leads_to
            .iter()
            .map(Option::as_deref)
            .eq(wanted.map(Some));
        let lasts = self.expires_at >= now_seconds + MIN_REMAINING_SECONDS;
        self.url.as_deref().filter(|_| is_same && lasts)
    }
}

impl Stripe<'_> {
    /// Returns the user to whom a customer belongs; `None` if it belongs to no known user, or does not exist (any more).
    /// `claimed`, the user that an event names, counts only if the customer names none.
    ///
    /// # Errors
    /// Returns a [`StripeError`] if Stripe sends no usable response.
    pub async fn owner_of(
        &self,
        of: &StripeId,
        claimed: Option<Uuid>,
    ) -> Result<Option<Uuid>, StripeError> {
        let customer = match self.get(&format!("/v1/customers/{of}"), &[]).await {
            Err(error) if error.missing().is_some() => return Ok(None),
            customer => customer?,
        };
        // Without this check, a response that is not the customer would leave the decision to the claim.
        if text(&customer, "/id") != Some(of.as_str()) {
            return Err(StripeError::InvalidAnswer);
        }
        Ok(
            match (
                customer.get("deleted"),
                text(&customer, "/metadata/user_id"),
            ) {
                (Some(Value::Bool(true)), _) => None,
                (_, Some(own)) => Uuid::try_parse(own).ok(),
                (_, None) => claimed,
            },
        )
    }

    /// Creates a customer for a user. Simultaneous calls, and calls within a day, return the same customer. A
    /// customer that replaces a deleted one gets a different key; otherwise Stripe would return the deleted one
    /// again.
    ///
    /// # Errors
    /// Returns a [`StripeError`] if Stripe sends no usable response.
    pub async fn create_customer(
        &self,
        user_id: Uuid,
        instead_of: Option<&StripeId>,
    ) -> Result<StripeId, StripeError> {
        let key = match instead_of {
            None => format!("customer-{user_id}"),
            Some(old) => format!("customer-{user_id}-{old}"),
        };
        // The form must contain only constants: Stripe refuses different parameters under the same key.
        let user_id = user_id.to_string();
        let form = [("metadata[user_id]", user_id.as_str())];
        let customer = self.post("/v1/customers", &form, Some(key)).await?;
        id(&customer, "/id").ok_or(StripeError::InvalidAnswer)
    }

    /// Returns the URL at which the customer pays. A customer has at most one open session: the newest.
    ///
    /// # Errors
    /// Returns a [`StripeError`]; its [`missing`](StripeError::missing) is `customer` if the customer does not exist (any more).
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
            self.expire(sessions.iter().filter(|session| session.id != open.id))
                .await?;
            return Ok(url.to_owned());
        }
        let created = match self
            .create_session(customer, request, Some(sessions.first()))
            .await
        {
            // One open session in the currency of an earlier price causes the conflict, so all are closed. Stripe
            // repeats its refusal for the same key, so the repetition has no key; simultaneous requests keep the
            // newest session, too.
            Err(StripeError::CurrencyConflict) => {
                self.expire(sessions.iter()).await?;
                self.create_session(customer, request, None).await?
            }
            created => created?,
        };
        // Another request may have created a session meanwhile. All keep the newest in Stripe's order, so one
        // remains open.
        let mut open = self.sessions(customer).await?;
        open.retain(|session| session.is_open);
        if !open.iter().any(|session| session.id == created.id) {
            open.insert(0, created);
        }
        self.expire(open.iter().skip(1)).await?;
        open.into_iter()
            .next()
            .and_then(|kept| kept.url)
            .ok_or(StripeError::InvalidAnswer)
    }

    /// Closes all open sessions of a customer, so that a user who has paid in one tab cannot pay in another.
    ///
    /// # Errors
    /// Returns a [`StripeError`] if Stripe sends no usable response.
    pub async fn close_sessions(&self, customer: &StripeId) -> Result<(), StripeError> {
        self.expire(self.sessions(customer).await?.iter()).await
    }

    /// Deletes a customer: its subscriptions end at once, its cards are deleted, and its open sessions can no longer
    /// be paid. Succeeds if the customer does not exist any more.
    ///
    /// # Errors
    /// Returns a [`StripeError`] if Stripe sends no usable response.
    pub async fn delete_customer(&self, customer: &StripeId) -> Result<(), StripeError> {
        self.close_sessions(customer).await?;
        match self.delete(&format!("/v1/customers/{customer}")).await {
            Ok(answer) if answer.get("deleted") != Some(&Value::Bool(true)) => {
                return Err(StripeError::InvalidAnswer);
            }
            Err(error) if error.missing().is_none() => return Err(error),
            _ => {}
        }
        // Closes a session that was opened in between; after the deletion none can be opened.
        self.close_sessions(customer).await
    }

    /// Returns the URL at which the customer manages their subscription.
    ///
    /// # Errors
    /// Returns a [`StripeError`]; its [`missing`](StripeError::missing) is `customer` if the customer does not exist (any more).
    pub async fn portal(
        &self,
        customer: &StripeId,
        return_url: &str,
    ) -> Result<String, StripeError> {
        let form = [("customer", customer.as_str()), ("return_url", return_url)];
        let portal = self
            .post("/v1/billing_portal/sessions", &form, None)
            .await?;
        text(&portal, "/url")
            .map(str::to_owned)
            .ok_or(StripeError::InvalidAnswer)
    }

    /// Returns the newest sessions of a customer, newest first.
    async fn sessions(&self, customer: &StripeId) -> Result<Vec<Session>, StripeError> {
        let query = [("customer", customer.as_str()), ("limit", SESSIONS)];
        let page = match self.get("/v1/checkout/sessions", &query).await {
            Err(error) if error.missing() == Some("customer") => return Ok(Vec::new()),
            page => page?,
        };
        let data = page
            .get("data")
            .and_then(Value::as_array)
            .ok_or(StripeError::InvalidAnswer)?;
        data.iter()
            .map(|it| Session::read(it).ok_or(StripeError::InvalidAnswer))
            .collect()
    }

    /// Creates a session under a key that contains `last`, the customer's newest session or none. So simultaneous
    /// requests get the same session, and a request after its end gets a new one. Without `last` there is no key.
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
                // It was paid for or expired after it was listed.
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
    let hash: String = hash
        .finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("checkout-{last}-{hash}")
}
