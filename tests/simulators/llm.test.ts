import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fold } from './catalogue/text.ts';
import type { Json } from './helpers.ts';
import { API_KEY, compare, control, simulated } from './helpers.ts';
import { unscripted } from './llm/unscripted.ts';

const closed = (properties: Json): Json => ({ type: 'object', properties, required: Object.keys(properties), additionalProperties: false });
const string = { type: 'string' };
const track = closed({ artist: string, title: string, year: { type: ['integer', 'null'] } });
const tracks = { type: 'array', items: track };
const schema = closed({ kind: { type: 'string', enum: ['playlist', 'refusal'] }, name: string, tracks });
const format = (changed: Json = {}, strict = true): Json => ({ type: 'json_schema', json_schema: { name: 'playlist', strict, schema: { ...schema, ...changed } } });
const messages = [{ role: 'user', content: 'songs for a rainy evening' }];

describe('LLM', () => {
  const llm = simulated('llm');
  const post = (body: Json, headers: Record<string, string> = { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' }): Promise<Response> =>
    fetch(`${llm.url}/v1/chat/completions`, { method: 'POST', headers, body: JSON.stringify({ model: 'm', messages, ...body }) });
  const problem = async (body: Json): Promise<[number, string | null, string | null, string]> => {
    const response = await post(body);
    const { error } = (await response.json()) as Json;
    return [response.status, error.param, error.code, error.message];
  };
  const stream = async (body: Json = {}): Promise<{ text: string; frames: Json[] }> => {
    const text = await (await post({ stream: true, ...body })).text();
    const lines = text.split('\n').filter((line) => line.startsWith('data: {'));
    return { text, frames: lines.map((line) => JSON.parse(line.slice(6))) };
  };
  const said = (frames: Json[], field = 'content'): string => frames.map((frame) => frame.choices?.[0]?.delta[field] ?? '').join('');
  const script = (turns: unknown): Promise<unknown> => control(llm.url, 'PUT script', turns);
  const now = { first_token_ms: 0, chunk_ms: 0 };

  it('refuses wrong keys, paths and methods', async () => {
    assert.equal((await post({}, { authorization: 'Bearer wrong', 'content-type': 'application/json' })).status, 401);
    assert.equal((await post({}, {})).status, 401);
    assert.equal((await post({}, { authorization: `Bearer ${API_KEY}` })).status, 400);
    assert.equal((await fetch(`${llm.url}/v1/completions`, { method: 'POST' })).status, 404);
    assert.equal((await fetch(`${llm.url}/v1/chat/completions`)).status, 405);
  });

  it('refuses requests that the original refuses, naming the parameter', () =>
    compare<Json>(
      [
        [{ model: '' }, [400, null, null]], [{ messages: undefined }, [400, 'messages', 'missing_required_parameter']],
        [{ messages: [] }, [400, 'messages', 'empty_array']],
        [{ messages: [{ role: 'robot', content: 'x' }] }, [400, 'messages[0].role', 'invalid_value']],
        [{ messages: [{ role: 'user', content: 7 }] }, [400, 'messages[0].content', 'invalid_value']],
        [{ messages: [{ role: 'user' }] }, [400, 'messages[0].content', 'missing_required_parameter']],
        [{ streaming: true }, [400, 'streaming', 'unknown_parameter']], [{ temperature: 3 }, [400, 'temperature', 'invalid_value']],
        [{ max_tokens: 1, max_completion_tokens: 1 }, [400, null, 'invalid_parameter_combination']],
        [{ stream_options: { include_usage: true } }, [400, 'stream_options', null]],
        [{ response_format: { type: 'xml' } }, [400, 'response_format.type', 'invalid_value']],
        [{ response_format: { type: 'json_object' } }, [400, 'messages', null]],
        [{ response_format: { type: 'json_schema', schema } }, [400, 'response_format.schema', 'unknown_parameter']],
      ],
      async (body) => (await problem(body)).slice(0, 3),
    ));

  it('refuses a strict schema outside of the strict subset', async () => {
    for (const [changed, complaint] of [
      [{ required: ['kind'] }, /'required' .* Missing 'name'/], [{ additionalProperties: true }, /'additionalProperties' is required/],
      [{ properties: { ...schema.properties, name: { ...string, maxLength: 100 } } }, /\('properties', 'name'\), 'maxLength' is not permitted/],
      [{ properties: { ...schema.properties, tracks: { ...tracks, minItems: 1 } } }, /'minItems' is not permitted/],
      [{ properties: { ...schema.properties, tracks: { ...tracks, items: { ...track, required: ['artist'] } } } }, /'items'\), 'required'/],
      [{ properties: { ...schema.properties, name: {} } }, /must have a 'type' key/], [{ type: 'array' }, /type: "object"/],
    ] as const) {
      const [status, param, , message] = await problem({ response_format: format(changed) });
      assert.deepEqual([status, param], [400, 'response_format'], JSON.stringify(changed));
      assert.match(message, complaint);
    }
    assert.equal((await post({ response_format: format({ required: ['kind'] }, false) })).status, 200);
  });

  it('returns a completion or a refusal as one document', async () => {
    await script([{ reply: { kind: 'playlist' }, usage: { total_tokens: 7 }, finish_reason: 'length', ...now }, { refusal: 'No.', ...now }]);
    const whole = (await (await post({})).json()) as Json;
    assert.deepEqual([whole.object, whole.usage, whole.choices[0].finish_reason], ['chat.completion', { total_tokens: 7 }, 'length']);
    assert.deepEqual(whole.choices[0].message, { role: 'assistant', content: '{"kind":"playlist"}', refusal: null, annotations: [] });
    const refused = (await (await post({})).json()) as Json;
    assert.deepEqual([refused.choices[0].message.content, refused.choices[0].message.refusal], [null, 'No.']);
  });

  it('streams role, content, finish reason, usage and the end, with comments between', async () => {
    const reply = { name: 'Zażółć gęślą jaźń 🎸'.repeat(12) };
    await script({ reply, chunk_chars: 5, ...now });
    const { text, frames } = await stream({ stream_options: { include_usage: true } });
    assert.equal(frames[0]?.choices[0].delta.role, 'assistant');
    assert.deepEqual(JSON.parse(said(frames)), reply);
    assert.ok(frames.every((frame) => [...(frame.choices[0]?.delta.content ?? '')].length <= 5));
    assert.equal(frames.at(-2)?.choices[0].finish_reason, 'stop');
    assert.deepEqual([frames.at(-1)?.choices, frames.at(-1)?.usage.total_tokens > 0], [[], true]);
    assert.ok(frames.slice(0, -1).every((frame) => frame.usage === null));
    assert.match(text, /^: [\s\S]*data: \[DONE\]\n\n$/m);
    assert.ok((await stream()).frames.every((frame) => !('usage' in frame)));
  });

  it('uses each turn of a list once and then responds unscripted, but repeats a single turn', async () => {
    const say = async (): Promise<string> => said((await stream()).frames);
    await script([{ text: 'one', ...now }, { text: 'two', ...now }]);
    assert.deepEqual([await say(), await say()], ['one', 'two']);
    assert.match(await say(), /"kind": "playlist"/);
    await script({ text: 'always', ...now });
    assert.deepEqual([await say(), await say()], ['always', 'always']);
    await assert.rejects(script({ text: 'a', reply: {} }), /one of reply, text and refusal/);
  });

  it('injects refusals', async () => {
    await script({ refusal: 'No.', ...now });
    const refused = await stream();
    assert.deepEqual([said(refused.frames, 'refusal'), said(refused.frames)], ['No.', '']);
  });
});

describe('unscripted model', () => {
  const RULES = 'Answer with JSON. At most 2 tracks per artist.';
  const ask = (prompt: string, ...more: { role: string; text: string }[]): Json => {
    const all = [{ role: 'system', text: RULES }, { role: 'user', text: prompt }, ...more];
    return JSON.parse(unscripted({ model: 'm', messages: all, stream: false, includeUsage: false, maxTokens: Infinity, wantsJson: true }));
  };
  const key = (artist: string, title: string): string => `${fold(artist)}|${fold(title)}`;
  const keys = (playlist: Json): string[] => playlist.tracks.map((it: Json) => key(it.artist, it.title));

  it('does not suggest songs again that were tried', () => {
    const first = ask('80s rock');
    const again = ask('80s rock', { role: 'user', text: `Suggest 9 songs, all of them new.\n${JSON.stringify({ already_suggested: first.tracks })}` });
    assert.deepEqual([again.tracks.length, keys(again).filter((song) => keys(first).includes(song))], [9, []]);
  });
});
