//! The functions' configuration: the values of the simulators and the local Supabase, or of real services.

use std::path::Path;

use anyhow::{Result, bail};
use project::env_file;
use project::files;
use project::workspace::{SECRET_KEY, Variables, Workspace};

use crate::ports::Ports;
use crate::ready::Ready;

const WEBHOOK_SECRETS: &str = "STRIPE_WEBHOOK_SECRETS";
pub const PUBLISHABLE_KEY: &str = "SUPABASE_PUBLISHABLE_KEY";
const SUPABASE: [&str; 3] = ["SUPABASE_URL", PUBLISHABLE_KEY, SECRET_KEY];

/// The simulators' credentials. They protect nothing: simulators listen only on this machine.
const SIMULATED_ID: &str = "simulated-client-id";
const SIMULATED_SECRET: &str = "simulated-client-secret";
const SIMULATED_KEY: &str = "simulated-llm-key";
pub const SIMULATED_STRIPE_KEY: &str = "sk_test_simulated";
const SIMULATED_WEBHOOK_SECRET: &str = "whsec_of_the_simulated_stripe_account";
const SIMULATED_PRICE: &str = "price_simulatedPro";
const LOCAL_HEALTH_TOKEN: &str = "local-health-token";

/// A service that a simulator can replace.
#[derive(Debug)]
struct Service {
    name: &'static str,
    /// The variables of the real service, which replace the simulator and must be set together.
    credentials: &'static [&'static str],
    port: fn(&Ports) -> u16,
    /// The functions' variables for the simulator; `{}` stands for its URL.
    simulated: &'static [(&'static str, &'static str)],
}

const SERVICES: [Service; 3] = [
    Service {
        name: "spotify",
        credentials: &["SPOTIFY_CLIENT_ID", "SPOTIFY_CLIENT_SECRET"],
        port: |ports| ports.spotify,
        simulated: &[
            ("SPOTIFY_CLIENT_ID", SIMULATED_ID),
            ("SPOTIFY_CLIENT_SECRET", SIMULATED_SECRET),
            ("SPOTIFY_API_BASE_URL", "{}"),
            ("SPOTIFY_ACCOUNTS_BASE_URL", "{}"),
            ("SPOTIFY_IMAGE_ORIGIN", "{}"),
            ("SPOTIFY_PLAYER_ORIGIN", "{}"),
        ],
    },
    Service {
        name: "llm",
        credentials: &["LLM_BASE_URL", "LLM_API_KEY", "LLM_MODEL"],
        port: |ports| ports.llm,
        simulated: &[
            ("LLM_BASE_URL", "{}/v1"),
            ("LLM_API_KEY", SIMULATED_KEY),
            ("LLM_MODEL", "simulated"),
            ("LLM_PRICE_IN", "0.25"),
            ("LLM_PRICE_OUT", "2"),
        ],
    },
    Service {
        name: "stripe",
        credentials: &["STRIPE_SECRET_KEY", WEBHOOK_SECRETS, "STRIPE_PRICE_ID"],
        port: |ports| ports.stripe,
        simulated: &[
            ("STRIPE_SECRET_KEY", SIMULATED_STRIPE_KEY),
            (WEBHOOK_SECRETS, SIMULATED_WEBHOOK_SECRET),
            ("STRIPE_PRICE_ID", SIMULATED_PRICE),
            ("STRIPE_API_BASE_URL", "{}"),
        ],
    },
];

/// The given variables, and the services that they do not replace.
#[derive(Debug)]
pub struct Settings {
    given: Variables,
    simulated: Vec<&'static Service>,
}

impl Settings {
    /// Reads an env file, by default .dev.vars, which may be absent.
    pub fn read(workspace: &Workspace, file: Option<&Path>) -> Result<Self> {
        Self::of(Self::variables(workspace, file)?)
    }

    /// The same without the check of incomplete sets.
    pub fn variables(workspace: &Workspace, file: Option<&Path>) -> Result<Variables> {
        let default = workspace.root.join(".dev.vars");
        match file {
            Some(file) => env_file::read(file),
            None if default.exists() => env_file::read(&default),
            None => Ok(Variables::new()),
        }
    }

