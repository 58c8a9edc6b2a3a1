// The limit of any playlist: the model's last token, and one search behind it.

import type { Environment, Handler } from './environment.ts';
import type { Playlist } from './model.ts';
import { model, question } from './model.ts';
import { catalogue } from './spotify.ts';

export function serve(env: Environment): Handler {
  const openai = model(env);
  const { getToken, search } = catalogue(env);
  return async (request) => {
    const { prompt, target_count } = (await request.json()) as { prompt: string; target_count: number };
    const stream = await openai.chat.completions.create({ ...question(env, prompt, Math.ceil(target_count * 1.3)), stream: true });
    await getToken();
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    const { name, tracks } = JSON.parse(text) as Playlist;
    const last = tracks.at(-1);
    const found = last && (await search(last));
    return Response.json({ name, count: found ? 1 : 0 });
  };
}
