// Edits of a playlist's tracks. They name tracks and their neighbours, never positions: another device may have changed the
// list. Every edit can be repeated, so it is sent again if its response was lost.

import { computed, effect, signal } from "@preact/signals";
import type { Content, Track, TrackStore } from "../api/data.ts";
import { trackStore } from "../api/data.ts";
import type { Failure } from "../api/failure.ts";
import { asFailure } from "../api/failure.ts";
import { openEdits } from "./open-edits.ts";
import { user } from "./session.ts";

/** A place in the list: after a track; where that is gone, before the next one; otherwise at the end. */
export type Place = { after: string | null; before: string | null };

export type Change =
  | { kind: "remove"; uris: readonly string[] }
  | ({ kind: "move"; uri: string } & Place)
  | ({ kind: "add"; tracks: readonly Track[] } & Place)
  | { kind: "swap"; uri: string; track: Track }
  /** Makes another version the current one; `from`: the version that was. */
  | { kind: "restore"; version: number; from: number };

/** An edit that could not be saved. */
export type Failed = { change: Change; failure: Failure };

/** An edit that can be undone. */
export type Step = {
  change: Change;
  back: readonly Change[];
  /** Null when it was saved. */
  outcome: Promise<Failure | null>;
  /** The message that offers to undo it. */
  toast?: number;
};

export const END: Place = { after: null, before: null };

const uriOf = (track: Track): string => track.track_uri;
const has = (tracks: readonly Track[], uri: string) =>
  tracks.some((it) => it.track_uri === uri);

/** The tracks that an edit is about. */
export function urisOf(change: Change): readonly string[] {
  if (change.kind === "remove") return change.uris;
  // A version is no track, but a later edit of the same one replaces it, too.
  if (change.kind === "restore") return [`version ${change.version}`];
  return change.kind === "add" ? change.tracks.map(uriOf) : [change.uri];
}

/** Returns the list with the edit applied, as the database does it; an edit of a missing track changes nothing. */
export function applied(
  tracks: readonly Track[],
  change: Change,
): readonly Track[] {
  switch (change.kind) {
    case "remove":
      return tracks.filter((it) => !change.uris.includes(it.track_uri));
    case "restore":
      return tracks;
    case "swap":
      if (has(tracks, change.track.track_uri)) return tracks;
      return tracks.map((it) =>
        it.track_uri === change.uri ? change.track : it,
      );
    case "add":
      return inserted(
        tracks,
        change.tracks.filter((it) => !has(tracks, it.track_uri)),
        change,
      );
    case "move": {
      const moved = tracks.filter((it) => it.track_uri === change.uri);
      return inserted(
        tracks.filter((it) => it.track_uri !== change.uri),
        moved,
        change,
      );
    }
  }
}

function inserted(
  tracks: readonly Track[],
  added: readonly Track[],
  { after, before }: Place,
): readonly Track[] {
  const index = (uri: string | null) =>
    tracks.findIndex((it) => it.track_uri === uri);
  const [previous, next] = [index(after), index(before)];
  const at = previous >= 0 ? previous + 1 : next >= 0 ? next : tracks.length;
  return tracks.toSpliced(at, 0, ...added);
}

/** Whether the list is as the edit leaves it. */
function isDone(tracks: readonly Track[], change: Change): boolean {
  if (change.kind === "restore") return false;
  if (change.kind === "move" && !has(tracks, change.uri)) return false;
  if (change.kind === "swap")
    return has(tracks, change.track.track_uri) && !has(tracks, change.uri);
  return isSame(tracks, applied(tracks, change));
}

const isSame = (one: readonly Track[], other: readonly Track[]) =>
  one.length === other.length &&
  one.every((it, index) => it.track_uri === other[index]?.track_uri);

/** Returns the changes that take another one back; `tracks`: the list before it. */
export function inverse(tracks: readonly Track[], change: Change): Change[] {
  if (change.kind === "restore")
    return [{ kind: "restore", version: change.from, from: change.version }];
  if (isSame(tracks, applied(tracks, change))) return [];
  if (change.kind === "remove") return backIn(tracks, change.uris);
  if (change.kind === "add") {
    return [
      {
        kind: "remove",
        uris: change.tracks.map(uriOf).filter((uri) => !has(tracks, uri)),
      },
    ];
  }
  const at = tracks.findIndex((it) => it.track_uri === change.uri);
  const track = tracks[at];
  if (!track) return [];
  if (change.kind === "swap")
    return [{ kind: "swap", uri: change.track.track_uri, track }];
  return [{ kind: "move", uri: change.uri, ...placeAt(tracks, at, at + 1) }];
}

/** Returns one change for each run of neighbours among the removed tracks. */
function backIn(tracks: readonly Track[], uris: readonly string[]): Change[] {
  const changes: Change[] = [];
  for (let from = 0; from < tracks.length; from += 1) {
    let to = from;
    while (to < tracks.length && uris.includes(tracks[to]?.track_uri ?? ""))
      to += 1;
    if (to === from) continue;
    changes.push({
      kind: "add",
      tracks: tracks.slice(from, to),
      ...placeAt(tracks, from, to),
    });
    from = to;
  }
  return changes;
}

const placeAt = (
  tracks: readonly Track[],
  from: number,
  to: number,
): Place => ({
  after: tracks[from - 1]?.track_uri ?? null,
  before: tracks[to]?.track_uri ?? null,
});

/** Returns the edit that moves the track at `from` to `to`. */
export function moveTo(
  tracks: readonly Track[],
  from: number,
  to: number,
): Change | null {
  const track = tracks[from];
  if (!track || from === to) return null;
  return {
    kind: "move",
    uri: track.track_uri,
    ...placeAt(tracks.toSpliced(from, 1), to, to),
  };
}

