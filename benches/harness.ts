// Shared by the measurements: alternating rounds, ratios with their goals, tables, and the running product.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import postgres from 'postgres';

export type Values = Record<string, number>;
export type Samples = Record<string, Record<string, number[]>>;
/** Two candidates of a measure, compared within each round, so that disturbances affect both. */
export type Ratio = { what: string; of: string; to: string; atLeast?: number; atMost?: number };

/** A function of this product: its artefacts and its environment. */
export type BuiltFunction = { workerd: string; deno: string; compatibility_date: string; compatibility_flags: string[]; variables: Record<string, string> };

type Ready = {
  functions_url: string;
  supabase_url: string;
  publishable_key: string;
  secret_key: string;
  database_url: string;
  stripe_webhook_secret: string;
  simulators: { llm: string; spotify: string; stripe: string };
  pids: { functions: number };
};

export function variable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run \`cargo xtask bench\``);
  return value;
}

const folder = variable('BENCH_FOLDER');
export const work = path.join(folder, 'candidates');
const readyFile = (name: string) => JSON.parse(readFileSync(variable(name), 'utf8')) as Ready;
export const ready = readyFile('BENCH_READY_FILE');

export function builtFunction(name: string, described = variable('BENCH_FUNCTIONS')): BuiltFunction {
  return (JSON.parse(described) as Record<string, BuiltFunction>)[name] as BuiltFunction;
}

/** The function of the checkout to compare with, and the Supabase where its users sign up. */
export function builtAgainst(name: string): { built: BuiltFunction; ready: Ready } | undefined {
  const described = process.env.BENCH_AGAINST;
  return described === undefined ? undefined : { built: builtFunction(name, described), ready: readyFile('BENCH_AGAINST_READY_FILE') };
}

/** Measures every candidate once in each round; each round starts with another candidate. */
export async function inTurn(rounds: number, candidates: Record<string, () => Promise<Values>>, samples: Samples = {}): Promise<Samples> {
  const all = Object.entries(candidates);
  for (let round = 0; round < rounds; round += 1) {
    const turn = round % all.length;
    for (const [name, measure] of [...all.slice(turn), ...all.slice(0, turn)]) {
      for (const [what, value] of Object.entries(await measure())) ((samples[what] ??= {})[name] ??= []).push(value);
    }
  }
  return samples;
}

const number = (value: number) => value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : value < 1000 ? 1 : 0 });
const quantile = (values: number[], q: number) => values.toSorted((a, b) => a - b)[Math.round(q * (values.length - 1))] as number;

function spread(values: number[] | undefined): string {
  if (values === undefined) return '';
  const [low, middle, high] = [0.25, 0.5, 0.75].map((q) => number(quantile(values, q)));
  return low === high ? `${middle}` : `${middle} (${low}–${high})`;
}

function goal(ratio: number, { atLeast, atMost }: Ratio): string {
  if (atLeast !== undefined) return `≥ ${atLeast}${ratio >= atLeast ? '' : ' (missed)'}`;
  return atMost === undefined ? '' : `≤ ${atMost}${ratio <= atMost ? '' : ' (missed)'}`;
}

/** Writes and prints a table of all measures, and one of the ratios. */
export function report(name: string, about: string, samples: Samples, ratios: Ratio[] = []): void {
  const names = [...new Set(Object.values(samples).flatMap((of) => Object.keys(of)))];
  const rows = Object.entries(samples).map(([what, of]) => `| ${what} | ${names.map((name) => spread(of[name])).join(' | ')} |`);
  const compared = ratios.flatMap((ratio) => {
    const [of, to] = [samples[ratio.what]?.[ratio.of], samples[ratio.what]?.[ratio.to]];
    if (of === undefined || to === undefined) return [];
    const values = of.map((value, round) => value / (to[round] as number));
    return [`| ${ratio.what}: ${ratio.of} ÷ ${ratio.to} | ${spread(values)} | ${goal(quantile(values, 0.5), ratio)} |`];
  });
  const table = [about, '', `| median (middle half) | ${names.join(' | ')} |`, `|---|${names.map(() => '---|').join('')}`, ...rows];
  if (compared.length > 0) table.push('', '| ratio, taken in each round | median (middle half) | goal |', '|---|---|---|', ...compared);
  const text = `${table.join('\n')}\n`;
  writeFileSync(path.join(folder, `${name}.json`), `${JSON.stringify(samples, null, 2)}\n`);
  writeFileSync(path.join(folder, `${name}.md`), text);
  console.log(text);
  if (process.env.BENCH_RECORD !== undefined) record(name, text);
}

