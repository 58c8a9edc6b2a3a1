//! The artefacts that a runtime serves, built with one cargo build of all functions.

mod contents;
mod sizes;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

use self::sizes::{Size, table};
use crate::page;
use project::files;
use project::process;
use project::progress::say;
use project::setup::{self, WASM_TARGET};
use project::workspace::{Function, GATEWAY, Workspace};
use stack::{Profile, Runtime};

/// The JavaScript between a runtime and a function's wasm, in shared/src/runtime/wasm.
const GLUE: [&str; 3] = ["cloudflare.js", "entry.js", "glue.js"];
const WASM: &str = "index_bg.wasm";
/// wasm-opt may use what all runtimes support. Names and debug sections are a seventh of a function's compressed size.
const WASM_OPT: [&str; 9] = [
    "-O3",
    "--enable-mutable-globals",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-reference-types",
    "--strip-debug",
    "--strip-producers",
];

/// The profile of Cargo.toml, and the name of its folder.
fn cargo_profile(profile: Profile) -> &'static str {
    match profile {
        Profile::Quick => "quick",
        Profile::Deployable => "release",
    }
}

/// Builds everything that is deployed and prints the sizes.
///
/// # Errors
/// If an artefact does not build, or exceeds its budget.
pub fn build_deployable(workspace: &Workspace) -> Result<()> {
    for runtime in [Runtime::Workerd, Runtime::Deno] {
        build(workspace, Profile::Deployable, runtime)?;
    }
    let mut sizes = Vec::new();
    for Function { name, dir, needs } in &workspace.functions {
        let wasm = dir.join("build").join(WASM);
        sizes.push(Size::of(name, [wasm], needs.gzip_budget_kb)?);
    }
    sizes.push(Size::of(
        "the page",
        page::built(workspace),
        page::GZIP_BUDGET_KB,
    )?);
    say(table(&sizes));
    let over: Vec<_> = sizes
        .iter()
        .filter(|size| size.is_over())
        .map(|size| size.name.as_str())
        .collect();
    if !over.is_empty() {
        bail!("over the size budget: {}", over.join(", "));
    }
    contents::check(workspace)
}

/// Installs missing tools and builds the artefacts of one runtime; unchanged ones are kept.
pub fn build(workspace: &Workspace, profile: Profile, runtime: Runtime) -> Result<()> {
    setup::ensure_wasm_target()?;
    // In parallel, because npm mostly waits for the network, and cargo needs the processor.
    std::thread::scope(|scope| {
        let packages = scope.spawn(|| setup::for_node(workspace));
        let compiled = compile(workspace, profile);
        packages
            .join()
            .map_err(|_| anyhow!("the installation of the npm packages was lost"))??;
        compiled
    })?;
    page::build(workspace)?;
    let tools = lock_files(workspace)?;
    let served: Vec<_> = workspace
        .functions
        .iter()
        .filter(|function| runtime == Runtime::Workerd || function.name != GATEWAY)
        .collect();
    for_each_at_once(&served, |function| {
        let made = bind(workspace, profile, function, &tools)?;
        let out = profile.folder(workspace, function, runtime);
        let source = format!("{}, {}", made.source, declarations(function));
        files::make_once(&out, &source, || match runtime {
            Runtime::Workerd => for_workerd(workspace, &made.folder, &out),
            Runtime::Deno => for_deno(workspace, function, &made.folder, &out),
        })
    })
}

fn compile(workspace: &Workspace, profile: Profile) -> Result<()> {
    process::run(
        workspace
            .cargo(&workspace.root)
            .args(["build", "--package", "bindings"]),
    )?;
    let mut cargo = workspace.cargo(&workspace.root);
    cargo.args([
        "build",
        "--lib",
        "--target",
        WASM_TARGET,
        "--profile",
        cargo_profile(profile),
        "--config",
    ]);
    cargo.arg(format!(
        "target.{WASM_TARGET}.rustflags={}",
        json!(contents::remapped(&workspace.root)?)
    ));
    cargo.args(
        workspace
            .functions
            .iter()
            .flat_map(|function| ["--package", &function.name]),
    );
    process::run(&mut cargo).context("the functions do not compile")
}

/// Runs `work` for all functions in parallel, and returns the first error.
fn for_each_at_once(
    functions: &[&Function],
    each: impl Fn(&Function) -> Result<()> + Sync,
) -> Result<()> {
    std::thread::scope(|scope| {
        let each = &each;
        let all: Vec<_> = functions
            .iter()
            .map(|function| scope.spawn(move || each(function)))
            .collect();
        all.into_iter()
            .try_for_each(|one| one.join().map_err(|_| anyhow!("a build thread panicked"))?)
    })
}

/// A fingerprint of the files that pin the tools.
fn lock_files(workspace: &Workspace) -> Result<String> {
    let print = |name| Ok(files::fingerprint(fs::read(workspace.root.join(name))?));
    Ok(["Cargo.lock", "package-lock.json"]
        .map(print)
        .into_iter()
        .collect::<Result<Vec<_>>>()?
        .join(", "))
}

