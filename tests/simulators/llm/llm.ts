import type { Answer } from '../common/answer.ts';
import type { SimRequest, Simulator } from '../common/simulator.ts';
import { answerStream, answerWhole, plan } from './completion.ts';
import { ApiError } from './error.ts';
import { improvise } from './improvise.ts';
import { readChatRequest } from './request.ts';
import { Script } from './script.ts';

const CHAT = '/v1/chat/completions';

/** A provider of OpenAI's chat completions. */
export class Llm implements Simulator {
  readonly #apiKey: string;
  readonly #script = new Script();

  readonly control = {
    'PUT script': (body: unknown) => this.#script.set(body),
  };

  constructor(apiKey: string) {
    this.#apiKey = apiKey;
  }

  reset(): void {
    this.#script.clear();
  }

  async handle(request: SimRequest, answer: Answer): Promise<void> {
    try {
      await this.#complete(request, answer);
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      answer.json(error.status, error.body());
    }
  }

  async #complete(request: SimRequest, answer: Answer): Promise<void> {
    const { method, url, headers } = request;
    if (url.pathname !== CHAT) {
      throw new ApiError(404, `Invalid URL (${method} ${url.pathname})`);
    }
    if (method !== 'POST') {
      throw new ApiError(405, `Not allowed to ${method} on ${CHAT}.`, null, 'method_not_supported');
    }
    this.#checkKey(headers.authorization);
    const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
    if (type !== 'application/json') {
      throw new ApiError(400, `Unsupported content type: '${type ?? ''}'. This API method only accepts 'application/json' requests.`, null, 'unsupported_content_type');
    }
    const chat = readChatRequest(request.body);
    const completion = plan(chat, this.#script.next(), () => improvise(chat));
    await (chat.stream ? answerStream : answerWhole)(chat, completion, answer);
  }

  #checkKey(authorization: string | undefined): void {
    const key = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];
    if (key === undefined) {
      throw new ApiError(401, "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).", null, 'invalid_api_key');
    }
    if (key !== this.#apiKey) {
      throw new ApiError(401, `Incorrect API key provided: ${key.slice(0, 3)}***.`, null, 'invalid_api_key');
    }
  }
}
