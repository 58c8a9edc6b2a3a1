// The question to the model, with OpenAI's client.

import OpenAI from 'openai';
import type { Environment } from '../candidate.ts';
import type { Song } from './spotify.ts';

const object = (properties: Record<string, object>) => ({ type: 'object', properties, required: Object.keys(properties), additionalProperties: false });
const text = { type: 'string' };
const SONG = object({ artist: text, title: text, year: { type: ['integer', 'null'] } });
const PLAYLIST = object({
  kind: { type: 'string', enum: ['playlist', 'refusal'] },
  language: { type: 'string', enum: ['en', 'pl'] },
  name: text,
  description: text,
  summary: text,
  tracks: { type: 'array', items: SONG },
});

export type Playlist = { name: string; tracks: Song[] };

export function model(env: Environment): OpenAI {
  return new OpenAI({ apiKey: env.LLM_API_KEY as string, baseURL: env.LLM_BASE_URL as string });
}

export function question(env: Environment, prompt: string, count: number) {
  return {
    model: env.LLM_MODEL as string,
    messages: [
      { role: 'system' as const, content: 'You are a music curator. You turn a wish into a playlist of real songs, in their original studio recordings.' },
      { role: 'user' as const, content: `Suggest ${count} songs.\n${JSON.stringify({ prompt })}` },
    ],
    response_format: { type: 'json_schema' as const, json_schema: { name: 'playlist', strict: true, schema: PLAYLIST } },
  };
}
