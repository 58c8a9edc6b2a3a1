//! The artefacts that a runtime serves, built with one cargo build of all functions.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::page;
use project::files;
use project::process;
use project::progress::say;
use project::secrets;
use project::setup::{self, WASM_TARGET};
use project::workspace::{Function, GATEWAY, Workspace};
use stack::{Profile, Runtime};

/// The budgets of the functions' wasm in KB, compressed as a platform stores it: their sizes and one percent.
const GZIP_BUDGETS_KB: [(&str, usize); 8] = [
    ("account", 146),
    ("ai-playlist", 332),
    ("billing", 155),
    ("gateway", 105),
    ("spotify-export", 213),
    ("spotify-oauth", 158),
    ("spotify-search", 197),
    ("stripe-webhook", 106),
];

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
    for Function { name, dir, .. } in &workspace.functions {
        sizes.push(Size::of(
            name,
            [dir.join("build").join(WASM)],
            budget_of(name),
        )?);
    }
    sizes.push(Size::of(
        "the page",
        page::built(workspace),
        Some(page::GZIP_BUDGET_KB),
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
    check_contents(workspace)
}

fn budget_of(function: &str) -> Option<usize> {
    GZIP_BUDGETS_KB
        .iter()
        .find(|(name, _)| *name == function)
        .map(|(_, kb)| *kb)
}

/// # Errors
/// If an artefact, which is public, names a folder of this machine or contains text that looks like a secret.
fn check_contents(workspace: &Workspace) -> Result<()> {
    let mut built = page::built(workspace).collect::<Vec<_>>();
    for function in &workspace.functions {
        built.extend(["index.js", WASM].map(|file| function.dir.join("build").join(file)));
        let deno = workspace.deno_entry(function).join("build");
        built.extend(
            ["index.js", "embedded.js"]
                .map(|file| deno.join(file))
                .into_iter()
                .filter(|it| it.exists()),
        );
    }
    for path in built {
        let content = fs::read(&path).with_context(|| path.display().to_string())?;
        let problems = problems_of(
            &String::from_utf8_lossy(&content),
            &machine_folders(&workspace.root)?,
        );
        if !problems.is_empty() {
            bail!("{}: {}", path.display(), problems.join(", "));
        }
    }
    Ok(())
}

fn problems_of(content: &str, folders: &[(PathBuf, &str)]) -> Vec<String> {
    let secrets = secrets::found_in(content)
        .into_iter()
        .map(|(line, kind)| format!("{kind} in line {line}"));
    let named = folders
        .iter()
        .filter(|(folder, _)| content.contains(&*folder.to_string_lossy()));
    secrets
        .chain(named.map(|(folder, _)| format!("it names {}", folder.display())))
        .collect()
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
        json!(remapped(&workspace.root)?)
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

/// The compiler's flags that keep the folders of the building machine out of artefacts.
fn remapped(root: &Path) -> Result<Vec<String>> {
    let folders = machine_folders(root)?;
    Ok(folders
        .iter()
        .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()))
        .collect())
}

