import { checkFields, ControlError } from '../common/check.ts';

export interface Pacing {
  first_token_ms: number;
  chunk_chars: number;
  chunk_ms: number;
}

export interface Turn extends Partial<Pacing> {
  /** Answered as JSON text. */
  reply?: unknown;
  text?: string;
  refusal?: string;
  finish_reason?: string;
  usage?: Record<string, unknown>;
  /** Sends an error frame in the middle of the stream, after this many characters. */
  error_after_chars?: number;
  error?: unknown;
  /** Drops the connection after this many characters. */
  cut_after_chars?: number;
}

/** What the model is told to answer: one turn for every call, or a list that is used up turn by turn. */
export class Script {
  #always: Turn | undefined;
  #turns: Turn[] = [];

  set(body: unknown): void {
    this.clear();
    if (Array.isArray(body)) {
      this.#turns = body.map((turn, index) => checkTurn(`script[${index}]`, turn));
    } else {
      this.#always = checkTurn('script', body);
    }
  }

  clear(): void {
    this.#always = undefined;
    this.#turns = [];
  }

  next(): Turn | undefined {
    return this.#always ?? this.#turns.shift();
  }
}

function checkTurn(what: string, body: unknown): Turn {
  const turn = checkFields(what, body, {
    reply: 'any',
    text: 'string',
    refusal: 'any',
    first_token_ms: 'number',
    chunk_chars: 'number',
    chunk_ms: 'number',
    finish_reason: 'string',
    usage: 'object',
    error_after_chars: 'number',
    error: 'any',
    cut_after_chars: 'number',
  }) as Turn;
  if (turn.chunk_chars !== undefined && turn.chunk_chars < 1) {
    throw new ControlError(`${what}.chunk_chars must be at least 1`);
  }
  if (turn.refusal !== undefined && turn.refusal !== null && typeof turn.refusal !== 'string') {
    throw new ControlError(`${what}.refusal must be a string`);
  }
  if ([turn.reply, turn.text, turn.refusal ?? undefined].filter((given) => given !== undefined).length > 1) {
    throw new ControlError(`${what} may have one of reply, text and refusal`);
  }
  return turn;
}
