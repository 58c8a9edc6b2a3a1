// One attack: its name, its request, and the refusal that it must get.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Reply } from '../../local-supabase/conformance/support.ts';
import { call } from '../../local-supabase/conformance/support.ts';
import type { Scene } from './scene.ts';
import { truth } from './scene.ts';

/** A request by Mallory unless it names another user. */
export type Ask = {
  method: string;
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  token?: string | undefined;
  key?: string;
};

export type Attack = {
  what: string;
  ask: Ask;
  /** Throws if the response is not the expected refusal. */
  expected: (reply: Reply) => void;
};

export const get = (path: string, headers: Record<string, string> = {}): Ask => ({ method: 'GET', path: `/rest/v1${path}`, headers });
export const head = (path: string): Ask => ({ method: 'HEAD', path: `/rest/v1${path}`, headers: { Prefer: 'count=exact' } });
export const post = (path: string, body: unknown, prefer?: string) => writing('POST', path, body, prefer);
export const patch = (path: string, body: unknown, prefer?: string) => writing('PATCH', path, body, prefer);
export const put = (path: string, body: unknown) => writing('PUT', path, body);
export const del = (path: string, prefer?: string) => writing('DELETE', path, undefined, prefer);
export const rpc = (name: string, args: object = {}): Ask => ({ method: 'POST', path: `/rest/v1/rpc/${name}`, body: args });

/** By default the request asks for the written rows in return, so that a reached row shows. */
function writing(method: string, path: string, body: unknown, prefer = 'return=representation'): Ask {
  return { method, path: `/rest/v1${path}`, body, headers: { Prefer: prefer } };
}

/** Refused by PostgreSQL: a right that is not granted, or a row that row-level security does not let in. */
export const denied = refused([403], '42501');
export const deniedToAnon = refused([401], '42501');
/** A statement without a condition, which a hosted project refuses before it checks grants. */
export const deniedForAll = either(denied, refused([400], '21000'));
export const unknown = refused([404], 'PGRST202', 'PGRST205', '42P01');
/** Partitions: some versions of PostgREST do not know them, others are denied access. */
export const hidden = refused([403, 404], '42501', 'PGRST202', 'PGRST205', '42P01');
/** The functions for users report another user's row and a deleted one as missing. */
export const noPlaylist = refused([404], 'PT404');
export const nonsense = refused([422], 'PT422');
export const schemaNotExposed = refused([406], 'PGRST106');

export function badKey(reply: Reply): void {
  assert.deepEqual([reply.status, reply.json?.message], [401, 'Invalid API key']);
}

export function nothing(reply: Reply): void {
  assert.ok([200, 201, 204, 206].includes(reply.status), `${reply.status} ${reply.text}`);
  assert.ok(reply.text === '' || (Array.isArray(reply.json) && reply.json.length === 0), reply.text);
  const range = reply.headers.get('content-range');
  if (range !== null) assert.match(range, /^\*\/(\*|0)$/);
}

export function refused(statuses: readonly number[], ...codes: string[]): (reply: Reply) => void {
  return (reply) => {
    assert.ok(statuses.includes(reply.status), `${reply.status} ${reply.text}`);
    // A response to HEAD has no body.
    if (reply.text !== '') assert.ok(codes.includes(reply.json?.code), reply.text);
  };
}

export function either(...expectations: Attack['expected'][]): Attack['expected'] {
  return (reply) => {
    const failures: unknown[] = [];
    for (const expected of expectations) {
      try {
        return expected(reply);
      } catch (error) {
        failures.push(error);
      }
    }
    throw failures[0];
  };
}

/** One test for each: the response is a refusal, contains no secret, and the database is unchanged. */
export function attacks(subject: string, scene: Scene, list: readonly Attack[]): void {
  describe(subject, () => {
    for (const { what, ask, expected } of list) {
      test(what, async () => {
        const before = await truth(scene);
        const reply = await call(ask.path, { token: scene.mallory.token, ...ask });
        expected(reply);
        assertNoSecrets(scene, reply);
        assert.deepEqual(await truth(scene), before);
      });
    }
  });
}

function assertNoSecrets({ secrets }: Scene, reply: Reply): void {
  const text = `${reply.text}\n${JSON.stringify([...reply.headers])}`;
  for (const secret of secrets) assert.ok(!text.includes(secret), `the reply contains ${secret}: ${text}`);
}
