//! wasm-bindgen's command: wasm-pack asks it for its version before it runs the tests.

fn main() -> anyhow::Result<()> {
    wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(std::env::args_os())
}
