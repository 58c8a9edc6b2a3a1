//! What each platform runs, made from one cargo build per function.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::files;
use crate::page;
use crate::process;
use crate::progress::say;
use crate::setup::{self, BuildTools};
use crate::workspace::{Function, GATEWAY, Workspace};

/// The most that a function's wasm may weigh, compressed as a platform stores it.
const GZIP_BUDGETS_KB: [(&str, usize); 2] = [("ai-playlist", 325), ("stripe-webhook", 124)];

/// What stands between a platform and a function's wasm.
const GLUE: [&str; 3] = ["cloudflare.js", "entry.js", "glue.js"];
const WASM: &str = "index_bg.wasm";
/// What every runtime that we know of can do.
const WASM_OPT: [&str; 7] = [
    "-O3",
    "--enable-mutable-globals",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-reference-types",
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    Cloudflare,
    Deno,
}

/// Builds everything and prints the sizes.
///
/// # Errors
/// If something does not build, or is over its budget.
pub fn build_all(workspace: &Workspace) -> Result<()> {
    let tools = setup::for_build(workspace)?;
    for platform in [Platform::Cloudflare, Platform::Deno] {
        build(workspace, &tools, platform)?;
    }
    let mut sizes = workspace.functions.iter().map(Size::of).collect::<Result<Vec<_>>>()?;
    sizes.push(Size::of_page(workspace)?);
    say(table(&sizes));
    let over: Vec<_> = sizes.iter().filter(|size| size.is_over()).map(|size| size.name.as_str()).collect();
    if !over.is_empty() {
        bail!("over the size budget: {}", over.join(", "));
    }
    Ok(())
}

/// Builds what one platform needs; what has not changed is not made again.
pub fn build(workspace: &Workspace, tools: &BuildTools, platform: Platform) -> Result<()> {
    page::build(workspace)?;
    for function in &workspace.functions {
        if platform == Platform::Deno && function.name == GATEWAY {
            continue;
        }
        let made = optimise(workspace, tools, function)?;
        let out = match platform {
            Platform::Cloudflare => function.dir.join("build"),
            Platform::Deno => workspace.deno_entry(function).join("build"),
        };
        let source = format!("{}, {}", made.source, declarations(function));
        once(&out, &source, || match platform {
            Platform::Cloudflare => for_cloudflare(workspace, function, &made.folder, &out),
            Platform::Deno => for_deno(workspace, function, &made.folder, &out),
        })?;
    }
    Ok(())
}

/// A function's wasm with what calls it, the same for all platforms.
struct Made {
    folder: PathBuf,
    /// What it was made from.
    source: String,
}

fn optimise(workspace: &Workspace, tools: &BuildTools, function: &Function) -> Result<Made> {
    let mut source =
        format!("{:016x}, {}", files::fingerprint(&compile(workspace, function)?), tools.versions);
    let glue = workspace.root.join("shared/src/platform");
    for file in GLUE {
        let text = fs::read(glue.join(file)).with_context(|| file.to_owned())?;
        source.push_str(&format!(", {:016x}", files::fingerprint(&text)));
    }
    let folder = workspace.target.join("functions").join(&function.name);
    once(&folder, &source, || {
        for file in GLUE {
            fs::copy(glue.join(file), folder.join(file)).with_context(|| file.to_owned())?;
        }
        let mut bindgen = Command::new(&tools.wasm_bindgen);
        bindgen.args(["--target", "web", "--experimental-reset-state-function", "--no-typescript"]);
        bindgen.args(["--out-name", "bindings", "--out-dir"]).arg(&folder);
        step(workspace, function, "wasm-bindgen", bindgen.arg(workspace.built_wasm(function)))?;
        let mut wasm_opt = wasm_opt(workspace, &folder.join("bindings_bg.wasm"), &folder.join(WASM))?;
        step(workspace, function, "wasm-opt", &mut wasm_opt)
    })?;
    Ok(Made { folder, source })
}

/// Makes a folder anew, unless it was made from the same.
fn once(folder: &Path, source: &str, make: impl FnOnce() -> Result<()>) -> Result<()> {
    let stamp = folder.join("made-from");
    if fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == source) {
        return Ok(());
    }
    files::remove_folder(folder)?;
    files::create_folder(folder)?;
    make()?;
    fs::write(&stamp, source).with_context(|| stamp.display().to_string())
}

fn compile(workspace: &Workspace, function: &Function) -> Result<Vec<u8>> {
    let mut cargo = workspace.cargo(&function.dir);
    cargo.args(["build", "--lib", "--release", "--target", "wasm32-unknown-unknown"]);
    process::run(&mut cargo).with_context(|| format!("{} does not compile", function.name))?;
    let wasm = workspace.built_wasm(function);
    fs::read(&wasm).with_context(|| wasm.display().to_string())
}

fn for_cloudflare(workspace: &Workspace, function: &Function, made: &Path, out: &Path) -> Result<()> {
    fs::copy(made.join(WASM), out.join(WASM)).with_context(|| out.display().to_string())?;
    bundle(workspace, function, "Cloudflare", &made.join("cloudflare.js"), out)
}

