//! The page, bundled: the document, and its scripts, styles and fonts under names that hold a hash of their contents.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use project::files;
use project::process;
use project::workspace::Workspace;

/// The budget of the whole page in KB, compressed as for transfer.
pub const GZIP_BUDGET_KB: usize = 100;

/// Files that name the hashed ones.
const DOCUMENTS: [&str; 2] = ["index.html", "404.html"];
/// The service worker, which names all files of the page.
const WORKER: &str = "worker.js";
/// Files that are served as they are.
const PLAIN: [&str; 3] = ["icon.svg", "touch-icon.png", "site.webmanifest"];
/// Everything in this folder has a hash in its name, so browsers may keep it for good.
const HASHED: &str = "assets";
/// What a name in a document stands for.
const NAMES: [(&str, &str); 2] = [
    ("{script}", "web/src/boot.ts"),
    ("{styles}", "web/src/style/app.css"),
];
/// What stands for the page's code, which the script imports, so that the browser asks for it together with the script.
const MODULES: &str = "{modules}";
const CODE: &str = "web/src/main.tsx";

#[derive(Deserialize)]
struct Bundle {
    outputs: BTreeMap<String, Output>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    entry_point: Option<String>,
    imports: Vec<Import>,
}

#[derive(Deserialize)]
struct Import {
    path: String,
    kind: String,
}

pub fn built(workspace: &Workspace) -> impl Iterator<Item = PathBuf> {
    let out = workspace.page();
    let hashed = fs::read_dir(out.join(HASHED))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let mut all: Vec<_> = DOCUMENTS
        .into_iter()
        .chain(PLAIN)
        .chain([WORKER])
        .map(|name| out.join(name))
        .chain(hashed)
        .collect();
    all.sort();
    all.into_iter()
}

/// Bundles the page, in a moment. A running server may serve the folder meanwhile, so no file that stays the same is
/// touched.
pub fn build(workspace: &Workspace) -> Result<()> {
    let (web, out) = (workspace.root.join("web"), workspace.page());
    let bundled = workspace
        .target
        .join(format!("page-{}", std::process::id()));
    let result =
        bundle(workspace, &bundled).and_then(|bundle| publish(&web, &bundle, &bundled, &out));
    files::remove_folder(&bundled)?;
    result
}

/// Bundles scripts, styles and fonts into a folder.
fn bundle(workspace: &Workspace, folder: &Path) -> Result<Bundle> {
    files::create_folder(folder)?;
    let metafile = folder.join("page.json");
    let mut esbuild = Command::new(workspace.npm_bin("esbuild"));
    esbuild
        .current_dir(&workspace.root)
        .arg("--log-level=warning");
    esbuild.args(NAMES.iter().map(|(_, source)| source));
    esbuild.args([
        "--bundle",
        "--minify",
        "--format=esm",
        "--splitting",
        "--target=es2022",
        "--legal-comments=none",
    ]);
    esbuild.args([
        "--entry-names=[name]-[hash]",
        "--chunk-names=[name]-[hash]",
        "--asset-names=[name]-[hash]",
    ]);
    esbuild
        .args(["--loader:.md=text", "--loader:.woff2=file"])
        .arg(format!("--outdir={}", folder.display()))
        .arg(format!("--metafile={}", metafile.display()));
    process::run(&mut esbuild).context("the page")?;
    serde_json::from_str(&fs::read_to_string(&metafile)?).context("esbuild's metafile")
}

/// Puts the page's files into the folder that is served: first those that a document names, then the documents.
fn publish(web: &Path, bundle: &Bundle, bundled: &Path, out: &Path) -> Result<()> {
    let hashed = out.join(HASHED);
    files::create_folder(&hashed)?;
    let names: Vec<&str> = bundle
        .outputs
        .keys()
        .filter_map(|path| path.rsplit('/').next())
        .collect();
    for name in &names {
        write(&hashed.join(name), &fs::read(bundled.join(name))?)?;
    }
    for name in DOCUMENTS {
        let text = fs::read_to_string(web.join(name)).with_context(|| name.to_owned())?;
        let text = NAMES.iter().try_fold(text, |text, (placeholder, source)| {
            anyhow::Ok(text.replace(placeholder, &name_of(output_of(bundle, source)?)))
        })?;
        let text = text.replace(MODULES, &modules(bundle)?);
        write(&out.join(name), text.as_bytes())?;
    }
    for name in PLAIN {
        write(&out.join(name), &fs::read(web.join(name))?)?;
    }
    let text = fs::read_to_string(web.join(WORKER)).context(WORKER)?;
    let text = text.replace("'{files}'", &kept(&names));
    write(&out.join(WORKER), text.as_bytes())?;
    // Files of earlier builds have other names.
    for entry in fs::read_dir(&hashed)? {
        let entry = entry?;
        if !names.iter().any(|name| entry.file_name() == *name) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Writes a file at once, unless it has these contents already.
fn write(path: &Path, contents: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == contents) {
        return Ok(());
    }
    let new = path.with_extension("new");
    fs::write(&new, contents)
        .and_then(|()| fs::rename(&new, path))
        .with_context(|| path.display().to_string())
}

/// What the service worker keeps: the document, its configuration, and all that it may load.
fn kept(hashed: &[&str]) -> String {
    let hashed = hashed.iter().map(|name| format!("'./{HASHED}/{name}'"));
    let plain = ["", "config.json"]
        .into_iter()
        .chain(PLAIN)
        .map(|name| format!("'./{name}'"));
    plain.chain(hashed).collect::<Vec<_>>().join(", ")
}

/// The path of a source's output.
fn output_of<'a>(bundle: &'a Bundle, source: &str) -> Result<&'a str> {
    bundle
        .outputs
        .iter()
        .find(|(_, output)| output.entry_point.as_deref() == Some(source))
        .map(|(path, _)| path.as_str())
        .with_context(|| format!("nothing was made of {source}"))
}

/// The same, within the page.
fn name_of(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    format!("{HASHED}/{name}")
}

/// The links that name the page's code and the files that it imports.
fn modules(bundle: &Bundle) -> Result<String> {
    let mut paths = vec![output_of(bundle, CODE)?];
    let mut at = 0;
    while let Some(output) = paths.get(at).and_then(|path| bundle.outputs.get(*path)) {
        for Import { path, kind } in &output.imports {
            if kind == "import-statement" && !paths.contains(&path.as_str()) {
                paths.push(path);
            }
        }
        at += 1;
    }
    let links = paths
        .iter()
        .map(|path| format!("<link rel=\"modulepreload\" href=\"{}\">", name_of(path)));
    Ok(links.collect::<Vec<_>>().join("\n    "))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn file_is_replaced_only_if_its_contents_change() {
        let file = std::env::temp_dir().join(format!("page-{}.txt", std::process::id()));
        let inode_after = |contents: &[u8]| {
            write(&file, contents).unwrap();
            assert_eq!(fs::read(&file).unwrap(), contents);
            fs::metadata(&file).unwrap().ino()
        };
        let first = inode_after(b"a");
        assert_eq!(inode_after(b"a"), first);
        assert_ne!(inode_after(b"b"), first);
        fs::remove_file(&file).unwrap();
    }
}
