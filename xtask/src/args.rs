//! The command line.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use project::files::absolute;

use crate::bench::PARTS;
use crate::test::{STAGES, Tier};

/// The project's commands. Each installs once, into the user's cache, what it needs and this machine lacks.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", arg_required_else_help = true)]
pub struct CommandLine {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Runs the whole product on this machine until Ctrl-C
    ///
    /// Builds the functions, starts PostgreSQL, the Supabase APIs, the functions, the page and the simulators of
    /// Spotify, Stripe and the language model, and prints their URLs.
    Dev(stack::Options),
    /// Runs the everyday check: format, lints, types and the tests that need no stack
    Check,
    /// Runs what a change must pass, with one line per stage
    Test(TestOptions),
    /// Measures, and writes tables below target/bench
    Bench(BenchOptions),
    /// Builds the deployable artefacts for Cloudflare and Deno and prints their sizes
    Build,
    /// Deploys the database and the functions to a platform
    Deploy(deploy::Options),
    /// Generates files from the sources: the HTTP contract, the page's types, and the functions' configuration
    Generate(GenerateOptions),
    /// Prints the token by which a deployed function gets its role in the database
    FunctionToken(deploy::TokenOptions),
    /// Compares every profile's plan with Stripe
    ReconcileBilling(ReconcileOptions),
    /// Reports the features of the configured language model and the errors of its configuration
    CheckLlm(CheckLlmOptions),
}

#[derive(Args, Debug, Default, PartialEq, Eq)]
pub struct BenchOptions {
    /// Run only these parts
    #[arg(long, value_name = "PART,…", value_delimiter = ',', value_parser = PossibleValuesParser::new(PARTS))]
    pub only: Vec<String>,
    /// Fill the database with a minute's worth, or with a million playlists
    #[arg(long, value_enum, default_value_t)]
    pub scale: Scale,
    /// Write the results, with the machine's data, into docs/bench
    #[arg(long)]
    pub record: bool,
    /// Measure a playlist with the function of this checkout as well, over a database of its own
    #[arg(long, value_name = "CHECKOUT", value_parser = absolute)]
    pub against: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Scale {
    #[default]
    Small,
    Full,
}

#[derive(Args, Debug, Default, PartialEq, Eq)]
pub struct TestOptions {
    /// Run all stages, as CI does
    #[arg(long)]
    full: bool,
    /// Run only these stages
    #[arg(long, value_name = "STAGE,…", value_delimiter = ',')]
    #[arg(value_parser = PossibleValuesParser::new(STAGES.iter().map(|stage| stage.name)))]
    pub only: Vec<String>,
    /// Run the stages that concern what differs from main
    #[arg(long, conflicts_with = "only")]
    pub changed: bool,
    /// List the chosen stages, their tier and what they need, instead of running them
    #[arg(long)]
    pub list: bool,
}

impl TestOptions {
    pub fn tier(&self) -> Tier {
        if self.full { Tier::Full } else { Tier::Test }
    }
}

#[derive(Args, Debug, Default, PartialEq, Eq)]
pub struct GenerateOptions {
    /// Compare the files with the generated texts, instead of writing them
    #[arg(long)]
    pub check: bool,
}

#[derive(Args, Debug, Default, PartialEq, Eq)]
pub struct ReconcileOptions {
    /// Correct the differences; without it nothing is changed
    #[arg(long)]
    pub apply: bool,
    /// Read the project's URL and keys and Stripe's key from this file instead of .dev.vars
    #[arg(long, value_name = "FILE", value_parser = absolute)]
    pub env_file: Option<PathBuf>,
    /// Use the stack that wrote this ready file, with its simulator
    #[arg(long, value_name = "PATH", value_parser = absolute, conflicts_with = "env_file")]
    pub ready_file: Option<PathBuf>,
}

#[derive(Args, Debug, Default, PartialEq, Eq)]
pub struct CheckLlmOptions {
    /// Read the model's URL, key and name from this file instead of .dev.vars; missing ones come from the environment
    #[arg(long, value_name = "FILE", value_parser = absolute)]
    pub env_file: Option<PathBuf>,
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;