fn for_deno(workspace: &Workspace, function: &Function, made: &Path, out: &Path) -> Result<()> {
    let embedded = BASE64.encode(fs::read(made.join(WASM)).with_context(|| made.display().to_string())?);
    let module = format!("{}export const wasm = '{embedded}';\n", declarations(function));
    fs::write(out.join("embedded.js"), module).with_context(|| out.display().to_string())?;
    bundle(workspace, function, "Deno", &made.join("entry.js"), out)
}

fn bundle(workspace: &Workspace, function: &Function, what: &str, entry: &Path, out: &Path) -> Result<()> {
    let mut esbuild = Command::new(workspace.npm_bin("esbuild"));
    esbuild.arg(entry).args(["--bundle", "--minify", "--format=esm", "--external:./index_bg.wasm"]);
    // The platform's own modules.
    esbuild.arg("--external:cloudflare:*").arg(format!("--outfile={}", out.join("index.js").display()));
    step(workspace, function, what, &mut esbuild)
}

/// What the entry of a Supabase function has to know of it.
fn declarations(function: &Function) -> String {
    let (role, variables) = (json!(function.role), json!(function.variables().collect::<Vec<_>>()));
    format!("export const role = {role};\nexport const variables = {variables};\n")
}

/// Makes wasm smaller and faster, as every function's is made.
pub fn wasm_opt(workspace: &Workspace, from: &Path, to: &Path) -> Result<Command> {
    let mut command = Command::new(workspace.npm_bin("wasm-opt"));
    command.env("PATH", workspace.path_with(&[])?);
    command.args(WASM_OPT).arg(from).arg("-o").arg(to);
    Ok(command)
}

fn step(workspace: &Workspace, function: &Function, what: &str, command: &mut Command) -> Result<()> {
    let label = format!("{} for {what}", function.name);
    process::run_logged(&label, command, &workspace.target.join(format!("{}-{what}.log", function.name)))
}

/// What a function's wasm for Cloudflare weighs, or the whole page.
struct Size {
    name: String,
    bytes: usize,
    gzip_bytes: usize,
    budget_kb: Option<usize>,
}

impl Size {
    fn of(function: &Function) -> Result<Self> {
        let path = function.dir.join("build/index_bg.wasm");
        let wasm = fs::read(&path).with_context(|| path.display().to_string())?;
        let budget = GZIP_BUDGETS_KB.iter().find(|(name, _)| *name == function.name);
        Ok(Self {
            name: function.name.clone(),
            bytes: wasm.len(),
            gzip_bytes: compressed(&wasm)?,
            budget_kb: budget.map(|(_, kb)| *kb),
        })
    }

    fn of_page(workspace: &Workspace) -> Result<Self> {
        let budget_kb = Some(page::GZIP_BUDGET_KB);
        let mut size = Self { name: "the page".into(), bytes: 0, gzip_bytes: 0, budget_kb };
        for path in page::built(workspace)? {
            let content = fs::read(&path).with_context(|| path.display().to_string())?;
            size.bytes += content.len();
            size.gzip_bytes += compressed(&content)?;
        }
        Ok(size)
    }

    fn is_over(&self) -> bool {
        self.budget_kb.is_some_and(|kb| self.gzip_bytes > kb * 1024)
    }
}

fn compressed(content: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?.len())
}

fn table(sizes: &[Size]) -> String {
    let kb = |bytes: usize| bytes.div_ceil(1024);
    let mut text = format!("{:<20}{:>10}{:>10}{:>12}", "artefact", "KB", "gzip KB", "budget KB");
    for size in sizes {
        let budget = size.budget_kb.map_or_else(|| "-".into(), |kb| kb.to_string());
        let verdict = if size.is_over() { "  over" } else { "" };
        let (wasm, gzip) = (kb(size.bytes), kb(size.gzip_bytes));
        text.push_str(&format!("\n{:<20}{wasm:>10}{gzip:>10}{budget:>12}{verdict}", size.name));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(name: &str, gzip_bytes: usize, budget_kb: Option<usize>) -> Size {
        Size { name: name.into(), bytes: gzip_bytes * 2, gzip_bytes, budget_kb }
    }

    #[test]
    fn a_budget_is_met_to_the_byte() {
        assert!(!size("a", 300 * 1024, Some(300)).is_over());
        assert!(size("a", 300 * 1024 + 1, Some(300)).is_over());
        assert!(!size("a", usize::MAX / 2, None).is_over());
    }

    #[test]
    fn the_table_has_a_line_per_artefact() {
        let text = table(&[size("ai-playlist", 310 * 1024, Some(300)), size("gateway", 1, None)]);
        let lines: Vec<_> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
        assert_eq!(lines[0], ["artefact", "KB", "gzip", "KB", "budget", "KB"]);
        assert_eq!(lines[1], ["ai-playlist", "620", "310", "300", "over"]);
        assert_eq!(lines[2], ["gateway", "1", "1", "-"]);
    }
}
