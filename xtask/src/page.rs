//! The page, bundled: one document, one script, one style sheet, and the icon.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use project::files;
use project::process;
use project::workspace::Workspace;

/// The most that all of it may weigh, compressed as it travels.
pub const GZIP_BUDGET_KB: usize = 120;

/// All files of the built page; the first two are served as they are.
const FILES: [&str; 4] = ["index.html", "icon.svg", "app.js", "app.css"];

pub fn built(workspace: &Workspace) -> impl Iterator<Item = PathBuf> {
    FILES.into_iter().map(|name| workspace.page().join(name))
}

/// Bundles the page, in a moment.
pub fn build(workspace: &Workspace) -> Result<()> {
    let (web, out) = (workspace.root.join("web"), workspace.page());
    files::create_folder(&out)?;
    let mut esbuild = Command::new(workspace.npm_bin("esbuild"));
    esbuild.current_dir(&workspace.root).arg("--log-level=warning");
    esbuild.args(["web/src/main.tsx", "web/src/style/app.css", "--entry-names=app", "--outdir=web/dist"]);
    // As old as what the style sheet needs: browsers of 2024.
    esbuild.args(["--bundle", "--minify", "--format=esm", "--target=es2022", "--legal-comments=none"]);
    // The privacy text.
    esbuild.arg("--loader:.md=text");
    process::run(&mut esbuild).context("the page")?;
    for name in FILES.iter().take(2) {
        fs::copy(web.join(name), out.join(name)).with_context(|| (*name).to_owned())?;
    }
    Ok(())
}
