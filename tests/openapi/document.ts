/** docs/openapi.yaml, and what answers are checked with. */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { AnySchema, ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { parse } from 'yaml';

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type Node = { [name: string]: Json };

/** A route: what the document says of it, and where. */
export interface Operation {
  id: string;
  /** `POST` */
  method: string;
  /** `/billing/checkout` */
  path: string;
  /** `billing` */
  function: string;
  /** Whether it wants a user's token. */
  isForUsers: boolean;
  /** Whether it asks for the function's health, which the frame of all functions answers. */
  isOfHealth: boolean;
  node: Node;
  pointer: string;
}

const ROOT = new URL('../../', import.meta.url);
const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options', 'trace'];

export function read(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8');
}

export const document = parse(read('docs/openapi.yaml')) as Node;

// What ajv calls strict finds misspelt keywords. Types and properties may stand behind a `$ref`, where it does not look.
const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true, allowUnionTypes: true });
formats.default(ajv);
ajv.addVocabulary(Object.keys(document)); // The document itself is no schema.
ajv.addSchema(document as AnySchema, 'openapi');

/** The object at a JSON pointer, or what its `$ref` leads to, and where that is. */
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

/** Checks values against the schema at a JSON pointer. */
export function schemaAt(pointer: string): ValidateFunction {
  const uri = pointer.split('/').map(encodeURIComponent).join('/');
  const id = `openapi#${uri}`;
  return ajv.getSchema(id) ?? ajv.compile({ $ref: id });
}

/** What is wrong with a value by the schema at a pointer; an empty text for nothing. */
export function problems(pointer: string, value: unknown): string {
  const validate = schemaAt(pointer);
  return validate(value) ? '' : ajv.errorsText(validate.errors, { dataVar: 'it' });
}

/** The routes of the functions. What stands under another server is the gateway's own. */
export function operations(): Operation[] {
  const paths = Object.entries(document.paths as Node).filter(([, item]) => !('servers' in (item as Node)));
  return paths.flatMap(([path, item]) =>
    Object.entries(item as Node)
      .filter(([method]) => METHODS.includes(method))
      .map(([method, node]) => ({
        id: String((node as Node).operationId),
        method: method.toUpperCase(),
        path,
        function: path.split('/')[1] ?? '',
        isForUsers: JSON.stringify((node as Node).security ?? document.security) === '[{"user":[]}]',
        isOfHealth: path.endsWith('/health'),
        node: node as Node,
        pointer: `/paths/${escaped(path)}/${method}`,
      })),
  );
}

/** Where a status of a route is described. */
export function responseOf(operation: Operation, status: number | string): { node: Node; pointer: string } | undefined {
  if (!(String(status) in (operation.node.responses as Node))) return undefined;
  return follow(`${operation.pointer}/responses/${status}`);
}

/** The codes that a route answers, by their status. */
export function codesOf(operation: Operation): Map<string, number> {
  const codes = new Map<string, number>();
  for (const status of Object.keys(operation.node.responses as Node)) {
    // Of a function that is not well no error is told.
    if (Number(status) < 400 || (operation.isOfHealth && status === '503')) continue;
    const response = responseOf(operation, status) as { node: Node };
    const schema = ((response.node.content as Node)['application/json'] as Node).schema as { properties?: { code?: { enum?: string[] } } };
    const listed = schema.properties?.code?.enum ?? [];
    if (listed.length === 0) throw new Error(`${operation.id} ${status} lists no code`);
    for (const code of listed) codes.set(code, Number(status));
  }
  return codes;
}

/** The codes of the `error` event of a stream. */
export function codesOfStreams(): string[] {
  const { node } = follow('/components/schemas/ErrorEvent/properties/data/properties/code');
  return node.enum as string[];
}

/** The events of a stream; throws for what is neither one event in two lines nor a comment. */
export function eventsOf(text: string): { event: string; data: unknown }[] {
  if (!text.endsWith('\n\n')) throw new Error('the stream ends within an event');
  return text.split('\n\n').flatMap((frame) => {
    if (frame === '' || /^: .*$/.test(frame)) return [];
    const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(frame) ?? [];
    if (!event || !data) throw new Error(`not an event: ${frame}`);
    return [{ event, data: JSON.parse(data) as unknown }];
  });
}
