/** docs/openapi.yaml, and the validators of responses. */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { AnySchema } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { parse } from 'yaml';

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type Node = { [name: string]: Json };

export interface Operation {
  id: string;
  /** `POST` */
  method: string;
  /** `/billing/checkout` */
  path: string;
  isForUsers: boolean;
  isOfHealth: boolean;
  node: Node;
  pointer: string;
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options', 'trace'];

export const document = parse(readFileSync(new URL('../../docs/openapi.yaml', import.meta.url), 'utf8')) as Node;

// Ajv's strict mode finds misspelt keywords. Its checks of types and properties do not follow a `$ref`.
const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true, allowUnionTypes: true });
formats.default(ajv);
ajv.addVocabulary(Object.keys(document)); // The document itself is not a schema.
ajv.addSchema(document as AnySchema, 'openapi');

/** The object at a JSON pointer, following its `$ref`, and the pointer to it. */
export function follow(pointer: string): { node: Node; pointer: string } {
  const parts = pointer.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const node = parts.reduce<Json | undefined>((at, part) => (at as Node | undefined)?.[part], document);
  if (!node || typeof node !== 'object') throw new Error(`there is no ${pointer}`);
  const target = (node as Node).$ref;
  return typeof target === 'string' ? follow(target.slice(1)) : { node: node as Node, pointer };
}

export function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The errors of a value against the schema at a JSON pointer; empty if it is valid. */
export function problems(pointer: string, value: unknown): string {
  const id = `openapi#${pointer.split('/').map(encodeURIComponent).join('/')}`;
  const validate = ajv.getSchema(id) ?? ajv.compile({ $ref: id });
  return validate(value) ? '' : ajv.errorsText(validate.errors, { dataVar: 'it' });
}

/** The routes of the functions. Those with another server belong to the gateway. */
export function operations(): Operation[] {
  const paths = Object.entries(document.paths as Node).filter(([, item]) => !('servers' in (item as Node)));
  return paths.flatMap(([path, item]) =>
    Object.entries(item as { [method: string]: Node })
      .filter(([method]) => METHODS.includes(method))
      .map(([method, node]) => ({
        id: String(node.operationId),
        method: method.toUpperCase(),
        path,
        isForUsers: JSON.stringify(node.security ?? document.security) === '[{"user":[]}]',
        isOfHealth: path.endsWith('/health'),
        node,
        pointer: `/paths/${escaped(path)}/${method}`,
      })),
  );
}

/** The events of a stream; throws if a frame is neither an event in two lines nor a comment. */
export function eventsOf(text: string): { event: string; data: unknown }[] {
  if (!text.endsWith('\n\n')) throw new Error('the stream ends within an event');
  return text.split('\n\n').flatMap((frame) => {
    if (frame === '' || /^: .*$/.test(frame)) return [];
    const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(frame) ?? [];
    if (!event || !data) throw new Error(`not an event: ${frame}`);
    return [{ event, data: JSON.parse(data) as unknown }];
  });
}
