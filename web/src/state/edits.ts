// Edits of a playlist's tracks. They name tracks, not positions, because another device may have changed the list.

import { computed, signal } from '@preact/signals';
import type { Track } from '../api/data.ts';
import { readTracks, save } from '../api/data.ts';
import type { Failure } from '../api/failure.ts';
import { asFailure } from '../api/failure.ts';

/** `after`: the preceding track; null puts the track first, undefined last. */
export type Change =
  | { kind: 'remove'; uri: string }
  | { kind: 'move'; uri: string; after: string | null }
  | { kind: 'add'; track: Track; after?: string | null }
  | { kind: 'swap'; uri: string; track: Track };

/** An edit that could not be saved; `uri`: the row that shows the failure. */
export type Failed = { change: Change; uri: string; failure: Failure };

const has = (tracks: readonly Track[], uri: string) => tracks.some((it) => it.track_uri === uri);

/** Returns the list with the edit applied; an edit of a missing track changes nothing. */
export function applied(tracks: readonly Track[], change: Change): Track[] {
  switch (change.kind) {
    case 'remove':
      return tracks.filter((it) => it.track_uri !== change.uri);
    case 'swap':
      if (has(tracks, change.track.track_uri)) return [...tracks];
      return tracks.map((it) => (it.track_uri === change.uri ? change.track : it));
    case 'add':
      return has(tracks, change.track.track_uri) ? [...tracks] : inserted(tracks, change.track, change.after);
    case 'move': {
      const track = tracks.find((it) => it.track_uri === change.uri);
      const others = tracks.filter((it) => it !== track);
      return track ? inserted(others, track, change.after) : [...tracks];
    }
  }
}

function inserted(tracks: readonly Track[], track: Track, after: string | null | undefined): Track[] {
  if (after === null) return [track, ...tracks];
  const at = tracks.findIndex((it) => it.track_uri === after);
  return at < 0 ? [...tracks, track] : tracks.toSpliced(at + 1, 0, track);
}

/** Returns the edit that undoes another one; `tracks`: the list before it. */
export function inverse(tracks: readonly Track[], change: Change): Change | null {
  const at = tracks.findIndex((it) => it.track_uri === uriOf(change));
  const after = tracks[at - 1]?.track_uri ?? null;
  const track = tracks[at];
  if (change.kind === 'add') return { kind: 'remove', uri: change.track.track_uri };
  if (!track) return null;
  if (change.kind === 'remove') return { kind: 'add', track, after };
  if (change.kind === 'move') return { kind: 'move', uri: change.uri, after };
  return { kind: 'swap', uri: change.track.track_uri, track };
}

export const uriOf = (change: Change): string => (change.kind === 'add' ? change.track.track_uri : change.uri);

/** Returns the edit that moves the track at `from` to `to`. */
export function moveTo(tracks: readonly Track[], from: number, to: number): Change | null {
  const track = tracks[from];
  if (!track || from === to) return null;
  const others = tracks.toSpliced(from, 1);
  return { kind: 'move', uri: track.track_uri, after: others[to - 1]?.track_uri ?? null };
}

/** A playlist's tracks during editing: the server's list with the unsaved edits applied. */
export class Edits {
  readonly id: string;
  readonly failed = signal<readonly Failed[]>([]);
  readonly #server;
  readonly #pending = signal<readonly Change[]>([]);
  readonly shown = computed(() => this.#pending.value.reduce(applied, this.#server.value));
  #queue: Promise<unknown> = Promise.resolve();

  constructor(id: string, tracks: Track[]) {
    this.id = id;
    this.#server = signal<Track[]>(tracks);
  }

  /** Replaces the server's list. */
  take(tracks: Track[]): void {
    this.#server.value = tracks;
  }

  /** Shows the edit at once and saves it after the earlier ones; throws if saving fails. */
  async run(change: Change): Promise<void> {
    this.#pending.value = [...this.#pending.value, change];
    this.failed.value = this.failed.value.filter(({ uri }) => uri !== uriOf(change));
    const saving = this.#queue.then(() => save(this.id, change));
    this.#queue = saving.catch(() => {});
    const settle = () => {
      this.#pending.value = this.#pending.value.filter((it) => it !== change);
    };
    try {
      const tracks = await saving;
      this.take(tracks);
      settle();
    } catch (error) {
      // The edit may have been saved and only the response lost.
      const fresh = await readTracks(this.id).catch(() => null);
      if (fresh) this.take(fresh);
      settle();
      throw error;
    }
  }

  /** The same, but shows a failure at the track's row. Returns whether the edit was saved. */
  async make(change: Change): Promise<boolean> {
    try {
      await this.run(change);
      return true;
    } catch (error) {
      this.failed.value = [...this.failed.value, { change, uri: uriOf(change), failure: asFailure(error) }];
      return false;
    }
  }

  forget(failed: Failed): void {
    this.failed.value = this.failed.value.filter((it) => it !== failed);
  }
}
