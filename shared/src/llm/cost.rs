//! The cost of a completion, in exact numbers.

use std::fmt;
use std::ops::{Add, AddAssign};

const PICO_USD_PER_USD: f64 = 1e12;

/// One ten-thousandth of a dollar, the precision with which costs are recorded.
const PICO_USD_PER_STEP: u64 = 100_000_000;

/// A token has 3.3 bytes of English JSON. Tokenizers work on bytes and have few tokens for other languages: Polish has
/// 2.8 characters a token, and a rare character has several tokens.
const UNITS_PER_TOKEN: u64 = 66;
const UNITS_PER_ASCII_BYTE: u64 = 20;
const UNITS_PER_OTHER_BYTE: u64 = 35;

/// The highest plausible price, in USD per million tokens.
const MAX_PRICE_USD: u32 = 100_000;

/// An amount of money in picodollars.
///
/// A price of one micro-dollar per million tokens is one picodollar per token, so sums over all rounds of a
/// generation are exact. Only `Display` rounds, up, to four decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Cost(u64);

impl Cost {
    /// No cost.
    pub const ZERO: Self = Self(0);

    /// The highest plausible cost of one completion, in USD.
    const MAX_USD_PER_ANSWER: f64 = 100.0;

    /// Returns the cost that a server reports; `None` if it is implausible.
    pub fn from_usd(usd: f64) -> Option<Self> {
        let is_plausible = usd.is_finite() && (0.0..=Self::MAX_USD_PER_ANSWER).contains(&usd);
        // The product is below 2^53, so it survives the conversion.
        is_plausible.then(|| Self((usd * PICO_USD_PER_USD).round() as u64))
    }

    /// Returns the cost in ten-thousandths of a dollar, rounded up.
    pub fn ten_thousandths(self) -> u64 {
        self.0.div_ceil(PICO_USD_PER_STEP)
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// US dollars with four decimals, rounded up: `0.0005`.
impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.ten_thousandths();
        write!(f, "{}.{:04}", steps / 10_000, steps % 10_000)
    }
}

/// The price of a token, in picodollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Price(u64);

impl Price {
    /// Parses a price in USD per million tokens, such as `0.15`, with at most six decimals.
    pub fn parse(usd_per_million: &str) -> Option<Self> {
        let (whole, decimals) = usd_per_million
            .split_once('.')
            .unwrap_or((usd_per_million, "0"));
        let are_digits =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !are_digits(whole) || !are_digits(decimals) || decimals.len() > 6 {
            return None;
        }
        let whole = whole
            .parse::<u32>()
            .ok()
            .filter(|whole| *whole <= MAX_PRICE_USD)?;
        let millionths = format!("{decimals:0<6}").parse::<u64>().ok()?;
        Some(Self(u64::from(whole) * 1_000_000 + millionths))
    }

    fn of(self, tokens: u64) -> Cost {
        Cost(self.0.saturating_mul(tokens))
    }
}

/// The prices of a model; zero if none are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Prices {
    /// The price of a sent token.
    pub input: Price,
    /// The price of a received token.
    pub output: Price,
}

impl Prices {
    /// Returns the cost of these tokens.
    pub fn of_tokens(self, sent: u64, received: u64) -> Cost {
        self.input.of(sent) + self.output.of(received)
    }

    /// Returns the estimated cost of texts whose tokens were not reported.
    pub fn estimate(self, sent: Estimate, received: Estimate) -> Cost {
        self.of_tokens(sent.tokens(), received.tokens())
    }
}

/// An estimated number of tokens, for a completion without a reported usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Estimate(u64);

impl Estimate {
    /// Estimates the tokens of a text.
    pub fn of(text: &str) -> Self {
        let units = |byte: u8| {
            if byte.is_ascii() {
                UNITS_PER_ASCII_BYTE
            } else {
                UNITS_PER_OTHER_BYTE
            }
        };
        Self(text.bytes().map(units).sum())
    }

    fn tokens(self) -> u64 {
        self.0.div_ceil(UNITS_PER_TOKEN)
    }
}

impl AddAssign for Estimate {
    fn add_assign(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

impl std::iter::Sum for Estimate {
    fn sum<I: Iterator<Item = Self>>(estimates: I) -> Self {
        estimates.fold(Self::default(), |mut sum, estimate| {
            sum += estimate;
            sum
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices(input: &str, output: &str) -> Prices {
        Prices {
            input: Price::parse(input).unwrap(),
            output: Price::parse(output).unwrap(),
        }
    }

    #[test]
    fn rounds_costs_up_to_four_decimals() {
        assert_eq!(Cost::ZERO.to_string(), "0.0000");
        assert_eq!(Cost(1).to_string(), "0.0001");
        assert_eq!(Cost::from_usd(0.0005).unwrap().to_string(), "0.0005");
        assert_eq!(Cost::from_usd(12.34561).unwrap().to_string(), "12.3457");
    }

    #[test]
    fn sums_before_rounding() {
        let mut sum = Cost::ZERO;
        for _ in 0..10 {
            sum += Cost::from_usd(0.00001).unwrap();
        }
        assert_eq!(sum.to_string(), "0.0001");
    }

    #[test]
    fn decimals_stay_exact() {
        let sum = Cost::from_usd(0.1).unwrap() + Cost::from_usd(0.2).unwrap();
        assert_eq!(sum.to_string(), "0.3000");
        for steps in 0..10_000_u64 {
            let cost = Cost::from_usd(steps as f64 / 10_000.0).unwrap();
            assert_eq!(cost.ten_thousandths(), steps);
        }
    }

    #[test]
    fn ignores_an_implausible_cost() {
        for usd in [-0.01, f64::NAN, f64::INFINITY, 1e9] {
            assert_eq!(Cost::from_usd(usd), None, "{usd}");
        }
    }

    #[test]
    fn prices_are_per_million_tokens() {
        assert_eq!(
            prices("0.15", "0.6")
                .of_tokens(1_000_000, 1_000_000)
                .to_string(),
            "0.7500"
        );
        assert_eq!(
            prices("0.15", "0.6").of_tokens(1_000, 500).to_string(),
            "0.0005"
        );
        assert_eq!(prices("2", "0.000001").of_tokens(0, 1), Cost(1));
    }

    #[test]
    fn cost_is_zero_without_prices() {
        assert_eq!(Prices::default().of_tokens(1_000, 1_000), Cost::ZERO);
    }

    #[test]
    fn estimates_are_close_to_real_tokenizers() {
        assert_eq!(Estimate::of(&"abc".repeat(110)).tokens(), 100);
        let polish =
            "Spokojna muzyka na deszczowy wieczór, żeby odpocząć po pracy i posłuchać ciszy.";
        let characters = polish.chars().count() as f64;
        let per_token = characters / Estimate::of(polish).tokens() as f64;
        assert!((2.4..=3.1).contains(&per_token), "{per_token}");
    }

    #[test]
    fn estimates_rare_characters_by_their_bytes() {
        assert!(Estimate::of(&"🎷".repeat(100)).tokens() >= 200);
        assert!(Estimate::of(&"雨".repeat(100)).tokens() >= 150);
    }

    #[test]
    fn price_is_a_plain_decimal_number() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "1e3",
            "0.1234567",
            "1,5",
            "NaN",
            "1.2.3",
            "99999999999",
            "1000000",
        ] {
            assert_eq!(Price::parse(text), None, "{text}");
        }
        assert_eq!(Price::parse("0"), Some(Price(0)));
        assert_eq!(Price::parse("1.25"), Some(Price(1_250_000)));
    }
}
