import { randomBytes } from 'node:crypto';
import { any, ControlError, count, fields, kind, number, object, text } from '../common/check.ts';
import type { Call, Reply } from '../common/server.ts';
import { json, nowMs, pause } from '../common/server.ts';
import type { ChatRequest } from './request.ts';
import { unscripted } from './unscripted.ts';

/** A stream has a comment after this many frames of content, as gateways send to keep connections open. */
const FRAMES_PER_COMMENT = 20;
const CHARS_PER_TOKEN = 4;

export interface Turn {
  reply?: unknown;
  text?: string;
  refusal?: string | null;
  first_token_ms?: number;
  chunk_chars?: number;
  chunk_ms?: number;
  finish_reason?: string;
  usage?: Record<string, unknown>;
}

const REFUSAL = kind((value) => value === null || typeof value === 'string', 'a string');
const NUMBERS = { 'first_token_ms?': number, 'chunk_chars?': count, 'chunk_ms?': number };
const TURN = fields({ 'reply?': any, 'text?': text, 'refusal?': REFUSAL, 'finish_reason?': text, 'usage?': object, ...NUMBERS });

export function checkTurn(what: string, value: unknown): void {
  TURN(what, value);
  const { reply, text: raw, refusal } = value as Turn;
  if ([reply, raw, refusal ?? undefined].filter((given) => given !== undefined).length > 1) {
    throw new ControlError(`${what} may have one of reply, text and refusal`);
  }
}

/** Responds with the turn's text, or unscripted if it has none. */
export async function complete(request: ChatRequest, turn: Turn, { gone }: Call): Promise<Reply> {
  const { first_token_ms = 150, chunk_chars = 24, chunk_ms = 5, refusal } = turn;
  const scripted = refusal ?? turn.text ?? (turn.reply === undefined ? undefined : JSON.stringify(turn.reply));
  const whole = scripted ?? unscripted(request);
  const said = scripted ?? whole.slice(0, request.maxTokens * CHARS_PER_TOKEN);
  const finish_reason = turn.finish_reason ?? (said.length < whole.length ? 'length' : 'stop');
  const usage = turn.usage ?? countUsage(request, said);
  const isRefusal = typeof refusal === 'string';
  const id = `chatcmpl-${randomBytes(15).toString('base64url')}`;
  const head = { created: Math.floor(nowMs() / 1000), model: request.model, service_tier: 'default', system_fingerprint: null };

  if (!request.stream) {
    // The document takes as long as the stream.
    await pause(first_token_ms + Math.ceil(said.length / chunk_chars) * chunk_ms, gone);
    const message = { role: 'assistant', content: isRefusal ? null : said, refusal: isRefusal ? said : null, annotations: [] };
    return json(200, { id, object: 'chat.completion', ...head, choices: [{ index: 0, message, logprobs: null, finish_reason }], usage });
  }

  async function* stream(): AsyncGenerator<string> {
    const common = { id, object: 'chat.completion.chunk', ...head, ...(request.includeUsage ? { usage: null } : {}) };
    const frame = (delta: object, reason: string | null = null): string =>
      `data: ${JSON.stringify({ ...common, choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }] })}\n\n`;
    await pause(first_token_ms, gone);
    yield frame(isRefusal ? { role: 'assistant', content: null, refusal: '' } : { role: 'assistant', content: '', refusal: null });
    yield ': processing\n\n';
    for (const [index, piece] of split(said, chunk_chars).entries()) {
      await pause(index > 0 ? chunk_ms : 0, gone);
      if (index > 0 && index % FRAMES_PER_COMMENT === 0) yield ': keep-alive\n\n';
      yield frame(isRefusal ? { refusal: piece } : { content: piece });
    }
    yield frame({}, finish_reason);
    if (request.includeUsage) yield `data: ${JSON.stringify({ ...common, choices: [], usage })}\n\n`;
    yield 'data: [DONE]\n\n';
  }
  return { status: 200, headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' }, body: stream() };
}

function countUsage(request: ChatRequest, content: string): Record<string, unknown> {
  const promptChars = request.messages.reduce((sum, message) => sum + message.text.length, 0);
  const prompt_tokens = Math.ceil(promptChars / CHARS_PER_TOKEN) + 4 * request.messages.length;
  const completion_tokens = Math.ceil(content.length / CHARS_PER_TOKEN);
  const details = { prompt_tokens_details: { cached_tokens: 0 }, completion_tokens_details: { reasoning_tokens: 0 } };
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens, ...details };
}

/** Splits only between characters: many parsers refuse half of a surrogate pair. */
function split(text: string, size: number): string[] {
  const characters = [...text];
  return Array.from({ length: Math.ceil(characters.length / size) }, (_, index) => characters.slice(index * size, (index + 1) * size).join(''));
}
