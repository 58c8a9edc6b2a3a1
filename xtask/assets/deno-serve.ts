/**
 * Serves the functions' wasm in Deno as Supabase's Edge Functions run it, and the page beside them.
 *
 * DENO_SERVE = {port, web: folder, page: the gateway's variables, functions: [{name, directory of wasm-bindgen's `web` output, env}]}
 */

import type { PageVariables } from './page.ts';
import { documentHeaders, pageConfig } from './page.ts';

interface Settings {
  port: number;
  web: string;
  page: PageVariables;
  functions: { name: string; directory: string; env: Record<string, string> }[];
}

interface Context {
  waitUntil(promise: Promise<unknown>): void;
  passThroughOnException(): void;
}

interface FunctionModule {
  initSync(options: { module: WebAssembly.Module }): void;
  fetch(request: Request, env: Record<string, string>, context: Context): Promise<Response>;
}

type Handler = (request: Request) => Promise<Response>;

const CONTENT_TYPES: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  ico: 'image/x-icon',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
  webp: 'image/webp',
  woff2: 'font/woff2',
};

/** Deno keeps running while work is pending; a failure in it must not end the server. */
const context: Context = {
  waitUntil(promise) {
    promise.catch((error) => console.error(error));
  },
  passThroughOnException() {},
};

async function load(directory: string, env: Record<string, string>): Promise<Handler> {
  const module: FunctionModule = await import(`file://${directory}/index.js`);
  module.initSync({ module: new WebAssembly.Module(await Deno.readFile(`${directory}/index_bg.wasm`)) });
  return (request) => module.fetch(request, env, context);
}

async function asset(web: string, request: Request): Promise<Response> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return new Response(null, { status: 405, headers: { Allow: 'GET, HEAD' } });
  let path: string;
  try {
    path = decodeURIComponent(new URL(request.url).pathname);
  } catch {
    return new Response(null, { status: 400 });
  }
  if (path.endsWith('/')) path += 'index.html';
  if (path.split('/').some((segment) => segment.startsWith('.') || segment.includes('\0'))) return new Response(null, { status: 404 });
  const type = CONTENT_TYPES[path.slice(path.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
  try {
    const body = await Deno.readFile(web + path);
    const headers = { 'Content-Type': type, ...(path.endsWith('.html') ? documentHeaders(settings.page) : {}) };
    return new Response(request.method === 'HEAD' ? null : body, { headers });
  } catch {
    return new Response(null, { status: 404 });
  }
}

function nowhere(): Response {
  const request_id = crypto.randomUUID();
  const body = { code: 'not_found', message: 'There is no such function.', request_id };
  return Response.json(body, { status: 404, headers: { 'X-Request-Id': request_id } });
}

const settings: Settings = JSON.parse(Deno.env.get('DENO_SERVE') ?? '');
const handlers = new Map<string, Handler>();
for (const { name, directory, env } of settings.functions) {
  handlers.set(name, await load(directory, env));
}

Deno.serve({ hostname: '127.0.0.1', port: settings.port, onListen: () => console.log('ready') }, (request) => {
  const { pathname } = new URL(request.url);
  if (pathname === '/config.json') return pageConfig(request, settings.page);
  if (!pathname.startsWith('/functions/')) return asset(settings.web, request);
  const handler = handlers.get(/^\/functions\/v1\/([^/]+)/.exec(pathname)?.[1] ?? '');
  return handler ? handler(request) : nowhere();
});
