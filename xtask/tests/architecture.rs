//! Tests of the rules of CONTRIBUTING.md that lints cannot check.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::fs;
use std::path::{Path, PathBuf};

use project::workspace::Workspace;

fn files_below(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["build", "node_modules", "target"].contains(&name.as_str()) {
            files_below(&path, extension, found);
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}

/// The files below some folders of the workspace: path from the root, and text.
fn sources(folders: &[&str], extension: &str) -> Vec<(String, String)> {
    let root = Workspace::open().unwrap().root;
    let mut found = Vec::new();
    for folder in folders {
        files_below(&root.join(folder), extension, &mut found);
    }
    assert!(!found.is_empty());
    let relative = |path: &Path| {
        path.strip_prefix(&root)
            .unwrap()
            .to_string_lossy()
            .replace('\\', "/")
    };
    found
        .iter()
        .map(|path| (relative(path), fs::read_to_string(path).unwrap()))
        .collect()
}

fn function_code() -> Vec<(String, String)> {
    sources(&["functions", "shared/src"], "rs")
}

#[test]
fn only_the_gateways_entry_and_the_runtime_module_see_javascript() {
    for (path, text) in function_code() {
        // context.rs has the macro that exports a function; unicode.rs uses the runtime's tables of Unicode.
        let allowed = [
            "functions/gateway/src/entry.rs",
            "shared/src/runtime/context.rs",
            "shared/src/unicode.rs",
        ];
        let may = allowed.contains(&path.as_str()) || path.starts_with("shared/src/runtime/wasm/");
        let crates = ["worker::", "wasm_bindgen::", "js_sys::", "web_sys::"];
        let sees = |line: &str| crates.iter().any(|name| line.contains(name));
        let does = text
            .lines()
            .any(|line| sees(line) && !line.trim_start().starts_with("//"));
        assert!(may || !does, "{path} sees JavaScript");
    }
}

#[test]
fn no_function_depends_on_another() {
    let workspace = Workspace::open().unwrap();
    for function in &workspace.functions {
        let manifest = fs::read_to_string(function.dir.join("Cargo.toml")).unwrap();
        for other in workspace
            .functions
            .iter()
            .filter(|other| other.name != function.name)
        {
            let depends = manifest.lines().any(|line| line.starts_with(&other.name));
            assert!(!depends, "{} depends on {}", function.name, other.name);
        }
    }
}

#[test]
fn generated_inputs_are_not_part_of_any_wasm() {
    let workspace = Workspace::open().unwrap();
    let folders = workspace
        .functions
        .iter()
        .map(|function| function.dir.clone());
    for folder in folders.chain([workspace.root.join("shared")]) {
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let natively = "[target.'cfg(not(target_arch = \"wasm32\"))'.dev-dependencies]\ninputs.workspace = true\n";
        let others = manifest.replace(natively, "");
        assert!(
            !others.contains("inputs") && !others.contains("proptest"),
            "{}",
            folder.display()
        );
    }
}

/// The runner succeeds for a crate without tests.
#[test]
fn a_crate_that_depends_on_tests_for_wasm_has_some() {
    let workspace = Workspace::open().unwrap();
    for crate_folder in ["shared".to_owned()].into_iter().chain(
        workspace
            .functions
            .iter()
            .map(|function| format!("functions/{}", function.name)),
    ) {
        let manifest =
            fs::read_to_string(workspace.root.join(&crate_folder).join("Cargo.toml")).unwrap();
        let mut code = sources(&[&crate_folder], "rs").into_iter();
        let has_tests = code.any(|(_, text)| text.contains("wasm_bindgen_test::wasm_bindgen_test"));
        assert_eq!(
            manifest.contains("wasm-bindgen-test"),
            has_tests,
            "{crate_folder}"
        );
    }
}

#[test]
fn every_function_has_the_same_layout_and_lints() {
    for function in Workspace::open().unwrap().functions {
        let lib = fs::read_to_string(function.dir.join("src/lib.rs")).unwrap();
        assert!(
            lib.starts_with("//!"),
            "{} does not say what it promises",
            function.name
        );
        let manifest = fs::read_to_string(function.dir.join("Cargo.toml")).unwrap();
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{} has lints of its own",
            function.name
        );
    }
}

#[test]
fn the_compatibility_date_is_that_of_the_runtime_that_is_tested() {
    let workspace = Workspace::open().unwrap();
    let packages = fs::read_to_string(workspace.root.join("package.json")).unwrap();
    let packages: serde_json::Value = serde_json::from_str(&packages).unwrap();
    // workerd's version is the newest date that it supports.
    let date = packages["devDependencies"]["workerd"]
        .as_str()
        .unwrap()
        .split('.')
        .nth(1)
        .unwrap();
    assert_eq!(workspace.wrangler.compatibility_date.replace('-', ""), date);
}

