import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { API_KEY, control, logWhen, readLog, startForTests } from './helpers.ts';
import type { Simulators } from './start.ts';

const track = {
  type: 'object',
  properties: { artist: { type: 'string' }, title: { type: 'string' }, year: { type: ['integer', 'null'] } },
  required: ['artist', 'title', 'year'],
  additionalProperties: false,
};
const schema = {
  type: 'object',
  properties: {
    kind: { type: 'string', enum: ['playlist', 'refusal'] },
    language: { type: 'string', enum: ['en', 'pl'] },
    name: { type: 'string' },
    description: { type: 'string' },
    summary: { type: 'string' },
    tracks: { type: 'array', items: track },
  },
  required: ['kind', 'language', 'name', 'description', 'summary', 'tracks'],
  additionalProperties: false,
};
const format = (changed: object = {}, strict = true) => ({ type: 'json_schema', json_schema: { name: 'playlist', strict, schema: { ...schema, ...changed } } });
const messages = [{ role: 'user', content: 'songs for a rainy evening' }];

interface Frame {
  choices?: { delta: { role?: string; content?: string; refusal?: string }; finish_reason: string | null }[];
  usage?: { total_tokens: number } | null;
  error?: unknown;
}

describe('LLM', () => {
  let simulators: Simulators;
  let base: string;

  before(async () => {
    simulators = await startForTests();
    base = simulators.urls.llm;
  });
  beforeEach(() => control(base, 'POST reset'));
  after(() => simulators.close());

  const post = (body: unknown, init: RequestInit = {}): Promise<Response> =>
    fetch(`${base}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      ...init,
    });
  const problem = async (body: unknown, init: RequestInit = {}): Promise<[number, { message: string; type: string; param: string | null; code: string | null }]> => {
    const response = await post(body, init);
    return [response.status, ((await response.json()) as { error: never }).error];
  };
  const stream = async (body: object = {}): Promise<{ text: string; frames: Frame[] }> => {
    const text = await (await post({ model: 'm', messages, stream: true, ...body })).text();
    const data = text.split('\n').filter((line) => line.startsWith('data: ') && line !== 'data: [DONE]');
    return { text, frames: data.map((line) => JSON.parse(line.slice(6)) as Frame) };
  };
  const deltas = (frames: Frame[], field: 'content' | 'refusal'): string => frames.map((frame) => frame.choices?.[0]?.delta[field] ?? '').join('');

  it('refuses wrong keys, paths and methods', async () => {
    const [status, error] = await problem({}, { headers: { authorization: 'Bearer wrong', 'content-type': 'application/json' } });
    assert.deepEqual([status, error.code, error.type, error.param], [401, 'invalid_api_key', 'invalid_request_error', null]);
    assert.equal((await problem({}, { headers: {} }))[0], 401);
    assert.equal((await fetch(`${base}/v1/completions`, { method: 'POST' })).status, 404);
    assert.equal((await fetch(`${base}/v1/chat/completions`)).status, 405);
  });

  it('refuses requests that the original refuses, naming the parameter', async () => {
    const cases: [body: object, param: string | null, code: string | null][] = [
      [{ messages }, null, null],
      [{ model: 'm' }, 'messages', 'missing_required_parameter'],
      [{ model: 'm', messages: [] }, 'messages', 'empty_array'],
      [{ model: 'm', messages: [{ role: 'robot', content: 'x' }] }, 'messages[0].role', 'invalid_value'],
      [{ model: 'm', messages: [{ role: 'user', content: 7 }] }, 'messages[0].content', 'invalid_type'],
      [{ model: 'm', messages, streaming: true }, 'streaming', 'unknown_parameter'],
      [{ model: 'm', messages, temperature: 3 }, 'temperature', 'invalid_value'],
      [{ model: 'm', messages, stream_options: { include_usage: true } }, 'stream_options', null],
      [{ model: 'm', messages, response_format: { type: 'xml' } }, 'response_format.type', 'invalid_value'],
      [{ model: 'm', messages, response_format: { type: 'json_object' } }, 'messages', null],
      [{ model: 'm', messages, response_format: { type: 'json_schema', schema } }, 'response_format.schema', 'unknown_parameter'],
    ];
    for (const [body, param, code] of cases) {
      const [status, error] = await problem(body);
      assert.deepEqual([status, error.param, error.code], [400, param, code], JSON.stringify(body));
    }
  });

  it('holds a strict schema to the strict subset', async () => {
    const string = { type: 'string' };
    const cases: [changed: object, complaint: RegExp][] = [
      [{ required: ['kind'] }, /'required' .* Missing 'language'/],
      [{ additionalProperties: true }, /'additionalProperties' is required/],
      [{ properties: { ...schema.properties, name: { ...string, maxLength: 100 } } }, /\('properties', 'name'\), 'maxLength' is not permitted/],
      [{ properties: { ...schema.properties, tracks: { type: 'array', items: track, minItems: 1 } } }, /'minItems' is not permitted/],
      [{ properties: { ...schema.properties, tracks: { type: 'array', items: { ...track, required: ['artist'] } } } }, /'items'\), 'required'/],
      [{ properties: { ...schema.properties, name: {} } }, /must have a 'type' key/],
      [{ type: 'array' }, /type: "object"/],
    ];
    for (const [changed, complaint] of cases) {
      const [status, error] = await problem({ model: 'm', messages, response_format: format(changed) });
      assert.deepEqual([status, error.param], [400, 'response_format'], JSON.stringify(changed));
      assert.match(error.message, complaint);
    }
    const lenient = await post({ model: 'm', messages, response_format: format({ required: ['kind'] }, false) });
    assert.equal(lenient.status, 200);
  });

  it('answers a scripted reply in one piece', async () => {
    await control(base, 'PUT script', { reply: { kind: 'playlist' }, first_token_ms: 0, usage: { total_tokens: 7 }, finish_reason: 'length' });
    const body = (await (await post({ model: 'm', messages })).json()) as { object: string; usage: unknown; choices: { message: unknown; finish_reason: string }[] };
    assert.equal(body.object, 'chat.completion');
    assert.deepEqual(body.usage, { total_tokens: 7 });
    assert.equal(body.choices[0]?.finish_reason, 'length');
    assert.deepEqual(body.choices[0]?.message, { role: 'assistant', content: '{"kind":"playlist"}', refusal: null, annotations: [] });
  });

  it('streams role, pieces, reason, usage and the end, with comments between', async () => {
    const reply = { name: 'Zażółć gęślą jaźń 🎸'.repeat(12) };
    await control(base, 'PUT script', { reply, first_token_ms: 0, chunk_chars: 5, chunk_ms: 0 });
    const { text, frames } = await stream({ stream_options: { include_usage: true } });
    assert.equal(frames[0]?.choices?.[0]?.delta.role, 'assistant');
    assert.deepEqual(JSON.parse(deltas(frames, 'content')), reply);
    assert.ok(frames.every((frame) => [...(frame.choices?.[0]?.delta.content ?? '')].length <= 5));
    assert.equal(frames.at(-2)?.choices?.[0]?.finish_reason, 'stop');
    assert.deepEqual(frames.at(-1)?.choices, []);
    assert.ok(Number(frames.at(-1)?.usage?.total_tokens) > 0);
    assert.ok(frames.slice(0, -1).every((frame) => frame.usage === null));
    assert.match(text, /^: /m);
    assert.ok(text.endsWith('data: [DONE]\n\n'));
    assert.ok((await stream()).frames.every((frame) => !('usage' in frame)));
  });

  it('uses a list of turns up and then speaks for itself again, but repeats a single turn', async () => {
    const say = async (): Promise<string> => deltas((await stream()).frames, 'content');
    await control(base, 'PUT script', [{ text: 'one', first_token_ms: 0 }, { text: 'two', first_token_ms: 0 }]);
    assert.deepEqual([await say(), await say()], ['one', 'two']);
    assert.match(await say(), /"kind": "playlist"/);
    await control(base, 'PUT script', { text: 'always', first_token_ms: 0 });
    assert.deepEqual([await say(), await say()], ['always', 'always']);
    await assert.rejects(control(base, 'PUT script', { text: 'a', reply: {} }), /one of reply, text and refusal/);
  });

  it('can refuse, streaming and not', async () => {
    await control(base, 'PUT script', { refusal: 'I cannot help with that.', first_token_ms: 0 });
    const { frames } = await stream();
    assert.deepEqual([deltas(frames, 'refusal'), deltas(frames, 'content')], ['I cannot help with that.', '']);
    const whole = (await (await post({ model: 'm', messages })).json()) as { choices: { message: { content: null; refusal: string } }[] };
    assert.deepEqual([whole.choices[0]?.message.content, whole.choices[0]?.message.refusal], [null, 'I cannot help with that.']);
  });

  it('can fail or be cut off in the middle of a stream', async () => {
    await control(base, 'PUT script', [
      { text: 'x'.repeat(100), first_token_ms: 0, error_after_chars: 30, error: { message: 'overloaded', code: 502 } },
      { text: 'x'.repeat(100), first_token_ms: 0, cut_after_chars: 30 },
    ]);
    const { text, frames } = await stream();
    assert.equal(deltas(frames, 'content').length, 30);
    assert.deepEqual(frames.at(-1)?.error, { message: 'overloaded', code: 502 });
    assert.ok(!text.includes('[DONE]'));
    await assert.rejects(stream());
  });

  it('keeps silent as long as it is told to and notices that the client left', async () => {
    await control(base, 'PUT script', { text: 'late', first_token_ms: 3_600_000 });
    const client = new AbortController();
    const request = post({ model: 'm', messages, stream: true }, { signal: client.signal });
    await logWhen(base, (log) => log[0]?.body !== undefined && log[0].body !== '');
    client.abort();
    await assert.rejects(request);
    const [entry] = await logWhen(base, (log) => log[0]?.aborted === true);
    assert.equal(entry?.first_byte_ms, null);
  });

  it('logs when the first and the last piece of a stream were written', async () => {
    await control(base, 'PUT script', { text: 'x'.repeat(50), first_token_ms: 20, chunk_chars: 10, chunk_ms: 10 });
    await stream();
    const [entry] = await readLog(base);
    assert.ok(entry && Number(entry.first_byte_ms) - entry.received_ms >= 19);
    assert.ok(Number(entry.finished_ms) - Number(entry.first_byte_ms) >= 39);
  });
});