/** The id of the account whose edits are open. */
let owner: string | undefined;

/**
 * Returns a playlist's edits with the server's list. They outlive its screen: an edit may be saved, fail or be undone after
 * the user has left it. They end with the account.
 */
export function editsOf(id: string, content: Content): Edits {
  const who = user.peek()?.id;
  if (who !== owner) openEdits.clear();
  owner = who;
  const edits = openEdits.get(id) ?? opened(id, content);
  edits.take(content);
  return edits;
}

function opened(id: string, content: Content): Edits {
  const edits = new Edits(id, content);
  openEdits.set(id, edits);
  const ask = (event: Event) => event.preventDefault();
  // The browser asks before it closes a page with unsaved edits. Without any, a listener would only slow it down.
  effect(() => {
    if (edits.pending.value.length > 0) addEventListener("beforeunload", ask);
    else removeEventListener("beforeunload", ask);
  });
  return edits;
}

const ATTEMPTS = 3;
const PAUSE_MS = 500;

/** Whether the database may have got the request, or may take it a little later. */
const isWorthRepeating = ({ code }: Failure) =>
  code === "network" || code === "database_unavailable";

/** A playlist's tracks during editing: the server's list with the unsaved edits applied. */
export class Edits {
  readonly id: string;
  readonly failed = signal<readonly Failed[]>([]);
  readonly #store: TrackStore;
  readonly #pauseMs: number;
  readonly #stored;
  /** The edits that are being saved. */
  readonly pending = signal<readonly Change[]>([]);
  readonly shown = computed(() =>
    this.pending.value.reduce(applied, this.#stored.value.tracks),
  );
  #queue: Promise<unknown> = Promise.resolve();
  #steps: Step[] = [];
  #undone: Step[] = [];

  constructor(
    id: string,
    content: Content,
    store: TrackStore = trackStore(id),
    pauseMs: number = PAUSE_MS,
  ) {
    this.id = id;
    this.#stored = signal(content);
    this.#store = store;
    this.#pauseMs = pauseMs;
  }

  /** The version of the server's list. */
  get version(): number {
    return this.#stored.value.version;
  }

  /** Takes the server's list, unless a newer one is known. An edit that failed but is in it was saved all the same. */
  take(content: Content): void {
    if (content.version < this.version) return;
    this.#stored.value = content;
    this.#settle((it) => isDone(content.tracks, it.change));
  }

  /** Completes when every edit that was made so far is saved or has failed. */
  saved(): Promise<unknown> {
    return this.#queue;
  }

  /** Reads the server's list again. */
  async refresh(): Promise<void> {
    this.take(await this.#store.read());
  }

  /** Shows the change at once and saves it after the earlier ones. A failure is shown at its row, or else left to the caller. */
  make(change: Change, isToldAtRow = true): Step {
    const step = this.#begin(change, isToldAtRow);
    this.#undone = [];
    return step;
  }

  /** Undoes a step, by default the last one. Returns it, and why it could not be saved, if so. */
  undo(
    step: Step | undefined = this.#steps.at(-1),
  ): { step: Step; outcome: Promise<Failure | null> } | null {
    if (!step || !this.#steps.includes(step)) return null;
    this.#steps = this.#steps.filter((it) => it !== step);
    this.#undone = [...this.#undone, step];
    const saving = step.back.map((change) => this.#attempt(change, true));
    return {
      step,
      outcome: Promise.all(saving).then(
        (failures) => failures.find((it) => it !== null) ?? null,
      ),
    };
  }

  /** Makes the edit again that was undone last. */
  redo(): Step | null {
    const step = this.#undone.at(-1);
    if (!step) return null;
    this.#undone = this.#undone.slice(0, -1);
    return this.#begin(step.change, true);
  }

  retry(failed: Failed): Step {
    return this.make(failed.change);
  }

  forget(failed: Failed): void {
    this.#settle((it) => it === failed);
  }

  #begin(change: Change, isToldAtRow: boolean): Step {
    const back = inverse(this.shown.value, change);
    const step: Step = {
      change,
      back,
      outcome: this.#attempt(change, isToldAtRow),
    };
    this.#steps = [...this.#steps, step];
    void step.outcome.then((failure) => {
      if (failure) this.#steps = this.#steps.filter((it) => it !== step);
    });
    return step;
  }

  #attempt(change: Change, isToldAtRow: boolean): Promise<Failure | null> {
    const uris = urisOf(change);
    this.pending.value = [...this.pending.value, change];
    this.#settle((it) => urisOf(it.change).some((uri) => uris.includes(uri)));
    const outcome = this.#queue
      .then(() => this.#save(change))
      .then(
        () => null,
        (error: unknown) => {
          const failure = asFailure(error);
          if (isToldAtRow)
            this.failed.value = [...this.failed.value, { change, failure }];
          return failure;
        },
      );
    this.#queue = outcome;
    return outcome;
  }

  async #save(change: Change): Promise<void> {
    try {
      this.take(await this.#repeated(change));
    } catch (error) {
      // What is shown is what is stored; and it may have been saved although no response came.
      await this.refresh().catch(() => {});
      if (!isDone(this.#stored.value.tracks, change)) throw error;
    } finally {
      this.pending.value = this.pending.value.filter((it) => it !== change);
    }
  }

  async #repeated(change: Change): Promise<Content> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#store.save(change);
      } catch (error) {
        if (attempt === ATTEMPTS || !isWorthRepeating(asFailure(error)))
          throw error;
      }
      await new Promise((resolve) =>
        setTimeout(resolve, attempt * this.#pauseMs),
      );
    }
  }

  #settle(isSettled: (failed: Failed) => boolean): void {
    if (this.failed.value.some(isSettled))
      this.failed.value = this.failed.value.filter((it) => !isSettled(it));
  }
}
