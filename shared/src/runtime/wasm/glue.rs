//! The Rust side of `glue.js`.

use wasm_bindgen::prelude::{Closure, JsValue, wasm_bindgen};

#[wasm_bindgen(raw_module = "./glue.js")]
extern "C" {
    pub fn connect(resume: &Closure<dyn Fn(u32, u32)>, response_headers: &str, common: &str);

    pub fn accept(max_body_bytes: f64, request_headers: &str);
    pub fn promise(id: u32) -> JsValue;
    #[wasm_bindgen(js_name = waitUntil)]
    pub fn wait_until(context: &JsValue, promise: &JsValue);
    pub fn resolve(id: u32);
    pub fn answer(id: u32, status: u16, headers: &str, request_id: &str, body: &[u8]) -> JsValue;
    pub fn open(id: u32, status: u16, headers: &str, request_id: &str) -> Outgoing;

    #[wasm_bindgen(js_name = getEnv)]
    pub fn get_env(env: &JsValue, name: &str) -> Option<String>;
    pub fn info(line: &str);
    pub fn error(line: &str);

    pub fn sleep(id: u32, ms: f64) -> f64;
    pub fn cancel(timer: f64);

    #[wasm_bindgen(js_name = onDisconnect)]
    pub fn on_disconnect(id: u32, request: &JsValue);

    #[allow(
        clippy::too_many_arguments,
        reason = "they cross the FFI boundary in one call"
    )]
    pub fn exchange(
        id: u32,
        method: &str,
        url: &str,
        headers: &str,
        body: &[u8],
        idle_timeout_ms: f64,
        total_ms: f64,
        max: f64,
        is_document: bool,
    ) -> Exchange;

    pub type Exchange;
    #[wasm_bindgen(method, getter)]
    pub fn status(this: &Exchange) -> u16;
    #[wasm_bindgen(method, getter)]
    pub fn ended(this: &Exchange) -> u32;
    #[wasm_bindgen(method)]
    pub fn headers(this: &Exchange) -> String;
    #[wasm_bindgen(method)]
    pub fn take(this: &Exchange) -> Vec<u8>;
    #[wasm_bindgen(method)]
    pub fn read(this: &Exchange, id: u32);
    #[wasm_bindgen(method)]
    pub fn abort(this: &Exchange);

    pub type Outgoing;
    #[wasm_bindgen(method, getter)]
    pub fn response(this: &Outgoing) -> JsValue;
    #[wasm_bindgen(method)]
    pub fn write(this: &Outgoing, id: u32, bytes: &[u8]);
    #[wasm_bindgen(method, js_name = onCancel)]
    pub fn on_cancel(this: &Outgoing, id: u32);
    #[wasm_bindgen(method)]
    pub fn end(this: &Outgoing);
}
