import { PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely';
import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult } from 'kysely';
import type { Connection, Pool } from './database.ts';

const CHANGES_ROWS = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

/** Quoted text, which stays unchanged, or the unquoted name of an argument before its value. */
const ARGUMENT_NAME = /"(?:[^"]|"")*"|'(?:[^']|'')*'|\b([A-Za-z_]\w*)(?= := )/g;

/** Lite does not quote the names of a function's arguments, which `position` or `userId` need. */
function withQuotedArguments(statement: string): string {
  if (!statement.includes(' := ')) return statement;
  return statement.replace(ARGUMENT_NAME, (found, name?: string) => (name === undefined ? found : `"${name}"`));
}

const CALL = /^select \* (from public\.(\w+)\(.*\) as "\2".*)$/s;

/** Runs Lite's queries, which Kysely builds, on this pool. `composites`: the functions that return one composite value. */
export function poolDialect(pool: Pool, composites: () => Set<string>): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new PoolDriver(pool, composites),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

class PoolConnection implements DatabaseConnection {
  readonly connection: Connection;
  readonly #composites: () => Set<string>;

  constructor(connection: Connection, composites: () => Set<string>) {
    this.connection = connection;
    this.#composites = composites;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const [, call, name = ''] = CALL.exec(sql) ?? [];
    // The driver does not parse arrays of composites.
    if (call !== undefined && this.#composites().has(name)) {
      const rows = await this.connection.query(`select to_jsonb("${name}") as value ${withQuotedArguments(call)}`, parameters);
      return { rows: rows.map(({ value }) => value as R) };
    }
    const rows = await this.connection.query(withQuotedArguments(sql), parameters);
    return { rows: [...rows] as R[], numAffectedRows: CHANGES_ROWS.has(rows.command) ? BigInt(rows.count) : undefined };
  }

  streamQuery(): AsyncIterableIterator<never> {
    throw new Error('Lite does not stream');
  }
}

class PoolDriver implements Driver {
  readonly #pool: Pool;
  readonly #composites: () => Set<string>;

  constructor(pool: Pool, composites: () => Set<string>) {
    this.#pool = pool;
    this.#composites = composites;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PoolConnection> {
    return new PoolConnection(await this.#pool.acquire(), this.#composites);
  }

  async beginTransaction({ connection }: PoolConnection): Promise<void> {
    await connection.query('begin');
  }

  async commitTransaction({ connection }: PoolConnection): Promise<void> {
    await connection.query('commit');
  }

  async rollbackTransaction({ connection }: PoolConnection): Promise<void> {
    // A lost connection has rolled back by itself; the response reports the error of the statement.
    if (connection.open) await connection.query('rollback');
  }

  async releaseConnection({ connection }: PoolConnection): Promise<void> {
    this.#pool.release(connection);
  }

  destroy(): Promise<void> {
    return this.#pool.close();
  }
}
