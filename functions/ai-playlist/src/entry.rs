//! The platform's side of the function.

use std::rc::Rc;

use futures_util::FutureExt;
use shared::runtime::cors::AllowedOrigins;
use shared::runtime::wasm::{Function, Invocation, WorkerClock, WorkerHttp, WorkerRandom};
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
    let (spawn, client_gone) = (invocation.spawner(), invocation.client_gone().shared());
    FUNCTION.with(|function| {
        let caches = function.state.clone();
        function.answer(invocation, move |request, config, call| async move {
            let http = call.observe(WorkerHttp, WorkerClock);
            let random = Rc::new(WorkerRandom);
            let deps = Deps { http, clock: WorkerClock, random, config, caches, spawn, client_gone, call };
            handle(request, deps).await
        })
    })
}
