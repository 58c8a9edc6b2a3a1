// Starts an instance of the wasm for the platform's requests, and a new one after a panic.

import { __wbg_reset_state, fetch, initSync } from './bindings.js';
import { poison, internalError, takePoisoned } from './glue.js';

export function start(module) {
  initSync({ module });
  addEventListener('error', ({ error }) => {
    if (error instanceof WebAssembly.RuntimeError) poison(error);
  });
  return (request, env, context) => {
    if (takePoisoned()) __wbg_reset_state();
    try {
      return fetch(request, env, context);
    } catch (error) {
      poison(error);
      return internalError();
    }
  };
}
