//! What the functions are configured with: the simulators' and the local Supabase's values, or real services'.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::supabase::Keys;
use crate::ports::Ports;
use crate::workspace::{Function, GATEWAY};

pub type Variables = BTreeMap<String, String>;

/// What the functions are given: most of it all the same, and each its own credential.
pub struct FunctionVariables {
    pub common: Variables,
    /// The tokens by their roles; none where the secret key serves.
    pub tokens: Option<Variables>,
}

impl FunctionVariables {
    /// A function with a token, or without a role, has no use for the secret key; the gateway only for that of /health.
    pub fn of(&self, function: &Function) -> Variables {
        let mut variables = self.common.clone();
        if function.name == GATEWAY {
            variables.retain(|name, _| OF_GATEWAY.contains(&name.as_str()));
            return variables;
        }
        match (&function.role, &self.tokens) {
            (Some(_), None) => return variables,
            (Some(role), Some(tokens)) => {
                variables.extend(tokens.get(role).map(|token| (FUNCTION_TOKEN.to_owned(), token.clone())));
            }
            (None, _) => {
                variables.remove(FUNCTION_TOKEN);
            }
        }
        variables.remove(SECRET_KEY);
        variables
    }

    /// What Supabase's Edge Runtime gives to all functions of a project: what the platform injects under its own names,
    /// all else without the prefix that is reserved for them. The secret key is injected too, but where there are tokens
    /// nobody is to fall back on it.
    pub fn of_project(&self) -> Variables {
        let mut variables = Variables::new();
        for (name, value) in &self.common {
            let (name, value) = match name.as_str() {
                "SUPABASE_URL" => (name.clone(), value.clone()),
                PUBLISHABLE_KEY => {
                    ("SUPABASE_PUBLISHABLE_KEYS".into(), json!({ "default": value }).to_string())
                }
                SECRET_KEY if self.tokens.is_some() => continue,
                SECRET_KEY => ("SUPABASE_SECRET_KEYS".into(), json!({ "default": value }).to_string()),
                name => (name.strip_prefix("SUPABASE_").unwrap_or(name).to_owned(), value.clone()),
            };
            variables.insert(name, value);
        }
        let tokens = self.tokens.iter().flatten();
        variables.extend(tokens.map(|(role, token)| (token_name(role), token.clone())));
        variables
    }
}

/// Where a project's functions find the token of a role.
pub fn token_name(role: &str) -> String {
    format!("{}_TOKEN", role.to_ascii_uppercase())
}

const WEBHOOK_SECRETS: &str = "STRIPE_WEBHOOK_SECRETS";
const PUBLISHABLE_KEY: &str = "SUPABASE_PUBLISHABLE_KEY";
const SECRET_KEY: &str = "SUPABASE_SECRET_KEY";
const FUNCTION_TOKEN: &str = "SUPABASE_FUNCTION_TOKEN";

/// What the page is told, which is public, and what operators prove themselves with.
const OF_GATEWAY: [&str; 3] = ["SUPABASE_URL", "SUPABASE_PUBLISHABLE_KEY", "HEALTH_TOKEN"];

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
    pub real_spotify: bool,
    pub real_llm: bool,
    pub real_stripe: bool,
}

impl Settings {
    /// Reads an env file; `file` was named by somebody, `default` may be absent.
    pub fn read(file: Option<&Path>, default: &Path) -> Result<Self> {
        let text = match file {
            Some(file) => {
                fs::read_to_string(file).with_context(|| format!("--env-file {}", file.display()))?
            }
            None if default.exists() => {
                fs::read_to_string(default).with_context(|| default.display().to_string())?
            }
            None => String::new(),
        };
        Self::of(parse(&text).with_context(|| file.unwrap_or(default).display().to_string())?)
    }

