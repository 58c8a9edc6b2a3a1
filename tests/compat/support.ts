import { readFileSync } from 'node:fs';
import { createClient } from '@supabase/supabase-js';
import type { Session, SupabaseClient, SupabaseClientOptions } from '@supabase/supabase-js';
import type { Database } from '../../supabase/database.types.ts';

type Simulators = { llm: string; spotify: string; stripe: string };
type Urls = { functions_url: string; web_url: string; supabase_url: string; mail_url: string; database_url: string };
type Ready = Urls & { publishable_key: string; stripe_webhook_secret: string; simulators: Simulators };

type Global = SupabaseClientOptions<'public'>['global'];
export type Client = SupabaseClient<Database>;

/** The running stack, as `cargo xtask dev` and the tests' stages describe theirs. */
export const ready = JSON.parse(readFileSync(process.env.SOUND_WHISKERS_READY_FILE ?? 'target/ready.json', 'utf8')) as Ready;
export const PASSWORD = 'correct horse battery';

/** A client of a user who has not signed in. */
export function client(global: Global = {}): Client {
  // Outside a browser nothing keeps the session, and a timer that renews it would keep the process alive.
  const auth = { persistSession: false, autoRefreshToken: false };
  return createClient<Database>(ready.supabase_url, ready.publishable_key, { auth, global });
}

export async function signedUp(global: Global = {}): Promise<{ supabase: Client; session: Session }> {
  const supabase = client(global);
  const email = `${crypto.randomUUID()}@example.com`;
  const { data, error } = await supabase.auth.signUp({ email, password: PASSWORD });
  if (error) throw error;
  if (!data.session) throw new Error('signing up returned no session');
  return { supabase, session: data.session };
}

export async function resetSimulators(): Promise<void> {
  for (const simulator of ['llm', 'spotify', 'stripe'] as const) await control(simulator, 'POST', 'reset', {});
}

/** Three songs that the catalogue has, and one that it does not have. */
export const REPLY = {
  kind: 'playlist', language: 'en', name: 'Rainy evening', description: 'For the window seat.', summary: 'Calm songs.',
  tracks: [
    { artist: 'Nirvana', title: 'Come as You Are', year: 1991 },
    { artist: 'Radiohead', title: 'Karma Police', year: 1997 },
    { artist: 'Glass Orchard', title: 'Broken Satellites', year: 2011 },
    { artist: 'The Beatles', title: 'Let It Be', year: 1970 },
  ],
};

export async function letModelAnswer(): Promise<void> {
  await control('llm', 'PUT', 'script', { reply: REPLY });
}

export async function control(simulator: keyof Simulators, method: string, name: string, body: unknown): Promise<void> {
  const response = await fetch(`${ready.simulators[simulator]}/__control/${name}`, { method, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${method} ${name}: ${response.status} ${await response.text()}`);
}

export type ServerEvent = { name: string; data: Record<string, unknown> };

export async function* eventsOf(response: Response): AsyncGenerator<ServerEvent> {
  if (!response.body) throw new Error('the response has no body');
  let text = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const frames = (text + chunk).split('\n\n');
    text = frames.pop() ?? '';
    for (const frame of frames) {
      const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(frame) ?? [];
      // All other lines are comments that keep the connection open.
      if (name && data) yield { name, data: JSON.parse(data) as ServerEvent['data'] };
    }
  }
}
