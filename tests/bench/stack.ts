// The running product, as `cargo xtask bench` hands it to a measurement.

import { readFileSync } from 'node:fs';
import { variable } from './environment.ts';

/** A function of ours: what it is built into, and what it is served with. */
export type BuiltFunction = {
  /** index.js and index_bg.wasm, as workerd loads them. */
  workerd: string;
  /** The entry for Supabase's Edge Runtime. */
  deno: string;
  compatibility_date: string;
  compatibility_flags: string[];
  variables: Record<string, string>;
};

export type Ready = {
  functions_url: string;
  supabase_url: string;
  publishable_key: string;
  secret_key: string;
  database_url: string;
  stripe_webhook_secret: string;
  simulators: { llm: string; spotify: string; stripe: string };
  pids: { functions: number };
};

export const ready = JSON.parse(readFileSync(variable('BENCH_READY_FILE'), 'utf8')) as Ready;
/** What the product's functions have logged. */
export const functionsLog = variable('BENCH_LOG');

const functions = JSON.parse(variable('BENCH_FUNCTIONS')) as Record<string, BuiltFunction | undefined>;

export function ours(name: string): BuiltFunction {
  const found = functions[name];
  if (found === undefined) throw new Error(`there is no function ${name}`);
  return found;
}

/** Calls the control API of a simulator. */
export async function control(simulator: keyof Ready['simulators'], call: string, body?: unknown): Promise<unknown> {
  const [method = '', name] = call.split(' ');
  const response = await fetch(`${ready.simulators[simulator]}/__control/${name}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${call}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
