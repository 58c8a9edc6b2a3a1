import type { Json } from '../common/check.ts';
import { isObject } from '../common/check.ts';
import { ApiError } from './error.ts';

const TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'];
/** What strict mode understands everywhere. Limits on length, size and number are left out: not every provider takes them. */
const KEYWORDS = new Set(['type', 'properties', 'required', 'additionalProperties', 'items', 'enum', 'const', 'anyOf', '$ref', '$defs', 'definitions', 'description', 'title']);
const MAX_DEPTH = 10;
const MAX_PROPERTIES = 5000;

/**
 * Refuses a schema that strict structured outputs would refuse: every object closed, every property required, only the
 * portable keywords.
 */
export function checkStrictSchema(name: string, schema: Json): void {
  const refuse = (path: string[], problem: string): never => {
    const context = path.length === 1 ? `('${path[0]}',)` : `(${path.map((step) => `'${step}'`).join(', ')})`;
    throw new ApiError(400, `Invalid schema for response_format '${name}': In context=${path.length === 0 ? '()' : context}, ${problem}.`, 'response_format');
  };
  if (schema.type !== 'object' || schema.anyOf !== undefined) {
    throw new ApiError(400, `Invalid schema for response_format '${name}': schema must be a JSON Schema of 'type: "object"', got 'type: ${JSON.stringify(schema.type ?? 'None')}'.`, 'response_format');
  }
  let properties = 0;

  const visit = (node: unknown, path: string[], depth: number): void => {
    if (!isObject(node)) {
      refuse(path, 'schema must be an object');
      return;
    }
    const unknown = Object.keys(node).find((key) => !KEYWORDS.has(key));
    if (unknown !== undefined) {
      refuse(path, `'${unknown}' is not permitted`);
    }
    const types = Array.isArray(node.type) ? node.type : [node.type];
    if (node.type === undefined && !['anyOf', '$ref', 'enum', 'const'].some((key) => key in node)) {
      refuse(path, "schema must have a 'type' key");
    }
    if (node.type !== undefined && types.some((type) => !TYPES.includes(String(type)))) {
      refuse(path, `${JSON.stringify(node.type)} is not a valid type`);
    }
    if (depth > MAX_DEPTH) {
      refuse(path, `nesting exceeds ${MAX_DEPTH} levels`);
    }
    if (types.includes('object')) {
      visitObject(node, path, depth);
    }
    if (types.includes('array')) {
      if (!('items' in node)) {
        refuse(path, 'array schema missing items');
      }
      visit(node.items, [...path, 'items'], depth);
    }
    if ('anyOf' in node && !Array.isArray(node.anyOf)) {
      refuse(path, "'anyOf' must be an array");
    }
    ((node.anyOf ?? []) as unknown[]).forEach((branch, index) => visit(branch, [...path, 'anyOf', String(index)], depth));
    for (const group of ['$defs', 'definitions']) {
      for (const [key, definition] of Object.entries(isObject(node[group]) ? node[group] : {})) {
        visit(definition, [...path, group, key], depth);
      }
    }
  };

  const visitObject = (node: Json, path: string[], depth: number): void => {
    if (node.additionalProperties !== false) {
      refuse(path, "'additionalProperties' is required to be supplied and to be false");
    }
    const fields = isObject(node.properties) ? node.properties : {};
    const required = Array.isArray(node.required) ? node.required : [];
    const missing = Object.keys(fields).find((key) => !required.includes(key));
    if (missing !== undefined) {
      refuse(path, `'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'`);
    }
    const extra = required.find((key) => !(String(key) in fields));
    if (extra !== undefined) {
      refuse(path, `'required' names '${String(extra)}', which is not in properties`);
    }
    properties += Object.keys(fields).length;
    if (properties > MAX_PROPERTIES) {
      refuse(path, `more than ${MAX_PROPERTIES} properties`);
    }
    for (const [key, field] of Object.entries(fields)) {
      visit(field, [...path, 'properties', key], depth + 1);
    }
  };

  visit(schema, [], 1);
}
