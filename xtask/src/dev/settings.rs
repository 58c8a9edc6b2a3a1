//! What the functions are configured with: the simulators' and the local Supabase's values, or real services'.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use sha2::{Digest, Sha256};

use super::ready::Ready;
use crate::ports::Ports;
use crate::workspace::{SECRET_KEY, Variables, Workspace};

const WEBHOOK_SECRETS: &str = "STRIPE_WEBHOOK_SECRETS";
pub const PUBLISHABLE_KEY: &str = "SUPABASE_PUBLISHABLE_KEY";

/// Credentials that make sense only together; all of them replace a local service by the real one.
const SPOTIFY: [&str; 2] = ["SPOTIFY_CLIENT_ID", "SPOTIFY_CLIENT_SECRET"];
const LLM: [&str; 3] = ["LLM_BASE_URL", "LLM_API_KEY", "LLM_MODEL"];
const STRIPE: [&str; 3] = ["STRIPE_SECRET_KEY", WEBHOOK_SECRETS, "STRIPE_PRICE_ID"];
const SUPABASE: [&str; 3] = ["SUPABASE_URL", PUBLISHABLE_KEY, SECRET_KEY];

/// What the simulators accept; they listen on this machine alone, and nothing of value is behind them.
const SIMULATED_ID: &str = "simulated-client-id";
const SIMULATED_SECRET: &str = "simulated-client-secret";
const SIMULATED_KEY: &str = "simulated-llm-key";
pub const SIMULATED_STRIPE_KEY: &str = "sk_test_simulated";
const SIMULATED_WEBHOOK_SECRET: &str = "whsec_of_the_simulated_stripe_account";
const SIMULATED_PRICE: &str = "price_simulatedPro";
const LOCAL_HEALTH_TOKEN: &str = "local-health-token";

/// What was given, and which services it replaces.
#[derive(Debug)]
pub struct Settings {
    given: Variables,
    real_spotify: bool,
    real_llm: bool,
    real_stripe: bool,
}

impl Settings {
    /// Reads an env file, or else .dev.vars, which may be absent.
    pub fn read(workspace: &Workspace, file: Option<&Path>) -> Result<Self> {
        Self::of(Self::variables(workspace, file)?)
    }

    /// The same, whatever belongs together.
    pub fn variables(workspace: &Workspace, file: Option<&Path>) -> Result<Variables> {
        let default = workspace.root.join(".dev.vars");
        match file {
            Some(file) => Self::parse_file(file),
            None if default.exists() => Self::parse_file(&default),
            None => Ok(Variables::new()),
        }
    }

    pub fn parse_file(file: &Path) -> Result<Variables> {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        parse(&text).with_context(|| file.display().to_string())
    }

    fn of(given: Variables) -> Result<Self> {
        is_complete(&given, &SUPABASE)?;
        let real_spotify = is_complete(&given, &SPOTIFY)?;
        let real_llm = is_complete(&given, &LLM)?;
        let real_stripe = is_complete(&given, &STRIPE)?;
        Ok(Self { real_spotify, real_llm, real_stripe, given })
    }

    /// The real Supabase, where one was given.
    pub fn supabase(&self) -> Option<Ready> {
        let [url, publishable, secret] = SUPABASE.map(|name| self.given.get(name).cloned());
        let supabase_url = url?.trim_end_matches('/').to_owned();
        Some(Ready { supabase_url, publishable_key: publishable?, secret_key: secret?, ..Ready::default() })
    }

    /// All that was given.
    pub fn given(&self) -> &Variables {
        &self.given
    }

    /// What events are signed with; where there are several, the first.
    pub fn webhook_secret(&self) -> String {
        let given = self.given.get(WEBHOOK_SECRETS).and_then(|secrets| secrets.split(',').next());
        given.map_or(SIMULATED_WEBHOOK_SECRET, str::trim).to_owned()
    }

    /// The simulators that no real service replaces, and their ports.
    pub fn simulators(&self, ports: &Ports) -> impl Iterator<Item = (&'static str, u16)> {
        [
            ("spotify", self.real_spotify, ports.spotify),
            ("llm", self.real_llm, ports.llm),
            ("stripe", self.real_stripe, ports.stripe),
        ]
        .into_iter()
        .filter_map(|(name, is_real, port)| (!is_real).then_some((name, port)))
    }

