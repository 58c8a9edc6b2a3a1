//! The platform's side of the function.

use shared::runtime::cors::AllowedOrigins;
use shared::runtime::wasm::{Function, Invocation, WorkerClock, WorkerHttp, WorkerRandom};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::config::Config;
use crate::handler::{Deps, ENDPOINT, handle};

thread_local! {
    // No page calls it.
    static FUNCTION: Function<Config, ()> =
        Function::new(ENDPOINT, |_| Ok(AllowedOrigins::default()), |env| Config::from_env(env));
}

#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

#[wasm_bindgen]
pub fn fetch(request: JsValue, env: JsValue, context: JsValue) -> JsValue {
    let invocation = Invocation { request, env, context: context.into() };
    FUNCTION.with(|function| {
        function.answer(invocation, move |request, config, call| async move {
            let http = call.observe(WorkerHttp, WorkerClock);
            handle(request, &Deps { http, clock: WorkerClock, random: &WorkerRandom, config, call }).await
        })
    })
}
