//! `bindings web|nodejs NAME WASM FOLDER` writes NAME.js and NAME_bg.wasm into FOLDER.
//!
//! The library builds in a fraction of the time that installing wasm-bindgen's command takes.

use anyhow::{Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [target, name, wasm, folder] = arguments.as_slice() else {
        bail!("usage: bindings web|nodejs NAME WASM FOLDER");
    };
    let mut bindgen = Bindgen::new();
    match target.as_str() {
        "web" => bindgen.web(true)?.reset_state_function(true),
        "nodejs" => bindgen.nodejs_module(true)?,
        other => bail!("there is no target {other}: expected web or nodejs"),
    };
    bindgen
        .typescript(false)
        .out_name(name)
        .input_path(wasm)
        .generate(folder)
}