    /// What the simulators are started with.
    pub fn for_simulators(ports: &Ports) -> Variables {
        variables([
            ("SPOTIFY_SIM_PORT", ports.spotify.to_string()),
            ("LLM_SIM_PORT", ports.llm.to_string()),
            ("SPOTIFY_CLIENT_ID", SIMULATED_ID.into()),
            ("SPOTIFY_CLIENT_SECRET", SIMULATED_SECRET.into()),
            // An app may have several; what is issued for another one is of no use at ours.
            (
                "SPOTIFY_REDIRECT_URIS",
                format!("{},http://127.0.0.1:{}/elsewhere", redirect_uri(ports), ports.web),
            ),
            ("LLM_API_KEY", SIMULATED_KEY.into()),
            ("STRIPE_SIM_PORT", ports.stripe.to_string()),
            ("STRIPE_SECRET_KEY", SIMULATED_STRIPE_KEY.into()),
            ("STRIPE_PRICE_ID", SIMULATED_PRICE.into()),
            ("STRIPE_WEBHOOK_URL", format!("http://127.0.0.1:{}/functions/v1/stripe-webhook", ports.web)),
            ("STRIPE_WEBHOOK_SECRET", SIMULATED_WEBHOOK_SECRET.into()),
        ])
    }

    /// What the functions are given beyond the `vars` of their wrangler.toml; what was given wins.
    pub fn for_functions(&self, ports: &Ports, supabase: &Ready) -> Variables {
        let mut all = variables([
            // The second is the page hosted elsewhere, as far as a browser can tell.
            ("APP_ORIGINS", format!("http://127.0.0.1:{0},http://localhost:{0}", ports.web)),
            ("SUPABASE_URL", supabase.supabase_url.clone()),
            (PUBLISHABLE_KEY, supabase.publishable_key.clone()),
            (SECRET_KEY, supabase.secret_key.clone()),
            ("SPOTIFY_REDIRECT_URI", redirect_uri(ports)),
            ("SERVER_TIMING", "true".into()),
            ("HEALTH_TOKEN", LOCAL_HEALTH_TOKEN.into()),
            // Of value on this machine alone, and the same after a restart: stored tokens stay readable.
            ("SPOTIFY_STATE_SECRETS", derived(&supabase.secret_key, "spotify-state")),
            ("SPOTIFY_TOKEN_SECRETS", derived(&supabase.secret_key, "spotify-tokens")),
        ]);
        if !self.real_spotify {
            all.extend(variables([
                ("SPOTIFY_CLIENT_ID", SIMULATED_ID.into()),
                ("SPOTIFY_CLIENT_SECRET", SIMULATED_SECRET.into()),
                ("SPOTIFY_API_BASE_URL", format!("http://127.0.0.1:{}", ports.spotify)),
                ("SPOTIFY_ACCOUNTS_BASE_URL", format!("http://127.0.0.1:{}", ports.spotify)),
            ]));
        }
        if !self.real_llm {
            all.extend(variables([
                ("LLM_BASE_URL", format!("http://127.0.0.1:{}/v1", ports.llm)),
                ("LLM_API_KEY", SIMULATED_KEY.into()),
                ("LLM_MODEL", "simulated".into()),
                ("LLM_PRICE_IN", "0.25".into()),
                ("LLM_PRICE_OUT", "2".into()),
            ]));
        }
        if !self.real_stripe {
            all.extend(variables([
                ("STRIPE_SECRET_KEY", SIMULATED_STRIPE_KEY.into()),
                (WEBHOOK_SECRETS, SIMULATED_WEBHOOK_SECRET.into()),
                ("STRIPE_PRICE_ID", SIMULATED_PRICE.into()),
                ("STRIPE_API_BASE_URL", format!("http://127.0.0.1:{}", ports.stripe)),
            ]));
        }
        all.extend(self.given.clone());
        all
    }
}

/// Where Spotify sends listeners back to; a real app has to have it registered.
fn redirect_uri(ports: &Ports) -> String {
    format!("http://127.0.0.1:{}/functions/v1/spotify-oauth/callback", ports.web)
}