    fn of(given: Variables) -> Result<Self> {
        is_complete(&given, &SUPABASE)?;
        let mut simulated = Vec::new();
        for service in &SERVICES {
            if !is_complete(&given, service.credentials)? {
                simulated.push(service);
            }
        }
        Ok(Self { given, simulated })
    }

    /// The real Supabase, if one was given.
    pub fn supabase(&self) -> Option<Ready> {
        let [url, publishable, secret] = SUPABASE.map(|name| self.given.get(name).cloned());
        let supabase_url = url?.trim_end_matches('/').to_owned();
        Some(Ready {
            supabase_url,
            publishable_key: publishable?,
            secret_key: secret?,
            ..Ready::default()
        })
    }

    /// The secret with which events are signed; the first of several.
    pub fn webhook_secret(&self) -> String {
        let given = self
            .given
            .get(WEBHOOK_SECRETS)
            .and_then(|secrets| secrets.split(',').next());
        given.map_or(SIMULATED_WEBHOOK_SECRET, str::trim).to_owned()
    }

    /// The simulators that no real service replaces, and their ports.
    pub fn simulators(&self, ports: &Ports) -> impl Iterator<Item = (&'static str, u16)> {
        self.simulated
            .iter()
            .map(|service| (service.name, (service.port)(ports)))
    }

    /// The environment of the simulators.
    pub fn for_simulators(ports: &Ports) -> Variables {
        let web = format!("http://127.0.0.1:{}", ports.web);
        variables([
            ("SPOTIFY_SIM_PORT", ports.spotify.to_string()),
            ("LLM_SIM_PORT", ports.llm.to_string()),
            ("SPOTIFY_CLIENT_ID", SIMULATED_ID.into()),
            ("SPOTIFY_CLIENT_SECRET", SIMULATED_SECRET.into()),
            // An app may have several redirect URIs; a code for one is invalid for another.
            (
                "SPOTIFY_REDIRECT_URIS",
                format!("{},{web}/elsewhere", redirect_uri(ports)),
            ),
            ("LLM_API_KEY", SIMULATED_KEY.into()),
            ("STRIPE_SIM_PORT", ports.stripe.to_string()),
            ("STRIPE_SECRET_KEY", SIMULATED_STRIPE_KEY.into()),
            ("STRIPE_PRICE_ID", SIMULATED_PRICE.into()),
            (
                "STRIPE_WEBHOOK_URL",
                format!("{web}/functions/v1/stripe-webhook"),
            ),
            ("STRIPE_WEBHOOK_SECRET", SIMULATED_WEBHOOK_SECRET.into()),
        ])
    }

    /// The functions' variables; given ones take precedence.
    pub fn for_functions(&self, ports: &Ports, supabase: &Ready) -> Variables {
        // Fixed, so that stored tokens stay readable after a restart; they protect only local data.
        let derived =
            |purpose: &str| files::fingerprint(format!("{purpose}/{}", supabase.secret_key));
        let mut all = variables([
            // To a browser the second name is another origin, like a page on another host.
            (
                "APP_ORIGINS",
                format!("http://127.0.0.1:{0},http://localhost:{0}", ports.web),
            ),
            ("SUPABASE_URL", supabase.supabase_url.clone()),
            (PUBLISHABLE_KEY, supabase.publishable_key.clone()),
            (SECRET_KEY, supabase.secret_key.clone()),
            ("SPOTIFY_REDIRECT_URI", redirect_uri(ports)),
            ("SERVER_TIMING", "true".into()),
            // The local Auth allows them; a given Auth needs its own setting.
            ("ANONYMOUS_SIGN_INS", self.supabase().is_none().to_string()),
            // Tests replace the simulators' catalogue at any time.
            ("CATALOGUE_MEMORY_DAYS", "0".into()),
            ("HEALTH_TOKEN", LOCAL_HEALTH_TOKEN.into()),
            ("SPOTIFY_STATE_SECRETS", derived("spotify-state")),
            ("SPOTIFY_TOKEN_SECRETS", derived("spotify-tokens")),
        ]);
        for service in &self.simulated {
            let url = format!("http://127.0.0.1:{}", (service.port)(ports));
            let values = service.simulated.iter();
            all.extend(values.map(|(name, value)| ((*name).to_owned(), value.replace("{}", &url))));
        }
        all.extend(self.given.clone());
        all
    }
}

