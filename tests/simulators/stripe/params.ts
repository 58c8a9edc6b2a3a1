import { badParameter } from './error.ts';
import type { Form, FormObject } from './form.ts';

/** Reads one parameter or refuses it; `param` is its full name, as in `line_items[0][price]`. */
export type Check = (value: Form, param: string) => unknown;

export interface Schema {
  [name: string]: Check;
}

/** What a call was given, checked. A metadata key with '' asks for its removal, so does '' where a text can be unset. */
export type Params = Record<string, unknown>;

const MAX_METADATA_KEYS = 50;
const MAX_METADATA_KEY = 40;
const MAX_METADATA_VALUE = 500;

/** Checks everything that was given; the order of complaints is Stripe's: unknown, missing, wrong. */
export function readParams(form: FormObject, schema: Schema, required: readonly string[] = [], within?: string): Params {
  const full = (name: string): string => (within === undefined ? name : `${within}[${name}]`);
  const unknown = Object.keys(form).filter((name) => !Object.hasOwn(schema, name)).map(full);
  if (unknown.length > 0) {
    throw badParameter(unknown[0] as string, `Received unknown parameter${unknown.length > 1 ? 's' : ''}: ${unknown.join(', ')}`, 'parameter_unknown');
  }
  for (const name of required) {
    if (form[name] === undefined) {
      throw badParameter(full(name), `Missing required param: ${full(name)}.`, 'parameter_missing');
    }
  }
  return Object.fromEntries(Object.entries(form).map(([name, value]) => [name, (schema[name] as Check)(value, full(name))]));
}

function plain(value: Form, param: string): string {
  if (typeof value !== 'string') {
    throw badParameter(param, `Invalid string: ${JSON.stringify(value)}`);
  }
  return value;
}

function filled(value: Form, param: string): string {
  const given = plain(value, param);
  if (given === '') {
    throw badParameter(
      param,
      `You passed an empty string for '${param}'. We assume empty values are an attempt to unset a parameter; however '${param}' cannot be unset. You should remove '${param}' from your request or supply a non-empty value.`,
      'parameter_invalid_empty',
    );
  }
  return given;
}

export function text(max = 5000): Check {
  return (value, param) => {
    const given = filled(value, param);
    if (given.length > max) {
      throw badParameter(param, `Invalid string: ${given.slice(0, 20)}...${given.slice(-10)}; must be at most ${max} characters`);
    }
    return given;
  };
}

/** As it is, or nothing for ''. */
export function unsettable(check: Check): Check {
  return (value, param) => (value === '' ? null : check(value, param));
}

export const email: Check = (value, param) => {
  const given = text(512)(value, param) as string;
  if (!/^[^\s@]+@[^\s@]+$/.test(given)) {
    throw badParameter(param, `Invalid email address: ${given}`, 'email_invalid');
  }
  return given;
};

export function integer(min = 0, max = Number.MAX_SAFE_INTEGER): Check {
  return (value, param) => {
    const given = plain(value, param);
    const number = Number(given);
    if (!/^-?\d{1,15}$/.test(given)) {
      throw badParameter(param, `Invalid integer: ${given}`, 'parameter_invalid_integer');
    }
    if (number < min || number > max) {
      const bound = number < min ? `greater than or equal to ${min}` : `less than or equal to ${max}`;
      throw badParameter(param, `This value must be ${bound} (it currently is '${number}').`, 'parameter_invalid_integer');
    }
    return number;
  };
}

export const flag: Check = (value, param) => {
  const given = filled(value, param);
  if (given !== 'true' && given !== 'false') {
    throw badParameter(param, `Invalid boolean: ${given}`);
  }
  return given === 'true';
};

export function oneOf(...choices: string[]): Check {
  return (value, param) => {
    const given = filled(value, param);
    if (!choices.includes(given)) {
      const named = `${choices.slice(0, -1).join(', ')}, or ${choices.at(-1)}`;
      throw badParameter(param, `Invalid ${param}: must be one of ${choices.length > 1 ? named : choices[0]}`);
    }
    return given;
  };
}

export const url: Check = (value, param) => {
  const given = text()(value, param) as string;
  if (!/^https?:\/\/[^/]/.test(given) || !URL.canParse(given)) {
    throw badParameter(param, 'Not a valid URL', 'url_invalid');
  }
  return given;
};

export function hash(schema: Schema, required: readonly string[] = []): Check {
  return (value, param) => {
    if (typeof value === 'string' || Array.isArray(value)) {
      throw badParameter(param, 'Invalid object');
    }
    return readParams(value, schema, required, param);
  };
}

export function list(check: Check, max = 100): Check {
  return (value, param) => {
    if (!Array.isArray(value)) {
      throw badParameter(param, 'Invalid array');
    }
    if (value.length > max) {
      throw badParameter(param, `Array ${param} exceeded maximum ${max} allowed elements.`);
    }
    return value.map((item, index) => check(item, `${param}[${index}]`));
  };
}

/** Up to 50 keys; '' for the whole empties it. */
export const metadata: Check = (value, param) => {
  if (value === '') {
    return null;
  }
  if (typeof value === 'string') {
    throw badParameter(param, 'Invalid object');
  }
  // keys that are all numbers look like a list
  const entries = Object.entries(value);
  if (entries.length > MAX_METADATA_KEYS) {
    throw badParameter(param, `You can only specify up to ${MAX_METADATA_KEYS} metadata keys.`);
  }
  for (const [key, given] of entries) {
    const name = `${param}[${key}]`;
    if (key.length > MAX_METADATA_KEY) {
      throw badParameter(name, `Metadata keys can have up to ${MAX_METADATA_KEY} characters, but you passed in a key that is ${key.length} characters. Invalid key: ${key}`);
    }
    if (plain(given, name).length > MAX_METADATA_VALUE) {
      throw badParameter(name, `Metadata values can have up to ${MAX_METADATA_VALUE} characters, but you passed in a value that is ${(given as string).length} characters. Invalid value: ${given as string}`);
    }
  }
  return Object.fromEntries(entries);
};

/** The metadata that a call leaves. */
export function mergeMetadata(before: Record<string, string>, given: unknown): Record<string, string> {
  if (given === undefined) {
    return before;
  }
  const merged = { ...before, ...(given as Record<string, string> | null) };
  return given === null ? {} : Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== ''));
}
