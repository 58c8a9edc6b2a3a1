//! The page, bundled: one document, one script, one style sheet, and the icon.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::files;
use crate::process;
use crate::setup;
use crate::workspace::Workspace;

/// The most that all of it may weigh, compressed as it travels.
pub const GZIP_BUDGET_KB: usize = 120;

/// What is served as it is.
const PLAIN: [&str; 2] = ["index.html", "icon.svg"];

/// Where the page is built.
pub fn folder(workspace: &Workspace) -> PathBuf {
    workspace.root.join("web/dist")
}

/// Bundles the page, unless nothing that it is made of has changed.
pub fn build(workspace: &Workspace) -> Result<()> {
    let (web, out) = (workspace.root.join("web"), folder(workspace));
    let made_from = made_from(workspace, &web)?;
    // Not in the folder itself, where everything is served.
    let stamp = workspace.target.join("page-made-from");
    if out.exists() && fs::read_to_string(&stamp).is_ok_and(|stamped| stamped == made_from) {
        return Ok(());
    }
    files::remove_folder(&out)?;
    files::create_folder(&out)?;
    let mut esbuild = Command::new(workspace.npm_bin("esbuild"));
    esbuild.current_dir(&workspace.root);
    esbuild.args(["web/src/main.tsx", "web/src/style/app.css", "--entry-names=app", "--outdir=web/dist"]);
    // As old as what the style sheet needs: browsers of 2024.
    esbuild.args(["--bundle", "--minify", "--format=esm", "--target=es2022", "--legal-comments=none"]);
    // The privacy text.
    esbuild.arg("--loader:.md=text");
    process::run_logged("the page", &mut esbuild, &workspace.target.join("page.log"))?;
    for name in PLAIN {
        let (from, to) = (web.join(name), out.join(name));
        fs::copy(&from, &to).with_context(|| from.display().to_string())?;
    }
    fs::write(&stamp, made_from).with_context(|| stamp.display().to_string())
}

/// All that the bundle depends on, in one line.
fn made_from(workspace: &Workspace, web: &Path) -> Result<String> {
    let mut sources = vec![workspace.root.join("package-lock.json"), workspace.root.join("tsconfig.json")];
    sources.extend(PLAIN.map(|name| web.join(name)));
    sources.extend(["docs/privacy.md", "docs/privacy.pl.md"].map(|name| workspace.root.join(name)));
    files_below(&web.join("src"), &mut sources)?;
    sources.sort();
    let mut bytes = Vec::new();
    for path in sources {
        bytes.extend(path.strip_prefix(&workspace.root)?.to_string_lossy().as_bytes());
        bytes.push(0);
        bytes.extend(fs::read(&path).with_context(|| path.display().to_string())?);
        bytes.push(0);
    }
    Ok(format!("{:016x}", files::fingerprint(&bytes)))
}

/// Every file of the built page.
pub fn built(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    setup::for_node(workspace)?;
    build(workspace)?;
    let mut found = Vec::new();
    files_below(&folder(workspace), &mut found)?;
    Ok(found)
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            files_below(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}
