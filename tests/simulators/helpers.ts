import type { LogEntry } from './common/log.ts';
import type { Simulators } from './start.ts';
import { start } from './start.ts';

export const CLIENT_ID = 'client-id';
export const CLIENT_SECRET = 'client-secret';
export const API_KEY = 'llm-key';
export const STRIPE_KEY = 'sk_test_simulated';
export const PRICE_ID = 'price_pro';

export const REDIRECT_URI = 'http://127.0.0.1:8787/functions/v1/spotify-oauth/callback';

export function startForTests(): Promise<Simulators> {
  const spotify = { clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, redirectUris: [REDIRECT_URI] };
  return start({ spotify, llm: { apiKey: API_KEY }, stripe: { secretKey: STRIPE_KEY, priceId: PRICE_ID } });
}

/** Calls the control API and answers its JSON, if it has one. */
export async function control(base: string, call: string, body?: unknown): Promise<unknown> {
  const [method = '', name] = call.split(' ');
  const response = await fetch(`${base}/__control/${name}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${call}: ${response.status} ${text}`);
  }
  return text === '' ? undefined : JSON.parse(text);
}

export async function readLog(base: string): Promise<LogEntry[]> {
  return (await control(base, 'GET log')) as LogEntry[];
}

/** The log once it satisfies the condition: what happens after an answer reaches the client has no other signal. */
export async function logWhen(base: string, holds: (log: LogEntry[]) => boolean): Promise<LogEntry[]> {
  for (;;) {
    const log = await readLog(base);
    if (holds(log)) {
      return log;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export function basic(id = CLIENT_ID, secret = CLIENT_SECRET): string {
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
}

export function requestToken(base: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${base}/api/token`, {
    method: 'POST',
    headers: { authorization: basic(), 'content-type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=client_credentials',
    ...init,
  });
}

export async function token(base: string): Promise<string> {
  return ((await (await requestToken(base)).json()) as { access_token: string }).access_token;
}
