/** docs/openapi.yaml against itself. tools/contract generates it from the types, live.test.ts with the running functions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { document, escaped, eventsOf, follow, operations, problems } from './document.ts';
import type { Node } from './document.ts';

test('it is OpenAPI 3.1', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document));
  assert.equal(valid, true, JSON.stringify(errors, null, 2));
  assert.equal(validator.version, '3.1');
  const ids = operations().map(({ id }) => id);
  assert.deepEqual([...new Set(ids)], ids, 'an operationId twice');
});

test('every part of it is used, and every reference leads somewhere', () => {
  const references = new Set<string>();
  visit('', document, (_, node) => {
    if (typeof node.$ref === 'string') references.add(node.$ref);
  });
  for (const reference of references) follow(reference.slice(1));
  const kinds = Object.entries(document.components as Node).filter(([kind]) => kind !== 'securitySchemes');
  const parts = kinds.flatMap(([kind, parts]) => Object.keys(parts as Node).map((name) => `#/components/${kind}/${name}`));
  assert.deepEqual([...references].sort(), parts.sort());
});

test('every schema is one, without a keyword that means nothing, and every example is valid', () => {
  let [schemas, examples] = [0, 0];
  const check = (pointer: string, value: unknown, isStream: boolean) => {
    assert.equal(problems(pointer, value), '', pointer);
    if (isStream) assert.equal(problems(`${follow(pointer).pointer}/contentSchema`, eventsOf(String(value))), '', pointer);
    examples += 1;
  };
  visit('', document, (pointer, node) => {
    const isNamed = /^\/components\/schemas\/[^/]+$/.test(pointer);
    if (isNamed || 'schema' in node) {
      problems(isNamed ? pointer : `${pointer}/schema`, null);
      schemas += 1;
    }
    if ('schema' in node) {
      const named = Object.values((node.examples as { [name: string]: Node } | undefined) ?? {}).map(({ value }) => value);
      for (const value of 'example' in node ? [node.example, ...named] : named) check(`${pointer}/schema`, value, pointer.endsWith('text~1event-stream'));
    } else if (Array.isArray(node.examples)) {
      for (const value of node.examples) check(pointer, value, false);
    }
  });
  assert(schemas > 80 && examples > 35, `${schemas} schemas, ${examples} examples`);
});

/** Calls for every object of the document, but not for those within examples. */
function visit(pointer: string, node: unknown, what: (pointer: string, node: Node) => void): void {
  if (!node || typeof node !== 'object') return;
  if (!Array.isArray(node)) what(pointer, node as Node);
  const isOfExamples = (name: string) => name === 'example' || (name === 'examples' && !pointer.endsWith('/properties'));
  for (const [name, child] of Object.entries(node)) {
    if (!isOfExamples(name)) visit(`${pointer}/${escaped(name)}`, child, what);
  }
}
