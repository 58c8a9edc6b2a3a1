// Shares playlists by a link, reads what others have shared, and copies playlists.

import type { Track } from "./data.ts";
import { answerOf, asTracks } from "./data.ts";
import { Failure } from "./failure.ts";
import { data as api } from "./supabase.ts";

export type Shared = { name: string; description: string; tracks: Track[] };

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Returns the id of a playlist's link; null if it is not shared. */
export async function readShareId(playlist_id: string): Promise<string | null> {
  const shares = api()
    .from("shared_playlists")
    .select("share_id")
    .eq("playlist_id", playlist_id);
  return (await answerOf(shares.maybeSingle()))?.share_id ?? null;
}

export async function share(playlist_id: string): Promise<string> {
  return answerOf(api().rpc("share_playlist", { playlist_id }));
}

export async function unshare(playlist_id: string): Promise<void> {
  await answerOf(api().rpc("unshare_playlist", { playlist_id }));
}

export async function readShared(share_id: string): Promise<Shared> {
  // The database refuses a text of another form with another error.
  if (!UUID.test(share_id)) throw new Failure("shared_playlist_not_found");
  const shared = (await answerOf(
    api().rpc("shared_playlist", { share_id }, { get: true }),
  )) as unknown as {
    name: string;
    description: string | null;
    tracks: Parameters<typeof asTracks>[0];
  };
  return {
    name: shared.name,
    description: shared.description ?? "",
    tracks: asTracks(shared.tracks),
  };
}

/** Copies one of the user's playlists and returns the copy's id. */
export async function duplicate(playlist_id: string): Promise<string> {
  return answerOf(api().rpc("duplicate_playlist", { playlist_id }));
}

/** Copies a shared playlist into the user's library and returns the copy's id. */
export async function duplicateShared(share_id: string): Promise<string> {
  return answerOf(api().rpc("duplicate_shared_playlist", { share_id }));
}
