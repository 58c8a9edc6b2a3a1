//! The configuration of a deployment: one env file, of which each function gets only its own part.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::UNIX_EPOCH;

use anyhow::Result;

use crate::{Environment, Options, Target};
use project::env_file;
use project::function_token::{self, ROLES};
use project::process;
use project::workspace::{
    FUNCTION_TOKEN, Function, GATEWAY, SECRET_KEY, Variables, Workspace, token_name,
};

/// The path below the public origin to which Spotify redirects users.
const CALLBACK: &str = "/functions/v1/spotify-oauth/callback";

/// The credentials of the deployment tools; no function gets them.
const ACCOUNT: [&str; 5] = [
    "CLOUDFLARE_ACCOUNT_ID",
    "CLOUDFLARE_API_TOKEN",
    "SUPABASE_ACCESS_TOKEN",
    "SUPABASE_DB_PASSWORD",
    "SUPABASE_DB_URL",
];

/// The variables that send credentials to another address than the service's own.
const UPSTREAMS: [&str; 5] = [
    "AUTH_ISSUER",
    "LLM_BASE_URL",
    "SPOTIFY_ACCOUNTS_BASE_URL",
    "SPOTIFY_API_BASE_URL",
    "STRIPE_API_BASE_URL",
];

/// The links of the page's footer, and the schemes with which the page shows them.
const LINKS: [&str; 3] = ["CONTACT_URL", "PRIVACY_URL", "TERMS_URL"];
const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];

pub struct Configuration(Variables);

/// The URL of a database without its password, and the password.
fn without_password(url: &str) -> (String, Option<String>) {
    let parts = url.split_once("://").and_then(|(scheme, rest)| {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, after) = rest.split_at_checked(end)?;
        let (user, host) = authority.rsplit_once('@')?;
        let (user, password) = user.split_once(':')?;
        Some((
            format!("{scheme}://{user}@{host}{after}"),
            percent_decoded(password),
        ))
    });
    parts.map_or_else(
        || (url.to_owned(), None),
        |(url, password)| (url, Some(password)),
    )
}

