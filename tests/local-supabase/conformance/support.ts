import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createClient } from '@supabase/supabase-js';
import type { Session, SupabaseClient } from '@supabase/supabase-js';

const required = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`set ${name} to that of the Supabase under test`);
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
  const { data: signedUp, error } = await client.auth.signUp({ email, password, options: { data } });
  assert.equal(error, null);
  assert.ok(signedUp.session, 'sign-ups must not need a confirmation');
  return { id: signedUp.session.user.id, email, password, token: signedUp.session.access_token, session: signedUp.session, client };
}

export type Reply = { status: number; headers: Headers; text: string; json: any };

type Call = { method?: string; token?: string | undefined; key?: string | null; headers?: Record<string, string>; body?: unknown };

/** Sends one request; `key: null` omits the API key. */
export async function call(path: string, { method, token, key = publishable_key, headers = {}, body }: Call = {}): Promise<Reply> {
  const response = await fetch(`${supabase_url}${path}`, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...(key && { apikey: key }), ...(token && { Authorization: `Bearer ${token}` }), ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers },
    body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  const json = await new Response(text).json().catch(() => null);
  return { status: response.status, headers: response.headers, text, json };
}

/** Asserts a refusal in PostgREST's form: the status, the code, and all four fields. */
export function assertRefused(reply: Reply, status: number, code: string, message?: RegExp): void {
  assert.deepEqual({ status: reply.status, code: reply.json?.code }, { status, code }, reply.text);
  assert.deepEqual(Object.keys(reply.json).sort(), ['code', 'details', 'hint', 'message']);
  assert.match(reply.headers.get('content-type') ?? '', /^application\/json/);
  if (message) assert.match(reply.json.message, message);
}

export async function createPlaylist(user: User, name = `Playlist ${randomUUID()}`): Promise<string> {
  const headers = { Prefer: 'return=representation' };
  const reply = await call('/rest/v1/playlists?select=id', { token: user.token, body: { owner_id: user.id, name }, headers });
  assert.equal(reply.status, 201, reply.text);
  return reply.json[0].id;
}

/** A well-formed URI for each number; the track need not exist. */
export function track(number: number): { track_uri: string; title: string } {
  return { track_uri: `spotify:track:${String(number).padStart(22, '0')}`, title: `Title ${number}` };
}

export const ISO_TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00$/;
