// Starts an instance of the wasm for the platform's requests, and a new one after a panic.

import { __wbg_reset_state, fetch, initSync } from './bindings.js';
import { internalError, poison, receive, takePoisoned } from './glue.js';

export function start(module) {
  initSync({ module });
  addEventListener('error', ({ error }) => {
    if (error instanceof WebAssembly.RuntimeError) poison(error);
  });
  // The wasm gets a request when its body is there: one crossing with all of it, often another one with the response.
  return async (request, env, context) => {
    const received = await receive(request);
    if (takePoisoned()) __wbg_reset_state();
    try {
      return fetch(request, env, context, ...received);
    } catch (error) {
      poison(error);
      return internalError();
    }
  };
}
