// What an owner may not do either: give away, choose ids and dates, delete for good, write tracks past the functions.

import { randomUUID } from 'node:crypto';
import type { Attack } from './attack.ts';
import { del, denied, either, nonsense, patch, post, put, refused, rpc, unknown } from './attack.ts';
import type { Person, Scene } from './scene.ts';

const MERGE = 'resolution=merge-duplicates';
const TRACK = { track_uri: `spotify:track:${'z'.repeat(22)}` };

export const ownRows = ({ mallory, victim }: Scene): Attack[] => {
  const own = `/playlists?id=eq.${mallory.playlist}`;
  const made = (more: object) => ({ owner_id: mallory.id, name: 'Made up', ...more });
  const profile = ({ id }: Person) => `/profiles?user_id=eq.${id}`;
  const playlist_id = mallory.playlist;
  return [
    { what: 'gives a playlist away', ask: patch(own, { owner_id: victim.id }), expected: denied },
    { what: 'gives a playlist away while renaming it', ask: patch(`${own}&columns=name,owner_id`, { name: 'A gift', owner_id: victim.id }), expected: denied },
    { what: 'changes a playlist\'s id', ask: patch(own, { id: randomUUID() }), expected: denied },
    { what: 'back-dates a playlist', ask: patch(own, { created_at: '2020-01-01' }), expected: denied },
    { what: 'sets a playlist\'s last change', ask: patch(own, { updated_at: '2020-01-01' }), expected: denied },
    { what: 'puts a playlist in the place of the own', ask: put(own, made({ id: mallory.playlist })), expected: denied },
    { what: 'deletes a playlist for good', ask: del(own), expected: denied },
    { what: 'chooses a playlist\'s id', ask: post('/playlists', made({ id: randomUUID() })), expected: denied },
    { what: 'squats on the id of the victim\'s running session', ask: post('/playlists', made({ id: victim.generation })), expected: denied },
    { what: 'names the id among the columns', ask: post('/playlists?columns=id,owner_id,name', made({ id: randomUUID() })), expected: denied },
    { what: 'chooses the id in the second of two', ask: post('/playlists', [made({ id: null }), made({ id: randomUUID() })]), expected: denied },
    { what: 'upserts on the id', ask: post('/playlists?on_conflict=id', made({ id: mallory.playlist }), MERGE), expected: denied },
    { what: 'makes a playlist with dates', ask: post('/playlists', made({ created_at: '2020-01-01', updated_at: '2020-01-01' })), expected: denied },
    { what: 'makes a playlist that is deleted already', ask: post('/playlists', made({ is_deleted: true })), expected: denied },
    { what: 'begins the own deletion without a confirmation', ask: patch(profile(mallory), { deletion_started_at: '2026-01-01' }), expected: denied },
    { what: 'takes the own deletion back', ask: patch(profile(mallory), { deletion_started_at: null }), expected: denied },
    { what: 'names the deletion among the columns of an update', ask: patch(`${profile(mallory)}&columns=username,deletion_started_at`, { username: 'Mallory', deletion_started_at: '2026-01-01' }), expected: denied },
    { what: 'begins the deletion of the victim', ask: patch(profile(victim), { deletion_started_at: '2026-01-01' }), expected: denied },
    { what: 'writes a track past the functions', ask: post('/playlist_tracks', { playlist_id, position: 4, ...TRACK }), expected: denied },
    { what: 'upserts a track past the functions', ask: post('/playlist_tracks', { playlist_id, position: 1, ...TRACK }, MERGE), expected: denied },
    { what: 'changes a track past the functions', ask: patch(`/playlist_tracks?playlist_id=eq.${playlist_id}`, { title: 'x' }), expected: denied },
    { what: 'back-dates a track', ask: patch(`/playlist_tracks?playlist_id=eq.${playlist_id}`, { added_at: '2020-01-01' }), expected: denied },
    { what: 'deletes a track past the functions', ask: del(`/playlist_tracks?playlist_id=eq.${playlist_id}&position=eq.1`), expected: denied },
    ...['playlist_id', 'position', 'is_deleted', 'added_at'].map((key) => ({
      what: `gives a track that is added its own ${key}`,
      ask: rpc('add_tracks', { playlist_id, tracks: [{ ...TRACK, [key]: victim.playlist }] }),
      expected: nonsense,
    })),
    ...['"x"', '{}', '[[]]', '[null]', '[{}]', '[{"track_uri":null}]'].map((tracks) => ({
      what: `replaces the tracks with ${tracks}`,
      ask: { ...rpc('replace_tracks'), body: `{"playlist_id":"${playlist_id}","tracks":${tracks}}` },
      // The local Supabase hands a bare string on without its quotes.
      expected: tracks === '"x"' ? either(nonsense, refused([400], '22P02')) : nonsense,
    })),
    { what: 'names an owner when adding', ask: rpc('add_tracks', { playlist_id, tracks: [TRACK], owner_id: victim.id }), expected: unknown },
  ];
};
