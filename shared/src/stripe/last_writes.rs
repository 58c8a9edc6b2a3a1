//! The profiles that this instance wrote last.

use std::cell::RefCell;

use super::{BillingProfile, StripeId};

/// A change at Stripe sends several events within seconds. After that, another instance may have written.
const KEEP_MS: u64 = 30_000;
const MAX_PROFILES: usize = 100;

/// Profiles as their last writes returned them, by customer, for the next event of the same customer.
///
/// A profile from here takes the place of a read: it was returned before Stripe is asked, and a write that names it
/// succeeds only if nothing was written since. An outdated one causes a conflict, never a wrong plan.
#[derive(Debug, Default)]
pub struct LastWrites(RefCell<Vec<(u64, BillingProfile)>>);

impl LastWrites {
    /// Returns the profile of the customer, if it was written recently.
    pub(super) fn of(&self, customer: &StripeId, now_ms: u64) -> Option<BillingProfile> {
        let kept = self.0.borrow();
        let (written_ms, profile) = kept
            .iter()
            .find(|(_, profile)| profile.stripe_customer_id.as_ref() == Some(customer))?;
        (now_ms.saturating_sub(*written_ms) < KEEP_MS).then(|| profile.clone())
    }

    /// Keeps a profile that was just written; the oldest one makes room for it.
    pub(super) fn keep(&self, profile: BillingProfile, now_ms: u64) {
        let mut kept = self.0.borrow_mut();
        kept.retain(|(_, other)| other.stripe_customer_id != profile.stripe_customer_id);
        if kept.len() == MAX_PROFILES {
            kept.remove(0);
        }
        kept.push((now_ms, profile));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::stripe::tests::USER;

    fn profile(customer: &StripeId, written: &str) -> BillingProfile {
        let row = json!({"user_id": USER, "plan": "free", "plan_renews": false, "plan_period_ends_at": null,
            "stripe_customer_id": customer.as_str(), "plan_synced_at": written});
        BillingProfile::read(&row).unwrap().unwrap()
    }

    #[test]
    fn keeps_the_last_write_of_each_of_the_last_customers_for_a_while() {
        let writes = LastWrites::default();
        let customer = |number: usize| StripeId::parse(&format!("cus_{number}")).unwrap();
        assert_eq!(writes.of(&customer(0), 0), None);
        for time in ["a", "b"] {
            (0..MAX_PROFILES).for_each(|n| writes.keep(profile(&customer(n), time), 1_000));
        }
        let first = Some(profile(&customer(0), "b"));
        assert_eq!(writes.of(&customer(0), 1_000 + KEEP_MS - 1), first);
        assert_eq!(writes.of(&customer(0), 1_000 + KEEP_MS), None);
        writes.keep(profile(&customer(MAX_PROFILES), "c"), 2_000);
        let kept = |n| writes.of(&customer(n), 2_000).is_some();
        assert_eq!([0, 1, MAX_PROFILES].map(kept), [false, true, true]);
    }
}
