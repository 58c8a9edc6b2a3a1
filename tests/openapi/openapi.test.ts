/** The generator does not guarantee that docs/openapi.yaml is valid OpenAPI and that its examples are valid. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { document, escaped, eventsOf, follow, operations, problems } from './document.ts';
import type { Node } from './document.ts';

test('the document is OpenAPI 3.1', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document));
  assert.equal(valid, true, JSON.stringify(errors, null, 2));
  assert.equal(validator.version, '3.1');
  const ids = operations().map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length, 'an operationId twice');
});

test('every reference resolves, every schema compiles, and every example is valid', () => {
  let examples = 0;
  visit('', document, (pointer, node) => {
    follow(pointer);
    const isSchema = /^\/components\/schemas\/[^/]+$/.test(pointer) || Array.isArray(node.examples);
    if (!isSchema && !('schema' in node)) return;
    const schema = isSchema ? pointer : `${pointer}/schema`;
    problems(schema, null);
    const named = Object.values(node.examples ?? {}).map((it) => (isSchema ? it : (it as Node).value));
    for (const value of 'example' in node ? [node.example, ...named] : named) {
      assert.equal(problems(schema, value), '', pointer);
      if (pointer.endsWith('text~1event-stream')) assert.equal(problems(`${follow(schema).pointer}/contentSchema`, eventsOf(String(value))), '', pointer);
      examples += 1;
    }
  });
  assert(examples > 35, `${examples} examples`);
});

/** Calls for every object of the document, but not for those within examples. */
function visit(pointer: string, node: unknown, what: (pointer: string, node: Node) => void): void {
  if (!node || typeof node !== 'object') return;
  if (!Array.isArray(node)) what(pointer, node as Node);
  const isOfExamples = (name: string) => name === 'example' || (name === 'examples' && !pointer.endsWith('/properties'));
  for (const [name, child] of Object.entries(node)) if (!isOfExamples(name)) visit(`${pointer}/${escaped(name)}`, child, what);
}
