// The functions of the server, the helpers, and schemas that are not exposed.

import { randomUUID } from 'node:crypto';
import type { Attack } from './attack.ts';
import { denied, deniedToAnon, either, get, refused, rpc, schemaNotExposed, unknown } from './attack.ts';
import { PRIVATE_FUNCTIONS, PUBLIC_FUNCTIONS } from '../access/matrix.ts';
import type { Person, Scene } from './scene.ts';

const nameOf = (signature: string) => signature.slice(0, signature.indexOf('('));

/** Arguments with which the server's call would succeed. */
const ARGUMENTS: Record<string, (user: Person) => object> = {
  ai_reserve: ({ id }) => ({ p_session_id: randomUUID(), p_user_id: id, p_prompt: 'x', p_save: false }),
  take_request: ({ id }) => ({ p_user_id: id, p_kind: 'search' }),
  ai_deliver: ({ id, generation }) => ({ p_session_id: generation, p_user_id: id, p_cost: 0, p_tracks: [] }),
  ai_settle: ({ id, generation }) => ({ p_session_id: generation, p_user_id: id, p_status: 'failed', p_cost: 0 }),
  save_generated_playlist: ({ id, generation }) => ({
    p_session_id: generation,
    p_user_id: id,
    p_cost: 0,
    p_name: 'Mine',
    p_description: '',
    p_tracks: [{ track_uri: `spotify:track:${'z'.repeat(22)}` }],
  }),
  store_spotify_tokens: ({ id }) => ({
    p_user_id: id,
    p_secret: 's'.repeat(32),
    p_access_token: 'x',
    p_refresh_token: 'x',
    p_expires_at: '2030-01-01T00:00:00Z',
  }),
  get_spotify_tokens: ({ id }) => ({ p_user_id: id, p_secret: 's'.repeat(32) }),
  delete_spotify_tokens: ({ id }) => ({ p_user_id: id }),
  refresh_spotify_tokens: ({ id }) => ({
    p_user_id: id,
    p_secret: 's'.repeat(32),
    p_seen_refresh_token: 'r',
    p_access_token: 'a',
    p_refresh_token: null,
    p_expires_at: '2030-01-01T00:00:00Z',
  }),
  release_spotify_refresh: ({ id }) => ({ p_user_id: id }),
  expire_spotify_link: ({ id }) => ({ p_user_id: id, p_secret: 's'.repeat(32), p_seen_refresh_token: 'r' }),
  spotify_link: ({ id }) => ({ p_user_id: id }),
  begin_spotify_export: ({ id }) => ({ p_user_id: id, p_idempotency_key: id, p_request: {} }),
  record_spotify_export: ({ id }) => ({ p_user_id: id, p_idempotency_key: id, p_spotify_playlist_id: 'x' }),
  finish_spotify_export: ({ id }) => ({ p_user_id: id, p_idempotency_key: id, p_result: {} }),
  release_spotify_export: ({ id }) => ({ p_user_id: id, p_idempotency_key: id }),
  billing_profile: ({ id, customer }) => ({ p_user_id: id, p_stripe_customer_id: customer }),
  billing_profiles: () => ({}),
  set_billing_plan: ({ id, customer }) => ({ p_user_id: id, p_seen_synced_at: null, p_stripe_customer_id: customer, p_plan: 'pro' }),
  set_stripe_customer: ({ id, customer }) => ({ p_user_id: id, p_seen_customer_id: customer, p_stripe_customer_id: 'cus_madeUp' }),
  begin_account_deletion: ({ id, email }) => ({ p_user_id: id, p_confirmation: email }),
  delete_account: ({ id }) => ({ p_user_id: id }),
  rotate_spotify_tokens: () => ({ p_new_secret: 't'.repeat(32), p_old_secret: 's'.repeat(32) }),
};

const serverCalls = ({ mallory, victim }: Scene): Attack[] =>
  Object.entries(PUBLIC_FUNCTIONS)
    .filter(([, roles]) => roles.includes('service_role'))
    .flatMap(([signature]) => {
      const name = nameOf(signature);
      const args = ARGUMENTS[name];
      if (!args) throw new Error(`no arguments to attack ${name} with`);
      const query = new URLSearchParams(
        Object.entries(args(victim)).map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]),
      );
      return [
        { what: `calls ${name} for oneself`, ask: rpc(name, args(mallory)), expected: denied },
        { what: `calls ${name} for the victim`, ask: rpc(name, args(victim)), expected: denied },
        { what: `calls ${name} by GET`, ask: get(`/rpc/${name}?${query}`), expected: denied },
        { what: `calls ${name} without a token`, ask: { ...rpc(name, args(victim)), token: undefined }, expected: deniedToAnon },
      ];
    });

/** PostgREST lists no trigger functions; PostgreSQL refuses such a call before it asks for the right. */
const noFunction = either(unknown, refused([400], '42804'));

const helperCalls = (): Attack[] => [
  ...Object.entries(PUBLIC_FUNCTIONS)
    .filter(([, roles]) => roles.length === 0)
    .map(([signature]) => ({ what: `calls the trigger function ${signature}`, ask: rpc(nameOf(signature)), expected: noFunction })),
  ...PRIVATE_FUNCTIONS.map(nameOf).flatMap((name) => [
    { what: `calls the helper ${name}`, ask: rpc(name), expected: unknown },
    { what: `calls the helper ${name} with its schema`, ask: rpc(`private.${name}`), expected: unknown },
  ]),
  ...['pg_sleep', 'set_config', 'current_setting', 'pg_read_file', 'pgp_sym_decrypt', 'uid'].map((name) => ({
    what: `calls ${name}`,
    ask: rpc(name),
    expected: unknown,
  })),
];

const SCHEMAS = { private: 'ai_quota', auth: 'users', pg_catalog: 'pg_authid', information_schema: 'tables', extensions: 'pg_stat_statements' };

const schemas = (): Attack[] =>
  Object.entries(SCHEMAS).flatMap(([schema, name]) => [
    { what: `reads schema ${schema}`, ask: get(`/${name}`, { 'Accept-Profile': schema }), expected: schemaNotExposed },
    { what: `writes to schema ${schema}`, ask: { ...rpc(name), path: `/rest/v1/${name}`, headers: { 'Content-Profile': schema } }, expected: schemaNotExposed },
    { what: `calls into schema ${schema}`, ask: { ...rpc(name), headers: { 'Content-Profile': schema } }, expected: schemaNotExposed },
    { what: `names schema ${schema} in the path`, ask: get(`/${schema}.${name}`), expected: unknown },
    { what: `names ${name} without its schema`, ask: get(`/${name}`), expected: unknown },
  ]);

export const serverFunctions = (scene: Scene): Attack[] => [...serverCalls(scene), ...helperCalls(), ...schemas()];
