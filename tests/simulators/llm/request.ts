import type { Json, Kind } from '../common/check.ts';
import { any, ControlError, count, flag, isObject, kind, listOf, number, object, oneOf, text, within } from '../common/check.ts';
import { checkStrictSchema } from './schema.ts';

/** A refusal in OpenAI's form. */
export class ApiError extends Error {
  readonly status: number;
  readonly param: string | null;
  readonly code: string | null;

  constructor(status: number, message: string, param: string | null = null, code: string | null = null) {
    super(message);
    this.status = status;
    this.param = param;
    this.code = code;
  }
}

/** Every top-level parameter of a chat completion. Null stands for "not given". */
const PARAMETERS: Record<string, Kind> = {
  model: text,
  messages: listOf(any),
  stream: flag,
  stream_options: object,
  response_format: object,
  max_completion_tokens: count,
  max_tokens: count,
  temperature: within(0, 2),
  top_p: within(0, 1),
  frequency_penalty: within(-2, 2),
  presence_penalty: within(-2, 2),
  n: within(1, 1),
  seed: number,
  stop: any,
  user: text,
  safety_identifier: text,
  prompt_cache_key: text,
  metadata: object,
  store: flag,
  logprobs: flag,
  top_logprobs: within(0, 20),
  logit_bias: object,
  reasoning_effort: oneOf('none', 'minimal', 'low', 'medium', 'high', 'xhigh'),
  verbosity: oneOf('low', 'medium', 'high'),
  service_tier: oneOf('auto', 'default', 'flex', 'scale', 'priority'),
  tools: listOf(any),
  tool_choice: any,
  parallel_tool_calls: flag,
};

const isParts = (value: unknown): value is { text: string }[] =>
  Array.isArray(value) && value.every((part) => isObject(part) && part.type === 'text' && typeof part.text === 'string');
const content = kind((value) => typeof value === 'string' || value === null || isParts(value), 'a string or an array of objects');

export interface Message {
  role: string;
  text: string;
}

export interface ChatRequest {
  model: string;
  messages: Message[];
  stream: boolean;
  includeUsage: boolean;
  maxTokens: number;
  wantsJson: boolean;
}

/** Reads and checks the body of a chat completion as strictly as the original does. */
export function readChatRequest(body: string): ChatRequest {
  const given = parse(body);
  if (typeof given.model !== 'string' || given.model === '') {
    throw new ApiError(400, 'you must provide a model parameter');
  }
  only('', given, PARAMETERS);
  if ((given.max_tokens ?? null) !== null && (given.max_completion_tokens ?? null) !== null) {
    const message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
    throw new ApiError(400, message, null, 'invalid_parameter_combination');
  }
  const messages = readMessages(given.messages);
  const options = given.stream_options as Json | null | undefined;
  if (options && given.stream !== true) {
    throw new ApiError(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.", 'stream_options');
  }
  only('stream_options.', options ?? {}, { include_usage: flag, include_obfuscation: flag });
  return {
    model: given.model,
    messages,
    stream: given.stream === true,
    includeUsage: options?.include_usage === true,
    maxTokens: Number(given.max_completion_tokens ?? given.max_tokens ?? Infinity),
    wantsJson: wantsJson((given.response_format ?? { type: 'text' }) as Json, messages),
  };
}

/** Refuses what is not among the known fields, or not what it should be; `at` is the path of the object. */
function only(at: string, given: Json, known: Record<string, Kind>): void {
  for (const [name, value] of Object.entries(given)) {
    const param = at + name;
    if (!Object.hasOwn(known, name)) {
      throw new ApiError(400, `Unknown parameter: '${param}'.`, param, 'unknown_parameter');
    }
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
  if (given.length === 0) {
    throw new ApiError(400, "Invalid 'messages': empty array. Expected an array with minimum length 1.", 'messages', 'empty_array');
  }
  const roles = oneOf('system', 'assistant', 'user', 'tool', 'developer');
  return given.map((message, index) => {
    only(`messages[${index}].`, message, { role: roles, content, name: text, refusal: text, tool_calls: listOf(any), tool_call_id: text });
    const { content: said } = message;
    required(`messages[${index}].role`, message.role);
    if (message.role !== 'assistant') required(`messages[${index}].content`, said);
    return { role: String(message.role), text: isParts(said) ? said.map((part) => part.text).join('') : String(said ?? '') };
  });
}

function wantsJson(format: Json, messages: Message[]): boolean {
  const at = 'response_format';
  only(`${at}.`, format, { type: oneOf('json_object', 'json_schema', 'text'), json_schema: object });
  if (format.type === 'json_object' && !messages.some((message) => /json/i.test(message.text))) {
    throw new ApiError(400, `'messages' must contain the word 'json' in some form, to use '${at}' of type 'json_object'.`, 'messages');
  }
  if (format.type === 'json_schema') {
    const asked = required(`${at}.json_schema`, format.json_schema) as Json;
    const name = kind((value) => /^[a-zA-Z0-9_-]{1,64}$/.test(String(value)), "a string that matches the pattern '^[a-zA-Z0-9_-]+$'");
    only(`${at}.json_schema.`, asked, { name, description: text, strict: flag, schema: object });
    required(`${at}.json_schema.name`, asked.name);
    const schema = required(`${at}.json_schema.schema`, asked.schema) as Json;
    const problem = asked.strict === true ? checkStrictSchema(schema) : undefined;
    if (problem !== undefined) {
      throw new ApiError(400, `Invalid schema for ${at} '${String(asked.name)}': ${problem}.`, at);
    }
  }
  return format.type !== 'text';
}

function required(param: string, value: unknown): unknown {
  if ((value ?? null) === null) {
    throw new ApiError(400, `Missing required parameter: '${param}'.`, param, 'missing_required_parameter');
  }
  return value;
}
