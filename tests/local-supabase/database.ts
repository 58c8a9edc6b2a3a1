import pg from 'pg';
import postgres from 'postgres';
import type { Sql } from 'postgres';

const CONNECT_TIMEOUT_SECONDS = 5;

/** TypeScript's library does not know the function yet; Node 22 has it. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };
const withT = (text: string): string => text.replace(' ', 'T');

/** PostgREST returns what PostgreSQL's row_to_json makes of a value; these make the same of the driver's texts. */
const PARSERS: Record<number, (text: string) => unknown> = {
  ...{ 1082: String, 1083: String, 1266: String, 17: String }, // date, time, timetz, bytea
  1114: withT, // timestamp
  1184: (text) => withT(text).replace(/([+-]\d\d)$/, '$1:00'), // timestamptz
  // Lite counts with bigint. A double would lose digits and trailing zeros of numeric.
  20: (text) => (Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text)),
  1700: (text) => (/^-?[\d.]+$/.test(text) ? rawJSON(text) : text),
};

/** Quoted text, which is left alone, or the bare name of an argument before its value. */
const ARGUMENT_NAME = /"(?:[^"]|"")*"|'(?:[^']|'')*'|\b([A-Za-z_]\w*)(?= := )/g;

class Client extends pg.Client {
  /** Lite writes the names of a function's arguments unquoted, and an argument may be called `position` or `userId`. */
  override query(statement: any, ...more: any[]): any {
    const isCall = typeof statement === 'string' && statement.includes(' := ');
    const quoted = isCall ? statement.replace(ARGUMENT_NAME, (found, name?: string) => (name === undefined ? found : `"${name}"`)) : statement;
    const result: any = (super.query as (...args: unknown[]) => unknown)(quoted, ...more);
    // What has no code is a connection that was lost.
    return result instanceof Promise ? result.catch((error) => Promise.reject(Object.assign(error, { code: error.code ?? 'CONNECTION_CLOSED' }))) : result;
  }
}

/** Connections for the APIs. A lost one is replaced; what was done on it fails. */
export function createPool(connectionString: string, max: number, timeout_ms?: number): pg.Pool {
  const types = { getTypeParser: (oid: number) => PARSERS[oid] ?? pg.types.getTypeParser(oid) };
  const timeouts = timeout_ms === undefined ? {} : { connectionTimeoutMillis: timeout_ms, query_timeout: timeout_ms };
  const pool = new pg.Pool({ connectionString, max, Client, types: types as pg.CustomTypesConfig, options: '-c TimeZone=UTC', idleTimeoutMillis: 0, ...timeouts });
  // Without a listener the loss of a connection would end the process.
  return pool.on('error', () => {}).on('connect', (client) => client.on('error', () => {}));
}

/** A plain connection for what is done once at the start. */
export async function withDatabase<T>(url: string, work: (sql: Sql) => Promise<T>, onnotice: (notice: postgres.Notice) => void = () => {}): Promise<T> {
  const sql = postgres(url, { max: 1, connect_timeout: CONNECT_TIMEOUT_SECONDS, connection: { TimeZone: 'UTC' }, onnotice });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}
