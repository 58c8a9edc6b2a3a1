// One attack: its name, its request, and the refusal that it must get.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Answer } from '../../local-supabase/conformance/support.ts';
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
  expected: (answer: Answer) => void;
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

export function badKey(answer: Answer): void {
  assert.deepEqual([answer.status, answer.json?.message], [401, 'Invalid API key']);
}

export function nothing(answer: Answer): void {
  assert.ok([200, 201, 204, 206].includes(answer.status), `${answer.status} ${answer.text}`);
  assert.ok(answer.text === '' || (Array.isArray(answer.json) && answer.json.length === 0), answer.text);
  const range = answer.headers.get('content-range');
  if (range !== null) assert.match(range, /^\*\/(\*|0)$/);
}

export function refused(statuses: readonly number[], ...codes: string[]): (answer: Answer) => void {
  return (answer) => {
    assert.ok(statuses.includes(answer.status), `${answer.status} ${answer.text}`);
    // A response to HEAD has no body.
    if (answer.text !== '') assert.ok(codes.includes(answer.json?.code), answer.text);
  };
}

export function either(...expectations: Attack['expected'][]): Attack['expected'] {
  return (answer) => {
    const failures: unknown[] = [];
    for (const expected of expectations) {
      try {
        return expected(answer);
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
        const answer = await call(ask.path, { token: scene.mallory.token, ...ask });
        expected(answer);
        assertTellsNothing(scene, answer);
        assert.deepEqual(await truth(scene), before);
      });
    }
  });
}

function assertTellsNothing({ secrets }: Scene, answer: Answer): void {
  const told = `${answer.text}\n${JSON.stringify([...answer.headers])}`;
  for (const secret of secrets) assert.ok(!told.includes(secret), `the answer tells ${secret}: ${told}`);
}
