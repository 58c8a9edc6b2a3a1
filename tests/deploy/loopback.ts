// A platform's API on loopback, told apart from the platform by its address alone.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export type Call = { method: string; url: URL; request: IncomingMessage; body: Buffer };
export type Answer = { status: number; body: unknown };

export abstract class LoopbackApi {
  /** Requests that the platform would not have understood. */
  readonly unexpected: string[] = [];
  readonly #server: Server;
  readonly #failures = new Map<string, number>();

  protected constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  async listen(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What leads Node's requests for a public origin here. */
  protected redirect(publicOrigin: string): Record<string, string> {
    const script = `const original = globalThis.fetch;
      globalThis.fetch = (url, ...rest) => original(typeof url === 'string' ? url.replace('${publicOrigin}/', '${this.origin}/') : url, ...rest);`;
    return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` };
  }

  /** The next request such as "POST /secrets?slug=a" is answered with this status. */
  failOnce(request: string, status: number): void {
    this.#failures.set(request, status);
  }

  /** Takes the status that the next such request is to be answered with. */
  protected failure(request: string): number | undefined {
    const status = this.#failures.get(request);
    this.#failures.delete(request);
    return status;
  }

  /** Answers a call to the API; what it throws is a request that the platform would not have understood. */
  protected abstract answer(call: Call): Promise<Answer>;

  /** Serves what was deployed; false for a call to the API. */
  protected abstract serveDeployed(url: URL, request: IncomingMessage, response: ServerResponse): Promise<boolean>;

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: Answer;
    try {
      const url = new URL(request.url!, this.origin);
      if (await this.serveDeployed(url, request, response)) return;
      answer = await this.answer({ method: request.method!, url, request, body: await buffer(request) });
    } catch (error) {
      this.unexpected.push(`${request.method} ${request.url}: ${error}`);
      answer = { status: 400, body: { message: String(error) } };
    }
    response.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer.body));
  }
}

export function form({ body, request }: Call): Promise<FormData> {
  return new Response(new Uint8Array(body), { headers: { 'Content-Type': request.headers['content-type'] ?? '' } }).formData();
}
