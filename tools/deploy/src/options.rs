//! The options of `cargo xtask deploy` and `cargo xtask function-token`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use project::files::absolute;
use project::function_token::ROLES;

#[derive(Args, Debug, PartialEq, Eq)]
pub struct Options {
    pub target: Target,
    /// Which of the two environments
    #[arg(long = "env", value_enum, value_name = "ENVIRONMENT", default_value_t)]
    pub environment: Environment,
    /// Read the configuration from this file instead of .env.staging or .env.production
    #[arg(long, value_name = "FILE", value_parser = absolute)]
    pub env_file: Option<PathBuf>,
    /// Try everything that needs no account; nothing is changed
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Target {
    Cloudflare,
    Supabase,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Environment {
    #[default]
    Staging,
    Production,
}

impl Environment {
    /// As the wrangler.toml files call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

#[derive(Args, Debug, PartialEq, Eq)]
pub struct TokenOptions {
    /// The role of the function
    #[arg(long, value_parser = PossibleValuesParser::new(ROLES))]
    pub role: String,
    /// The file of a private signing key of the project: ES256, as a JWK
    #[arg(long, value_name = "FILE", value_parser = absolute)]
    pub key: PathBuf,
    /// How many days the token is valid
    #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u64).range(1..=3650))]
    pub days: u64,
}
