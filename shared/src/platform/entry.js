// What a platform starts: an instance of the wasm for its requests, and a new one where that has panicked.

import { __wbg_reset_state, fetch, initSync } from './bindings.js';
import { giveUp, internalError, takeBroken } from './glue.js';

export function start(module) {
  initSync({ module });
  addEventListener('error', ({ error }) => {
    if (error instanceof WebAssembly.RuntimeError) giveUp(error);
  });
  return (request, env, context) => {
    if (takeBroken()) __wbg_reset_state();
    try {
      return fetch(request, env, context);
    } catch (error) {
      giveUp(error);
      return internalError();
    }
  };
}
