// Reads what may change meanwhile, here or on another device.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Playlist, Summary } from "../api/data.ts";
import { listPlaylists, readPlaylist } from "../api/data.ts";
import type { Failure } from "../api/failure.ts";
import { asFailure } from "../api/failure.ts";
import type { Edits } from "../state/edits.ts";
import { editsOf } from "../state/edits.ts";
import { generation } from "../state/generation.ts";
import { remembering, whenBack } from "../state/offline.ts";

/** Reads again and again. A reading counts unless a later one has arrived before it. */
export function useReading<T>(
  read: () => Promise<T>,
  take: (value: T) => void,
) {
  const [failure, setFailure] = useState<Failure | null>(null);
  const begun = useRef(0);
  const taken = useRef(0);
  const load = async () => {
    begun.current += 1;
    const own = begun.current;
    setFailure(null);
    try {
      const value = await read();
      if (own <= taken.current) return;
      taken.current = own;
      take(value);
    } catch (error) {
      if (own === begun.current) setFailure(asFailure(error));
    }
  };
  /** Reads after a change; the readings that began before it do not count. */
  const reload = () => {
    taken.current = begun.current;
    return load();
  };
  return { failure, load, reload };
}

export function useLibrary() {
  const [all, setAll] = useState<Summary[] | null>(null);
  const { running } = generation.value;
  const isShown = all !== null;
  const reading = useReading(
    () => remembering("library", listPlaylists, isShown),
    setAll,
  );
  // Loads again after a generation.
  useEffect(() => void reading.load(), [running === null]);
  useEffect(() => whenBack(reading.load), [isShown]);
  return { all, ...reading };
}

export function usePlaylist(id: string) {
  // Shows the result of a generation at once, and loads the stored playlist meanwhile.
  const [playlist, setPlaylist] = useState<Playlist | null>(() => justMade(id));
  const [edits, setEdits] = useState<Edits | null>(() =>
    playlist ? editsOf(id, playlist) : null,
  );
  const isShown = edits !== null;
  const { failure, load, reload } = useReading(
    () => remembering(id, () => readPlaylist(id), isShown),
    (fresh) => {
      setPlaylist(fresh);
      setEdits(editsOf(id, fresh));
    },
  );
  useEffect(() => void load(), [id]);
  const { result } = generation.value;
  // A refinement that the user did not wait for has changed the list.
  useEffect(() => {
    if (
      edits &&
      result?.playlist_id === id &&
      (result.version ?? 0) > edits.version
    )
      void load();
  }, [result]);
  useEffect(() => whenBack(load), [isShown]);
  const change = (next: Playlist) => {
    setPlaylist(next);
    void reload();
  };
  const isGone = failure?.code === "playlist_not_found";
  return { playlist: isGone ? null : playlist, edits, failure, load, change };
}

export function justMade(id: string): Playlist | null {
  const { result } = generation.value;
  if (result?.playlist_id !== id) return null;
  const { name, description, tracks, version } = result;
  return {
    id,
    name,
    description,
    tracks,
    copy: null,
    count: tracks.length,
    is_deleted: false,
    updated_at: "",
    version: version ?? 0,
  };
}
