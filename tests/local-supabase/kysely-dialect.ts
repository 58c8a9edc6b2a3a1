import { PostgresDialect } from 'kysely';
import type { PostgresPoolClient } from 'kysely';
import type { Pool } from './database.ts';

/** Quoted text, which is left alone, or the bare name of an argument before its value. */
const ARGUMENT_NAME = /"(?:[^"]|"")*"|'(?:[^']|'')*'|\b([A-Za-z_]\w*)(?= := )/g;

/** Lite writes the names of a function's arguments unquoted, and an argument may be called `position` or `userId`. */
function withQuotedArguments(statement: string): string {
  if (!statement.includes(' := ')) return statement;
  return statement.replace(ARGUMENT_NAME, (found, name?: string) => (name === undefined ? found : `"${name}"`));
}

/** Lets Lite, which builds its queries with Kysely, run them on our pool. */
export function poolDialect(pool: Pool): PostgresDialect {
  const connect = async (): Promise<PostgresPoolClient> => {
    const connection = await pool.acquire();
    const query = async (sql: string, parameters: readonly unknown[]) => {
      // A lost connection has rolled back by itself; the error that told so is the one to answer.
      if (sql === 'rollback' && !connection.open) return { command: sql, rowCount: 0, rows: [] };
      const rows = await connection.query(withQuotedArguments(sql), parameters);
      return { command: rows.command, rowCount: rows.count, rows: [...rows] };
    };
    // Lite does not stream, so no query is a cursor.
    return { query: query as PostgresPoolClient['query'], release: () => pool.release(connection) };
  };
  return new PostgresDialect({ pool: { connect, end: () => pool.close() } });
}
