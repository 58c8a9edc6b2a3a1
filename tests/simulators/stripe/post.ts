import { createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Agent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

const TIMEOUT_MS = 20_000;
const MAX_ANSWER_BYTES = 2048;

export interface Outcome {
  /** Nothing was answered where it is null. */
  status: number | null;
  body: string;
}

/** The header over this body, with a signature for each secret: two are in use while one is rolled. */
export function signature(body: string, secrets: readonly string[], seconds: number): string {
  const signatures = secrets.map((secret) => `v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`);
  return [`t=${seconds}`, ...signatures].join(',');
}

const newAgents = (): { http: Agent; https: HttpsAgent } => ({ http: new Agent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) });

/** Sends webhooks over connections that are kept. */
export class Post {
  #agents = newAgents();

  /** One attempt; the time in the signature is the real one, for receivers know no other. */
  async send(url: string, body: string, secrets: readonly string[]): Promise<Outcome> {
    const headers = {
      accept: '*/*; q=0.5, application/xml',
      'cache-control': 'no-cache',
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
      'stripe-signature': signature(body, secrets, Math.floor(Date.now() / 1000)),
      'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
    };
    try {
      return await this.#attempt(new URL(url), body, headers);
    } catch (error) {
      return { status: null, body: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Cuts what is under way; what is sent later begins anew. */
  close(): void {
    const { http, https } = this.#agents;
    this.#agents = newAgents();
    http.destroy();
    https.destroy();
  }

  #attempt(url: URL, body: string, headers: Record<string, string>, again = true): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const secure = url.protocol === 'https:';
      const agents = this.#agents;
      const options = { method: 'POST', headers, agent: secure ? agents.https : agents.http, signal: AbortSignal.timeout(TIMEOUT_MS) };
      const request = (secure ? httpsRequest : httpRequest)(url, options, (response) => {
        answerOf(response).then(resolve, reject);
      });
      request.on('error', (error: NodeJS.ErrnoException) => {
        // The receiver had just closed the kept connection: this is no attempt.
        if (again && agents === this.#agents && request.reusedSocket && error.code === 'ECONNRESET') {
          this.#attempt(url, body, headers, false).then(resolve, reject);
        } else {
          reject(error);
        }
      });
      request.end(body);
    });
  }
}

async function answerOf(response: IncomingMessage): Promise<Outcome> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    if (bytes < MAX_ANSWER_BYTES) {
      chunks.push(chunk as Buffer);
    }
    bytes += (chunk as Buffer).length;
  }
  return { status: response.statusCode ?? null, body: Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES).toString('utf8') };
}
