// Replaces wasm-bindgen's output with an instance that panics on demand, with a real trap.

import * as glue from '../../shared/src/runtime/wasm/glue.js';

/** `(module (func (export "panic") unreachable))` */
const BYTES = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 9, 1, 5, 112, 97, 110, 105, 99, 0, 0, 10, 5, 1, 3, 0, 0, 11];
const { panic } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(BYTES))).exports;

const PANIC = 1;
const RESUMED = 2;
let lastTicket = RESUMED;

/** The callbacks of each instance. */
export const instances = [];

function begin() {
  const resumed = [];
  instances.push(resumed);
  glue.connect((ticket) => {
    resumed.push(ticket);
    if (ticket === PANIC) panic();
  }, 'accept\n', 'retry-after\n', 'cache-control\nno-store\nx-content-type-options\nnosniff\n');
}

export const initSync = begin;
export const __wbg_reset_state = begin;

export function fetch(request) {
  switch (new URL(request.url).pathname) {
    case '/panic':
      return panic();
    case '/wait': {
      glue.sleep(RESUMED, 50);
      return glue.promise(++lastTicket); // Never settled.
    }
    case '/panic-later': {
      glue.sleep(PANIC, 0);
      return glue.promise(++lastTicket);
    }
    default:
      return Response.json({ instance: instances.length });
  }
}
