// Helpers and schemas that are not exposed. The access matrix calls every function in SQL.

import type { Attack } from './attack.ts';
import { either, get, refused, rpc, schemaNotExposed, unknown } from './attack.ts';

/** PostgREST lists no trigger functions; PostgreSQL refuses such a call before it checks the right. */
const noFunction = either(unknown, refused([400], '42804'));

const helperCalls = (): Attack[] =>
  ['check_playlists_limit', 'ai_quota', 'private.ai_quota', 'pg_sleep', 'set_config', 'current_setting', 'pg_read_file', 'pgp_sym_decrypt', 'uid'].map((name) => ({
    what: `calls ${name}`, ask: rpc(name), expected: noFunction,
  }));

const SCHEMAS = { private: 'ai_quota', auth: 'users', pg_catalog: 'pg_authid', information_schema: 'tables', extensions: 'pg_stat_statements' };

const schemas = (): Attack[] =>
  Object.entries(SCHEMAS).flatMap(([schema, name]) => [
    { what: `reads schema ${schema}`, ask: get(`/${name}`, { 'Accept-Profile': schema }), expected: schemaNotExposed },
    { what: `writes to schema ${schema}`, ask: { ...rpc(name), path: `/rest/v1/${name}`, headers: { 'Content-Profile': schema } }, expected: schemaNotExposed },
    { what: `calls into schema ${schema}`, ask: { ...rpc(name), headers: { 'Content-Profile': schema } }, expected: schemaNotExposed },
    { what: `names schema ${schema} in the path`, ask: get(`/${schema}.${name}`), expected: unknown },
    { what: `names ${name} without its schema`, ask: get(`/${name}`), expected: unknown },
  ]);

export const hiddenNames = (): Attack[] => [...helperCalls(), ...schemas()];
