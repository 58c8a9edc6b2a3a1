/** A control call that makes no sense: answered 400 with the message. */
export class ControlError extends Error {}

export type Json = Record<string, unknown>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type Kind = 'string' | 'number' | 'boolean' | 'object' | 'any';

/**
 * Checks a control body against the fields that it may have. A typing error in a field's name would otherwise
 * leave a test quietly testing nothing.
 */
export function checkFields(what: string, value: unknown, fields: Record<string, Kind>, required: string[] = []): Json {
  if (!isObject(value)) {
    throw new ControlError(`${what} must be an object`);
  }
  for (const [name, field] of Object.entries(value)) {
    const kind = fields[name];
    if (kind === undefined) {
      throw new ControlError(`${what} has no field '${name}'; it has ${Object.keys(fields).join(', ')}`);
    }
    const fits =
      kind === 'any' ||
      (kind === 'object' && isObject(field)) ||
      (kind === 'number' && typeof field === 'number' && Number.isFinite(field) && field >= 0) ||
      (kind !== 'number' && typeof field === kind && kind !== 'object');
    if (!fits) {
      throw new ControlError(`${what}.${name} must be a ${kind === 'number' ? 'number that is not negative' : kind}`);
    }
  }
  for (const name of required) {
    if (value[name] === undefined) {
      throw new ControlError(`${what}.${name} is missing`);
    }
  }
  return value;
}