    /// What stands in an env file, whatever belongs together.
    pub fn parse_file(file: &Path) -> Result<Variables> {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
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
    pub fn supabase(&self) -> Option<(String, Keys)> {
        let value = |name: &str| self.given.get(name).cloned();
        let [url, publishable, secret] = SUPABASE;
        let keys = Keys { publishable_key: value(publishable)?, secret_key: value(secret)? };
        Some((value(url)?.trim_end_matches('/').to_owned(), keys))
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

    /// Whether a simulator is needed at all.
    pub fn all_real(&self) -> bool {
        self.real_spotify && self.real_llm && self.real_stripe
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
    pub fn for_functions(&self, ports: &Ports, supabase_url: &str, keys: &Keys) -> Variables {
        let mut all = variables([
            // The second is the page hosted elsewhere, as far as a browser can tell.
            ("APP_ORIGINS", format!("http://127.0.0.1:{0},http://localhost:{0}", ports.web)),
            ("SUPABASE_URL", supabase_url.to_owned()),
            (PUBLISHABLE_KEY, keys.publishable_key.clone()),
            (SECRET_KEY, keys.secret_key.clone()),
            ("SPOTIFY_REDIRECT_URI", redirect_uri(ports)),
            ("SERVER_TIMING", "true".into()),
            ("HEALTH_TOKEN", LOCAL_HEALTH_TOKEN.into()),
            // Of value on this machine alone, and the same after a restart: stored tokens stay readable.
            ("SPOTIFY_STATE_SECRETS", derived(&keys.secret_key, "spotify-state")),
            ("SPOTIFY_TOKEN_SECRETS", derived(&keys.secret_key, "spotify-tokens")),
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

/// Reads `NAME=value` lines; an empty value is none, `#` begins a comment, quotes keep what is between them.
fn parse(text: &str) -> Result<Variables> {
    let mut all = Variables::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let assignment = line.strip_prefix("export ").unwrap_or(line).split_once('=');
        let (name, value) = assignment
            .map(|(name, value)| (name.trim(), unquoted(value.trim())))
            .filter(|(name, _)| is_name(name))
            // The line may hold a secret: it is not shown.
            .with_context(|| format!("line {}: expected NAME=value", index + 1))?;
        if !value.is_empty() {
            all.insert(name.to_owned(), value.to_owned());
        }
    }
    Ok(all)
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some((inside, _)) = value.strip_prefix(quote).and_then(|rest| rest.rsplit_once(quote)) {
            return inside;
        }
    }
    value.split_once(" #").map_or(value, |(before, _)| before).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORTS: Ports = Ports { web: 1, supabase: 2, postgres: 3, spotify: 4, llm: 5, stripe: 6 };

    fn settings(text: &str) -> Result<Settings> {
        Settings::of(parse(text)?)
    }

    fn for_functions(text: &str) -> Variables {
        let keys = Keys { publishable_key: "pk".into(), secret_key: "sk".into() };
        settings(text).unwrap().for_functions(&PORTS, "http://127.0.0.1:2", &keys)
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
        let text = "STRIPE_SECRET_KEY=sk_test_x\nSTRIPE_WEBHOOK_SECRETS=whsec_new, whsec_old\nSTRIPE_PRICE_ID=price_x";
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
        let (url, keys) = settings(text).unwrap().supabase().unwrap();
        assert_eq!((url.as_str(), keys.publishable_key.as_str()), ("https://x.supabase.co", "pk"));
        assert!(settings("").unwrap().supabase().is_none());
    }

    #[test]
    fn values_may_be_quoted_commented_and_exported() {
        let all = parse("# c\n\nexport A = 1 # one\nB=\"x # y\" # z\nC='it''s'\nD=a=b\nE=\n").unwrap();
        let expected = [("A", "1"), ("B", "x # y"), ("C", "it''s"), ("D", "a=b")];
        assert_eq!(all, expected.map(|(name, value)| (name.into(), value.into())).into());
    }

    #[test]
    fn a_function_holds_its_own_token_or_the_secret_key_or_nothing() {
        let mut function = crate::workspace::Workspace::open().unwrap().functions.remove(0);
        let variables = |function: &Function, tokens: Option<Variables>| {
            let variables = FunctionVariables { common: for_functions(""), tokens }.of(function);
            [SECRET_KEY, FUNCTION_TOKEN].map(|name| variables.get(name).cloned())
        };
        let tokens =
            || Some([("fn_ai".to_owned(), "a".to_owned()), ("fn_spotify".to_owned(), "b".to_owned())].into());
        function.role = Some("fn_ai".into());
        assert_eq!(variables(&function, tokens()), [None, Some("a".into())]);
        assert_eq!(variables(&function, None), [Some("sk".into()), None]);
        function.role = None;
        assert_eq!(variables(&function, tokens()), [None, None]);
        assert_eq!(variables(&function, None), [None, None]);
    }

    #[test]
    fn the_gateway_is_told_what_is_public_the_token_of_health_and_nothing_else() {
        let functions = crate::workspace::Workspace::open().unwrap().functions;
        let gateway = functions.iter().find(|function| function.name == GATEWAY).unwrap();
        let variables = FunctionVariables { common: for_functions("LLM_EXTRA=1"), tokens: None }.of(gateway);
        let expected = ["HEALTH_TOKEN", "SUPABASE_PUBLISHABLE_KEY", "SUPABASE_URL"];
        assert_eq!(variables.keys().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_line_that_is_no_assignment_is_named_by_its_number_and_not_shown() {
        for text in ["A=1\nsecret", "A=1\nB C=secret", "A=1\n=secret"] {
            assert_eq!(parse(text).unwrap_err().to_string(), "line 2: expected NAME=value");
        }
    }
}
