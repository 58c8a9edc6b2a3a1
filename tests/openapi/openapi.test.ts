/**
 * docs/openapi.yaml against itself and against the sources: what is routed, refused, limited and answered in Rust stands in
 * it, and nothing else. live.test.ts compares it with what the running functions say.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { codesOf, codesOfStreams, document, eventsOf, follow, escaped, operations, problems, read, schemaAt } from './document.ts';
import type { Node, Operation } from './document.ts';
import {
  CODES, FUNCTIONS, codesNamedIn, endpointOf, filesOf, limitsOf, membersOf, ownRoutesOf, product, routesOf, variantsOf,
} from './sources.ts';

const OPERATIONS = operations();

/** What the end-to-end tests of a file call. */
const CALLED_BY: Record<string, string[]> = {
  'account.rs': ['account', 'ai-playlist', 'billing'],
  'billing.rs': ['billing'],
  'catalogue.rs': ['ai-playlist'],
  'crashes/listener.rs': FUNCTIONS,
  'database_refusals.rs': ['ai-playlist'],
  'foreign_texts.rs': ['ai-playlist'],
  'idempotency.rs': ['ai-playlist'],
  'llm_faults.rs': ['ai-playlist'],
  'model_answers.rs': ['ai-playlist'],
  'load/listener.rs': FUNCTIONS,
  'logs.rs': ['ai-playlist'],
  'matrix/acts.rs': ['spotify-export'],
  'matrix/operations.rs': FUNCTIONS,
  'matrix/rules.rs': FUNCTIONS,
  'process.rs': ['ai-playlist'],
  'quota.rs': ['ai-playlist'],
  'refusals.rs': ['ai-playlist'],
  'spotify_export.rs': ['spotify-export'],
  'spotify_faults.rs': ['ai-playlist'],
  'spotify_link.rs': ['spotify-oauth', 'spotify-export'],
  'spotify_search.rs': ['spotify-search'],
  'stripe_webhook.rs': ['stripe-webhook'],
  'stripe_webhook_refusals.rs': ['stripe-webhook'],
  'tokens.rs': ['ai-playlist'],
};

