// Reads and writes playlists and usage through Supabase's data API; the database enforces the permissions.

import type { Database } from '../../../supabase/database.types.ts';
import type { Change } from '../state/edits.ts';
import { applied, uriOf } from '../state/edits.ts';
import { asFailure, Failure, failureOfData } from './failure.ts';
import { data as api, auth } from './supabase.ts';

export type Track = {
  track_uri: string;
  title: string;
  artist: string;
  album: string;
  duration_ms: number;
  explicit: boolean;
  version?: string;
};
export type Summary = {
  id: string;
  name: string;
  description: string;
  updated_at: string;
  count: number;
  is_deleted: boolean;
};
/** `copy`: the id of its copy on Spotify, if it has one in the linked account. */
export type Playlist = Summary & { tracks: Track[]; copy: string | null };
export type Quota = { used: number; limit: number; remaining: number; next_free_at: string | null };
export type Usage = {
  plan: 'free' | 'pro';
  renews: boolean;
  /** When the period that is paid for ends; null for a free plan, or while a payment is overdue. */
  period_ends_at: string | null;
  playlists: { used: number; limit: number };
  ai: Quota;
};

type Row = Pick<
  Database['public']['Tables']['playlists']['Row'],
  'id' | 'name' | 'description' | 'updated_at' | 'is_deleted'
>;
type Entry = Database['public']['CompositeTypes']['playlist_entry'];
type Answer = { data: unknown; error: { code?: string; message: string } | null; status: number };
type DataOf<A> = A extends { error: null; data: infer T } ? T : never;

const COLUMNS = 'id, name, description, updated_at, is_deleted';

async function answerOf<A extends Answer>(request: PromiseLike<A>): Promise<DataOf<A>> {
  const { data, error, status } = await Promise.resolve(request).catch((error: unknown) => {
    throw asFailure(error);
  });
  if (error) throw failureOfData(error, status);
  return data as DataOf<A>;
}

function asSummary(row: Row, count: number): Summary {
  return { ...row, description: row.description ?? '', count };
}

function asTracks(
  entries: Pick<Entry, 'track_uri' | 'title' | 'artist' | 'album' | 'duration_ms' | 'explicit' | 'version'>[],
): Track[] {
  return entries.map((entry) => ({
    track_uri: entry.track_uri ?? '',
    title: entry.title ?? '',
    artist: entry.artist ?? '',
    album: entry.album ?? '',
    duration_ms: entry.duration_ms ?? 0,
    explicit: entry.explicit ?? false,
    ...(entry.version ? { version: entry.version } : {}),
  }));
}

/** Returns the tracks in the form of the RPCs, without unknown members. */
function asArguments(tracks: Track[]) {
  return tracks.map(({ track_uri, title, artist, album, duration_ms, explicit, version }) => ({
    track_uri,
    title: title || null,
    artist: artist || null,
    album: album || null,
    duration_ms: Math.round(duration_ms),
    explicit,
    version: version ?? null,
  }));
}

/** Returns all playlists, including the deleted ones, the newest first. */
export async function listPlaylists(): Promise<Summary[]> {
  const rows = await answerOf(
    api().from('playlists').select(`${COLUMNS}, playlist_tracks(count)`).order('updated_at', { ascending: false }),
  );
  return rows.map(({ playlist_tracks, ...row }) =>
    asSummary(row, (playlist_tracks as unknown as { count: number }[])[0]?.count ?? 0),
  );
}

export async function readPlaylist(id: string): Promise<Playlist> {
  const row = await answerOf(
    api()
      .from('playlists')
      .select(
        `${COLUMNS}, spotify_copies(spotify_playlist_id), playlist_tracks(position, track_uri, title, artist, album, duration_ms, explicit, version)`,
      )
      .eq('id', id)
      .eq('is_deleted', false)
      .order('position', { referencedTable: 'playlist_tracks' })
      .single(),
  );
  const { playlist_tracks, spotify_copies, ...rest } = row;
  const copy = spotify_copies?.spotify_playlist_id ?? null;
  return { ...asSummary(rest, playlist_tracks.length), tracks: asTracks(playlist_tracks), copy };
}

export async function createPlaylist(name: string, description: string): Promise<string> {
  const session = await auth().session();
  if (!session) throw new Failure('missing_token');
  const values = { owner_id: session.user.id, name: name.trim(), description: description.trim() || null };
  return (await answerOf(api().from('playlists').insert(values).select('id').single())).id;
}

export async function describePlaylist(id: string, name: string, description: string): Promise<void> {
  const values = { name: name.trim(), description: description.trim() || null };
  await answerOf(api().from('playlists').update(values).eq('id', id).select('id').single());
}

export async function setDeleted(id: string, is_deleted: boolean): Promise<void> {
  await answerOf(api().from('playlists').update({ is_deleted }).eq('id', id).select('id').single());
}

export async function readTracks(id: string): Promise<Track[]> {
  return (await readPlaylist(id)).tracks;
}

/** Replaces a playlist's tracks. */
export async function fill(playlist_id: string, tracks: Track[]): Promise<Track[]> {
  return asTracks(await answerOf(api().rpc('replace_tracks', { playlist_id, tracks: asArguments(tracks) })));
}

/** Applies an edit to the stored list and returns the resulting list. */
export async function save(playlist_id: string, change: Change): Promise<Track[]> {
  const now = await readTracks(playlist_id);
  const next = applied(now, change);
  const position = (tracks: Track[]) => tracks.findIndex((it) => it.track_uri === uriOf(change)) + 1;
  const [from, to] = [position(now), position(next)];
  if (change.kind === 'add') {
    if (from > 0) return now;
    const tracks = asArguments([change.track]);
    return asTracks(await answerOf(api().rpc('add_tracks', { playlist_id, tracks, after_position: to - 1 })));
  }
  if (from === 0) return now;
  if (change.kind === 'swap') return fill(playlist_id, next);
  if (change.kind === 'remove') {
    return asTracks(await answerOf(api().rpc('remove_track', { playlist_id, position: from })));
  }
  if (from === to) return now;
  return asTracks(await answerOf(api().rpc('move_track', { playlist_id, from_position: from, to_position: to })));
}

export async function readUsage(): Promise<Usage> {
  return (await answerOf(api().rpc('usage'))) as unknown as Usage;
}

/** Returns whether the user is or was a customer, who may have invoices. */
export async function hasPaid(): Promise<boolean> {
  return (await answerOf(api().from('profiles').select('stripe_customer_id').single())).stripe_customer_id !== null;
}
