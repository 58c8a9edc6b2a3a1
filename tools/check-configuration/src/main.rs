//! Prints which values of a deployment the functions would refuse, one problem a line.
//!
//! The variable `CONFIGURATION` has the values of each function: `{"ai-playlist": {"LLM_MODEL": "…"}}`. The functions'
//! own code judges them. Missing values are left to `cargo xtask deploy`, which knows what each function needs.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use shared::config::Problems;
use shared::runtime::cors::AllowedOrigins;

type Configuration = BTreeMap<String, BTreeMap<String, String>>;

fn main() -> Result<()> {
    let given = std::env::var("CONFIGURATION").context("CONFIGURATION")?;
    let configuration = serde_json::from_str(&given).context("CONFIGURATION")?;
    for refusal in refusals(&configuration) {
        println!("{refusal}");
    }
    Ok(())
}

/// Returns each refused variable with the rule that it breaks, once.
fn refusals(configuration: &Configuration) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (endpoint, configure) in functions::ALL {
        let values = configuration.get(endpoint.name);
        let lookup = |name: &str| values?.get(name).cloned();
        let mut problems = Problems::default();
        problems.take(configure(&lookup));
        if endpoint.serves_pages {
            problems.take(AllowedOrigins::from_env(lookup));
        }
        if let Err(error) = problems.finish(|| Some(())) {
            let text = error.to_string();
            let invalid = text.split("; ").filter(|it| !it.ends_with(" is missing"));
            all.extend(invalid.map(str::to_owned));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusals_of(function: &str, values: &[(&str, &str)]) -> Vec<String> {
        let values = values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        refusals(&[(function.to_owned(), values)].into())
            .into_iter()
            .collect()
    }

    #[test]
    fn a_value_that_a_function_refuses_is_named_with_its_rule() {
        for (function, name, value, rule) in [
            ("ai-playlist", "LLM_TEMPERATURE", "hot", "from 0 to 2"),
            ("billing", "STRIPE_PRICE_ID", "prod_1", "price_"),
            ("stripe-webhook", "STRIPE_WEBHOOK_SECRETS", "a", "whsec_"),
            ("spotify-oauth", "SPOTIFY_STATE_SECRETS", "short", "32"),
            ("account", "APP_ORIGINS", "app.example", "origins"),
            ("account", "SUPABASE_URL", "https://x.example/", "slash"),
            ("account", "SUPABASE_PUBLISHABLE_KEY", "sb_secret_1", "kind"),
        ] {
            let found = refusals_of(function, &[(name, value)]);
            assert_eq!(found.len(), 1, "{found:?}");
            let start = format!("{name} ");
            assert!(
                found[0].starts_with(&start) && found[0].contains(rule),
                "{found:?}"
            );
        }
    }

    #[test]
    fn a_missing_value_is_no_refusal() {
        assert_eq!(refusals_of("billing", &[]), Vec::<String>::new());
    }
}
