import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createClient } from '@supabase/supabase-js';
import type { Session, SupabaseClient } from '@supabase/supabase-js';

const required = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`set ${name} to the Supabase that is to be asked`);
  return value;
};

export const supabase_url = required('SUPABASE_URL').replace(/\/+$/, '');
export const publishable_key = required('SUPABASE_PUBLISHABLE_KEY');
export const secret_key = required('SUPABASE_SECRET_KEY');

export type User = { id: string; email: string; password: string; token: string; session: Session; client: SupabaseClient };

export function newClient(key = publishable_key): SupabaseClient {
  return createClient(supabase_url, key, { auth: { persistSession: false, autoRefreshToken: false } });
}

export async function signUp(data: Record<string, unknown> = {}): Promise<User> {
  const client = newClient();
  const email = `conformance-${randomUUID()}@example.com`;
  const password = randomUUID();
  const { data: answer, error } = await client.auth.signUp({ email, password, options: { data } });
  assert.equal(error, null);
  assert.ok(answer.session, 'sign-ups must not need a confirmation');
  return { id: answer.session.user.id, email, password, token: answer.session.access_token, session: answer.session, client };
}

export type Answer = { status: number; headers: Headers; text: string; json: any };

type Call = { method?: string; token?: string | undefined; key?: string | null; headers?: Record<string, string>; body?: unknown };

/** One plain request; `key: null` leaves the API key out. */
export async function call(path: string, { method, token, key = publishable_key, headers = {}, body }: Call = {}): Promise<Answer> {
  const response = await fetch(`${supabase_url}${path}`, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...(key && { apikey: key }), ...(token && { Authorization: `Bearer ${token}` }), ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers },
    body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  const json = await new Response(text).json().catch(() => null);
  return { status: response.status, headers: response.headers, text, json };
}

/** A refusal in PostgREST's form: the status, the code, and all four fields. */
export function assertRefused(answer: Answer, status: number, code: string, message?: RegExp): void {
  assert.deepEqual({ status: answer.status, code: answer.json?.code }, { status, code }, answer.text);
  assert.deepEqual(Object.keys(answer.json).sort(), ['code', 'details', 'hint', 'message']);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
  if (message) assert.match(answer.json.message, message);
}

export async function createPlaylist(user: User, name = `Playlist ${randomUUID()}`): Promise<string> {
  const headers = { Prefer: 'return=representation' };
  const answer = await call('/rest/v1/playlists?select=id', { token: user.token, body: { owner_id: user.id, name }, headers });
  assert.equal(answer.status, 201, answer.text);
  return answer.json[0].id;
}

/** A well-formed URI per number; nothing looks it up. */
export function track(number: number): { track_uri: string; title: string } {
  return { track_uri: `spotify:track:${String(number).padStart(22, '0')}`, title: `Title ${number}` };
}

export const ISO_TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00$/;
