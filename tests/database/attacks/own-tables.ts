// Attacks on a user's own rows: the plan, the sessions that the quota counts, the tokens, and writes that bypass the
// functions. The access matrix tries every column in SQL; these use PostgREST's upserts, columns, embeddings and partitions.

import { randomUUID } from 'node:crypto';
import type { Attack } from './attack.ts';
import { del, denied, deniedForAll, either, get, head, hidden, nonsense, patch, post, put, refused, rpc, unknown } from './attack.ts';
import type { Scene } from './scene.ts';

const MERGE = 'resolution=merge-duplicates';
/** Without the row in return, which would need the right to read and hide the right to write. */
const MINIMAL = 'return=minimal';
const TRACK = { track_uri: `spotify:track:${'z'.repeat(22)}` };

const plan = ({ mallory, victim }: Scene): Attack[] => {
  const own = `/profiles?user_id=eq.${mallory.id}`;
  const pro = { user_id: mallory.id, username: 'Mallory', plan: 'pro' };
  return [
    { what: 'updates their own plan', ask: patch(own, { plan: 'pro' }), expected: denied },
    { what: 'updates the plan of all users', ask: patch('/profiles', { plan: 'pro' }), expected: deniedForAll },
    { what: 'hides the plan behind a username that may be changed', ask: patch(own, { username: 'Mallory', plan: 'pro' }), expected: denied },
    { what: 'names the plan among the columns of an update', ask: patch(`${own}&columns=username,plan`, { username: 'Mallory', plan: 'pro' }), expected: denied },
    { what: 'puts a whole profile in the place of their own', ask: put(own, pro), expected: denied },
    { what: 'upserts their profile as pro', ask: post('/profiles', pro, MERGE), expected: denied },
    { what: 'upserts on the Stripe customer as the conflict', ask: post('/profiles?on_conflict=stripe_customer_id', { ...pro, stripe_customer_id: victim.customer }, MERGE), expected: denied },
    { what: 'says that Stripe was asked long after', ask: patch(own, { plan_synced_at: '2999-01-01' }), expected: denied },
    { what: 'takes the own deletion back', ask: patch(own, { deletion_started_at: null }), expected: denied },
    { what: 'deletes the own profile, and the quota\'s ledger with it', ask: del(own), expected: denied },
    { what: 'gives usage a plan as an argument', ask: rpc('usage', { plan: 'pro' }), expected: unknown },
    { what: 'asks for the usage of the victim', ask: rpc('usage', { p_user_id: victim.id }), expected: unknown },
  ];
};

const ledger = ({ mallory, months }: Scene): Attack[] => {
  const forged = { id: mallory.generation, user_id: mallory.id, prompt: 'x', status: 'failed', cost: 0, created_at: '2020-01-01T00:00:00Z' };
  const writing = (table: string, expected: Attack['expected']): Attack[] => [
    { what: `forges an old session in ${table}`, ask: post(`/${table}`, { ...forged, id: randomUUID() }), expected },
    { what: `overwrites the own session in ${table}`, ask: post(`/${table}?on_conflict=id,created_at`, forged, MERGE), expected },
    { what: `declares the own session failed in ${table}`, ask: patch(`/${table}?id=eq.${mallory.generation}`, { status: 'failed' }), expected },
    { what: `deletes every session in ${table}`, ask: del(`/${table}?id=not.is.null`), expected },
  ];
  const reading = (month: string): Attack[] => [
    { what: `reads everything in ${month}`, ask: get(`/${month}`), expected: hidden },
    { what: `reads ${month} as an embedded one`, ask: get(`/profiles?select=username,${month}(*)`), expected: either(hidden, refused([400], 'PGRST200')) },
  ];
  return [...writing('ai_sessions', denied), ...months.flatMap((month) => [...writing(month, hidden), ...reading(month)])];
};

const tokens = ({ mallory, victim }: Scene): Attack[] => {
  const requests: [string, Attack['ask']][] = [
    ['reads the own tokens', get(`/spotify_tokens?user_id=eq.${mallory.id}`)],
    ['reads the victim\'s tokens', get(`/spotify_tokens?user_id=eq.${victim.id}`)],
    ['reads a token as text', get('/spotify_tokens?select=access_token::text')],
    ['counts the links', head('/spotify_tokens')],
    ['guesses a token byte by byte', get('/spotify_tokens?select=user_id&access_token=gte.\\xc3')],
    ['embeds the tokens in the own profile', get('/profiles?select=*,spotify_tokens(*)')],
    ['spreads the tokens over the profile', get('/profiles?select=user_id,...spotify_tokens(access_token)')],
    ['orders profiles by the token', get('/profiles?select=user_id,spotify_tokens(user_id)&order=spotify_tokens(access_token)')],
    ['asks for profiles that have linked Spotify', get('/profiles?select=user_id,spotify_tokens()&spotify_tokens=not.is.null')],
    ['embeds the tokens through the playlists', get('/playlists?select=id,profiles(spotify_tokens(*))')],
    ['moves the victim\'s tokens to oneself', patch(`/spotify_tokens?user_id=eq.${victim.id}`, { user_id: mallory.id }, MINIMAL)],
    ['unlinks the victim', del(`/spotify_tokens?user_id=eq.${victim.id}`, MINIMAL)],
  ];
  return [
    ...requests.map(([what, ask]) => ({ what, ask, expected: denied })),
    { what: 'deletes all tokens', ask: del('/spotify_tokens', MINIMAL), expected: deniedForAll },
  ];
};

const playlists = ({ mallory, victim }: Scene): Attack[] => {
  const own = `/playlists?id=eq.${mallory.playlist}`;
  const made = (more: object) => ({ owner_id: mallory.id, name: 'Made up', ...more });
  const playlist_id = mallory.playlist;
  return [
    { what: 'gives a playlist away while renaming it', ask: patch(`${own}&columns=name,owner_id`, { name: 'A gift', owner_id: victim.id }), expected: denied },
    { what: 'puts a playlist in the place of the own', ask: put(own, made({ id: mallory.playlist })), expected: denied },
    { what: 'deletes a playlist for good', ask: del(own), expected: denied },
    { what: 'squats on the id of the victim\'s running session', ask: post('/playlists', made({ id: victim.generation })), expected: denied },
    { what: 'chooses the id in the second of two', ask: post('/playlists', [made({ id: null }), made({ id: randomUUID() })]), expected: denied },
    { what: 'upserts on the id', ask: post('/playlists?on_conflict=id', made({ id: mallory.playlist }), MERGE), expected: denied },
    { what: 'writes a track past the functions', ask: post('/playlist_tracks', { playlist_id, position: 4, ...TRACK }), expected: denied },
    { what: 'gives a track that is added its own playlist', ask: rpc('add_tracks', { playlist_id, tracks: [{ ...TRACK, playlist_id: victim.playlist }] }), expected: nonsense },
    { what: 'names an owner when adding', ask: rpc('add_tracks', { playlist_id, tracks: [TRACK], owner_id: victim.id }), expected: unknown },
  ];
};

export const ownTables = (scene: Scene): Attack[] => [...plan(scene), ...ledger(scene), ...tokens(scene), ...playlists(scene)];
