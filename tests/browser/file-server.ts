// The built page on a separate host, served as by any static file server.

import { readFile } from "node:fs/promises";
import type { Server } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ready } from "./support.ts";

export type PageConfig = {
  supabase_url: string;
  supabase_publishable_key: string;
  functions_url: string;
  turnstile_site_key?: string;
  anonymous_sign_ins?: boolean;
};

const TYPES: Record<string, string> = {
  html: "text/html",
  js: "text/javascript",
  css: "text/css",
  svg: "image/svg+xml",
  woff2: "font/woff2",
  png: "image/png",
  webmanifest: "application/manifest+json",
};

const SPOTIFY = ready.simulators.spotify;

/** Serves files, a policy and the page's configuration; `config` is called for each request. */
export function fileServer(config: () => PageConfig): Server {
  return createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://host");
    if (pathname === "/config.json")
      return void response.setHeader("Content-Type", "application/json").end(JSON.stringify({ spotify_player_origin: SPOTIFY, ...config() }));
    const name = pathname === "/" ? "index.html" : pathname.slice(1);
    const connect = [config().supabase_url, config().functions_url].map((url) => new URL(url).origin).join(" ");
    const turnstile = config().turnstile_site_key ? " https://challenges.cloudflare.com" : "";
    const policy = `default-src 'none'; script-src 'self'${turnstile}; frame-src ${SPOTIFY}${turnstile}; style-src 'self'; font-src 'self'; img-src 'self' ${SPOTIFY}; manifest-src 'self'; worker-src 'self'; connect-src 'self' ${connect}`;
    const type = TYPES[name.split(".").at(-1) ?? ""] ?? "application/octet-stream";
    readFile(`web/dist/${name}`).then(
      (body) => response.setHeader("Content-Type", type).setHeader("Content-Security-Policy", policy).end(body),
      () => response.writeHead(404).end(),
    );
  });
}

export async function listen(server: Server): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  return (server.address() as AddressInfo).port;
}
