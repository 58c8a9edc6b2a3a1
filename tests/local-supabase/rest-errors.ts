/** A database error as PostgREST returns it: the status and the fields of the body. */
export type RestError = { status: number; code: string; message: string; details: string | null; hint: string | null };

type DatabaseError = { code?: unknown; message?: unknown; detail?: unknown; hint?: unknown };

/** postgres.js' codes for a lost connection; PostgreSQL's are the SQLSTATEs 08… and 57P…. */
const CONNECTION_LOST = /^(ECONN|EPIPE|ENOTFOUND|ETIMEDOUT|EHOSTUNREACH|CONNECT|CONNECTION_)/;

export const DATABASE_UNAVAILABLE: RestError = {
  status: 503,
  code: 'PGRST001',
  message: 'Database client error. Retrying the connection.',
  details: null,
  hint: null,
};

/**
 * Maps an error of the driver as PostgREST does (its documentation, "Errors", "HTTP status codes"), or returns null
 * for any other error.
 */
export function restErrorFrom(error: unknown, role: string): RestError | null {
  const { code, message, detail, hint } = (error ?? {}) as DatabaseError;
  if (typeof code !== 'string') return null;
  if (CONNECTION_LOST.test(code) || isShutDown(code)) return DATABASE_UNAVAILABLE;
  if (!/^[0-9A-Z]{5}$/.test(code)) return null;
  const text = typeof message === 'string' ? message : '';
  return {
    status: statusOf(code, text, role),
    code,
    message: text,
    details: typeof detail === 'string' ? detail : null,
    hint: typeof hint === 'string' ? hint : null,
  };
}

/** admin_shutdown, crash_shutdown, cannot_connect_now. */
const isShutDown = (code: string): boolean => code === '57P01' || code === '57P02' || code === '57P03' || code.startsWith('08');

const STATUS_BY_CODE: Record<string, number> = { '23503': 409, '23505': 409, '25006': 405, '42883': 404, '42P01': 404, '42P17': 500, '53400': 500, P0001: 400 };

const STATUS_BY_CLASS: Record<string, number> = {
  '09': 500, '0L': 403, '0P': 403, '21': 500, '25': 500, '28': 403, '2D': 500, '38': 500, '39': 500, '3B': 500, '40': 500,
  '53': 503, '54': 500, '55': 500, '57': 500, '58': 500, F0: 500, HV: 500, P0: 500, XX: 500,
};

function statusOf(code: string, message: string, role: string): number {
  if (code.startsWith('PT')) return statusOfRaised(code);
  // Anonymous callers get 401, users 403.
  if (code === '42501') return role === 'anon' ? 401 : 403;
  if (code === '22023' && /^role .* does not exist$/s.test(message)) return 401;
  if (code === '21000' && message.endsWith('requires a WHERE clause')) return 400;
  return STATUS_BY_CODE[code] ?? STATUS_BY_CLASS[code.slice(0, 2)] ?? 400;
}

/** `raise … using errcode = 'PT409'` names its own status. */
function statusOfRaised(code: string): number {
  const status = Number(code.slice(2));
  return status >= 200 && status <= 599 ? status : 500;
}
