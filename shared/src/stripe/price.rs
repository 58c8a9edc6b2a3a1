//! Reads the price of the plan, which the page shows to all visitors.

use serde_json::Value;

use super::{Stripe, StripeError, text};
use crate::api::{Interval, PriceResponse};
use crate::json::at;

/// Currencies whose amounts Stripe does not divide. Those not listed have two decimals at Stripe, also ISK and UGX, which
/// have none elsewhere.
const WITHOUT_DECIMALS: [&str; 15] = [
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf",
    "xof", "xpf",
];
const WITH_THREE_DECIMALS: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];

impl Stripe<'_> {
    /// Returns the price with that id. Only a fixed amount per period can be shown.
    ///
    /// # Errors
    /// Returns a [`StripeError`] if Stripe sends no usable response.
    pub async fn price(&self, id: &str) -> Result<PriceResponse, StripeError> {
        let price = self.get(&format!("/v1/prices/{id}"), &[]).await?;
        read(&price)
            .filter(|_| text(&price, "/id") == Some(id))
            .ok_or(StripeError::InvalidAnswer)
    }
}

fn read(price: &Value) -> Option<PriceResponse> {
    let currency = text(price, "/currency")
        .filter(|it| it.len() == 3)?
        .to_ascii_lowercase();
    let interval = match text(price, "/recurring/interval")? {
        "day" => Interval::Day,
        "week" => Interval::Week,
        "month" => Interval::Month,
        "year" => Interval::Year,
        _ => return None,
    };
    Some(PriceResponse {
        amount: decimal(price.get("unit_amount")?.as_u64()?, decimals(&currency)),
        interval,
        interval_count: at(price, "/recurring/interval_count")?
            .as_u64()
            .and_then(|it| it.try_into().ok())?,
        currency: currency.to_ascii_uppercase(),
    })
}

fn decimals(currency: &str) -> u32 {
    if WITHOUT_DECIMALS.contains(&currency) {
        0
    } else if WITH_THREE_DECIMALS.contains(&currency) {
        3
    } else {
        2
    }
}

fn decimal(amount: u64, decimals: u32) -> String {
    let unit = 10_u64.pow(decimals);
    match decimals {
        0 => amount.to_string(),
        _ => format!(
            "{}.{:0width$}",
            amount / unit,
            amount % unit,
            width = decimals as usize
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn price(currency: &str, unit_amount: &Value, recurring: &Value) -> Option<PriceResponse> {
        read(
            &json!({"id": "price_1", "currency": currency, "unit_amount": unit_amount, "recurring": recurring}),
        )
    }

    #[test]
    fn amount_has_the_decimals_of_its_currency_at_stripe() {
        for (currency, unit_amount, expected) in [
            ("usd", 499, "4.99"),
            ("pln", 2_000, "20.00"),
            ("eur", 5, "0.05"),
            ("jpy", 500, "500"),
            ("krw", 0, "0"),
            ("kwd", 5_120, "5.120"),
            ("isk", 50_000, "500.00"),
            ("usd", u64::MAX, "184467440737095516.15"),
        ] {
            let read = price(
                currency,
                &json!(unit_amount),
                &json!({"interval": "month", "interval_count": 1}),
            );
            let read = read.unwrap();
            assert_eq!(
                (read.amount.as_str(), read.currency),
                (expected, currency.to_ascii_uppercase())
            );
            assert_eq!((read.interval, read.interval_count), (Interval::Month, 1));
        }
    }

    #[test]
    fn price_that_is_no_fixed_amount_per_period_is_not_shown() {
        let monthly = json!({"interval": "month", "interval_count": 1});
        for (currency, unit_amount, recurring) in [
            ("usd", Value::Null, monthly.clone()),
            ("usd", json!(-1), monthly.clone()),
            ("usd", json!(4.5), monthly.clone()),
            ("us", json!(1), monthly),
            ("usd", json!(1), Value::Null),
            (
                "usd",
                json!(1),
                json!({"interval": "fortnight", "interval_count": 1}),
            ),
            ("usd", json!(1), json!({"interval": "month"})),
        ] {
            assert_eq!(
                price(currency, &unit_amount, &recurring),
                None,
                "{currency} {unit_amount} {recurring}"
            );
        }
    }
}
