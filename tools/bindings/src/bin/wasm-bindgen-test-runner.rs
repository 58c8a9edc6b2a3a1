//! wasm-bindgen's runner of the tests for wasm, which cargo calls with a test's wasm.

fn main() -> anyhow::Result<()> {
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(std::env::args_os())
}
