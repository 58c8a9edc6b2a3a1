/** An invalid control call, which is refused with 400 and this message. */
export class ControlError extends Error {}

export type Json = Record<string, unknown>;

export const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Throws a `ControlError` that names the invalid value. */
export type Kind = (what: string, value: unknown) => void;

export const kind = (fits: (value: unknown) => boolean, wanted: string): Kind => (what, value) => {
  if (!fits(value)) throw new ControlError(`${what} must be ${wanted}`);
};

const between = (value: unknown, from: number, to: number): boolean => typeof value === 'number' && value >= from && value <= to;

export const any: Kind = () => {};
export const text = kind((value) => typeof value === 'string', 'a string');
export const flag = kind((value) => typeof value === 'boolean', 'a boolean');
export const object = kind(isObject, 'an object');
export const number = kind((value) => between(value, 0, Number.MAX_VALUE), 'a number that is not negative');
export const count = kind((value) => Number.isInteger(value) && between(value, 1, Number.MAX_VALUE), 'a whole number from 1');
export const within = (from: number, to: number): Kind => kind((value) => between(value, from, to), `a number from ${from} to ${to}`);
export const like = (pattern: RegExp, wanted: string): Kind => kind((value) => typeof value === 'string' && pattern.test(value), wanted);
export const oneOf = (...choices: string[]): Kind => kind((value) => choices.includes(value as string), `one of ${choices.join(', ')}`);

export const listOf = (inner: Kind, least = 0): Kind => (what, value) => {
  kind((list) => Array.isArray(list) && list.length >= least, `a list${least > 0 ? ` of at least ${least}` : ''}`)(what, value);
  (value as unknown[]).forEach((item, index) => inner(`${what}[${index}]`, item));
};

/** An object with these fields; those with a `?` are optional. Unknown fields are refused: a typo would disable a test. */
export const fields = (known: Record<string, Kind>): Kind => (what, value) => {
  object(what, value);
  const given = value as Json;
  const names = Object.keys(known).map((name) => name.replace('?', ''));
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new ControlError(`${what} has no field '${unknown}'; it has ${names.join(', ')}`);
  for (const [name, inner] of Object.entries(known)) {
    const field = name.replace('?', '');
    if (given[field] !== undefined) inner(`${what}.${field}`, given[field]);
    else if (field === name) throw new ControlError(`${what}.${field} is missing`);
  }
};

export function checked<T>(what: string, value: unknown, wanted: Kind): T {
  wanted(what, value);
  return value as T;
}
