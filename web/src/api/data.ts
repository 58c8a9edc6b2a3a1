// Reads and writes playlists and usage through Supabase's data API; the database enforces the permissions.

import type { Database } from "../../../supabase/database.types.ts";
import type { Change } from "../state/edits.ts";
import { asFailure, Failure, failureOfData } from "./failure.ts";
import type { Track as Generated } from "./generated.ts";
import { TRACK_COLUMNS } from "./generated.ts";
import type { Data } from "./supabase.ts";
import { data as api, auth } from "./supabase.ts";

/** A track of a playlist; what a generation says of it besides is not stored. */
export type Track = Omit<Generated, "index" | "score" | "version"> & {
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
/** A playlist's tracks; `version` increases with every change of them. */
export type Content = { version: number; tracks: readonly Track[] };
/** `copy`: the id of its copy on Spotify, if it has one in the linked account. */
export type Playlist = Summary & Content & { copy: string | null };
/** Where the tracks of one playlist are stored. */
export type TrackStore = {
  read: () => Promise<Content>;
  save: (change: Change) => Promise<Content>;
};
export type Quota = {
  used: number;
  limit: number;
  remaining: number;
  next_free_at: string | null;
};
export type Usage = {
  plan: "free" | "pro";
  renews: boolean;
  /** When the period that is paid for ends; null for a free plan, or while a payment is overdue. */
  period_ends_at: string | null;
  playlists: { used: number; limit: number };
  ai: Quota;
};

type Row = Pick<
  Database["public"]["Tables"]["playlists"]["Row"],
  "id" | "name" | "description" | "updated_at" | "is_deleted"
>;
type Entry = Database["public"]["CompositeTypes"]["playlist_entry"];
type Answer = {
  data: unknown;
  error: { code?: string; message: string } | null;
  status: number;
};
type DataOf<A> = A extends { error: null; data: infer T } ? T : never;

const COLUMNS = "id, name, description, updated_at, is_deleted";
const NAMES_OF_A_TRACK = TRACK_COLUMNS.split(", ") as (keyof Track)[];
/** What the page has in place of what the database does not know. */
const UNKNOWN = {
  track_uri: "",
  title: "",
  artist: "",
  album: "",
  duration_ms: 0,
  explicit: false,
};

export async function answerOf<A extends Answer>(
  request: PromiseLike<A>,
): Promise<DataOf<A>> {
  const { data, error, status } = await Promise.resolve(request).catch(
    (error: unknown) => {
      throw asFailure(error);
    },
  );
  if (error) throw failureOfData(error, status);
  return data as DataOf<A>;
}

function asSummary(row: Row, count: number): Summary {
  return { ...row, description: row.description ?? "", count };
}

export function asTracks(
  entries: Omit<Entry, "position" | "added_at">[],
): Track[] {
  return entries.map((entry) => {
    const known = NAMES_OF_A_TRACK.filter((name) => entry[name] != null);
    const members = known.map((name) => [name, entry[name]]);
    return { ...UNKNOWN, ...Object.fromEntries(members) };
  });
}

/** Returns the tracks in the form of the RPCs, without members that are no columns. */
function asArguments(tracks: readonly Track[]) {
  const argumentOf = (value: Track[keyof Track]) =>
    value === "" ? null : (value ?? null);
  return tracks.map((track) =>
    Object.fromEntries(
      NAMES_OF_A_TRACK.map((name) => [name, argumentOf(track[name])]),
    ),
  );
}

/** Returns all playlists, including the deleted ones, the newest first. */
export async function listPlaylists(): Promise<Summary[]> {
  const rows = await answerOf(
    api()
      .from("playlists")
      .select(`${COLUMNS}, playlist_tracks(count)`)
      .order("updated_at", { ascending: false }),
  );
  return rows.map(({ playlist_tracks, ...row }) =>
    asSummary(
      row,
      (playlist_tracks as unknown as { count: number }[])[0]?.count ?? 0,
    ),
  );
}

export async function readPlaylist(id: string): Promise<Playlist> {
  const row = await answerOf(
    api()
      .from("playlists")
      .select(
        `${COLUMNS}, version, spotify_copies(spotify_playlist_id), playlist_tracks(${TRACK_COLUMNS})`,
      )
      .eq("id", id)
      .eq("is_deleted", false)
      .order("position", { referencedTable: "playlist_tracks" })
      .single(),
  );
  const { playlist_tracks, version, spotify_copies, ...rest } = row;
  const copy = spotify_copies?.spotify_playlist_id ?? null;
  return {
    ...asSummary(rest, playlist_tracks.length),
    version,
    tracks: asTracks(playlist_tracks),
    copy,
  };
}

export async function createPlaylist(
  name: string,
  description: string,
): Promise<string> {
  const session = await auth().session();
  if (!session) throw new Failure("missing_token");
  const values = {
    owner_id: session.user.id,
    name: name.trim(),
    description: description.trim() || null,
  };
  return (
    await answerOf(api().from("playlists").insert(values).select("id").single())
  ).id;
}

export async function describePlaylist(
  id: string,
  name: string,
  description: string,
): Promise<void> {
  const values = { name: name.trim(), description: description.trim() || null };
  await answerOf(
    api().from("playlists").update(values).eq("id", id).select("id").single(),
  );
}

export async function setDeleted(
  id: string,
  is_deleted: boolean,
): Promise<void> {
  await answerOf(
    api()
      .from("playlists")
      .update({ is_deleted })
      .eq("id", id)
      .select("id")
      .single(),
  );
}

/** Returns the version of a playlist's tracks. */
export async function readVersion(id: string): Promise<number> {
  const row = api()
    .from("playlists")
    .select("version")
    .eq("id", id)
    .eq("is_deleted", false)
    .single();
  return (await answerOf(row)).version;
}

/** Replaces a playlist's tracks. */
export async function fill(
  playlist_id: string,
  tracks: readonly Track[],
): Promise<void> {
  await answerOf(
    api().rpc("replace_tracks", { playlist_id, tracks: asArguments(tracks) }),
  );
}

/** Each edit is one request, whose response is the resulting list. */
export function trackStore(
  playlist_id: string,
  on: () => Data = api,
): TrackStore {
  const read = () =>
    on()
      .from("playlists")
      .select(`version, playlist_tracks(${TRACK_COLUMNS})`)
      .eq("id", playlist_id)
      .eq("is_deleted", false)
      .order("position", { referencedTable: "playlist_tracks" })
      .single();
  return {
    read: async () => {
      const { version, playlist_tracks } = await answerOf(read());
      return { version, tracks: asTracks(playlist_tracks) };
    },
    save: async (change) => {
      const { version, tracks } = await answerOf(
        requestOf(on(), playlist_id, change),
      );
      return { version: version ?? 0, tracks: asTracks(tracks ?? []) };
    },
  };
}

function requestOf(on: Data, playlist_id: string, change: Change) {
  if (change.kind === "remove")
    return on.rpc("remove_tracks", {
      playlist_id,
      track_uris: [...change.uris],
    });
  if (change.kind === "restore")
    return on.rpc("restore_version", { playlist_id, version: change.version });
  if (change.kind === "swap") {
    const [track = null] = asArguments([change.track]);
    return on.rpc("replace_track", {
      playlist_id,
      track_uri: change.uri,
      track,
    });
  }
  const place = {
    after_uri: change.after ?? undefined,
    before_uri: change.before ?? undefined,
  };
  if (change.kind === "move")
    return on.rpc("move_track", {
      playlist_id,
      track_uri: change.uri,
      ...place,
    });
  return on.rpc("add_tracks", {
    playlist_id,
    tracks: asArguments(change.tracks),
    ...place,
  });
}

export async function readUsage(): Promise<Usage> {
  return (await answerOf(api().rpc("usage"))) as unknown as Usage;
}

/** Returns whether the user is or was a customer, who may have invoices. */
export async function hasPaid(): Promise<boolean> {
  return (
    (
      await answerOf(
        api().from("profiles").select("stripe_customer_id").single(),
      )
    ).stripe_customer_id !== null
  );
}
