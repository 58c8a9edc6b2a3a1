//! The options of a stack, and the artefacts that it runs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use project::files::absolute;
use project::workspace::{Function, Workspace};

/// If it is `true`, a stack runs the deployable artefacts.
pub const DEPLOYABLE_VARIABLE: &str = "SOUND_WHISKERS_DEPLOYABLE";

#[derive(Args, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Write the URLs and keys to this JSON file once everything responds; it is removed at the end
    #[arg(long, value_name = "PATH", value_parser = absolute)]
    pub ready_file: Option<PathBuf>,
    /// What runs the functions
    #[arg(long, value_enum, default_value_t)]
    pub runtime: Runtime,
    /// Run the artefacts that are deployed, which take longer to build
    #[arg(long, env = DEPLOYABLE_VARIABLE, hide_env = true)]
    pub deployable: bool,
    /// Use the ports N, N+1, …; otherwise the page is on 8787 and the rest on free ports
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub ports_from: Option<u16>,
    /// Keep the database and the logs in this folder; otherwise below target/
    #[arg(long, value_name = "DIR", value_parser = absolute)]
    pub data: Option<PathBuf>,
    /// Begin with an empty database
    #[arg(long)]
    pub fresh: bool,
    /// Run what was built the last time
    #[arg(long)]
    pub no_build: bool,
    /// Read credentials of real services, which replace the simulators, from this file instead of .dev.vars
    #[arg(long, value_name = "FILE", value_parser = absolute)]
    pub env_file: Option<PathBuf>,
}

impl Options {
    pub fn profile(&self) -> Profile {
        if self.deployable {
            Profile::Deployable
        } else {
            Profile::Quick
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Runtime {
    #[default]
    Workerd,
    Deno,
}

/// How much is optimised; nothing else differs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// For `dev` and `test`: it compiles faster.
    #[default]
    Quick,
    /// For deployments: small and fast.
    Deployable,
}

impl Profile {
    /// The folder of a function's artefacts for a runtime. The deployment tools expect the deployable ones in the checkout.
    pub fn folder(self, workspace: &Workspace, function: &Function, runtime: Runtime) -> PathBuf {
        match (self, runtime) {
            (Self::Deployable, Runtime::Workerd) => function.dir.join("build"),
            (Self::Deployable, Runtime::Deno) => workspace.deno_entry(function).join("build"),
            (Self::Quick, Runtime::Workerd) => workspace
                .target
                .join("functions/quick/workerd")
                .join(&function.name),
            (Self::Quick, Runtime::Deno) => workspace
                .target
                .join("functions/quick/deno")
                .join(&function.name),
        }
    }
}