/// `cargo xtask generate` writes the same for the functions.
#[test]
fn cloudflare_logs_no_urls_of_requests_to_the_gateway() {
    let file = fs::read_to_string(Workspace::open().unwrap().root.join("wrangler.toml")).unwrap();
    let file: toml::Value = toml::from_str(&file).unwrap();
    assert_eq!(
        file["observability"]["logs"]["invocation_logs"].as_bool(),
        Some(false)
    );
}

/// Optional packages for untested systems, whose hash is not recorded yet; the registry shows it. This list must only get
/// shorter.
const WITHOUT_A_HASH: [&str; 11] = [
    "@squawk-cli/darwin-arm64",
    "@squawk-cli/darwin-x64",
    "@squawk-cli/linux-arm64",
    "@squawk-cli/win32-x64",
    "@supabase/cli-darwin-arm64",
    "@supabase/cli-darwin-x64",
    "@supabase/cli-linux-arm64",
    "@supabase/cli-linux-arm64-musl",
    "@supabase/cli-linux-x64-musl",
    "@supabase/cli-windows-arm64",
    "@supabase/cli-windows-x64",
];

#[test]
fn every_package_is_locked_to_its_contents_and_to_no_registry() {
    let root = Workspace::open().unwrap().root;
    let npm = fs::read_to_string(root.join("package-lock.json")).unwrap();
    let npm: serde_json::Value = serde_json::from_str(&npm).unwrap();
    let packages = npm["packages"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(path, _)| !path.is_empty());
    let mut without = Vec::new();
    for (path, package) in packages {
        assert!(package.get("resolved").is_none(), "{path} names a registry");
        if !package["integrity"]
            .as_str()
            .is_some_and(|hash| hash.starts_with("sha512-"))
        {
            assert_eq!(package["optional"], true, "{path} has no hash");
            without.push(path.rsplit("node_modules/").next().unwrap());
        }
    }
    assert_eq!(without, WITHOUT_A_HASH);
    let cargo: toml::Value =
        toml::from_str(&fs::read_to_string(root.join("Cargo.lock")).unwrap()).unwrap();
    for package in cargo["package"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it.get("source").is_some())
    {
        assert_eq!(
            package["source"].as_str(),
            Some("registry+https://github.com/rust-lang/crates.io-index")
        );
        assert!(package.get("checksum").is_some(), "{package:?}");
    }
    for folder in ["tests/openapi", "tests/compat/models"] {
        let python = fs::read_to_string(root.join(folder).join("requirements.txt")).unwrap();
        assert!(
            !python.contains("://") && !python.contains("index-url"),
            "{folder} names a registry"
        );
    }
}

#[test]
fn no_sql_stands_outside_supabase() {
    let statements = [
        "insert into ",
        "update public.",
        "delete from ",
        "select * from ",
        "create table",
    ];
    for (path, text) in function_code() {
        let lower = text.to_lowercase();
        for statement in statements {
            assert!(!lower.contains(statement), "{path} holds SQL: {statement}");
        }
    }
}

#[test]
fn every_migration_has_its_pgtap_file_and_says_why() {
    let root = Workspace::open().unwrap().root;
    for (path, text) in sources(&["supabase/migrations"], "sql") {
        let test = path.replace("supabase/migrations", "supabase/tests");
        assert!(root.join(&test).exists(), "{path} has no {test}");
        assert!(text.starts_with("--"), "{path} has no header");
        let definers = text.matches("security definer").count();
        let safe = text
            .matches("security definer set search_path = ''")
            .count();
        assert_eq!(
            definers, safe,
            "{path}: a definer function without search_path = ''"
        );
    }
}

#[test]
fn product_does_not_mention_the_simulators() {
    for (path, text) in function_code() {
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        assert!(
            !product.contains("__control") && !product.contains("imulator"),
            "{path} knows of a simulator"
        );
    }
}

#[test]
fn the_page_knows_no_simulator_no_secret_and_no_markup_made_of_data() {
    let mut page = sources(&["web/src"], "ts");
    page.extend(sources(&["web/src"], "tsx"));
    for (path, text) in page {
        for word in [
            "__control",
            "imulator",
            "SECRET",
            "innerHTML",
            "dangerouslySet",
            "127.0.0.1",
        ] {
            assert!(!text.contains(word), "{path} holds {word}");
        }
        assert!(text.lines().count() < 500, "{path} is too long");
    }
}