/** Writes a table between the markers of its page in docs/bench; the other text is written by hand. */
function record(name: string, table: string): void {
  const file = `docs/bench/${name}.md`;
  const machine = `${os.cpus()[0]?.model.trim()}, ${os.availableParallelism()} cores, ${os.type()} ${os.release().split('-')[0]}`;
  const head = `\`${variable('BENCH_RECORD')}\`, ${new Date().toISOString().slice(0, 10)}; ${machine}.`;
  const [before, after] = readFileSync(file, 'utf8').split(/<!-- measured -->[^]*<!-- \/measured -->/);
  writeFileSync(file, `${before}<!-- measured -->\n${head}\n\n${table}<!-- /measured -->${after}`);
}

const ofSystem = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '');

/** Runs `work`, and adds the processor time of a process if the system shows it. */
export async function withProcessorTime(pid: number, work: () => Promise<Values>): Promise<Values> {
  const threads = () => readdirSync(`/proc/${pid}/task`).map((thread) => Number(ofSystem(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0]) / 1e6);
  const spent = () => (existsSync(`/proc/${pid}/schedstat`) ? threads().reduce((sum, ms) => sum + ms, 0) : Number.NaN);
  const before = spent();
  const values = await work();
  const ms = spent() - before;
  return Number.isNaN(ms) ? values : { ...values, 'processor time, ms': ms };
}

export function residentMb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(ofSystem(`/proc/${pid}/status`))?.[1]) / 1024;
}

export async function control(simulator: keyof Ready['simulators'], name: string, body: unknown, method = 'PUT'): Promise<unknown> {
  const response = await fetch(`${ready.simulators[simulator]}/__control/${name}`, { method, body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${name}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

/** Signs up a user. */
export async function signUp({ publishable_key, supabase_url } = ready): Promise<{ id: string; token: string }> {
  const headers = { apikey: publishable_key, 'Content-Type': 'application/json' };
  const body = JSON.stringify({ email: `${crypto.randomUUID()}@example.com`, password: 'correct horse battery' });
  const response = await fetch(`${supabase_url}/auth/v1/signup`, { method: 'POST', headers, body });
  const { access_token, user } = (await response.json()) as { access_token: string; user: { id: string } };
  return { id: user.id, token: access_token };
}

const PLAYLISTS_EACH = 50;

/** Signs up enough paying users for a number of playlists. Returns a function that yields a token for each playlist. */
export async function payingUsers(playlists: number, at = ready): Promise<() => string> {
  const users = await Promise.all(Array.from({ length: Math.ceil(playlists / PLAYLISTS_EACH) }, () => signUp(at)));
  const sql = postgres(at.database_url, { max: 1, onnotice: () => {} });
  await sql`update public.profiles set plan = 'pro'`;
  await sql.end();
  let given = 0;
  return () => (users[Math.floor(given++ / PLAYLISTS_EACH)] as { token: string }).token;
}

/** @throws unless the response has the status 200. */
export async function askForPlaylist(functions: string, token: string, target_count: number, Accept = 'application/json'): Promise<Response> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', Accept };
  const body = JSON.stringify({ prompt: 'a cozy rainy evening, mellow acoustic', target_count });
  const response = await fetch(`${functions}/ai-playlist`, { method: 'POST', headers, body });
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return response;
}
