/**
 * The product as a front end uses it, through Supabase's own client alone. One file, because its tests share the
 * simulators and must run one after the other.
 */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { FunctionsClient } from '@supabase/functions-js';
import { FunctionRegion, FunctionsHttpError } from '@supabase/supabase-js';
import { corsHeaders } from '@supabase/supabase-js/cors';
import type { Database } from '../../supabase/database.types.ts';
import { client, eventsOf, letModelAnswer, ready, resetSimulators, signedUp } from './support.ts';
import type { Client } from './support.ts';

const RAINY = { prompt: 'a cozy rainy evening', target_count: 3 };
const TITLES = ['Come as You Are', 'Karma Police', 'Let It Be'];

type Track = Database['public']['CompositeTypes']['playlist_entry'];

beforeEach(async () => {
  await resetSimulators();
  await letModelAnswer();
});

test('a sentence becomes a playlist', async () => {
  const { supabase } = await signedUp();
  const { data, error } = await supabase.functions.invoke('ai-playlist', { body: RAINY });
  assert.deepEqual([error, data.count, data.quota.remaining], [null, 3, 2]);
  assert.deepEqual(titles(data.tracks).sort(), TITLES);
});

test('a stream sends each track as it is found', async () => {
  const { supabase } = await signedUp();
  const headers = { Accept: 'text/event-stream' };
  const { data, error } = await supabase.functions.invoke<Response>('ai-playlist', { body: RAINY, headers });
  assert.equal(error, null);
  assert(data instanceof Response);

  const events = await Array.fromAsync(eventsOf(data));
  assert.deepEqual(events[0], { name: 'stage', data: { stage: 'reserved', found: 0, target: 3 } });
  assert.deepEqual(events.filter(({ name }) => name === 'track').map(({ data }) => data.title).sort(), TITLES);
  assert.deepEqual([events.at(-1)?.name, events.at(-1)?.data.count], ['done', 3]);
});

test('a saved playlist is read with its tracks by its owner and by no other user', async () => {
  const { supabase } = await signedUp();
  const id = await savedPlaylist(supabase);
  const read = (reader: Client) => reader.from('playlists').select('*, playlist_tracks(*)').eq('id', id);

  const { data, error } = await read(supabase);
  const [playlist] = data ?? [];
  assert.equal(error, null);
  assert.equal(playlist?.name, 'Rainy evening');
  assert.deepEqual(titles(playlist.playlist_tracks).sort(), TITLES);

  const { supabase: other } = await signedUp();
  assert.deepEqual((await read(other)).data, []);
  const anonymous = await read(client());
  assert.deepEqual([anonymous.status, anonymous.data], [401, null]);
});

test('tracks are added, moved and removed, each by its URI', async () => {
  const { supabase } = await signedUp();
  const playlist_id = await savedPlaylist(supabase);
  const track_uri = 'spotify:track:4iV5W9uYEdYUVa79Axb7Rh';
  const tracks = [{ track_uri, title: 'Added by hand' }];
  const added = (await supabase.rpc('add_tracks', { playlist_id, tracks })).data;
  const before_uri = added?.tracks?.[0]?.track_uri ?? '';
  const moved = (await supabase.rpc('move_track', { playlist_id, track_uri, before_uri })).data;
  assert.deepEqual([added?.tracks?.at(-1)?.title, moved?.tracks?.[0]?.title], ['Added by hand', 'Added by hand']);
  const left = (await supabase.rpc('remove_tracks', { playlist_id, track_uris: [track_uri] })).data;
  assert.deepEqual([titles(left?.tracks ?? []).sort(), left?.tracks?.map(({ position }) => position)], [TITLES, [1, 2, 3]]);
  assert.deepEqual([added?.version, moved?.version, left?.version], [2, 3, 4]);
});