/// A function's wasm with its bindings and the glue, the same for all runtimes.
struct Made {
    folder: PathBuf,
    /// The fingerprint of its sources.
    source: String,
}

fn bind(workspace: &Workspace, profile: Profile, function: &Function, tools: &str) -> Result<Made> {
    let file = format!("{}.wasm", function.name.replace('-', "_"));
    let wasm = workspace
        .target
        .join(WASM_TARGET)
        .join(cargo_profile(profile))
        .join(file);
    let compiled = fs::read(&wasm).with_context(|| wasm.display().to_string())?;
    let mut source = format!("{}, {tools}", files::fingerprint(&compiled));
    let glue = workspace.root.join("shared/src/runtime/wasm");
    for file in GLUE {
        let text = fs::read(glue.join(file)).with_context(|| file.to_owned())?;
        source.push_str(&format!(", {}", files::fingerprint(&text)));
    }
    let folder = workspace
        .target
        .join("functions")
        .join(cargo_profile(profile))
        .join("bound")
        .join(&function.name);
    files::make_once(&folder, &source, || {
        for file in GLUE {
            fs::copy(glue.join(file), folder.join(file)).with_context(|| file.to_owned())?;
        }
        let mut bindings = bindings(workspace);
        step(
            workspace,
            function,
            "bindings",
            bindings.args(["web", "bindings"]).arg(&wasm).arg(&folder),
        )?;
        let (bound, optimised) = (folder.join("bindings_bg.wasm"), folder.join(WASM));
        match profile {
            Profile::Quick => {
                fs::rename(&bound, &optimised).with_context(|| bound.display().to_string())
            }
            Profile::Deployable => step(
                workspace,
                function,
                "wasm-opt",
                &mut wasm_opt(workspace, &bound, &optimised)?,
            ),
        }
    })?;
    Ok(Made { folder, source })
}

fn for_workerd(workspace: &Workspace, made: &Path, out: &Path) -> Result<()> {
    fs::copy(made.join(WASM), out.join(WASM)).with_context(|| out.display().to_string())?;
    bundle(workspace, &made.join("cloudflare.js"), out)
}

fn for_deno(workspace: &Workspace, function: &Function, made: &Path, out: &Path) -> Result<()> {
    let embedded =
        BASE64.encode(fs::read(made.join(WASM)).with_context(|| made.display().to_string())?);
    let module = format!(
        "{}export const wasm = '{embedded}';\n",
        declarations(function)
    );
    fs::write(out.join("embedded.js"), module).with_context(|| out.display().to_string())?;
    bundle(workspace, &made.join("entry.js"), out)
}

fn bundle(workspace: &Workspace, entry: &Path, out: &Path) -> Result<()> {
    let mut esbuild = Command::new(workspace.npm_bin("esbuild"));
    esbuild.arg(entry).args([
        "--bundle",
        "--minify",
        "--format=esm",
        "--external:./index_bg.wasm",
    ]);
    // The platform's own modules.
    esbuild
        .arg("--external:cloudflare:*")
        .arg("--log-level=error");
    process::run(esbuild.arg(format!("--outfile={}", out.join("index.js").display())))
}

/// The values that the entry of a Supabase function needs.
fn declarations(function: &Function) -> String {
    let (role, variables) = (
        json!(function.needs.role),
        json!(function.variables().collect::<Vec<_>>()),
    );
    format!("export const role = {role};\nexport const variables = {variables};\n")
}

/// The program of xtask/bindings, which `build` has compiled.
pub fn bindings(workspace: &Workspace) -> Command {
    Command::new(workspace.target.join("debug/bindings"))
}

/// Optimises wasm with the options that all functions share.
fn wasm_opt(workspace: &Workspace, from: &Path, to: &Path) -> Result<Command> {
    let mut command = Command::new(workspace.npm_bin("wasm-opt"));
    command.env("PATH", workspace.path_with(&[])?);
    command.args(WASM_OPT).arg(from).arg("-o").arg(to);
    Ok(command)
}

fn step(
    workspace: &Workspace,
    function: &Function,
    what: &str,
    command: &mut Command,
) -> Result<()> {
    let label = format!("{what} of {}", function.name);
    process::run_logged(
        &label,
        command,
        &workspace
            .target
            .join(format!("{}-{what}.log", function.name)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deployment_tools_find_deployable_artefacts_alone() {
        let workspace = Workspace::open().unwrap();
        for function in &workspace.functions {
            let folder = |profile: Profile, runtime| profile.folder(&workspace, function, runtime);
            assert_eq!(
                folder(Profile::Deployable, Runtime::Workerd),
                function.dir.join("build")
            );
            let entry = workspace.deno_entry(function);
            assert_eq!(
                folder(Profile::Deployable, Runtime::Deno),
                entry.join("build")
            );
            for runtime in [Runtime::Workerd, Runtime::Deno] {
                assert!(folder(Profile::Quick, runtime).starts_with(&workspace.target));
            }
        }
    }
}
