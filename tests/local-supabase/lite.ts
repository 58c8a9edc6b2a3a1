import { AsyncLocalStorage } from 'node:async_hooks';
import { App } from '@supabase/lite';
import { createPostgresConnection } from '@supabase/lite/postgres';
import { Kysely, sql } from 'kysely';
import type { JWTPayload } from 'jose';
import type { Config } from './config.ts';
import type { Pool } from './database.ts';
import type { Keys } from './keys.ts';
import { mailTemplates } from './mail.ts';
import { poolDialect } from './kysely-dialect.ts';
import type { Mailbox } from './mail.ts';
import { restErrorFrom } from './rest-errors.ts';

/** The gateway's knowledge of a request, for code that Lite calls. */
export type RequestContext = {
  method: string;
  /** The path as PostgREST sees it: without /rest/v1. */
  path: string;
  headers: string;
  /** Null if the API key is missing or unknown; Lite then refuses the request as Supabase's gateway does. */
  identity: { type: 'publishable' | 'secret'; claims: JWTPayload } | null;
};

export const requestContext = new AsyncLocalStorage<RequestContext>();

export type Lite = {
  fetch(request: Request, context: RequestContext): Promise<Response>;
  createAuthTables(): Promise<void>;
  /** Reads tables and functions again; without this, the objects of a migration are not found. */
  loadSchema(): Promise<void>;
};

/** The members of Lite 0.10.0's connection that are replaced below: undocumented, hence the pinned version. */
type Internals = {
  ensureRlsContext(): Promise<boolean>;
  applyJwtSessionContext(transaction: Kysely<unknown>, vars: { auth?: { role?: string; jwt?: unknown } }): Promise<void>;
  applyRpcRequestGucs(transaction: Kysely<unknown>): Promise<void>;
  normalizeDbError(error: unknown): unknown;
};

export function createLite(config: Config, keys: Keys, pool: Pool, mailbox: Mailbox): Lite {
  const connection = createPostgresConnection({ url: config.database_url });
  let stable_functions = new Set<string>();
  let composites = new Set<string>();
  connection.kysely = new Kysely({ dialect: poolDialect(pool, () => composites) });
  Object.assign(connection, replacements(() => stable_functions));
  muteExpectedErrors();

  const app = new App({
    connection,
    api: { enabled: true, schemas: ['public'], max_rows: 1000 },
    // migrations.ts keeps the history in the Supabase CLI's form; Lite's has more columns.
    db: { migrations: { enabled: false } },
    storage: { enabled: false },
    auth: {
      enabled: true,
      jwt_secret: keys.jwt_secret,
      publishable_key: keys.publishable_key,
      secret_key: keys.secret_key,
      site_url: config.site_url,
      additional_redirect_urls: [`${config.site_url}/**`],
      email: { enable_confirmations: config.confirm_email, template: mailTemplates() },
    },
    options: {
      // The gateway has verified key and token; this passes the caller to Lite.
      server: { admin: false, disableStudio: true, apiKeys: { resolver: async () => requestContext.getStore()?.identity ?? null } },
      drivers: { email: mailbox },
    },
  });

  return {
    fetch: (request, context) => requestContext.run(context, async () => app.fetch(request)),
    createAuthTables: () => app.ensureSystemSchema(),
    async loadSchema() {
      await connection.clearSchemaCache();
      const { functions } = await connection.introspect({ useCache: true });
      // Lite returns an empty schema if the database fails.
      if (!functions) throw new Error('the schema could not be read');
      const names = (volatile: boolean) => functions.filter((f) => f.schema === 'public' && (f.volatility === 'v') === volatile).map((f) => f.name);
      composites = new Set(functions.filter((f) => f.return_typtype === 'c' && !f.return_is_setof).map((f) => f.name));
      stable_functions = new Set(names(false)).difference(new Set(names(true)));
    },
  };
}

function replacements(stableFunctions: () => Set<string>): Internals {
  return {
    // Lite would grant everything on every schema with row level security to the API roles, undoing the migrations' column grants.
    ensureRlsContext: async () => true,

    // Lite sets the claims in part, the request only for functions, and becomes any role there is. PostgREST logs
    // in as authenticator, which may become only what it was granted; one statement, for each costs a round trip.
    async applyJwtSessionContext(transaction, vars) {
      const request = requestContext.getStore();
      const claims = vars.auth?.jwt ?? {};
      const read_only = request && isReadOnly(request, stableFunctions());
      await sql`select
        set_config('session_authorization', 'authenticator', true),
        set_config('role', ${vars.auth?.role || 'anon'}, true),
        set_config('search_path', 'public, extensions', true),
        set_config('request.jwt.claims', ${JSON.stringify(claims)}, true),
        set_config('request.method', ${request?.method ?? ''}, true),
        set_config('request.path', ${request?.path ?? ''}, true),
        set_config('request.headers', ${request?.headers ?? '{}'}, true),
        set_config('transaction_read_only', ${read_only ? 'on' : 'off'}, true)`.execute(transaction);
    },

    // A function may set these for its response; the settings of the request were made above.
    async applyRpcRequestGucs(transaction) {
      await sql`select set_config('response.status', '', true), set_config('response.headers', '', true)`.execute(transaction);
    },

    // Lite returns 500 for most SQLSTATEs, except for `raise sqlstate 'PGRST'`, whose status it returns.
    normalizeDbError(error) {
      const code = (error as { code?: unknown } | null)?.code;
      // Lite's messages for these two are PostgREST's.
      if (code === 'PGRST' || code === '42703') return error;
      const identity = requestContext.getStore()?.identity;
      const mapped = restErrorFrom(error, String(identity?.claims.role ?? 'anon'));
      if (!mapped) return error;
      const { status, ...body } = mapped;
      return { code: 'PGRST', message: JSON.stringify(body), detail: JSON.stringify({ status, headers: {} }) };
    },
  };
}

/** PostgREST reads tables, and calls functions that are not volatile, in a read-only transaction. */
function isReadOnly(request: RequestContext, stable_functions: Set<string>): boolean {
  if (request.method === 'GET' || request.method === 'HEAD') return true;
  const [, name] = /^\/rpc\/([^/]+)$/.exec(request.path) ?? [];
  return name !== undefined && stable_functions.has(name);
}

/**
 * Lite prints every error of a request, including the client's, with the values of the row. The gateway logs this
 * server's failures by itself, without values.
 */
function muteExpectedErrors(): void {
  const print = console.error;
  console.error = (...values: unknown[]) => {
    if (!requestContext.getStore()) print(...values);
  };
}
