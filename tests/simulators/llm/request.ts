import type { Json } from '../common/check.ts';
import { isObject } from '../common/check.ts';
import { ApiError } from './error.ts';
import { checkStrictSchema } from './schema.ts';

type Check = (value: unknown) => boolean;

const isString: Check = (value) => typeof value === 'string';
const isBoolean: Check = (value) => typeof value === 'boolean';
const isInteger = (from: number, to: number): Check => (value) => Number.isInteger(value) && Number(value) >= from && Number(value) <= to;
const isNumber = (from: number, to: number): Check => (value) => typeof value === 'number' && value >= from && value <= to;
const isOneOf = (...options: string[]): Check => (value) => options.includes(String(value));
const isList: Check = Array.isArray;

/** Every top-level parameter of a chat completion, with what it may be. Null stands for "not given". */
const PARAMETERS: Record<string, { check: Check; expected: string }> = {
  model: { check: isString, expected: 'a string' },
  messages: { check: isList, expected: 'an array' },
  stream: { check: isBoolean, expected: 'a boolean' },
  stream_options: { check: isObject, expected: 'an object' },
  response_format: { check: isObject, expected: 'an object' },
  max_completion_tokens: { check: isInteger(1, 1_000_000), expected: 'an integer above 0' },
  max_tokens: { check: isInteger(1, 1_000_000), expected: 'an integer above 0' },
  temperature: { check: isNumber(0, 2), expected: 'a number between 0 and 2' },
  top_p: { check: isNumber(0, 1), expected: 'a number between 0 and 1' },
  frequency_penalty: { check: isNumber(-2, 2), expected: 'a number between -2 and 2' },
  presence_penalty: { check: isNumber(-2, 2), expected: 'a number between -2 and 2' },
  n: { check: isInteger(1, 1), expected: '1' },
  seed: { check: isInteger(-(2 ** 53), 2 ** 53), expected: 'an integer' },
  stop: { check: (value) => isString(value) || isList(value), expected: 'a string or an array' },
  user: { check: isString, expected: 'a string' },
  safety_identifier: { check: isString, expected: 'a string' },
  prompt_cache_key: { check: isString, expected: 'a string' },
  metadata: { check: isObject, expected: 'an object' },
  store: { check: isBoolean, expected: 'a boolean' },
  logprobs: { check: isBoolean, expected: 'a boolean' },
  top_logprobs: { check: isInteger(0, 20), expected: 'an integer between 0 and 20' },
  logit_bias: { check: isObject, expected: 'an object' },
  reasoning_effort: { check: isOneOf('none', 'minimal', 'low', 'medium', 'high', 'xhigh'), expected: "one of 'none', 'minimal', 'low', 'medium', 'high', 'xhigh'" },
  verbosity: { check: isOneOf('low', 'medium', 'high'), expected: "one of 'low', 'medium', 'high'" },
  service_tier: { check: isOneOf('auto', 'default', 'flex', 'scale', 'priority'), expected: "one of 'auto', 'default', 'flex', 'scale', 'priority'" },
  modalities: { check: isList, expected: 'an array' },
  prediction: { check: isObject, expected: 'an object' },
  parallel_tool_calls: { check: isBoolean, expected: 'a boolean' },
  tools: { check: isList, expected: 'an array' },
  tool_choice: { check: () => true, expected: 'a string or an object' },
};

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
  /** The schema that the answer must have, if one was given. */
  schema?: Json;
  wantsJson: boolean;
}

/** Reads and checks the body of a chat completion as strictly as the original does. */
export function readChatRequest(text: string): ChatRequest {
  const body = parse(text);
  if (typeof body.model !== 'string' || body.model === '') {
    throw new ApiError(400, 'you must provide a model parameter');
  }
  for (const [name, value] of Object.entries(body)) {
    const parameter = Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name] : undefined;
    if (parameter === undefined) {
      throw new ApiError(400, `Unknown parameter: '${name}'.`, name, 'unknown_parameter');
    }
    if (value !== null && !parameter.check(value)) {
      throw new ApiError(400, `Invalid value for '${name}': expected ${parameter.expected}, but got ${JSON.stringify(value)?.slice(0, 60)} instead.`, name, 'invalid_value');
    }
  }
  if ((body.max_tokens ?? null) !== null && (body.max_completion_tokens ?? null) !== null) {
    throw new ApiError(400, "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.", null, 'invalid_parameter_combination');
  }
  const messages = readMessages(body.messages);
  return {
    model: body.model,
    messages,
    stream: body.stream === true,
    includeUsage: readStreamOptions(body),
    maxTokens: Number(body.max_completion_tokens ?? body.max_tokens ?? Infinity),
    ...readResponseFormat(body.response_format, messages),
  };
}

