// The Cloudflare worker.

import module from './index_bg.wasm';
import { start } from './entry.js';

export default { fetch: start(module) };
