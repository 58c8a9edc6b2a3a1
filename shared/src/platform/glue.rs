//! The other side of `glue.js`.

use wasm_bindgen::prelude::{Closure, JsValue, wasm_bindgen};

#[wasm_bindgen(raw_module = "./glue.js")]
extern "C" {
    pub fn connect(resume: &Closure<dyn Fn(u32, u32)>, names: &str, common: &str);

    pub fn promise(ticket: u32) -> JsValue;
    pub fn hold(context: &JsValue, promise: &JsValue);
    pub fn release(ticket: u32);
    pub fn answer(ticket: u32, status: u16, headers: &str, body: &[u8]);
    pub fn open(ticket: u32, status: u16, headers: &str) -> Outgoing;

    pub fn variable(env: &JsValue, name: &str) -> Option<String>;
    pub fn info(line: &str);
    pub fn error(line: &str);

    pub fn sleep(ticket: u32, ms: f64) -> f64;
    pub fn cancel(timer: f64);

    pub fn head(request: &JsValue) -> String;
    #[wasm_bindgen(js_name = whenGone)]
    pub fn when_gone(ticket: u32, request: &JsValue);
    pub fn receive(ticket: u32, request: &JsValue, max: f64) -> Incoming;

    #[allow(clippy::too_many_arguments, reason = "they cross the border together")]
    pub fn exchange(
        ticket: u32,
        method: &str,
        url: &str,
        headers: &str,
        body: &[u8],
        silence_ms: f64,
        total_ms: f64,
        max: f64,
        is_document: bool,
    ) -> Exchange;

    pub type Incoming;
    #[wasm_bindgen(method)]
    pub fn take(this: &Incoming) -> Vec<u8>;

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
    pub fn read(this: &Exchange, ticket: u32);
    #[wasm_bindgen(method)]
    pub fn abort(this: &Exchange);

    pub type Outgoing;
    #[wasm_bindgen(method)]
    pub fn write(this: &Outgoing, ticket: u32, bytes: &[u8]);
    #[wasm_bindgen(method, js_name = whenLeft)]
    pub fn when_left(this: &Outgoing, ticket: u32);
    #[wasm_bindgen(method)]
    pub fn end(this: &Outgoing);
}
