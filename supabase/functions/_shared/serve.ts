/** Runs a function's wasm, the same that Cloudflare runs, as a Supabase Edge Function. */

interface Context {
  waitUntil(promise: Promise<unknown>): void;
  passThroughOnException(): void;
}

type Environment = Record<string, string>;

/** Starts the wasm; returns the handler of requests. */
type Start = (module: WebAssembly.Module) => (request: Request, env: Environment, context: Context) => Response | Promise<Response>;

/** The artefacts of `cargo xtask build` for a function. */
interface Embedded {
  /** The compiled function in base64: every deployment includes modules, but not always other files. */
  wasm: string;
  /** The function's role in the database, or null if it needs none. */
  role: string | null;
  /** The variables that it reads, without those that the platform sets. */
  variables: string[];
}

declare const EdgeRuntime: { waitUntil(promise: Promise<unknown>): void } | undefined;

/** The variables that the platform sets, with the newest names first in each line. */
const INJECTED = ['SUPABASE_URL', 'SUPABASE_PUBLISHABLE_KEYS', 'SUPABASE_PUBLISHABLE_KEY', 'SUPABASE_ANON_KEY'];
const INJECTED_SECRETS = ['SUPABASE_SECRET_KEYS', 'SUPABASE_SECRET_KEY', 'SUPABASE_SERVICE_ROLE_KEY'];

/** The platform reserves this prefix, so the functions' own variables are set without it. */
const RESERVED = 'SUPABASE_';

const context: Context = {
  waitUntil(promise) {
    // A failure must be logged and must not end the process.
    const settled = promise.catch((error) => console.error(error));
    if (typeof EdgeRuntime !== 'undefined') EdgeRuntime.waitUntil(settled);
  },
  passThroughOnException() {},
};

export function serve(start: Start, { wasm, role, variables }: Embedded): void {
  const fetch = start(new WebAssembly.Module(decode(wasm)));
  const env = environment(role, variables);
  Deno.serve((request) => fetch(request, env, context));
}

/** All functions of a project share one environment; each receives only its own variables. */
function environment(role: string | null, variables: string[]): Environment {
  const env: Environment = {};
  const take = (name: string, from = name) => {
    const value = Deno.env.get(from);
    if (value) env[name] = value;
  };
  for (const name of INJECTED) take(name);
  for (const name of variables) {
    if (!INJECTED.includes(name)) take(name, name.startsWith(RESERVED) ? name.slice(RESERVED.length) : name);
  }
  if (role) {
    take('SUPABASE_FUNCTION_TOKEN', `${role.toUpperCase()}_TOKEN`);
    if (!env.SUPABASE_FUNCTION_TOKEN) for (const name of INJECTED_SECRETS) take(name);
  }
  return env;
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}