/** Their helpers, and which route each calls. */
const CALLS: [RegExp, string][] = [
  [/\bexport\(/, '/spotify-export'],
  [/\bcomplete\(/, '/spotify-oauth/complete'],
  [/\bsearch\(/, '/spotify-search'],
  [/\bask_for_checkout\(/, '/billing/checkout'],
  [/\bask_for_portal\(/, '/billing/portal'],
  [/\bdelete\(&stack/, '/account'],
  [/\bsend\(&stack/, '/stripe-webhook'],
  [/\bgeneration::json\(|\bjson_with_key\(/, '/ai-playlist'],
];

const equal = (found: Iterable<unknown>, expected: Iterable<unknown>, what: string) =>
  assert.deepEqual([...found].map(String).sort(), [...expected].map(String).sort(), what);

const nodeAt = (pointer: string): Node => follow(pointer).node;

function codesOfFunction(name: string): Set<string> {
  return new Set(OPERATIONS.filter((it) => it.function === name).flatMap((it) => [...codesOf(it).keys()]));
}

test('it is OpenAPI 3.1', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document));
  assert.equal(valid, true, JSON.stringify(errors, null, 2));
  assert.equal(validator.version, '3.1');
  equal(new Set(OPERATIONS.map((it) => it.id)), OPERATIONS.map((it) => it.id), 'an operationId twice');
});

test('every part of it is used, and every reference leads somewhere', () => {
  const references = new Set<string>();
  visit('', document, (_, node) => {
    if (typeof node.$ref === 'string') references.add(node.$ref);
  });
  for (const reference of references) follow(reference.slice(1));
  const kinds = Object.entries(document.components as Node).filter(([kind]) => kind !== 'securitySchemes');
  const parts = kinds.flatMap(([kind, parts]) => Object.keys(parts as Node).map((name) => `#/components/${kind}/${name}`));
  equal(references, parts, 'components');
});

test('every schema is one, without a keyword that means nothing', () => {
  let schemas = 0;
  visit('', document, (pointer, node) => {
    const isNamed = /^\/components\/schemas\/[^/]+$/.test(pointer);
    if (!isNamed && !('schema' in node)) return;
    schemaAt(isNamed ? pointer : `${pointer}/schema`);
    schemas += 1;
  });
  assert(schemas > 80, `${schemas} schemas`);
});

test('the codes are those of the sources, each under its own status', () => {
  equal(nodeAt('/components/schemas/ErrorCode').enum as string[], CODES.keys(), 'the closed list');
  for (const operation of OPERATIONS) {
    for (const [code, status] of codesOf(operation)) assert.equal(status, CODES.get(code)?.status, `${operation.id}: ${code}`);
  }
  equal(new Set(OPERATIONS.flatMap((it) => [...codesOf(it).keys()])), CODES.keys(), 'codes that a route answers');
});

test('a stream ends with no other code than its document', () => {
  const generation = OPERATIONS.find((it) => it.id === 'generatePlaylist') as Operation;
  const codes = codesOf(generation);
  for (const code of codesOfStreams()) assert(codes.has(code), code);
});

test('every route of the sources is described, and no other', () => {
  for (const name of FUNCTIONS) {
    const { routes, allow } = routesOf(name);
    const described = OPERATIONS.filter((it) => it.function === name);
    equal(described.map((it) => `${it.method} ${it.path.slice(name.length + 1) || '/'}`), routes, name);
    const own = ownRoutesOf(name).routes.map((route) => route.split(' ') as [string, string]);
    equal(new Set(own.map(([method]) => method)), endpointOf(name).methods, `${name}: ENDPOINT.methods`);
    equal(new Set(own.map(([, path]) => path).filter((path) => path !== '/')), endpointOf(name).routes, `${name}: ENDPOINT.routes`);
    const methods = Map.groupBy(routes, (route) => route.split(' ')[1] ?? '');
    for (const [path, there] of methods) {
      assert.equal(allow.get(path), there.map((route) => route.split(' ')[0]).join(', '), `${name}${path}: Allow`);
    }
  }
  equal(new Set(OPERATIONS.map((it) => it.function)), FUNCTIONS, 'functions');
});

test('the gateway answers at the paths of its own that are described', () => {
  const described = Object.entries(document.paths as Node).filter(([, item]) => 'servers' in (item as Node)).map(([path]) => path);
  const answered = [...product('functions/gateway/src/route.rs').matchAll(/if path == "([^"]+)"/g)].map(([, path]) => path);
  equal(described, answered, 'gateway');
});

test('who has to sign in is who the sources ask for a token', () => {
  for (const operation of OPERATIONS) {
    const rust = filesOf(`functions/${operation.function}/src`).map(product).join('');
    const codes = codesOf(operation);
    assert.equal(operation.isForUsers, codes.has('missing_token'), operation.id);
    if (operation.isForUsers) assert.match(rust, /\bauthenticate\(/, operation.id);
  }
  const others = OPERATIONS.filter((it) => !it.isForUsers && !it.isOfHealth).map((it) => it.id);
  equal(others, ['returnFromSpotify', 'receiveStripeEvent'], 'routes without a token');
});

test('a function answers every code that it names, and none that nothing behind it names', () => {
  const frame = ['shared/src/endpoint.rs', 'shared/src/config.rs', 'functions/gateway/src/entry.rs'].map(product).join('');
  for (const name of FUNCTIONS) {
    const own = filesOf(`functions/${name}/src`).map(product).join('');
    const described = codesOfFunction(name);
    for (const code of codesNamedIn(own)) assert(described.has(code), `${name} names ${code}`);
    const modules = new Set([...own.matchAll(/\bshared::(\w+)/g)].map(([, module]) => module));
    const shared = filesOf('shared/src').filter((path) => modules.has(path.split('/')[2]?.replace('.rs', '')));
    const behind = codesNamedIn([frame, own, ...shared.map(product)].join(''));
    for (const code of described) assert(behind.has(code), `${name} cannot answer ${code}`);
  }
});

test('bodies may be as large as the sources read', () => {
  for (const operation of OPERATIONS) {
    const { maxBodyBytes } = endpointOf(operation.function);
    const size = maxBodyBytes < 1024 * 1024 ? `${maxBodyBytes / 1024} KB` : `1 MB (${maxBodyBytes} bytes)`;
    const body = operation.node.requestBody as Node | undefined;
    const text = `${body?.description ?? operation.node.description ?? ''}`;
    if (body) assert(text.startsWith(`At most ${size}.`), `${operation.id}: ${size}`);
    else if (!['GET', 'HEAD'].includes(operation.method)) assert(text.includes(`it may have ${size}.`), `${operation.id}: ${size}`);
  }
});

test('requests and answers have the members of the sources', () => {
  const refusing = new Set<string>();
  for (const [path, struct, pointer] of [
    ['functions/ai-playlist/src/request.rs', 'RawRequest', '/components/schemas/PlaylistRequest'],
    ['functions/ai-playlist/src/request.rs', 'RawSong', '/components/schemas/Song'],
    ['functions/ai-playlist/src/request.rs', 'RawEra', '/components/schemas/PlaylistRequest/properties/era'],
    ['functions/ai-playlist/src/request.rs', 'RawRefine', '/components/schemas/PlaylistRequest/properties/refine'],
    ['functions/spotify-oauth/src/request.rs', 'Completion', '/components/schemas/SpotifyLinkCompletion'],
    ['functions/spotify-export/src/request.rs', 'ExportRequest', '/components/schemas/ExportRequest'],
    ['functions/billing/src/request.rs', 'CheckoutUrls', '/components/schemas/CheckoutRequest'],
    ['functions/billing/src/request.rs', 'PortalUrls', '/components/schemas/PortalRequest'],
    ['functions/account/src/request.rs', 'Deletion', '/components/schemas/AccountDeletion'],
  ] as const) {
    const members = membersOf(path, struct);
    const schema = nodeAt(pointer);
    equal(Object.keys(schema.properties as Node), members.keys(), struct);
    const needed = [...members].filter(([, isOptional]) => !isOptional).map(([name]) => name);
    equal((schema.required as string[] | undefined) ?? [], needed, `${struct}: needed`);
    assert.equal(schema.additionalProperties, false, struct);
    for (const [name, isOptional] of members) {
      assert.equal(problems(`${pointer}/properties/${name}`, null) === '', isOptional, `${struct}.${name}: null`);
    }
    refusing.add(`${path} ${struct}`);
  }
  for (const [path, struct, pointer] of [
    ['functions/ai-playlist/src/event.rs', 'Track', '/components/schemas/Track'],
    ['functions/ai-playlist/src/event.rs', 'Done', '/components/schemas/GeneratedPlaylist'],
    ['functions/ai-playlist/src/quota.rs', 'Quota', '/components/schemas/Quota'],
    ['functions/spotify-search/src/handler.rs', 'Found', '/components/schemas/FoundTrack'],
    ['functions/spotify-export/src/export.rs', 'Exported', '/components/schemas/Exported'],
    ['functions/spotify-export/src/export.rs', 'Rejected', '/components/schemas/Exported/properties/rejected/items'],
    ['shared/src/spotify/link.rs', 'LinkStatus', '/components/schemas/SpotifyLink'],
  ] as const) {
    const schema = nodeAt(pointer);
    equal(Object.keys(schema.properties as Node), membersOf(path, struct).keys(), struct);
    assert.equal(schema.additionalProperties, false, struct);
  }
  // Whatever else refuses unknown members has to be in the first list.
  for (const path of FUNCTIONS.flatMap((name) => filesOf(`functions/${name}/src`))) {
    for (const [, struct] of product(path).matchAll(/deny_unknown_fields\)\][\s\S]*?struct (\w+)/g)) {
      assert(refusing.has(`${path} ${struct}`), `${path}: ${struct} is compared with nothing`);
    }
  }
});

test('words of a closed list are those of the sources', () => {
  const stage = '/components/schemas/StageEvent/properties/data/properties/stage';
  const miss = '/components/schemas/MissEvent/properties/data/properties/reason';
  const outcome = '/paths/~1stripe-webhook/post/responses/200/content/application~1json/schema/properties/outcome';
  for (const [path, name, pointer] of [
    ['functions/ai-playlist/src/event.rs', 'Stage', stage],
    ['functions/ai-playlist/src/event.rs', 'StopReason', '/components/schemas/GeneratedPlaylist/properties/stop_reason'],
    ['shared/src/matching/constraints.rs', 'MissReason', miss],
    ['functions/stripe-webhook/src/handler.rs', 'Outcome', outcome],
    ['shared/src/health.rs', 'Dependency', '/components/schemas/Unwell/properties/missing/items'],
  ] as const) {
    equal(nodeAt(pointer).enum as string[], variantsOf(path, name), name);
  }
  const location = nodeAt('/paths/~1spotify-oauth~1callback/get/responses/302/headers/Location').schema as Node;
  const reasons = /error=\(([a-z_|]+)\)/.exec(String(location.pattern))?.[1]?.split('|') ?? [];
  equal(reasons, variantsOf('functions/spotify-oauth/src/callback.rs', 'Reason'), 'Reason');
  const named = [...product('functions/ai-playlist/src/event.rs').matchAll(/frame\("(\w+)"/g)].map(([, name]) => name);
  const events = (nodeAt('/components/schemas/ServerEvent').oneOf as { $ref: string }[]).map(({ $ref }) => {
    const { event } = nodeAt($ref.slice(1)).properties as { event: Node };
    return event.const;
  });
  equal(events, named, 'events');
});

test('limits are those of the sources', () => {
  const of = (pointer: string, keyword: string) => nodeAt(`/components/schemas/${pointer}`)[keyword];
  const asked = (name: string, path: string) => {
    const parameters = nodeAt(`/paths/${escaped(path)}/get`).parameters as { name: string; schema: Node }[];
    return parameters.find((it) => it.name === name)?.schema ?? {};
  };
  const wish = 'PlaylistRequest/properties';
  const described: Record<string, Record<string, unknown[]>> = {
    'functions/ai-playlist/src/request.rs': {
      MAX_WISH_BYTES: [Number(/have at most (\d+) bytes/.exec(String((nodeAt('/paths/~1ai-playlist/post').requestBody as Node).description))?.[1])],
      MAX_PROMPT_CHARS: [of(`${wish}/prompt`, 'maxLength')],
      MAX_TARGET_COUNT: [of(`${wish}/target_count`, 'maximum')],
      DEFAULT_TARGET_COUNT: [of(`${wish}/target_count`, 'default')],
      MAX_SEEDS: [of(`${wish}/seeds`, 'maxItems')],
      MAX_EXCLUDED_ARTISTS: [of(`${wish}/exclude_artists`, 'maxItems')],
      MAX_PREVIOUS_TRACKS: [of(`${wish}/refine/properties/previous`, 'maxItems')],
      MAX_NAME_CHARS: [of('Song/properties/artist', 'maxLength'), of('Song/properties/title', 'maxLength'), of(`${wish}/exclude_artists/items`, 'maxLength')],
      MAX_HINT_CHARS: [of(`${wish}/mood`, 'maxLength'), of(`${wish}/tempo`, 'maxLength')],
      MAX_INSTRUCTION_CHARS: [of(`${wish}/refine/properties/instruction`, 'maxLength')],
    },
    'functions/spotify-oauth/src/request.rs': {
      MAX_CODE_BYTES: [Number(/\{1,(\d+)\}/.exec(String(of('SpotifyLinkCompletion/properties/code', 'pattern')))?.[1])],
      MAX_STATE_BYTES: [of('SpotifyLinkCompletion/properties/state', 'maxLength')],
    },
    'functions/spotify-search/src/request.rs': {
      MAX_NAME_CHARS: [asked('artist', '/spotify-search').maxLength, asked('title', '/spotify-search').maxLength],
      MAX_LIMIT: [asked('limit', '/spotify-search').maximum, asked('limit', '/spotify-search').default],
    },
    'functions/spotify-export/src/request.rs': {
      MAX_NAME_CHARS: [of('ExportRequest/properties/name', 'maxLength')],
      MAX_DESCRIPTION_CHARS: [of('ExportRequest/properties/description', 'maxLength')],
    },
    'functions/billing/src/request.rs': { MAX_URL_BYTES: [of('AppUrl', 'maxLength')] },
    'functions/account/src/request.rs': { MAX_CONFIRMATION_CHARS: [of('AccountDeletion/properties/confirm', 'maxLength')] },
    'shared/src/llm/playlist/reader.rs': {
      MAX_NAME_CHARACTERS: [of('GeneratedPlaylist/properties/name', 'maxLength')],
      MAX_DESCRIPTION_CHARACTERS: [of('GeneratedPlaylist/properties/description', 'maxLength')],
      MAX_SUMMARY_CHARACTERS: [of('GeneratedPlaylist/properties/summary', 'maxLength')],
    },
    'shared/src/llm/playlist/song.rs': {
      MAX_SONG_CHARACTERS: [of('MissEvent/properties/data/properties/title', 'maxLength'), of('MissEvent/properties/data/properties/artist', 'maxLength')],
    },
  };
  for (const [path, limits] of Object.entries(described)) {
    const found = limitsOf(path);
    equal(Object.keys(limits), found.keys(), path);
    for (const [name, values] of Object.entries(limits)) {
      for (const value of values) assert.equal(value, found.get(name), `${path}: ${name}`);
    }
  }
  const files = FUNCTIONS.map((name) => `functions/${name}/src/request.rs`).filter((path) => filesOf('functions').includes(path));
  for (const path of files) assert(path in described, `${path} is compared with nothing`);
  const names = /match name\.as_ref\(\) \{([\s\S]*?)_ =>/.exec(product('functions/spotify-search/src/request.rs'))?.[1] ?? '';
  const known = [...names.matchAll(/"(\w+)" =>/g)].map(([, name]) => name);
  equal((nodeAt('/paths/~1spotify-search/get').parameters as { name: string }[]).map((it) => it.name), known, 'parameters');
  const years = /YEARS: .* = (\d+)\.\.=(\d+);/.exec(product('functions/ai-playlist/src/request.rs')) ?? [];
  for (const end of ['from', 'to']) {
    const year = `${wish}/era/properties/${end}`;
    equal([of(year, 'minimum'), of(year, 'maximum')], years.slice(1), `era.${end}`);
  }
});

test('what the end-to-end tests assert is described, and every code is asserted', () => {
  const asserted = new Set<string>();
  const files = filesOf('tests/it/src').map((path) => path.replace('tests/it/src/', ''));
  let statements = 0;
  for (const file of files) {
    const rust = read(`tests/it/src/${file}`);
    const codes = [...rust.matchAll(/"([a-z_]+)"/g)].map(([, text = '']) => text).filter((text) => CODES.has(text));
    if (codes.length === 0) {
      assert(!(file in CALLED_BY), `${file} asserts no code any more`);
      continue;
    }
    const functions = CALLED_BY[file];
    assert(functions, `${file} asserts codes; which functions does it call?`);
    const described = new Set(functions.flatMap((name) => [...codesOfFunction(name)]));
    for (const code of codes) {
      assert(described.has(code), `${file}: no route of ${functions.join(', ')} answers ${code}`);
      asserted.add(code);
    }
    for (const [, status, code = ''] of rust.matchAll(/\b([45]\d\d),\s*"([a-z_]+)"/g)) {
      if (CODES.has(code)) assert.equal(Number(status), CODES.get(code)?.status, `${file}: ${code}`);
    }
    for (const statement of rust.split(/[;{}]\s*\n/)) {
      const [, code] = /assert_error\((?:[^()]|\([^()]*\))*\b\d{3}, "([a-z_]+)"\)/.exec(statement) ?? [];
      const called = calledIn(statement);
      if (!code || called.length === 0) continue;
      assert(called.some((operation) => codesOf(operation).has(code)), `${file}: ${called.map((it) => it.id).join(', ')} does not answer ${code}`);
      statements += 1;
    }
  }
  for (const file of Object.keys(CALLED_BY)) assert(files.includes(file), `there is no ${file}`);
  assert(statements > 30, `only ${statements} assertions name their route`);

  equal([...CODES.keys()].filter((code) => !asserted.has(code)), [], 'codes that no end-to-end test asserts');
});

test('every example is valid', () => {
  let examples = 0;
  const check = (pointer: string, value: unknown, isStream: boolean) => {
    if (isStream) {
      const events = `${follow(pointer).pointer}/contentSchema`;
      assert.equal(problems(events, eventsOf(String(value))), '', pointer);
    }
    assert.equal(problems(pointer, value), '', pointer);
    examples += 1;
  };
  visit('', document, (pointer, node) => {
    if ('schema' in node) {
      const isStream = pointer.endsWith('text~1event-stream');
      if ('example' in node) check(`${pointer}/schema`, node.example, isStream);
      for (const example of Object.values((node.examples as { [name: string]: Node } | undefined) ?? {})) check(`${pointer}/schema`, example.value, isStream);
    } else if (Array.isArray(node.examples)) {
      for (const example of node.examples) check(pointer, example, false);
    }
  });
  assert(examples > 35, `${examples} examples`);
});

test('every request and every answer with a body has an example', () => {
  for (const operation of OPERATIONS) {
    const success = ['200', '302', '204'].filter((status) => status in (operation.node.responses as Node));
    const bodies = [
      ...Object.values(((operation.node.requestBody as Node | undefined)?.content as Node | undefined) ?? {}),
      ...success.flatMap((status) => Object.values((follow(`${operation.pointer}/responses/${status}`).node.content as Node | undefined) ?? {})),
    ] as Node[];
    for (const body of bodies) assert('example' in body || 'examples' in body, operation.id);
  }
});

/** The routes that a statement of the end-to-end tests calls, where it says so. */
function calledIn(statement: string): Operation[] {
  const [, named] = /\bcall(?:_with)?\([^"]*"([a-z-]+(?:\/[a-z]+)?)[?"]/.exec(statement) ?? [];
  const paths = CALLS.filter(([pattern]) => pattern.test(statement)).map(([, path]) => path);
  if (named) {
    const exact = OPERATIONS.filter((it) => it.path === `/${named}`);
    return exact.length > 0 ? exact : OPERATIONS.filter((it) => it.function === named.split('/')[0]);
  }
  return paths.length === 1 ? OPERATIONS.filter((it) => it.path === paths[0]) : [];
}

/** Calls for every object of the document, but not for those within examples. */
function visit(pointer: string, node: unknown, what: (pointer: string, node: Node) => void): void {
  if (!node || typeof node !== 'object') return;
  if (!Array.isArray(node)) what(pointer, node as Node);
  const isOfExamples = (name: string) => name === 'example' || (name === 'examples' && !pointer.endsWith('/properties'));
  for (const [name, child] of Object.entries(node)) {
    if (!isOfExamples(name)) visit(`${pointer}/${escaped(name)}`, child, what);
  }
}
