import postgres from 'postgres';
import type { Sql } from 'postgres';

const CONNECT_TIMEOUT_SECONDS = 5;
const HEALTH_TIMEOUT_MS = 2_000;

/** Node 22 has the function, but TypeScript's library does not declare it yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

const json = {
  // Lite passes JSON as text, which a second serialisation would turn into a JSON string. (It does not serialise a bare
  // string, which is refused with 22P02: a remaining difference from PostgREST.)
  serialize: (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value)),
  parse: (text: string): unknown => JSON.parse(text),
};
const text = { serialize: String, parse: (value: string) => value };
const withT = (value: string) => value.replace(' ', 'T');

/** PostgREST returns values in the form of PostgreSQL's row_to_json; these parsers return the same. */
const COLUMN_TYPES = {
  json: { to: 114, from: [114], ...json },
  jsonb: { to: 3802, from: [3802], ...json },
  date: { to: 1082, from: [1082], ...text },
  time: { to: 1083, from: [1083], ...text },
  timetz: { to: 1266, from: [1266], ...text },
  timestamp: { to: 1114, from: [1114], serialize: String, parse: withT },
  timestamptz: { to: 1184, from: [1184], serialize: String, parse: (value: string) => withT(value).replace(/([+-]\d\d)$/, '$1:00') },
  // Lite calculates with these.
  bigint: { to: 20, from: [20], serialize: String, parse: (value: string) => (Number.isSafeInteger(Number(value)) ? Number(value) : BigInt(value)) },
  // A double would lose digits and trailing zeros.
  numeric: { to: 1700, from: [1700], serialize: String, parse: (value: string) => (/^-?[\d.]+$/.test(value) ? rawJSON(value) : value) },
  bytea: {
    to: 17,
    from: [17],
    serialize: (value: unknown) => (typeof value === 'string' ? value : `\\x${Buffer.from(value as Uint8Array).toString('hex')}`),
    parse: (value: string) => value,
  },
};

/** The connection of a transaction was lost: its next statement must not run on another one. */
class ConnectionLost extends Error {
  readonly code = 'CONNECTION_CLOSED';
}

export type Rows = readonly Record<string, unknown>[] & { count: number; command: string };

/**
 * One connection of the pool, used by one caller at a time. postgres.js' own `reserve` is not used: in 3.4.9 a reserved
 * connection whose socket has closed ends the process when it is used again, or is given to another caller.
 */
export class Connection {
  readonly #sql: Sql;
  #open = true;

  constructor(url: string) {
    this.#sql = postgres(url, {
      max: 1,
      // The driver does not know of this transaction and must not treat its connection as idle.
      max_lifetime: null,
      connect_timeout: CONNECT_TIMEOUT_SECONDS,
      connection: { TimeZone: 'UTC' },
      types: COLUMN_TYPES as unknown as Record<string, postgres.PostgresType>,
      onnotice: () => {},
      onclose: () => {
        this.#open = false;
      },
    });
  }

  get open(): boolean {
    return this.#open;
  }

  async query(statement: string, parameters: readonly unknown[] = []): Promise<Rows> {
    if (!this.#open) throw new ConnectionLost('the connection to the database was lost');
    try {
      return (await this.#sql.unsafe(statement, [...parameters] as never[], { prepare: true })) as unknown as Rows;
    } catch (error) {
      // onclose is not called for connections that were refused or reset before they were open.
      if (!(error instanceof postgres.PostgresError)) this.#open = false;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#open = false;
    await this.#sql.end({ timeout: 1 });
  }
}

/** Keeps up to `size` connections. A lost one is discarded with its driver state. */
export class Pool {
  readonly #url: string;
  readonly #idle: Connection[] = [];
  readonly #waiting: ((connection: Connection) => void)[] = [];
  #free: number;

  constructor(url: string, size: number) {
    this.#url = url;
    this.#free = size;
  }

  async acquire(): Promise<Connection> {
    if (this.#free === 0) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#free -= 1;
    return this.#next();
  }

  release(connection: Connection): void {
    if (connection.open) this.#idle.push(connection);
    else void connection.close();
    const waiting = this.#waiting.shift();
    if (waiting) waiting(this.#next());
    else this.#free += 1;
  }

  async isUp(): Promise<boolean> {
    const answered = this.acquire().then(async (connection) => {
      try {
        await connection.query('select 1');
        return true;
      } catch {
        return false;
      } finally {
        this.release(connection);
      }
    });
    const { promise: timedOut, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(resolve, HEALTH_TIMEOUT_MS, false);
    return Promise.race([answered, timedOut]).finally(() => clearTimeout(timer));
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((connection) => connection.close()));
  }

  #next(): Connection {
    // The most recently used connection is preferred; connections that were lost while idle are skipped.
    for (let found = this.#idle.pop(); found; found = this.#idle.pop()) if (found.open) return found;
    return new Connection(this.#url);
  }
}

export async function withDatabase<T>(url: string, work: (sql: Sql) => Promise<T>, onnotice: (notice: postgres.Notice) => void = () => {}): Promise<T> {
  const sql = postgres(url, { max: 1, connect_timeout: CONNECT_TIMEOUT_SECONDS, connection: { TimeZone: 'UTC' }, onnotice });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}
