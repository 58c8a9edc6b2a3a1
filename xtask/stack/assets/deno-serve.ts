/**
 * Serves the entries of supabase/functions as Supabase's gateway and Edge Runtime do, and the page.
 *
 * DENO_SERVE = {port, web: folder, page: the gateway's variables, functions: [{name, entry: path}]}
 */

import type { PageVariables } from './page.ts';
import { pageConfig, withCommonHeaders, withPagePolicy } from './page.ts';

interface Settings {
  port: number;
  web: string;
  page: PageVariables;
  functions: { name: string; entry: string }[];
}

type Handler = (request: Request) => Response | Promise<Response>;

const CONTENT_TYPES: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  ico: 'image/x-icon',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
  webmanifest: 'application/manifest+json',
  webp: 'image/webp',
  woff2: 'font/woff2',
};

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
    // The same response as from functions/gateway.
    const kept = path.startsWith('/assets/') ? 'max-age=31536000, immutable' : 'max-age=0, must-revalidate';
    const headers = { 'Content-Type': type, 'Cache-Control': `public, ${kept}` };
    return new Response(request.method === 'HEAD' ? null : body, { headers });
  } catch {
    const page = await Deno.readFile(`${web}/404.html`).catch(() => null);
    return new Response(page, { status: 404, headers: { 'Content-Type': 'text/html; charset=utf-8' } });
  }
}

function nowhere(): Response {
  const request_id = crypto.randomUUID();
  const body = { code: 'not_found', message: 'There is no such function.', request_id };
  return Response.json(body, { status: 404, headers: { 'X-Request-Id': request_id } });
}

const settings: Settings = JSON.parse(Deno.env.get('DENO_SERVE') ?? '');
const handlers = new Map<string, Handler>();
const listen = Deno.serve;

// The Edge Runtime runs each entry in its own process; here each registers its handler.
for (const { name, entry } of settings.functions) {
  Object.assign(Deno, { serve: (handler: Handler) => handlers.set(name, handler) });
  await import(`file://${entry}`);
}
// Deno keeps running while work is pending.
Object.assign(globalThis, { EdgeRuntime: { waitUntil() {} } });

listen({ hostname: '127.0.0.1', port: settings.port, onListen: ({ port }) => console.log(`ready on port ${port}`) }, (request) => {
  const url = new URL(request.url);
  if (url.pathname === '/config.json') return withCommonHeaders(pageConfig(request, settings.page));
  if (!url.pathname.startsWith('/functions/')) return asset(settings.web, request).then((file) => withCommonHeaders(withPagePolicy(file, settings.page)));
  const [, path, name] = /^\/functions\/v1(\/([^/]+).*)$/.exec(url.pathname) ?? [];
  const handler = handlers.get(name ?? '');
  if (!handler) return withCommonHeaders(nowhere());
  // Functions see the path without the gateway's prefix; a Request cannot be constructed with these methods.
  if (['CONNECT', 'TRACE', 'TRACK'].includes(request.method)) return handler(request);
  return handler(new Request(`${url.origin}${path}${url.search}`, request));
});