/// The folders of sources on this machine, and their replacements in artefacts; the last match wins.
fn machine_folders(root: &Path) -> Result<Vec<(PathBuf, &'static str)>> {
    let home = |variable: &str, folder: &str| {
        let default = || std::env::home_dir().unwrap_or_default().join(folder);
        std::env::var_os(variable).map_or_else(default, PathBuf::from)
    };
    let cargo = home("CARGO_HOME", ".cargo");
    let mut folders = vec![
        (root.to_owned(), "."),
        (home("RUSTUP_HOME", ".rustup"), "rust"),
        (cargo.clone(), "cargo"),
    ];
    // One folder for each registry, named after its host.
    for registry in fs::read_dir(cargo.join("registry/src"))
        .into_iter()
        .flatten()
    {
        folders.push((registry.context("the registry's folder")?.path(), "crates"));
    }
    Ok(folders)
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

/// The program of tools/bindings, which `build` has compiled.
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

/// The size of a function's wasm for Cloudflare, or of the whole page.
struct Size {
    name: String,
    bytes: usize,
    gzip_bytes: usize,
    budget_kb: Option<usize>,
}

impl Size {
    fn of(
        name: &str,
        files: impl IntoIterator<Item = PathBuf>,
        budget_kb: Option<usize>,
    ) -> Result<Self> {
        let mut size = Self {
            name: name.to_owned(),
            bytes: 0,
            gzip_bytes: 0,
            budget_kb,
        };
        for path in files {
            let content = fs::read(&path).with_context(|| path.display().to_string())?;
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(&content)?;
            size.bytes += content.len();
            size.gzip_bytes += encoder.finish()?.len();
        }
        Ok(size)
    }

    fn is_over(&self) -> bool {
        self.budget_kb.is_some_and(|kb| self.gzip_bytes > kb * 1024)
    }
}

fn table(sizes: &[Size]) -> String {
    let kb = |bytes: usize| bytes.div_ceil(1024);
    let mut text = format!(
        "{:<20}{:>10}{:>10}{:>12}",
        "artefact", "KB", "gzip KB", "budget KB"
    );
    for size in sizes {
        let budget = size
            .budget_kb
            .map_or_else(|| "-".into(), |kb| kb.to_string());
        let verdict = if size.is_over() { "  over" } else { "" };
        let (wasm, gzip) = (kb(size.bytes), kb(size.gzip_bytes));
        text.push_str(&format!(
            "\n{:<20}{wasm:>10}{gzip:>10}{budget:>12}{verdict}",
            size.name
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artefact_names_no_folder_of_this_machine_and_holds_no_secret() {
        let root = Path::new("/srv/checkout");
        let folders = machine_folders(root).unwrap();
        let cargo = folders
            .iter()
            .find(|(_, to)| *to == "cargo")
            .unwrap()
            .0
            .join("registry/src/x/y.rs");
        assert_eq!(
            problems_of("/srv/checkout/shared/src/lib.rs", &folders),
            ["it names /srv/checkout"]
        );
        assert_eq!(problems_of(&cargo.to_string_lossy(), &folders).len(), 1);
        let key = format!("sb_secret_{}", "4eC39HqLyjWDarjtT1zdp7dc");
        assert_eq!(
            problems_of(&format!("a\n{key}"), &folders),
            ["Supabase in line 2"]
        );
        assert!(problems_of("./shared/src/lib.rs crates/bytes/src/lib.rs", &folders).is_empty());
    }

    fn size(name: &str, gzip_bytes: usize, budget_kb: Option<usize>) -> Size {
        Size {
            name: name.into(),
            bytes: gzip_bytes * 2,
            gzip_bytes,
            budget_kb,
        }
    }

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

    #[test]
    fn every_function_has_a_budget() {
        let workspace = Workspace::open().unwrap();
        assert!(
            workspace
                .functions
                .iter()
                .all(|function| budget_of(&function.name).is_some())
        );
    }

    #[test]
    fn a_budget_is_met_to_the_byte() {
        assert!(!size("a", 300 * 1024, Some(300)).is_over());
        assert!(size("a", 300 * 1024 + 1, Some(300)).is_over());
        assert!(!size("a", usize::MAX / 2, None).is_over());
    }

    #[test]
    fn the_table_has_a_line_per_artefact() {
        let text = table(&[
            size("ai-playlist", 310 * 1024, Some(300)),
            size("gateway", 1, None),
        ]);
        let lines: Vec<_> = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .collect();
        assert_eq!(lines[0], ["artefact", "KB", "gzip", "KB", "budget", "KB"]);
        assert_eq!(lines[1], ["ai-playlist", "620", "310", "300", "over"]);
        assert_eq!(lines[2], ["gateway", "1", "1", "-"]);
    }
}