fn percent_decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, after @ ..] = rest {
        let hex = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|hex| std::str::from_utf8(hex).ok());
        let decoded = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(decoded.unwrap_or(*first));
        rest = after.get(decoded.map_or(0, |_| 2)..).unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Configuration {
    /// Reads an env file; without one no variable is set. The tools' own variables may also come from the environment.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read(file: Option<&Path>) -> Result<Self> {
        let mut given = file.map(env_file::read).transpose()?.unwrap_or_default();
        for name in ACCOUNT {
            if let (false, Ok(value)) = (given.contains_key(name), std::env::var(name)) {
                given.insert(name.to_owned(), value);
            }
        }
        Ok(Self(given))
    }

    /// Returns a value, empty if there is none.
    pub fn value(&self, name: &str) -> &str {
        self.0
            .get(name)
            .map_or("", |value| value.trim_end_matches('/'))
    }

    /// The project's reference, the first part of `https://<ref>.supabase.co`.
    pub fn project(&self) -> &str {
        let host = self.value("SUPABASE_URL").trim_start_matches("https://");
        host.strip_suffix(".supabase.co").unwrap_or_default()
    }

    /// The target of `db push`, and its password, which must not be an argument: every user of the machine sees those.
    pub fn database(&self) -> (String, Option<String>) {
        let url = self.value("SUPABASE_DB_URL");
        if url.is_empty() {
            (self.project().to_owned(), None)
        } else {
            without_password(url)
        }
    }

    /// Whether the configuration suffices to read the database's migrations.
    pub fn reaches_database(&self) -> bool {
        !self.value("SUPABASE_DB_URL").is_empty()
            || (!self.project().is_empty() && !self.value("SUPABASE_ACCESS_TOKEN").is_empty())
    }

    /// The public origin of the functions.
    pub fn origin(&self) -> &str {
        self.value("SPOTIFY_REDIRECT_URI")
            .strip_suffix(CALLBACK)
            .unwrap_or_default()
    }

    /// The credentials of a tool, by the prefix of their names.
    pub fn account(&self, prefix: &str) -> Variables {
        let own = |(name, _): &(&String, &String)| {
            ACCOUNT.contains(&name.as_str()) && name.starts_with(prefix)
        };
        self.0
            .iter()
            .filter(own)
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// Returns the variables of one function.
    pub fn of(&self, function: &Function) -> Variables {
        function.values(&self.0)
    }

    /// Returns the variables of all functions of a Supabase project, as an env file.
    pub fn of_project(&self, workspace: &Workspace) -> String {
        let values = workspace.values_of_project(&self.0);
        values
            .iter()
            .map(|(name, value)| format!("{name}='{value}'\n"))
            .collect()
    }

    /// Returns the problems that prevent the deployment, without values.
    pub fn problems(&self, functions: &[Function], options: &Options) -> Vec<String> {
        let is_supabase = options.target == Target::Supabase;
        let mut problems = Vec::new();
        for function in functions
            .iter()
            .filter(|it| !(is_supabase && it.name == GATEWAY))
        {
            let values = self.of(function);
            let mut missing: Vec<_> = function.needs.secrets.iter().map(String::as_str).collect();
            missing.retain(|name| !values.contains_key(*name));
            if let Some(role) = &function.needs.role {
                let token = token_name(role);
                // On Supabase the platform sets the secret key.
                if !is_supabase
                    && !values.contains_key(FUNCTION_TOKEN)
                    && !values.contains_key(SECRET_KEY)
                {
                    problems.push(format!(
                        "{}: {token}, or else {SECRET_KEY}, is missing",
                        function.name
                    ));
                }
            }
            if !missing.is_empty() {
                problems.push(format!("{}: {} missing", function.name, missing.join(", ")));
            }
        }
        problems.extend(self.misfits(options));
        problems.extend(self.misplaced_tokens());
        problems.extend(self.unknown(functions));
        problems
    }

    /// Returns the problems of keys and tokens that are set in place of another role's, or have expired.
    fn misplaced_tokens(&self) -> Vec<String> {
        let now = UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
        let problem = |role: &&str| {
            let name = token_name(role);
            let claims = function_token::claims(self.0.get(&name)?)?;
            if claims.role != *role {
                Some(format!("{name} is a token of the role {}", claims.role))
            } else if claims.exp <= now {
                Some(format!(
                    "{name} has expired: cargo xtask function-token makes another"
                ))
            } else {
                None
            }
        };
        // The legacy keys look alike, and the page publishes the first one.
        let legacy = [
            ("SUPABASE_PUBLISHABLE_KEY", "anon"),
            (SECRET_KEY, "service_role"),
        ];
        let misplaced = legacy.into_iter().filter_map(|(name, role)| {
            let claims = function_token::claims(self.0.get(name)?)?;
            (claims.role != role).then(|| format!("{name} is not the key of the role {role}"))
        });
        misplaced.chain(ROLES.iter().filter_map(problem)).collect()
    }

    /// Returns the names that nothing reads: an optional variable with a typing error would have no effect.
    fn unknown(&self, functions: &[Function]) -> Vec<String> {
        let is_known = |name: &str| {
            ACCOUNT.contains(&name)
                || name == SECRET_KEY
                || ROLES.iter().any(|role| token_name(role) == name)
                || functions
                    .iter()
                    .any(|it| it.variables().any(|known| known == name))
        };
        let unknown = self.0.keys().filter(|name| !is_known(name));
        unknown
            .map(|name| format!("{name} is read by nothing that is deployed: is its name right?"))
            .collect()
    }

    /// Returns the problems of values that the functions would refuse, which their own code finds.
    pub fn refusals(&self, workspace: &Workspace) -> Result<Vec<String>> {
        let values: BTreeMap<_, _> = workspace
            .edge_functions()
            .map(|function| (&function.name, self.of(function)))
            .collect();
        let mut command = workspace.cargo(&workspace.root);
        command
            .args(["run", "--package", "check-configuration"])
            .env("CONFIGURATION", serde_json::to_string(&values)?);
        let printed = process::stdout_of(&mut command)?;
        Ok(printed.lines().map(str::to_owned).collect())
    }

    /// Returns the problems of values that are set but invalid for this deployment.
    fn misfits(&self, options: &Options) -> Vec<String> {
        let mut misfits = Vec::new();
        let mut expect = |name: &str, fits: bool, rule: &str| {
            if self.0.contains_key(name) && !fits {
                misfits.push(format!("{name} {rule}"));
            }
        };
        let is_public = |url: &str| url.starts_with("https://");
        let origins = self.value("APP_ORIGINS");
        expect(
            "APP_ORIGINS",
            origins.split(',').all(|it| is_public(it.trim())),
            "must be origins of https",
        );
        expect(
            "SUPABASE_URL",
            is_public(self.value("SUPABASE_URL")),
            "must be a URL of https",
        );
        for (name, value) in self
            .0
            .iter()
            .filter(|(name, _)| UPSTREAMS.contains(&name.as_str()))
        {
            expect(
                name,
                is_public(value),
                "must be a URL of https: credentials are sent there",
            );
        }
        for name in LINKS {
            let link = self.value(name).to_ascii_lowercase();
            let is_link = SCHEMES.iter().any(|it| link.starts_with(it));
            expect(
                name,
                is_link,
                "must be a link, or the page does not show it",
            );
        }
        for name in ["ANONYMOUS_SIGN_INS", "SERVER_TIMING"] {
            let is_bool = ["true", "false"].contains(&self.value(name));
            expect(name, is_bool, "must be true or false");
        }
        let url = self.value("SUPABASE_DB_URL");
        let has_parameter = url.contains("?password=") || url.contains("&password=");
        expect(
            "SUPABASE_DB_URL",
            !has_parameter,
            "must have its password before the @",
        );
        let has_database = !self.project().is_empty() || !self.value("SUPABASE_DB_URL").is_empty();
        expect(
            "SUPABASE_URL",
            has_database,
            "is no https://<ref>.supabase.co: set SUPABASE_DB_URL as well",
        );
        let rule = format!("must be https://<where the functions are>{CALLBACK}");
        expect("SPOTIFY_REDIRECT_URI", is_public(self.origin()), &rule);
        for (name, value) in &self.0 {
            expect(
                name,
                !value.contains('\''),
                "contains a ', which no env file can pass on",
            );
        }
        if options.target == Target::Supabase {
            expect(
                "SUPABASE_URL",
                !self.project().is_empty(),
                "must be https://<ref>.supabase.co",
            );
            let is_own = self.origin() == self.value("SUPABASE_URL");
            expect(
                "SPOTIFY_REDIRECT_URI",
                is_own,
                "must be below SUPABASE_URL, where the functions will be",
            );
        }
        if options.environment == Environment::Production {
            let is_test = self.value("STRIPE_SECRET_KEY").contains("_test_");
            expect(
                "STRIPE_SECRET_KEY",
                !is_test,
                "is of Stripe's test mode, which charges no card",
            );
            let is_shown = self.value("SERVER_TIMING") == "true";
            expect(
                "SERVER_TIMING",
                !is_shown,
                "is for development only: it shows attackers how long the database took",
            );
        }
        misfits
    }
}

#[cfg(test)]
#[path = "configuration_tests.rs"]
mod tests;