/// A secret for one purpose, made of another secret.
fn derived(secret: &str, purpose: &str) -> String {
    let hash = Sha256::digest(format!("{purpose}/{secret}"));
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn variables<const N: usize>(pairs: [(&str, String); N]) -> Variables {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// # Errors
/// If some are given and some are not; the message names the missing ones.
fn is_complete(given: &Variables, set: &[&str]) -> Result<bool> {
    let missing: Vec<_> = set.iter().filter(|name| !given.contains_key(**name)).copied().collect();
    match missing.len() {
        0 => Ok(true),
        n if n == set.len() => Ok(false),
        _ => bail!("{} missing: {} belong together", missing.join(", "), set.join(", ")),
    }
}

/// An empty value is none.
fn parse(text: &str) -> Result<Variables> {
    let pairs = dotenvy::from_read_iter(text.as_bytes()).collect::<Result<Variables, _>>();
    let mut all = pairs.map_err(|error| refusal(text, &error))?;
    all.retain(|_, value| !value.is_empty());
    Ok(all)
}

/// The line may hold a secret: it is not shown.
fn refusal(text: &str, error: &dotenvy::Error) -> anyhow::Error {
    let rest = match error {
        dotenvy::Error::LineParse(rest, _) => rest.lines().next().unwrap_or_default().trim_end(),
        _ => "",
    };
    let index = text.lines().position(|line| line.trim_end().ends_with(rest)).unwrap_or_default();
    anyhow!("line {}: expected NAME=value, in quotes where the value has spaces", index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORTS: Ports = Ports { web: 1, supabase: 2, postgres: 3, spotify: 4, llm: 5, stripe: 6 };

    fn settings(text: &str) -> Result<Settings> {
        Settings::of(parse(text)?)
    }

    fn for_functions(text: &str) -> Variables {
        let supabase = Ready {
            supabase_url: "http://127.0.0.1:2".into(),
            publishable_key: "pk".into(),
            secret_key: "sk".into(),
            ..Ready::default()
        };
        settings(text).unwrap().for_functions(&PORTS, &supabase)
    }

    #[test]
    fn without_a_file_everything_is_local() {
        let all = for_functions("");
        assert_eq!(all["SPOTIFY_API_BASE_URL"], "http://127.0.0.1:4");
        assert_eq!(all["LLM_BASE_URL"], "http://127.0.0.1:5/v1");
        assert_eq!(all["STRIPE_API_BASE_URL"], "http://127.0.0.1:6");
        assert_eq!(all["STRIPE_WEBHOOK_SECRETS"], settings("").unwrap().webhook_secret());
        assert_eq!(all["SUPABASE_URL"], "http://127.0.0.1:2");
        assert_eq!(all["APP_ORIGINS"], "http://127.0.0.1:1,http://localhost:1");
        assert_eq!(all["LLM_PRICE_OUT"], "2");
    }

    #[test]
    fn a_whole_set_replaces_its_simulator_and_no_other() {
        let all = for_functions("SPOTIFY_CLIENT_ID=id\nSPOTIFY_CLIENT_SECRET=secret\n");
        assert_eq!(all["SPOTIFY_CLIENT_ID"], "id");
        assert!(!all.contains_key("SPOTIFY_API_BASE_URL"));
        assert_eq!(all["LLM_API_KEY"], SIMULATED_KEY);
        let all = for_functions("LLM_BASE_URL=https://x/v1\nLLM_API_KEY=k\nLLM_MODEL=m\n");
        assert!(!all.contains_key("LLM_PRICE_IN"), "a simulated price says nothing of a real model");
    }

    #[test]
    fn of_several_webhook_secrets_the_first_is_told() {
        let text = "STRIPE_SECRET_KEY=sk_test_x\nSTRIPE_WEBHOOK_SECRETS='whsec_new, whsec_old'\nSTRIPE_PRICE_ID=price_x";
        assert_eq!(settings(text).unwrap().webhook_secret(), "whsec_new");
        assert!(!for_functions(text).contains_key("STRIPE_API_BASE_URL"));
    }

    #[test]
    fn a_part_of_a_set_is_refused_by_the_names_that_are_missing() {
        let error = settings("LLM_API_KEY=hunter2\n").unwrap_err().to_string();
        assert!(error.starts_with("LLM_BASE_URL, LLM_MODEL missing"), "{error}");
        assert!(!error.contains("hunter2"));
        let error = settings("SUPABASE_URL=https://x\nSUPABASE_SECRET_KEY=\n").unwrap_err().to_string();
        assert!(error.starts_with("SUPABASE_PUBLISHABLE_KEY, SUPABASE_SECRET_KEY missing"), "{error}");
    }

    #[test]
    fn a_real_supabase_is_handed_on_as_given() {
        let text = "SUPABASE_URL=https://x.supabase.co/\nSUPABASE_PUBLISHABLE_KEY=pk\nSUPABASE_SECRET_KEY=sk";
        let ready = settings(text).unwrap().supabase().unwrap();
        assert_eq!(
            (ready.supabase_url.as_str(), ready.publishable_key.as_str()),
            ("https://x.supabase.co", "pk")
        );
        assert!(settings("").unwrap().supabase().is_none());
    }

    #[test]
    fn values_may_be_quoted_commented_and_exported() {
        let all = parse("# c\n\nexport A = 1 # one\nB=\"x # y\" # z\nC='$A \"'\nD=a=b\nE=\n").unwrap();
        let expected = [("A", "1"), ("B", "x # y"), ("C", "$A \""), ("D", "a=b")];
        assert_eq!(all, expected.map(|(name, value)| (name.into(), value.into())).into());
    }

    #[test]
    fn a_line_that_is_no_assignment_is_named_by_its_number_and_not_shown() {
        for text in
            ["A=1\nsecret", "A=1\nB C=secret", "A=1\n=secret", "A=1\nB=a secret", "A=1\nB='secret\nC=2\n"]
        {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with("line 2: expected NAME=value") && !error.contains("secret"), "{error}");
        }
    }
}
