import { checked, listOf } from '../common/check.ts';
import type { Call, Reply, Simulator } from '../common/server.ts';
import { json, mediaType } from '../common/server.ts';
import type { Turn } from './completion.ts';
import { checkTurn, complete } from './completion.ts';
import { ApiError, readChatRequest } from './request.ts';

const CHAT = '/v1/chat/completions';

export class Llm implements Simulator {
  readonly #apiKey: string;
  #script: Turn | Turn[] = [];

  readonly control = {
    'PUT script': (body: unknown) => {
      this.#script = Array.isArray(body) ? checked<Turn[]>('script', body, listOf(checkTurn)) : checked<Turn>('script', body, checkTurn);
    },
  };

  constructor(apiKey: string) {
    this.#apiKey = apiKey;
  }

  reset(): void {
    this.#script = [];
  }

  async handle(call: Call): Promise<Reply> {
    try {
      this.#admit(call);
      const request = readChatRequest(call.body);
      const turn = Array.isArray(this.#script) ? this.#script.shift() : this.#script;
      return await complete(request, turn ?? {}, call);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { status, message, param, code } = error;
      return json(status, { error: { message, type: 'invalid_request_error', param, code } });
    }
  }

  #admit(call: Call): void {
    const { method, url, headers } = call;
    if (url.pathname !== CHAT) throw new ApiError(404, `Invalid URL (${method} ${url.pathname})`);
    if (method !== 'POST') throw new ApiError(405, `Not allowed to ${method} on ${CHAT}.`, null, 'method_not_supported');
    const key = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1];
    if (key !== this.#apiKey) {
      const message = key === undefined ? "You didn't provide an API key." : `Incorrect API key provided: ${key.slice(0, 3)}***.`;
      throw new ApiError(401, message, null, 'invalid_api_key');
    }
    if (mediaType(call) !== 'application/json') {
      const message = `Unsupported content type: '${mediaType(call) ?? ''}'. This API method only accepts 'application/json' requests.`;
      throw new ApiError(400, message, null, 'unsupported_content_type');
    }
  }
}
