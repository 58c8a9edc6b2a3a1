//! The platform's side of the function.

use shared::runtime::cors::AllowedOrigins;
use shared::runtime::wasm::{Function, Invocation, WorkerClock, WorkerHttp};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::config::Config;
use crate::handler::{Caches, Deps, ENDPOINT, handle};

thread_local! {
    static FUNCTION: Function<Config, Caches> =
        Function::new(ENDPOINT, |env| AllowedOrigins::from_env(env), |env| Config::from_env(env));
}

#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

#[wasm_bindgen]
pub fn fetch(request: JsValue, env: JsValue, context: JsValue) -> JsValue {
    let invocation = Invocation { request, env, context: context.into() };
    FUNCTION.with(|function| {
        let caches = function.state.clone();
        function.answer(invocation, move |request, config, call| async move {
            let http = call.observe(WorkerHttp, WorkerClock);
            handle(request, &Deps { http, clock: WorkerClock, config, caches, call }).await
        })
    })
}
