/** A form's value: text, or the structure that its brackets describe. */
export type Form = string | Form[] | { [name: string]: Form };

/** Reads or refuses one parameter; `param` is its full name, such as `line_items[0][price]`. */
export type Check = (value: Form, param: string) => unknown;
export type Schema = Record<string, Check>;

export type Params = Record<string, unknown>;

const MAX_METADATA_KEYS = 50;
const MAX_METADATA_KEY = 40;
const MAX_METADATA_VALUE = 500;

interface Details {
  code?: string;
  param?: string;
  type?: string;
  /** A refusal before any effect, which an idempotency key does not store. */
  early?: boolean;
}

export class StripeError extends Error {
  readonly status: number;
  readonly details: Details;

  constructor(status: number, message: string, details: Details = {}) {
    super(message);
    this.status = status;
    this.details = details;
  }

  body(requestId: string): object {
    const { code, param, type = 'invalid_request_error' } = this.details;
    const url = `https://dashboard.stripe.com/test/logs/${requestId}`;
    const doc_url = code && `https://docs.stripe.com/error-codes/${code.replaceAll('_', '-')}`;
    return { error: { code, doc_url, message: this.message, param, request_log_url: url, type } };
  }
}

export function badParameter(param: string, message: string, code?: string): StripeError {
  return new StripeError(400, message, { param, early: true, ...(code === undefined ? {} : { code }) });
}

/** A missing object: 404 if the path names it, 400 if a parameter does. */
export function missing(what: string, id: string, param?: string): StripeError {
  return new StripeError(param === undefined ? 404 : 400, `No such ${what}: '${id}'`, { code: 'resource_missing', param: param ?? 'id' });
}

/** Reads `a[b][c]=`, `a[0][b]=` and `a[]=` as Stripe does; a later value wins. */
export function parseForm(text: string): Record<string, Form> {
  const root: Record<string, Form> = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) {
    const match = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(name);
    if (match === null) {
      throw new StripeError(400, `Invalid request (check that your POST content type is application/x-www-form-urlencoded): ${name}`, { early: true });
    }
    const path = [match[1] ?? '', ...[...(match[2] ?? '').matchAll(/\[([^[\]]*)\]/g)].map((part) => part[1] ?? '')];
    const last = path.pop() ?? '';
    let place = root;
    for (const part of path) {
      const key = keyIn(place, part);
      const inner = place[key];
      const next: Record<string, Form> = typeof inner === 'object' && !Array.isArray(inner) ? inner : Object.create(null);
      place[key] = next;
      place = next;
    }
    place[keyIn(place, last)] = value;
  }
  return listsOf(root) as Record<string, Form>;
}

const keyIn = (place: object, part: string): string => (part === '' ? String(Object.keys(place).length) : part);

function listsOf(form: Form): Form {
  if (typeof form === 'string' || Array.isArray(form)) return form;
  const entries = Object.entries(form).map(([name, value]) => [name, listsOf(value)] as const);
  const isList = entries.length > 0 && entries.every(([name]) => /^\d+$/.test(name));
  return isList ? entries.map(([, value]) => value) : Object.fromEntries(entries);
}

/** Checks all parameters; errors are reported in Stripe's order: unknown, missing, invalid. */
export function readParams(form: Record<string, Form>, schema: Schema, required: readonly string[] = [], within?: string): Params {
  const full = (name: string): string => (within === undefined ? name : `${within}[${name}]`);
  const unknown = Object.keys(form).filter((name) => !Object.hasOwn(schema, name)).map(full);
  if (unknown[0] !== undefined) {
    throw badParameter(unknown[0], `Received unknown parameter${unknown.length > 1 ? 's' : ''}: ${unknown.join(', ')}`, 'parameter_unknown');
  }
  const absent = required.find((name) => form[name] === undefined);
  if (absent !== undefined) throw badParameter(full(absent), `Missing required param: ${full(absent)}.`, 'parameter_missing');
  return Object.fromEntries(Object.entries(form).map(([name, value]) => [name, schema[name]?.(value, full(name))]));
}

function filled(value: Form, param: string): string {
  if (typeof value !== 'string') throw badParameter(param, `Invalid string: ${JSON.stringify(value)}`);
  if (value === '') {
    const advice = `You should remove '${param}' from your request or supply a non-empty value.`;
    throw badParameter(param, `You passed an empty string for '${param}'. ${advice}`, 'parameter_invalid_empty');
  }
  return value;
}

function textLike(fits: (text: string) => boolean, complaint: (text: string, param: string) => string, code?: string): Check {
  return (value, param) => {
    const given = filled(value, param);
    if (!fits(given)) throw badParameter(param, complaint(given, param), code);
    return given;
  };
}

export const text = (max = 5000): Check =>
  textLike((given) => given.length <= max, (given) => `Invalid string: ${given.slice(0, 20)}...; must be at most ${max} characters`);
export const email = textLike((given) => /^[^\s@]+@[^\s@]+$/.test(given), (given) => `Invalid email address: ${given}`, 'email_invalid');
export const url = textLike((given) => /^https?:\/\/[^/]/.test(given) && URL.canParse(given), () => 'Not a valid URL', 'url_invalid');
export const oneOf = (...choices: string[]): Check =>
  textLike((given) => choices.includes(given), (_, param) => `Invalid ${param}: must be one of ${choices.join(', ')}`);

export const flag: Check = (value, param) => oneOf('true', 'false')(value, param) === 'true';

export function integer(min = 0, max = Number.MAX_SAFE_INTEGER): Check {
  const fits = (given: string): boolean => /^-?\d{1,15}$/.test(given) && Number(given) >= min && Number(given) <= max;
  const read = textLike(fits, (given) => `Invalid integer: ${given} (it must be from ${min} to ${max})`, 'parameter_invalid_integer');
  return (value, param) => Number(read(value, param));
}

export function hash(schema: Schema, required: readonly string[] = []): Check {
  return (value, param) => {
    if (typeof value === 'string' || Array.isArray(value)) throw badParameter(param, 'Invalid object');
    return readParams(value, schema, required, param);
  };
}

export function list(check: Check, max = 100): Check {
  return (value, param) => {
    if (!Array.isArray(value) || value.length > max) {
      throw badParameter(param, Array.isArray(value) ? `Array ${param} exceeded maximum ${max} allowed elements.` : 'Invalid array');
    }
    return value.map((item, index) => check(item, `${param}[${index}]`));
  };
}

/** Up to 50 keys; empty values remove their key, and '' removes all. */
export const metadata: Check = (value, param) => {
  if (typeof value === 'string' && value !== '') throw badParameter(param, 'Invalid object');
  // Keys that are all numbers are parsed as a list.
  const entries = Object.entries(value);
  if (entries.length > MAX_METADATA_KEYS) throw badParameter(param, `You can only specify up to ${MAX_METADATA_KEYS} metadata keys.`);
  for (const [key, given] of entries) {
    const name = `${param}[${key}]`;
    if (key.length > MAX_METADATA_KEY) throw badParameter(name, `Metadata keys can have up to ${MAX_METADATA_KEY} characters. Invalid key: ${key}`);
    if (typeof given !== 'string' || given.length > MAX_METADATA_VALUE) {
      throw badParameter(name, `Metadata values can have up to ${MAX_METADATA_VALUE} characters. Invalid value: ${String(given)}`);
    }
  }
  return Object.fromEntries(entries.filter(([, given]) => given !== ''));
};
