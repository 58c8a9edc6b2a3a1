// Reading and writing another user's rows: by filters, embeddings, counts and the functions for users.

import type { Attack } from './attack.ts';
import { denied, deniedToAnon, either, get, head, noPlaylist, nothing, patch, post, refused, rpc } from './attack.ts';
import type { Person, Scene } from './scene.ts';

const KEYS: Record<string, { column: string; of: (user: Person) => string }> = {
  profiles: { column: 'user_id', of: (user) => user.id },
  playlists: { column: 'owner_id', of: (user) => user.id },
  playlist_tracks: { column: 'playlist_id', of: (user) => user.playlist },
  playlist_versions: { column: 'playlist_id', of: (user) => user.playlist },
  ai_sessions: { column: 'user_id', of: (user) => user.id },
  spotify_copies: { column: 'user_id', of: (user) => user.id },
};

const TRACK = { track_uri: `spotify:track:${'z'.repeat(22)}` };

const filters = ({ victim, mallory }: Scene): Attack[] =>
  Object.entries(KEYS).flatMap(([table, { column, of }]) => {
    const theirs = of(victim);
    const not_mine = column === 'playlist_id' ? `not.in.(${mallory.playlist},${mallory.deleted})` : `neq.${mallory.id}`;
    return [
      { what: `reads the victim's ${table}`, ask: get(`/${table}?${column}=eq.${theirs}`), expected: nothing },
      { what: `reads all other users' ${table}`, ask: get(`/${table}?${column}=${not_mine}`), expected: nothing },
      { what: `reads the victim's ${table} by a nested alternative`, ask: get(`/${table}?or=(and(${column}.eq.${theirs},${column}.not.is.null),${column}.is.null)`), expected: nothing },
      { what: `counts the victim's ${table}`, ask: head(`/${table}?${column}=eq.${theirs}`), expected: nothing },
      { what: `reads the victim's ${table} without a token`, ask: { ...get(`/${table}?${column}=eq.${theirs}`), token: undefined }, expected: deniedToAnon },
    ];
  });

const guesses = (): Attack[] => [
  { what: 'finds the victim\'s Stripe customer', ask: get('/profiles?select=stripe_customer_id&stripe_customer_id=like.cus_hidden*'), expected: nothing },
  { what: 'finds the victim\'s tracks by their titles', ask: get('/playlist_tracks?title=like.hidden*'), expected: nothing },
];

const embeddings = ({ mallory, victim }: Scene): Attack[] => [
  { what: 'embeds the tracks of the victim\'s playlist', ask: get(`/playlists?select=*,playlist_tracks(*)&id=eq.${victim.playlist}`), expected: nothing },
  { what: 'embeds everything of all other users', ask: get(`/profiles?select=*,playlists(*,playlist_tracks(*)),ai_sessions(*)&user_id=neq.${mallory.id}`), expected: nothing },
  { what: 'joins the playlists of the victim', ask: get(`/playlist_tracks?select=*,playlists!inner(*)&playlists.owner_id=eq.${victim.id}`), expected: nothing },
  { what: 'joins the profile over two tables', ask: get(`/playlist_tracks?select=title,playlists!inner(name,profiles!inner(*))&playlists.profiles.user_id=eq.${victim.id}`), expected: nothing },
  { what: 'spreads the playlist over its tracks', ask: get(`/playlist_tracks?select=*,...playlists(name,owner_id)&playlist_id=eq.${victim.playlist}`), expected: nothing },
  { what: 'spreads the profile over the playlists', ask: get(`/playlists?select=id,...profiles!inner(username,stripe_customer_id)&owner_id=eq.${victim.id}`), expected: nothing },
  { what: 'orders by what is embedded', ask: get(`/playlists?select=id,profiles!inner(plan)&order=profiles(stripe_customer_id)&owner_id=neq.${mallory.id}`), expected: nothing },
];

const writes = ({ mallory, victim }: Scene): Attack[] => {
  const own_first = `/playlist_tracks?playlist_id=eq.${mallory.playlist}&position=eq.1`;
  const their_first = `/playlist_tracks?playlist_id=eq.${victim.playlist}&position=eq.1`;
  return [
    { what: 'renames the victim\'s playlist', ask: patch(`/playlists?id=eq.${victim.playlist}`, { name: 'Mallory was here' }), expected: nothing },
    { what: 'deletes the victim\'s playlist softly', ask: patch(`/playlists?id=eq.${victim.playlist}`, { is_deleted: true }), expected: nothing },
    { what: 'restores the victim\'s playlist', ask: patch(`/playlists?id=eq.${victim.deleted}`, { is_deleted: false }), expected: nothing },
    { what: 'deletes all other users\' playlists softly', ask: patch(`/playlists?or=(owner_id.neq.${mallory.id},owner_id.is.null)`, { is_deleted: true }), expected: nothing },
    { what: 'makes a playlist for the victim', ask: post('/playlists', { owner_id: victim.id, name: 'A gift' }), expected: denied },
    { what: 'makes one for oneself and one for the victim', ask: post('/playlists', [mallory, victim].map(({ id }) => ({ owner_id: id, name: 'A gift' }))), expected: denied },
    { what: 'takes over the victim\'s playlist by an upsert', ask: post('/playlists', { id: victim.playlist, owner_id: mallory.id, name: 'Mine' }, 'resolution=merge-duplicates'), expected: denied },
    { what: 'puts a track into the victim\'s playlist', ask: post('/playlist_tracks', { playlist_id: victim.playlist, position: 4, ...TRACK }), expected: denied },
    { what: 'moves an own track into the victim\'s playlist', ask: patch(own_first, { playlist_id: victim.playlist, position: 4 }), expected: denied },
    { what: 'moves a track of the victim\'s into the own playlist', ask: patch(their_first, { playlist_id: mallory.playlist, position: 4 }), expected: denied },
  ];
};

/** Another user's playlist, another user's deleted one, and the caller's deleted one are all reported as missing. */
const functions = ({ mallory, victim }: Scene): Attack[] => {
  const closed = { 'the victim\'s playlist': victim.playlist, 'the victim\'s deleted playlist': victim.deleted, 'the own deleted playlist': mallory.deleted };
  const tracks = [TRACK];
  return Object.entries(closed).flatMap(([whose, playlist_id]) => [
    { what: `adds to ${whose}`, ask: rpc('add_tracks', { playlist_id, tracks }), expected: noPlaylist },
    { what: `removes from ${whose}`, ask: rpc('remove_tracks', { playlist_id, track_uris: [TRACK.track_uri] }), expected: noPlaylist },
    { what: `swaps a track of ${whose}`, ask: rpc('replace_track', { playlist_id, track_uri: TRACK.track_uri, track: TRACK }), expected: noPlaylist },
    { what: `restores a version of ${whose}`, ask: rpc('restore_version', { playlist_id, version: 1 }), expected: noPlaylist },
    { what: `replaces ${whose}`, ask: rpc('replace_tracks', { playlist_id, tracks }), expected: noPlaylist },
    {
      what: `moves a track of ${whose} by GET`,
      ask: get(`/rpc/move_track?playlist_id=${playlist_id}&track_uri=${TRACK.track_uri}`),
      expected: either(noPlaylist, refused([405], '25006')),
    },
  ]);
};

export const rowsOfOthers = (scene: Scene): Attack[] => [
  ...filters(scene),
  ...guesses(),
  ...embeddings(scene),
  ...writes(scene),
  ...functions(scene),
];
