import { readFileSync } from 'node:fs';
import { createClient } from '@supabase/supabase-js';
import type { Session, SupabaseClient, SupabaseClientOptions } from '@supabase/supabase-js';
import type { Database } from '../../supabase/database.types.ts';

type Simulators = { llm: string; spotify: string; stripe: string };
type Ready = { functions_url: string; web_url: string; supabase_url: string; publishable_key: string; stripe_webhook_secret: string; simulators: Simulators };

type Global = SupabaseClientOptions<'public'>['global'];
export type Client = SupabaseClient<Database>;

export const ready = readReadyFile();

function readReadyFile(): Ready {
  const path = process.env.SOUND_WHISKERS_READY_FILE;
  if (!path) throw new Error('SOUND_WHISKERS_READY_FILE names no ready file: run `cargo xtask test --only` with the stage');
  return JSON.parse(readFileSync(path, 'utf8')) as Ready;
}

/** A client of a user who has not signed in. */
export function client(global: Global = {}): Client {
  // Outside a browser nothing keeps the session, and a timer that renews it would keep the process alive.
  const auth = { persistSession: false, autoRefreshToken: false };
  return createClient<Database>(ready.supabase_url, ready.publishable_key, { auth, global });
}

/** A client of a user who has just signed up. */
export async function signedUp(global: Global = {}): Promise<{ supabase: Client; session: Session }> {
  const supabase = client(global);
  const email = `${crypto.randomUUID()}@example.com`;
  const { data, error } = await supabase.auth.signUp({ email, password: 'correct horse battery staple' });
  if (error) throw error;
  if (!data.session) throw new Error('signing up answered no session');
  return { supabase, session: data.session };
}

/** Puts the simulators back to their defaults. */
export async function resetSimulators(): Promise<void> {
  for (const base of Object.values(ready.simulators)) await control(base, 'POST', 'reset', {});
}

/** Makes the model suggest three songs of the catalogue. */
export async function letModelAnswer(): Promise<void> {
  await control(ready.simulators.llm, 'PUT', 'script', {
    reply: {
      kind: 'playlist', language: 'en', name: 'Rainy evening', description: 'For the window seat.', summary: 'Calm songs.',
      tracks: [
        { artist: 'Nirvana', title: 'Come as You Are', year: 1991 },
        { artist: 'Radiohead', title: 'Karma Police', year: 1997 },
        { artist: 'The Beatles', title: 'Let It Be', year: 1970 },
      ],
    },
  });
}

async function control(base: string, method: string, name: string, body: unknown): Promise<void> {
  const response = await fetch(`${base}/__control/${name}`, { method, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${method} ${name}: ${response.status} ${await response.text()}`);
}

export type ServerEvent = { name: string; data: Record<string, unknown> };

/** The events of a stream, each as soon as it has arrived. */
export async function* eventsOf(response: Response): AsyncGenerator<ServerEvent> {
  if (!response.body) throw new Error('the answer has no body');
  let text = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const frames = (text + chunk).split('\n\n');
    text = frames.pop() ?? '';
    for (const frame of frames) {
      const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(frame) ?? [];
      // What else there is are comments that keep the connection open.
      if (name && data) yield { name, data: JSON.parse(data) as ServerEvent['data'] };
    }
  }
}