test('a shared playlist is read without an account, copied by another user, and gone once it is revoked', async () => {
  const { supabase } = await signedUp();
  const playlist_id = await savedPlaylist(supabase);
  const { data: share_id } = await supabase.rpc('share_playlist', { playlist_id });
  assert.ok(share_id);
  const shared = (await client().rpc('shared_playlist', { share_id })).data as { name: string; tracks: Track[] };
  assert.deepEqual([Object.keys(shared), shared.name, titles(shared.tracks).sort()], [['name', 'tracks', 'description'], 'Rainy evening', TITLES]);
  assert.match(String(shared.tracks[0]?.image_url), /\/image\//);
  const { supabase: other } = await signedUp();
  const { data: id } = await other.rpc('duplicate_shared_playlist', { share_id });
  const copy = await other.from('playlist_tracks').select('title').eq('playlist_id', String(id));
  assert.deepEqual(titles(copy.data ?? []).sort(), TITLES);
  assert.equal((await supabase.rpc('unshare_playlist', { playlist_id })).error, null);
  const { status, error } = await client().rpc('shared_playlist', { share_id });
  assert.deepEqual([status, error?.message], [404, 'shared playlist not found']);
});

test('a user who pays on the page is pro', async () => {
  const { supabase } = await signedUp();
  const origin = new URL(ready.functions_url).origin;
  const body = { success_url: `${origin}/paid`, cancel_url: `${origin}/` };
  const { data, error } = await supabase.functions.invoke('billing/checkout', { body });
  assert.equal(error, null);
  const paid = await fetch(data.url, { method: 'POST', body: new URLSearchParams({ decision: 'pay' }), redirect: 'manual' });
  assert.equal(paid.headers.get('location'), `${origin}/paid`);
  // The event arrives later; a front end polls, as here.
  const plan = async () => ((await supabase.rpc('usage')).data as { plan: string }).plan;
  while ((await plan()) !== 'pro');
  const portal = await supabase.functions.invoke('billing/portal', { body: { return_url: `${origin}/` } });
  assert.equal(portal.error, null);
  assert.match(await (await fetch(portal.data.url)).text(), /Cancel subscription/);
});

test('an error is an object with a code, a message and the id to report it by', async () => {
  const { supabase } = await signedUp();
  const { data, error } = await supabase.functions.invoke('ai-playlist', { body: { prompt: '' } });
  assert(error instanceof FunctionsHttpError && data === null);
  const response = error.context as Response;
  const { message, ...more } = await response.json();
  assert.match(message, /prompt/);
  assert.deepEqual([response.status, more], [422, { code: 'invalid_request', request_id: response.headers.get('x-request-id') }]);
});

test('a function is called in a region of the client’s choice, and a page may send every header that the client sends', async () => {
  const sent = new Set(String(corsHeaders['Access-Control-Allow-Headers']).toLowerCase().split(/,\s*/));
  const { supabase } = await signedUp({
    fetch: (input, init) => {
      const isOfFunctions = String(input).includes('/functions/v1/');
      if (isOfFunctions) for (const name of new Headers(init?.headers).keys()) sent.add(name);
      return fetch(input, init);
    },
  });
  const found = await supabase.functions.invoke('spotify-search?artist=Nirvana&title=Lithium', { method: 'GET', region: FunctionRegion.EuWest1 });
  assert.deepEqual([found.error, titles(found.data.tracks)[0]], [null, 'Lithium']);
  assert(sent.has('traceparent') && sent.has('x-region'), [...sent].join());
  for (const name of ['ai-playlist', 'spotify-search', 'spotify-oauth/status', 'spotify-export', 'billing/checkout', 'account']) {
    const preflight = await fetch(`${ready.functions_url}/${name}?forceFunctionRegion=eu-west-1`, {
      method: 'OPTIONS',
      headers: { origin: ready.web_url, 'access-control-request-method': 'POST', 'access-control-request-headers': [...sent].sort().join() },
    });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get('access-control-allow-origin'), ready.web_url);
    const allowed = preflight.headers.get('access-control-allow-headers')?.split(', ') ?? [];
    assert.deepEqual([...sent].filter((header) => !allowed.includes(header)), [], `${name} lets pages send`);
  }
});

test('where the functions have a URL of their own, FunctionsClient calls them there', async () => {
  const { session } = await signedUp();
  const functions = new FunctionsClient(ready.functions_url);
  functions.setAuth(session.access_token);
  const { data, error } = await functions.invoke('ai-playlist', { body: RAINY });
  assert.deepEqual([error, data?.count], [null, 3]);
});

const titles = (tracks: Pick<Track, 'title'>[]): (string | null)[] => tracks.map(({ title }) => title);

async function savedPlaylist(supabase: Client): Promise<string> {
  const { data, error } = await supabase.functions.invoke('ai-playlist', { body: { ...RAINY, save: true } });
  assert.equal(error, null);
  return data.playlist_id;
}
