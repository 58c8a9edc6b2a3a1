// People who generate playlists.

import postgres from 'postgres';
import { ready } from './stack.ts';

/** Signs somebody up; answers their token. */
export async function signUp(): Promise<string> {
  const response = await fetch(`${ready.supabase_url}/auth/v1/signup`, {
    method: 'POST',
    headers: { apikey: ready.publishable_key, 'Content-Type': 'application/json' },
    body: JSON.stringify({ email: `${crypto.randomUUID()}@example.com`, password: 'correct horse battery' }),
  });
  return ((await response.json()) as { access_token: string }).access_token;
}

/** Everybody who has signed up gets what those get who pay: 50 playlists. */
export async function payForAll(): Promise<void> {
  const sql = postgres(ready.database_url, { max: 1, onnotice: () => {} });
  await sql`update public.profiles set plan = 'pro'`;
  await sql.end();
}