/// The URI to which Spotify redirects users; a real app must have it registered.
fn redirect_uri(ports: &Ports) -> String {
    format!(
        "http://127.0.0.1:{}/functions/v1/spotify-oauth/callback",
        ports.web
    )
}

fn variables<const N: usize>(pairs: [(&str, String); N]) -> Variables {
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}

/// # Errors
/// If some are given and some are not; the message names the missing ones.
fn is_complete(given: &Variables, set: &[&str]) -> Result<bool> {
    let missing: Vec<_> = set
        .iter()
        .filter(|name| !given.contains_key(**name))
        .copied()
        .collect();
    match missing.len() {
        0 => Ok(true),
        n if n == set.len() => Ok(false),
        _ => bail!(
            "{} missing: {} belong together",
            missing.join(", "),
            set.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORTS: Ports = Ports {
        web: 1,
        supabase: 2,
        postgres: 3,
        spotify: 4,
        llm: 5,
        stripe: 6,
    };

    fn settings(text: &str) -> Result<Settings> {
        Settings::of(env_file::parse(text)?)
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
    fn everything_is_local_without_an_env_file() {
        let all = for_functions("");
        assert_eq!(all["SPOTIFY_API_BASE_URL"], "http://127.0.0.1:4");
        assert_eq!(all["LLM_BASE_URL"], "http://127.0.0.1:5/v1");
        assert_eq!(all["STRIPE_API_BASE_URL"], "http://127.0.0.1:6");
        assert_eq!(
            all["STRIPE_WEBHOOK_SECRETS"],
            settings("").unwrap().webhook_secret()
        );
        assert_eq!(all["SUPABASE_URL"], "http://127.0.0.1:2");
        assert_eq!(all["APP_ORIGINS"], "http://127.0.0.1:1,http://localhost:1");
        assert_eq!(all["LLM_PRICE_OUT"], "2");
        assert_eq!(all["ANONYMOUS_SIGN_INS"], "true");
    }

    #[test]
    fn a_whole_set_replaces_its_simulator_and_no_other() {
        let all = for_functions("SPOTIFY_CLIENT_ID=id\nSPOTIFY_CLIENT_SECRET=secret\n");
        assert_eq!(all["SPOTIFY_CLIENT_ID"], "id");
        assert!(!all.contains_key("SPOTIFY_API_BASE_URL"));
        assert_eq!(all["LLM_API_KEY"], SIMULATED_KEY);
        let all = for_functions("LLM_BASE_URL=https://x/v1\nLLM_API_KEY=k\nLLM_MODEL=m\n");
        assert!(
            !all.contains_key("LLM_PRICE_IN"),
            "a simulated price says nothing of a real model"
        );
    }

    #[test]
    fn ready_file_has_the_first_webhook_secret() {
        let text = "STRIPE_SECRET_KEY=sk_test_x\nSTRIPE_WEBHOOK_SECRETS='whsec_new, whsec_old'\nSTRIPE_PRICE_ID=price_x";
        assert_eq!(settings(text).unwrap().webhook_secret(), "whsec_new");
        assert!(!for_functions(text).contains_key("STRIPE_API_BASE_URL"));
    }

    #[test]
    fn a_part_of_a_set_is_refused_by_the_names_that_are_missing() {
        let error = settings("LLM_API_KEY=hunter2\n").unwrap_err().to_string();
        assert!(
            error.starts_with("LLM_BASE_URL, LLM_MODEL missing"),
            "{error}"
        );
        assert!(!error.contains("hunter2"));
        let error = settings("SUPABASE_URL=https://x\nSUPABASE_SECRET_KEY=\n")
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("SUPABASE_PUBLISHABLE_KEY, SUPABASE_SECRET_KEY missing"),
            "{error}"
        );
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
}
