import { randomBytes } from 'node:crypto';
import type { Answer } from '../common/answer.ts';
import { nowMs } from '../common/clock.ts';
import type { ChatRequest } from './request.ts';
import type { Pacing, Turn } from './script.ts';

/** Between this many frames of content a stream carries a comment, as gateways do to keep connections open. */
const FRAMES_PER_COMMENT = 20;
const CHARS_PER_TOKEN = 4;

export interface Completion extends Pacing {
  text: string;
  isRefusal: boolean;
  finishReason: string;
  usage: Record<string, unknown>;
  /** Where the answer breaks off, and with what; without an error the connection is cut. */
  breakAfter?: { chars: number; error?: unknown };
}

const DEFAULT_PACING: Pacing = { first_token_ms: 150, chunk_chars: 24, chunk_ms: 5 };
const DEFAULT_ERROR = { message: 'The server had an error while processing your request. Sorry about that!', type: 'server_error', param: null, code: null };

/** Puts together what a scripted turn says and what it leaves open. */
export function plan(request: ChatRequest, turn: Turn | undefined, improvise: () => string): Completion {
  const { reply, refusal } = turn ?? {};
  const scripted = refusal ?? turn?.text ?? (reply === undefined ? undefined : JSON.stringify(reply));
  let text = scripted ?? improvise();
  const tooLong = scripted === undefined && text.length > request.maxTokens * CHARS_PER_TOKEN;
  if (tooLong) {
    text = text.slice(0, request.maxTokens * CHARS_PER_TOKEN);
  }
  return {
    first_token_ms: turn?.first_token_ms ?? DEFAULT_PACING.first_token_ms,
    chunk_chars: turn?.chunk_chars ?? DEFAULT_PACING.chunk_chars,
    chunk_ms: turn?.chunk_ms ?? DEFAULT_PACING.chunk_ms,
    text,
    isRefusal: typeof refusal === 'string',
    finishReason: turn?.finish_reason ?? (tooLong ? 'length' : 'stop'),
    usage: turn?.usage ?? countUsage(request, text),
    ...readBreak(turn),
  };
}

function readBreak(turn: Turn | undefined): Pick<Completion, 'breakAfter'> {
  if (turn?.cut_after_chars !== undefined) {
    return { breakAfter: { chars: turn.cut_after_chars } };
  }
  if (turn?.error_after_chars !== undefined || turn?.error !== undefined) {
    return { breakAfter: { chars: turn.error_after_chars ?? 0, error: turn.error ?? DEFAULT_ERROR } };
  }
  return {};
}

function countUsage(request: ChatRequest, text: string): Record<string, unknown> {
  const promptChars = request.messages.reduce((sum, message) => sum + message.text.length, 0);
  const prompt = Math.ceil(promptChars / CHARS_PER_TOKEN) + 4 * request.messages.length;
  const completion = Math.ceil(text.length / CHARS_PER_TOKEN);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
  };
}

/** Answers in one piece, after as long as the stream would have taken. */
export async function answerWhole(request: ChatRequest, completion: Completion, answer: Answer): Promise<void> {
  const frames = Math.ceil(completion.text.length / completion.chunk_chars);
  await answer.pause(completion.first_token_ms + frames * completion.chunk_ms);
  const { breakAfter } = completion;
  if (breakAfter) {
    if (breakAfter.error === undefined) {
      answer.cut();
    } else {
      answer.json(500, { error: breakAfter.error });
    }
    return;
  }
  const message = { role: 'assistant', content: completion.isRefusal ? null : completion.text, refusal: completion.isRefusal ? completion.text : null, annotations: [] };
  answer.json(200, {
    ...head(request, 'chat.completion'),
    choices: [{ index: 0, message, logprobs: null, finish_reason: completion.finishReason }],
    usage: completion.usage,
  });
}

/** Streams server-sent events: role, pieces of content, the reason for the end, usage when asked for, `[DONE]`. */
export async function answerStream(request: ChatRequest, completion: Completion, answer: Answer): Promise<void> {
  const common = head(request, 'chat.completion.chunk');
  const send = (fields: Record<string, unknown>): void => {
    const usage = request.includeUsage ? { usage: null } : {};
    answer.write(`data: ${JSON.stringify({ ...common, ...usage, ...fields })}\n\n`);
  };
  const sendDelta = (delta: Record<string, unknown>, finishReason: string | null = null): void =>
    send({ choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }] });

  await answer.pause(completion.first_token_ms);
  answer.open(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  sendDelta(completion.isRefusal ? { role: 'assistant', content: null, refusal: '' } : { role: 'assistant', content: '', refusal: null });
  answer.write(': processing\n\n');
  const pieces = split(completion);
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) {
      await answer.pause(completion.chunk_ms);
    }
    if (answer.over) {
      return;
    }
    if (index > 0 && index % FRAMES_PER_COMMENT === 0) {
      answer.write(': keep-alive\n\n');
    }
    sendDelta(completion.isRefusal ? { refusal: piece } : { content: piece });
  }
  if (completion.breakAfter) {
    endBroken(completion.breakAfter, answer);
    return;
  }
  sendDelta({}, completion.finishReason);
  if (request.includeUsage) {
    send({ choices: [], usage: completion.usage });
  }
  answer.write('data: [DONE]\n\n');
  answer.end();
}

function endBroken(breakAfter: { error?: unknown }, answer: Answer): void {
  if (breakAfter.error === undefined) {
    answer.cut();
    return;
  }
  answer.write(`data: ${JSON.stringify({ error: breakAfter.error })}\n\n`);
  answer.end();
}

/** Whole characters only: half of a surrogate pair is no valid JSON text for many parsers. */
function split(completion: Completion): string[] {
  const characters = [...completion.text].slice(0, completion.breakAfter?.chars);
  const pieces: string[] = [];
  for (let start = 0; start < characters.length; start += completion.chunk_chars) {
    pieces.push(characters.slice(start, start + completion.chunk_chars).join(''));
  }
  return pieces;
}

function head(request: ChatRequest, object: string): Record<string, unknown> {
  return {
    id: `chatcmpl-${randomBytes(15).toString('base64url')}`,
    object,
    created: Math.floor(nowMs() / 1000),
    model: request.model,
    service_tier: 'default',
    system_fingerprint: null,
  };
}
