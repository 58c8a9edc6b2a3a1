import type { Json } from '../common/check.ts';
import { isObject } from '../common/check.ts';

const TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'];
/** The keywords that every provider's strict mode accepts. Limits on length, size and number are not among them. */
const KEYWORDS = ['type', 'properties', 'required', 'additionalProperties', 'items', 'enum', 'const', 'anyOf', '$ref', '$defs', 'definitions', 'description', 'title'];
const MAX_DEPTH = 10;

/** Why strict mode refuses a schema: it needs closed objects, required properties and portable keywords. */
export function checkStrictSchema(schema: Json): string | undefined {
  const isObjectSchema = schema.type === 'object' && schema.anyOf === undefined;
  return isObjectSchema ? problemOf(schema, []) : `schema must be a JSON Schema of 'type: "object"', got 'type: ${JSON.stringify(schema.type ?? 'None')}'`;
}

function problemOf(node: unknown, path: string[]): string | undefined {
  const problem = isObject(node) ? ownProblem(node, path) : 'schema must be an object';
  if (problem !== undefined) return `In context=(${path.map((step) => `'${step}'`).join(', ')}), ${problem}`;
  const { items, anyOf = [], ...groups } = node as Json;
  const named = ['properties', '$defs', 'definitions'].flatMap((group) => Object.entries(groups[group] ?? {}).map(([key, schema]) => ({ step: [group, key], schema })));
  const branches = (anyOf as unknown[]).map((schema, index) => ({ step: ['anyOf', String(index)], schema }));
  const inner = [...named, ...branches, ...(items === undefined ? [] : [{ step: ['items'], schema: items }])];
  return inner.map(({ step, schema }) => problemOf(schema, [...path, ...step])).find((found) => found !== undefined);
}

function ownProblem(node: Json, path: string[]): string | undefined {
  const unknown = Object.keys(node).find((key) => !KEYWORDS.includes(key));
  const types = node.type === undefined ? [] : [node.type].flat();
  const fields = Object.keys(isObject(node.properties) ? node.properties : {});
  const required = Array.isArray(node.required) ? node.required : [];
  const missing = fields.find((key) => !required.includes(key));
  const extra = required.find((key) => !fields.includes(String(key)));
  if (unknown !== undefined) return `'${unknown}' is not permitted`;
  if (types.length === 0 && !['anyOf', '$ref', 'enum', 'const'].some((key) => key in node)) return "schema must have a 'type' key";
  if (types.some((type) => !TYPES.includes(String(type)))) return `${JSON.stringify(node.type)} is not a valid type`;
  if (path.filter((step) => step === 'properties').length > MAX_DEPTH) return `nesting exceeds ${MAX_DEPTH} levels`;
  if (types.includes('array') && !('items' in node)) return 'array schema missing items';
  if ('anyOf' in node && !Array.isArray(node.anyOf)) return "'anyOf' must be an array";
  if (!types.includes('object')) return undefined;
  if (node.additionalProperties !== false) return "'additionalProperties' is required to be supplied and to be false";
  if (missing !== undefined) return `'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'`;
  return extra === undefined ? undefined : `'required' names '${String(extra)}', which is not in properties`;
}
