//! The context that a handler receives with each request.

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;

use super::clock::Clock;
use super::endpoint::{RequestContext, Spawn};
use super::http_client::HttpClient;
use super::random::Random;

/// What the runtime passes to a handler with each request.
pub struct Context<Config, Caches = ()> {
    /// Sends requests to upstreams; the log line counts them.
    pub http: Rc<dyn HttpClient>,
    /// The clock.
    pub clock: Rc<dyn Clock>,
    /// The random generator.
    pub random: Rc<dyn Random>,
    /// The function's configuration.
    pub config: Rc<Config>,
    /// Results that outlive a request and hold no data of it.
    pub caches: Rc<Caches>,
    /// Spawns work that continues after the response was returned.
    pub spawn: Spawn,
    /// Returns a future that completes when the client disconnects. It never completes if the platform does not report that.
    pub client_gone: Rc<dyn Fn() -> LocalBoxFuture<'static, ()>>,
    /// The request's id, log and metrics.
    pub request: RequestContext,
}

impl<Config, Caches> Clone for Context<Config, Caches> {
    fn clone(&self) -> Self {
        Self {
            http: self.http.clone(),
            clock: self.clock.clone(),
            random: self.random.clone(),
            config: self.config.clone(),
            caches: self.caches.clone(),
            spawn: self.spawn.clone(),
            client_gone: self.client_gone.clone(),
            request: self.request.clone(),
        }
    }
}

/// Exports a function to the platform: `export!(ENDPOINT, Config, Caches, handle)`.
///
/// `Config` must have `from_env` and `Caches` a default. The platform calls `handle` for each request.
#[macro_export]
macro_rules! export {
    ($endpoint:expr, $config:ty, $caches:ty, $handle:path) => {
        #[cfg(all(target_arch = "wasm32", not(test)))]
        const _: () = {
            use $crate::runtime::wasm::{Function, JsValue, wasm_bindgen};

            ::std::thread_local! {
                static FUNCTION: Function<$config, $caches> =
                    Function::new($endpoint, |env| <$config>::from_env(env));
            }

            /// Handles a request of the platform.
            #[wasm_bindgen::prelude::wasm_bindgen(wasm_bindgen = $crate::runtime::wasm::wasm_bindgen)]
            pub fn fetch(request: JsValue, env: JsValue, context: JsValue) -> JsValue {
                FUNCTION.with(|function| function.fetch(request, env, context, $handle))
            }
        };

        /// Reads the configuration, as the entry does.
        ///
        /// # Errors
        /// [`ConfigError`]($crate::config::ConfigError) names what is missing or invalid.
        #[cfg(not(target_arch = "wasm32"))]
        pub fn configure(
            env: &dyn Fn(&str) -> ::std::option::Option<::std::string::String>,
        ) -> ::std::result::Result<(), $crate::config::ConfigError> {
            <$config>::from_env(env).map(drop)
        }
    };
}
