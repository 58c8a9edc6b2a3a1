/**
 * A local Supabase in one process, for machines without Docker: the data API, Auth with its mails, and the gateway
 * in front of the functions, over a PostgreSQL that already runs.
 *
 * It is npm's `@supabase/lite` with a gateway that corrects the differences from a hosted project: grants, errors,
 * values, tokens. SUPABASE_URL and the keys replace it with `supabase start` or a hosted project.
 *
 * Environment: DATABASE_URL, PORT (0: any), STATE_DIR (keys.json), FUNCTIONS_ORIGIN, SITE_URL, MIGRATIONS_DIR,
 * SEED_FILE (optional), CONFIRM_EMAIL (true: users confirm their address by mail), ANONYMOUS_SIGN_INS (true: users may
 * sign in without an address), CAPTCHA_SECRET (optional: signing up and in then needs a token that
 * CAPTCHA_SITEVERIFY_URL, by default Turnstile's, accepts).
 *
 * Serves /auth/v1, /rest/v1, /functions/v1 (forwarded), /mail (what Auth has sent) and /health on 127.0.0.1. When ready,
 * it writes one line of JSON to stdout. It stops on SIGTERM, on SIGINT, and when its stdin is a pipe that ends.
 */
import { fstatSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Notice, Sql } from 'postgres';
import { createAnonymousTrigger, createAnonymousUsers } from './anonymous.ts';
import { bootstrap } from './bootstrap.ts';
import { createCaptchaGuard } from './captcha.ts';
import { configFromLookup } from './config.ts';
import type { Config } from './config.ts';
import { Pool, withDatabase } from './database.ts';
import { createForwarder } from './forward.ts';
import { createGateway } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { loadKeys } from './keys.ts';
import { createLite } from './lite.ts';
import { Mailbox } from './mail.ts';
import { maintain, migrate, seed } from './migrations.ts';
import { createSignIns, createSignInTable } from './sign-ins.ts';
import { createTokens } from './tokens.ts';

/** The size of PostgREST's pool. */
const POOL_SIZE = 10;
/** The limit of Workers. A user's token is a header, and contains the profile data of providers. */
const MAX_HEADER_BYTES = 128 * 1024;
/** Longer than clients keep idle connections, so that none is closed under a request. */
const KEEP_ALIVE_MS = 65_000;
/** How long running requests may take after a signal to stop. */
const GRACE_MS = 2_000;

const starting: Gateway = async () => Response.json({ status: 'starting' }, { status: 503 });

async function main(config: Config): Promise<void> {
  let gateway = starting;
  const server = await listen(config, (request) => gateway(request));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const pool = new Pool(config.database_url, POOL_SIZE);
  // A separate connection, so that a busy pool does not look like an unavailable database.
  const health_pool = new Pool(config.database_url, 1);
  const keys = await loadKeys(config.state_dir);
  const mailbox = new Mailbox();
  const lite = createLite(config, keys, pool, mailbox);
  stopWhenTold(async () => {
    await closeServer(server);
    await Promise.all([pool.close(), health_pool.close()]);
  });

  const setUp = async (sql: Sql) => {
    await bootstrap(sql, lite.createAuthTables);
    await createSignInTable(sql);
    await createAnonymousTrigger(sql);
    const migrations_applied = await migrate(sql, config.migrations_dir);
    const seeded = config.seed_file ? await seed(sql, config.seed_file) : false;
    await maintain(sql);
    return { migrations_applied, seeded };
  };
  const applied = await withDatabase(config.database_url, setUp, printNotice);
  await lite.loadSchema();

  const tokens = await createTokens(keys, `${url}/auth/v1`);
  const captcha = config.captcha && createCaptchaGuard(config.captcha.secret, config.captcha.siteverify_url);
  const anonymous = createAnonymousUsers(pool, { isAllowed: config.anonymous_sign_ins, confirms: config.confirm_email });
  gateway = createGateway({ keys, tokens, sign_ins: createSignIns(pool), anonymous, captcha, lite, mailbox, isDatabaseUp: () => health_pool.isUp() });
  process.stdout.write(`${JSON.stringify({ level: 'info', message: 'ready', url, pid: process.pid, ...applied })}\n`);
}

/** Prints notices of migrations, except those about objects that exist already. */
function printNotice({ message, code }: Notice): void {
  const already_there = ['42P06', '42P07', '42710'].includes(code ?? '');
  if (!already_there) process.stderr.write(`local Supabase: notice: ${message}\n`);
}

/** The port is bound before anything changes, so that a second start on it fails at once. */
async function listen(config: Config, gateway: Gateway): Promise<Server> {
  const listener = getRequestListener(gateway, { hostname: '127.0.0.1' });
  const forward = createForwarder(config.functions_origin);
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (incoming, outgoing) => {
    if (/^\/functions\/v1(?:[/?]|$)/.test(incoming.url ?? '')) forward(incoming, outgoing);
    else void listener(incoming, outgoing);
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(config.port, '127.0.0.1', resolve);
  });
  return server;
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  setTimeout(() => server.closeAllConnections(), GRACE_MS).unref();
  await closed;
}

function stopWhenTold(close: () => Promise<void>): void {
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    void close().finally(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // Only the end of a pipe means that the supervisor is gone; /dev/null ends at once.
  const stdin = fstatSync(0);
  if (stdin.isFIFO() || stdin.isSocket()) process.stdin.on('error', stop).on('close', stop).resume();
}

try {
  await main(configFromLookup((name) => process.env[name]));
} catch (error) {
  process.stderr.write(`local Supabase: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
