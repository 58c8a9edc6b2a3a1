import type { Json, Kind } from '../common/check.ts';
import { any, ControlError, count, flag, isObject, kind, like, listOf, number, object, oneOf, text, within } from '../common/check.ts';
import { checkStrictSchema } from './schema.ts';

export class ApiError extends Error {
  readonly status: number;
  readonly param: string | null;
  readonly code: string | null;

  constructor(status: number, message: string, param: string | null = null, code: string | null = null) {
    super(message);
    [this.status, this.param, this.code] = [status, param, code];
  }
}

const isParts = (value: unknown): value is { text: string }[] =>
  Array.isArray(value) && value.every((part) => isObject(part) && part.type === 'text' && typeof part.text === 'string');
const content = kind((value) => typeof value === 'string' || value === null || isParts(value), 'a string or an array of objects');
const penalty = within(-2, 2);

/** Every parameter of a chat completion, by the path of its object. Null stands for "not given". */
const TOP: Record<string, Kind> = {
  ...{ model: text, messages: listOf(any), stream: flag, stream_options: object, response_format: object, stop: any, n: within(1, 1), seed: number },
  ...{ max_completion_tokens: count, max_tokens: count, temperature: within(0, 2), top_p: within(0, 1), frequency_penalty: penalty, presence_penalty: penalty },
  ...{ user: text, safety_identifier: text, prompt_cache_key: text, metadata: object, store: flag, logprobs: flag, top_logprobs: within(0, 20) },
  ...{ logit_bias: object, tools: listOf(any), tool_choice: any, parallel_tool_calls: flag, verbosity: oneOf('low', 'medium', 'high') },
  reasoning_effort: oneOf('none', 'minimal', 'low', 'medium', 'high', 'xhigh'),
  service_tier: oneOf('auto', 'default', 'flex', 'scale', 'priority'),
};
const ROLE = oneOf('system', 'assistant', 'user', 'tool', 'developer');
const MESSAGE = { role: ROLE, content, name: text, refusal: text, tool_calls: listOf(any), tool_call_id: text };
const FORMAT = { type: oneOf('json_object', 'json_schema', 'text'), json_schema: object };
const JSON_SCHEMA = { name: like(/^[a-zA-Z0-9_-]{1,64}$/, "a string that matches the pattern '^[a-zA-Z0-9_-]+$'"), description: text, strict: flag, schema: object };

export interface Message { role: string; text: string }

export interface ChatRequest { model: string; messages: Message[]; stream: boolean; includeUsage: boolean; maxTokens: number; wantsJson: boolean }

/** Reads and checks the body of a chat completion as strictly as the original does. */
export function readChatRequest(body: string): ChatRequest {
  const given = parse(body);
  const { model, stream_options: options = null, max_tokens = null, max_completion_tokens = null, response_format = null } = given;
  if (typeof model !== 'string' || model === '') throw new ApiError(400, 'you must provide a model parameter');
  only('', given, TOP);
  if (max_tokens !== null && max_completion_tokens !== null) {
    throw new ApiError(400, "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.", null, 'invalid_parameter_combination');
  }
  const messages = readMessages(given.messages);
  if (options !== null && given.stream !== true) {
    throw new ApiError(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.", 'stream_options');
  }
  only('stream_options.', (options ?? {}) as Json, { include_usage: flag, include_obfuscation: flag });
  const includeUsage = (options as Json | null)?.include_usage === true;
  const wantsJson = readFormat((response_format ?? { type: 'text' }) as Json, messages);
  return { model, messages, stream: given.stream === true, includeUsage, maxTokens: Number(max_completion_tokens ?? max_tokens ?? Infinity), wantsJson };
}

/** Refuses unknown fields and values of the wrong type; `at` is the path of the object. */
function only(at: string, given: Json, known: Record<string, Kind>): void {
  for (const [name, value] of Object.entries(given)) {
    const param = at + name;
    if (!Object.hasOwn(known, name)) throw new ApiError(400, `Unknown parameter: '${param}'.`, param, 'unknown_parameter');
    try {
      if (value !== null) known[name]?.(`'${param}'`, value);
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      throw new ApiError(400, `Invalid value: ${error.message}, but got ${JSON.stringify(value).slice(0, 60)} instead.`, param, 'invalid_value');
    }
  }
}

function parse(body: string): Json {
  try {
    const parsed: unknown = JSON.parse(body);
    if (isObject(parsed)) return parsed;
  } catch {
    // Refused below.
  }
  throw new ApiError(400, "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly.)");
}

function readMessages(messages: unknown): Message[] {
  const given = required('messages', messages) as Json[];
  if (given.length === 0) throw new ApiError(400, "Invalid 'messages': empty array. Expected an array with minimum length 1.", 'messages', 'empty_array');
  return given.map((message, index) => {
    only(`messages[${index}].`, message, MESSAGE);
    const { role, content: said } = message;
    required(`messages[${index}].role`, role);
    if (role !== 'assistant') required(`messages[${index}].content`, said);
    return { role: String(role), text: isParts(said) ? said.map((part) => part.text).join('') : String(said ?? '') };
  });
}

/** Whether the response must be JSON. */
function readFormat(format: Json, messages: Message[]): boolean {
  const at = 'response_format';
  only(`${at}.`, format, FORMAT);
  if (format.type === 'json_object' && !messages.some((message) => /json/i.test(message.text))) {
    throw new ApiError(400, `'messages' must contain the word 'json' in some form, to use '${at}' of type 'json_object'.`, 'messages');
  }
  if (format.type === 'json_schema') {
    const scheme = required(`${at}.json_schema`, format.json_schema) as Json;
    only(`${at}.json_schema.`, scheme, JSON_SCHEMA);
    required(`${at}.json_schema.name`, scheme.name);
    const schema = required(`${at}.json_schema.schema`, scheme.schema) as Json;
    const problem = scheme.strict === true ? checkStrictSchema(schema) : undefined;
    if (problem !== undefined) throw new ApiError(400, `Invalid schema for ${at} '${String(scheme.name)}': ${problem}.`, at);
  }
  return format.type !== 'text';
}

function required(param: string, value: unknown): unknown {
  if ((value ?? null) === null) throw new ApiError(400, `Missing required parameter: '${param}'.`, param, 'missing_required_parameter');
  return value;
}
