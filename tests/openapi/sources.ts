/** What the functions' Rust says of itself, as far as lines and patterns can tell. What they cannot read, they refuse. */
import { readdirSync } from 'node:fs';
import { read } from './document.ts';

const folderOf = (path: string) => new URL(`../../${path}/`, import.meta.url);

/** The functions; the gateway is none, it only passes on. */
export const FUNCTIONS = readdirSync(folderOf('functions')).filter((name) => name !== 'gateway');

export function filesOf(folder: string): string[] {
  return readdirSync(folderOf(folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.rs'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`);
}

/** Files that are compiled for tests alone. */
const OF_TESTS = /(tests?|properties|any_text|cases)\.rs$/;
/** Their declarations, which may stand anywhere. */
const DECLARED = /#\[cfg\(test\)\]\n(#\[.*\]\n)?(pub(\(\w+\))? )?mod \w+;\n/g;

export function product(path: string): string {
  return OF_TESTS.test(path) ? '' : (read(path).replace(DECLARED, '').split('#[cfg(test)]')[0] ?? '');
}

/** The closed list: each code's name in Rust and its status. */
export const CODES = readCodes();

function readCodes(): Map<string, { name: string; status: number }> {
  const list = /^codes! \{\n([\s\S]*?)^\}/m.exec(read('shared/src/error.rs'))?.[1] ?? '';
  const lines = list.split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('///'));
  const codes = lines.map((line) => {
    const [, name, code, status] = /^(\w+) = "(\w+)", (\d{3});$/.exec(line) ?? [];
    if (!name || !code) throw new Error(`shared/src/error.rs: ${line}`);
    return [code, { name, status: Number(status) }] as const;
  });
  return new Map(codes.filter(([code]) => code !== 'client_closed_request')); // Nobody is left to read it.
}

/** The codes that a piece of Rust names. */
export function codesNamedIn(rust: string): Set<string> {
  const found = new Set([...rust.matchAll(/\bCode::(\w+)/g)].map(([, name]) => name));
  if (/\bError::invalid\(/.test(rust)) found.add('InvalidRequest');
  if (/\bmethod_not_allowed\(/.test(rust)) found.add('MethodNotAllowed');
  return new Set([...CODES].filter(([, { name }]) => found.has(name)).map(([code]) => code));
}

/** `ENDPOINT` of a function. */
export function endpointOf(name: string): { methods: string[]; routes: string[]; maxBodyBytes: number } {
  const [, text = ''] = /pub const ENDPOINT: Endpoint\s*=\s*Endpoint \{([\s\S]*?)\};/.exec(read(`functions/${name}/src/handler.rs`)) ?? [];
  const methods = /methods: "([A-Z, ]+)"/.exec(text)?.[1]?.split(', ');
  const routes = /routes: &\[([^\]]*)\]/.exec(text)?.[1]?.match(/\/[a-z]+/g) ?? [];
  const size = /max_body_bytes: ([\d *]+)/.exec(text)?.[1]?.split('*').reduce((product, factor) => product * Number(factor), 1);
  if (!methods || size === undefined || !text.includes(`name: "${name}"`)) throw new Error(`functions/${name}: no ENDPOINT`);
  return { methods, routes, maxBodyBytes: size };
}

/** The path below every function that the frame answers, and the methods that ask it. */
const HEALTH = readHealth();

function readHealth(): { path: string; methods: string[] } {
  const frame = read('shared/src/endpoint.rs');
  const path = /^const HEALTH: &str = "(\/[a-z]+)";$/m.exec(frame)?.[1];
  const arm = /if path == HEALTH \{\s*return match \*request\.method\(\) \{\s*([A-Za-z:| ]+) => answer\(Asked::Health\b/.exec(frame)?.[1];
  const methods = [...(arm ?? '').matchAll(/Method::([A-Z]+)/g)].map(([, method = '']) => method);
  if (!path || methods.length === 0) throw new Error('shared/src/endpoint.rs: where is health?');
  return { path, methods };
}

/** The routes of a function, as `POST /start`, and what `Allow` says at each path. */
export function routesOf(name: string): { routes: string[]; allow: Map<string, string> } {
  const own = ownRoutesOf(name);
  const health = HEALTH.methods.map((method) => `${method} ${HEALTH.path}`);
  return { routes: [...own.routes, ...health], allow: new Map([...own.allow, [HEALTH.path, HEALTH.methods.join(', ')]]) };
}

/** Those that it answers itself. */
export function ownRoutesOf(name: string): { routes: string[]; allow: Map<string, string> } {
  const rust = product(`functions/${name}/src/handler.rs`);
  const { methods } = endpointOf(name);
  const arms = /match \(path, request\.method\(\)\) \{\n([\s\S]*?)\n {4}\}/.exec(rust)?.[1];
  if (arms === undefined) {
    if (!rust.includes('if route(request.uri().path(), ENDPOINT.name) != Some("/")')) throw new Error(`functions/${name}: how does it route?`);
    return { routes: methods.map((method) => `${method} /`), allow: new Map([['/', methods.join(', ')]]) };
  }
  const routes: string[] = [];
  const allow = new Map<string, string>();
  for (const arm of arms.split('\n').map((line) => line.trim())) {
    const [, path, method] = /^\("(\/[a-z]*)", &Method::([A-Z]+)\) => [a-z_.]+\(/.exec(arm) ?? [];
    const [, paths, allowed] = /^\(("\/[a-z]*"(?: \| "\/[a-z]*")*), _\) => .*Error::method_not_allowed\("([A-Z, ]+)"\)/.exec(arm) ?? [];
    if (path) routes.push(`${method} ${path}`);
    else if (paths && allowed) for (const one of paths.split(' | ')) allow.set(one.replaceAll('"', ''), allowed);
    else if (!/^_ => .*Code::NotFound/.test(arm)) throw new Error(`functions/${name}: what is the arm ${arm}`);
  }
  return { routes, allow };
}

/** The members of a struct as JSON has them, with whether they may be missing or null. */
export function membersOf(path: string, struct: string): Map<string, boolean> {
  const body = new RegExp(`struct ${struct} \\{\\n([\\s\\S]*?)\\n\\}`).exec(product(path))?.[1];
  if (body === undefined) throw new Error(`${path} has no struct ${struct}`);
  const members = new Map<string, boolean>();
  let renamed: string | undefined;
  for (const line of body.split('\n').map((line) => line.trim())) {
    if (line === '' || line.startsWith('///')) continue;
    if (line.startsWith('#[')) {
      renamed = /rename\(serialize = "(\w+)"\)/.exec(line)?.[1] ?? renamed;
      continue;
    }
    const [, name, type] = /^(?:pub )?(\w+): (.+),$/.exec(line) ?? [];
    if (!name || !type) throw new Error(`${path}, ${struct}: ${line}`);
    members.set(renamed ?? name, type.startsWith('Option<'));
    renamed = undefined;
  }
  return members;
}

/** The variants of an enum, as serde or `as_str` writes them. */
export function variantsOf(path: string, name: string): string[] {
  const body = new RegExp(`enum ${name} \\{\\n([\\s\\S]*?)\\n\\}`).exec(product(path))?.[1];
  if (body === undefined) throw new Error(`${path} has no enum ${name}`);
  const variants = body.split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('///'));
  return variants.map((line) => line.replace(/,$/, '').replace(/(?<!^)[A-Z]/g, '_$&').toLowerCase());
}

/** The limits that a file declares: `const MAX_PROMPT_CHARS: usize = 1000`. */
export function limitsOf(path: string): Map<string, number> {
  const found = product(path).matchAll(/^const (\w+): usize = ([\d_]+);$/gm);
  return new Map([...found].map(([, name = '', value = '']) => [name, Number(value.replaceAll('_', ''))]));
}
