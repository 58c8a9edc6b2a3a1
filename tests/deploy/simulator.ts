// A simulator of a platform's API on loopback. Tools use it because of its address, and are otherwise unchanged.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export type Call = { method: string; url: URL; request: IncomingMessage; body: Buffer };
export type Reply = { status: number; body: unknown };

export abstract class PlatformSimulator {
  /** Requests that the platform would have refused as invalid. */
  readonly unexpected: string[] = [];
  readonly #server: Server = createServer((request, response) => void this.#serve(request, response));
  readonly #failures = new Map<string, number>();

  async listen(): Promise<this> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  protected redirect(publicOrigin: string): Record<string, string> {
    const script = `const original = globalThis.fetch;
      globalThis.fetch = (url, ...rest) => original(typeof url === 'string' ? url.replace('${publicOrigin}/', '${this.origin}/') : url, ...rest);`;
    return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` };
  }

  /** The next request such as "POST /secrets?slug=a" gets this status. */
  failOnce(request: string, status: number): void {
    this.#failures.set(request, status);
  }

  protected failure(request: string): number | undefined {
    const status = this.#failures.get(request);
    this.#failures.delete(request);
    return status;
  }

  /** Handles a call to the API; throws on a request that the platform would refuse as invalid. */
  protected abstract reply(call: Call): Promise<Reply>;

  protected abstract serveDeployed(url: URL, request: IncomingMessage, response: ServerResponse): Promise<boolean>;

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let reply: Reply;
    try {
      const url = new URL(request.url!, this.origin);
      if (await this.serveDeployed(url, request, response)) return;
      reply = await this.reply({ method: request.method!, url, request, body: await buffer(request) });
    } catch (error) {
      this.unexpected.push(`${request.method} ${request.url}: ${error}`);
      reply = { status: 400, body: { message: String(error) } };
    }
    response.writeHead(reply.status, { 'Content-Type': 'application/json' }).end(JSON.stringify(reply.body));
  }
}

export function form({ body, request }: Call): Promise<FormData> {
  return new Response(new Uint8Array(body), { headers: { 'Content-Type': request.headers['content-type'] ?? '' } }).formData();
}
