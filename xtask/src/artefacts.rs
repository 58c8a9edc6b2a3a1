//! What each platform runs, made from one cargo build per function.

use std::fs;
use std::io::Write;
use std::path::Path;
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
const GZIP_BUDGETS_KB: [(&str, usize); 2] = [("ai-playlist", 300), ("stripe-webhook", 124)];

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
        let wasm = compile(workspace, function)?;
        let out = match platform {
            Platform::Cloudflare => function.dir.join("build"),
            Platform::Deno => workspace.deno_entry(function).join("build"),
        };
        let stamp = out.join("made-from");
        let flags = function.wasm_opt_flags.join(" ");
        let mut source = format!("{:016x}, {}, {flags}", files::fingerprint(&wasm), tools.versions);
        if platform == Platform::Deno {
            source.push_str(&declarations(function));
        }
        if fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == source) {
            continue;
        }
        match platform {
            Platform::Cloudflare => for_cloudflare(workspace, tools, function)?,
            Platform::Deno => for_deno(workspace, tools, function, &out)?,
        }
        fs::write(&stamp, source).with_context(|| stamp.display().to_string())?;
    }
    Ok(())
}

/// Runs cargo as worker-build does, so that its own run finds nothing left to do.
fn compile(workspace: &Workspace, function: &Function) -> Result<Vec<u8>> {
    let mut cargo = workspace.cargo(&function.dir);
    cargo.args(["build", "--lib", "--release", "--target", "wasm32-unknown-unknown"]);
    cargo.env("WASM_BINDGEN_USE_JS_SYS", "1");
    process::run(&mut cargo).with_context(|| format!("{} does not compile", function.name))?;
    let wasm = workspace.built_wasm(function);
    fs::read(&wasm).with_context(|| wasm.display().to_string())
}

fn for_cloudflare(workspace: &Workspace, tools: &BuildTools, function: &Function) -> Result<()> {
    let mut command = Command::new(&tools.worker_build);
    command.arg("--release").current_dir(&function.dir);
    // Else it would download these three.
    command.env("WASM_BINDGEN_BIN", &tools.wasm_bindgen);
    command.env("ESBUILD_BIN", workspace.npm_bin("esbuild"));
    command.env("WASM_OPT_BIN", workspace.npm_bin("wasm-opt"));
    command.env("PATH", workspace.path_with(&[])?);
    step(workspace, function, "Cloudflare", &mut command)
}

fn for_deno(workspace: &Workspace, tools: &BuildTools, function: &Function, out: &Path) -> Result<()> {
    files::remove_folder(out)?;
    let mut bindgen = Command::new(&tools.wasm_bindgen);
    bindgen.args(["--target", "web", "--no-typescript", "--out-name", "index", "--out-dir"]).arg(out);
    step(workspace, function, "wasm-bindgen", bindgen.arg(workspace.built_wasm(function)))?;

    let (wasm, optimised) = (out.join("index_bg.wasm"), out.join("index_opt.wasm"));
    let mut wasm_opt = wasm_opt(workspace)?;
    wasm_opt.args(&function.wasm_opt_flags).arg(&wasm).arg("-o").arg(&optimised);
    step(workspace, function, "Deno", &mut wasm_opt)?;
    let embedded = BASE64.encode(fs::read(&optimised).with_context(|| optimised.display().to_string())?);
    let module = format!("{}export const wasm = '{embedded}';\n", declarations(function));
    fs::write(out.join("embedded.js"), module).with_context(|| out.display().to_string())?;
    for made in [wasm, optimised] {
        fs::remove_file(&made).with_context(|| made.display().to_string())?;
    }
    Ok(())
}

/// What the entry of a Supabase function has to know of it.
fn declarations(function: &Function) -> String {
    let (role, variables) = (json!(function.role), json!(function.variables().collect::<Vec<_>>()));
    format!("export const role = {role};\nexport const variables = {variables};\n")
}

/// binaryen's optimiser; it finds its Node by name.
pub fn wasm_opt(workspace: &Workspace) -> Result<Command> {
    let mut command = Command::new(workspace.npm_bin("wasm-opt"));
    command.env("PATH", workspace.path_with(&[])?);
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