function parse(text: string): Json {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  if (!isObject(body)) {
    throw new ApiError(400, "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)");
  }
  return body;
}

function readMessages(messages: unknown): Message[] {
  if (!Array.isArray(messages)) {
    throw new ApiError(400, "Missing required parameter: 'messages'.", 'messages', 'missing_required_parameter');
  }
  if (messages.length === 0) {
    throw new ApiError(400, "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.", 'messages', 'empty_array');
  }
  return messages.map((message: unknown, index) => {
    const at = `messages[${index}]`;
    if (!isObject(message)) {
      throw new ApiError(400, `Invalid type for '${at}': expected an object.`, at, 'invalid_type');
    }
    const { role, content } = message;
    if (!['system', 'developer', 'user', 'assistant', 'tool'].includes(String(role))) {
      throw new ApiError(400, `Invalid value: '${String(role)}'. Supported values are: 'system', 'assistant', 'user', 'tool', and 'developer'.`, `${at}.role`, 'invalid_value');
    }
    const extra = Object.keys(message).find((key) => !['role', 'content', 'name', 'refusal', 'tool_calls', 'tool_call_id'].includes(key));
    if (extra !== undefined) {
      throw new ApiError(400, `Unknown parameter: '${at}.${extra}'.`, `${at}.${extra}`, 'unknown_parameter');
    }
    return { role: String(role), text: readContent(content, role === 'assistant', at) };
  });
}

function readContent(content: unknown, mayBeNull: boolean, at: string): string {
  if (typeof content === 'string') {
    return content;
  }
  if (Array.isArray(content) && content.every((part) => isObject(part) && part.type === 'text' && typeof part.text === 'string')) {
    return content.map((part) => (part as Json).text).join('');
  }
  if (mayBeNull && (content ?? null) === null) {
    return '';
  }
  throw new ApiError(400, `Invalid type for '${at}.content': expected one of a string or array of objects.`, `${at}.content`, 'invalid_type');
}

function readStreamOptions(body: Json): boolean {
  const options = body.stream_options;
  if (!isObject(options)) {
    return false;
  }
  if (body.stream !== true) {
    throw new ApiError(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.", 'stream_options');
  }
  const extra = Object.keys(options).find((key) => !['include_usage', 'include_obfuscation'].includes(key));
  if (extra !== undefined) {
    throw new ApiError(400, `Unknown parameter: 'stream_options.${extra}'.`, `stream_options.${extra}`, 'unknown_parameter');
  }
  return options.include_usage === true;
}

function readResponseFormat(format: unknown, messages: Message[]): { schema?: Json; wantsJson: boolean } {
  if (!isObject(format) || format.type === 'text') {
    return { wantsJson: false };
  }
  if (format.type === 'json_object') {
    if (!messages.some((message) => /json/i.test(message.text))) {
      throw new ApiError(400, "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.", 'messages');
    }
    return { wantsJson: true };
  }
  if (format.type !== 'json_schema') {
    throw new ApiError(400, `Invalid value: '${String(format.type)}'. Supported values are: 'json_object', 'json_schema', and 'text'.`, 'response_format.type', 'invalid_value');
  }
  const extra = Object.keys(format).find((key) => !['type', 'json_schema'].includes(key));
  if (extra !== undefined) {
    throw new ApiError(400, `Unknown parameter: 'response_format.${extra}'.`, `response_format.${extra}`, 'unknown_parameter');
  }
  return { schema: readJsonSchema(format.json_schema), wantsJson: true };
}

function readJsonSchema(jsonSchema: unknown): Json {
  const at = 'response_format.json_schema';
  if (!isObject(jsonSchema)) {
    throw new ApiError(400, `Missing required parameter: '${at}'.`, at, 'missing_required_parameter');
  }
  const extra = Object.keys(jsonSchema).find((key) => !['name', 'description', 'strict', 'schema'].includes(key));
  if (extra !== undefined) {
    throw new ApiError(400, `Unknown parameter: '${at}.${extra}'.`, `${at}.${extra}`, 'unknown_parameter');
  }
  const { name, schema } = jsonSchema;
  if (typeof name !== 'string') {
    throw new ApiError(400, `Missing required parameter: '${at}.name'.`, `${at}.name`, 'missing_required_parameter');
  }
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
    throw new ApiError(400, `Invalid '${at}.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`, `${at}.name`, 'invalid_value');
  }
  if (!isObject(schema)) {
    throw new ApiError(400, `Missing required parameter: '${at}.schema'.`, `${at}.schema`, 'missing_required_parameter');
  }
  if (jsonSchema.strict === true) {
    checkStrictSchema(name, schema);
  }
  return schema;
}
