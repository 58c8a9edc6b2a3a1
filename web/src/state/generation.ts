// Runs one generation at a time, independently of the screen: starts, follows, cancels and recovers it.

import { effect, signal, untracked } from "@preact/signals";
import type { Track } from "../api/data.ts";
import { asFailure, Failure, failureOfBody } from "../api/failure.ts";
import { unlessAborted } from "../api/fetch.ts";
import { callRaw } from "../api/functions.ts";
import { eventsOf } from "../api/sse.ts";
import { newUuid } from "../api/uuid.ts";
import { textsNow } from "../i18n/texts.ts";
import { drafts } from "./drafts.ts";
import { goInstead, isAt } from "./navigation.ts";
import { forgetRead, whenBack } from "./offline.ts";
import { openEdits } from "./open-edits.ts";
import { refreshUsage, user } from "./session.ts";
import { say, sayFailure } from "./toasts.ts";
import { takeWanted } from "./wanted.ts";
import type { Form } from "./wish.ts";

export type Song = { artist: string; title: string };
export const DISCOVERY = ["familiar", "balanced", "adventurous"] as const;
export type Discovery = (typeof DISCOVERY)[number];
export type Wish = {
  prompt: string;
  target_count: number;
  era?: { from?: number; to?: number };
  allow_explicit: boolean;
  allow_versions?: boolean;
  exclude_artists?: string[];
  discovery?: Discovery;
  seeds?: Song[];
  /** `keep`: the URIs of the tracks that stay; without an instruction, none of the others comes back. */
  refine?: { playlist_id: string; keep: string[]; instruction?: string };
  save: boolean;
};
/** A request with its key: a repeat with the same key neither generates nor charges twice. */
export type Order = { key: string; wish: Wish };
export type Stage = "reserved" | "thinking" | "resolving" | "refilling";
export type Reason =
  | "not_found"
  | "low_score"
  | "duplicate"
  | "explicit"
  | "excluded"
  | "lookup_failed";
/** The number of omitted suggestions by reason. */
export type LeftOut = Partial<Record<Reason, number>>;
export type Running = {
  order: Order;
  /** The id of the user whose generation it is. */
  who: string | undefined;
  stage: Stage | null;
  found: Track[];
  leftOut: LeftOut;
  target: number;
};
export type StopReason =
  | "completed"
  | "no_progress"
  | "deadline"
  | "budget"
  | "interrupted";
export type Result = {
  order: Order;
  name: string;
  description: string;
  tracks: Track[];
  target: number;
  stop_reason: StopReason;
  playlist_id: string | null;
  /** The version of the playlist's tracks. */
  version?: number | null;
  not_saved?: "playlist_limit_reached";
  leftOut: LeftOut;
};
export type Problem =
  | { kind: "failed"; failure: Failure; order: Order }
  | { kind: "lost"; isOffline: boolean; order: Order }
  | { kind: "cancelled"; isKept: boolean; order: Order };
export type Generation = {
  running: Running | null;
  result: Result | null;
  problem: Problem | null;
};

/** What this browser stores about how a playlist was generated. */
export type Made = {
  wish: Wish;
  target: number;
  count: number;
  stop_reason: StopReason;
  leftOut: LeftOut;
};

/** Pings arrive every 5 seconds, so after this silence the connection is lost. */
const SILENCE_MS = 20_000;
/** The interval at which the page asks for a generation that runs without its stream. */
const ASK_AGAIN_MS = 2_000;
const PENDING = "pending";
const RESULT = "result";
/** The id of the user to whom the stored drafts belong. */
const OWNER = "owner";
const LOST = new Set(["network", "connection_lost"]);
const MAY_PASS = new Set([
  ...LOST,
  "offline",
  "database_unavailable",
  "auth_unavailable",
]);
/** The route of a playlist without an id. */
export const MAKING = "playlists/new";

type Pending = { order: Order; isCancelled: boolean };

export const generation = signal<Generation>({
  running: null,
  result: null,
  problem: null,
});
let controller: AbortController | null = null;

/** Restores the last result and resumes a running generation after a reload or a sign-in. */
export function startGenerations(): void {
  // The effect also runs at once.
  effect(() => {
    user.value;
    untracked(resume);
  });
  whenBack(() => {
    const { problem } = generation.value;
    if (problem?.kind === "lost") recover(problem.order);
  });
}

function resume(): void {
  const who = user.value?.id;
  // Drafts stay stored, but are not shown while signed out.
  if (!who) {
    change({ result: null, problem: null });
    return;
  }
  if (drafts.read(OWNER, "") !== who) {
    for (const name of [PENDING, RESULT]) drafts.forget(name);
    forgetRead();
  }
  drafts.write(OWNER, who);
  const { running } = generation.value;
  if (running?.who === who) return;
  if (running) reset();
  const pending = drafts.read<Pending | null>(PENDING, null);
  const problem = pending?.isCancelled
    ? ({ kind: "cancelled", isKept: true, order: pending.order } as const)
    : null;
  change({ result: drafts.read<Result | null>(RESULT, null), problem });
  if (pending && !pending.isCancelled) recover(pending.order);
}

/** Resumes an order, and shows it unless the user is on another screen. */
function recover(order: Order): void {
  void run(order);
  if (isAt("")) goInstead(MAKING);
}

/** Runs the request that the user has signed in for; returns false if there is none. */
export function runWanted(): boolean {
  if (!user.value || generation.value.running) return false;
  const order = takeWanted(user.value.id);
  if (!order) return false;
  void run(order);
  goInstead(MAKING);
  return true;
}

export function madeOf(playlist_id: string): Made | null {
  return drafts.read<Made | null>(`made.${playlist_id}`, null);
}

export function reset(): void {
  controller?.abort();
  generation.value = { running: null, result: null, problem: null };
}

export function newOrder(wish: Wish): Order {
  return { key: newUuid(), wish };
}

export function countOf({ found }: Running): number {
  return found.filter(Boolean).length;
}

/** Returns the id of the playlist that an order changes. */
export function refinedId({ wish }: Order): string | undefined {
  return wish.refine?.playlist_id;
}

export function cancel(): void {
  controller?.abort();
}

export function keepResult(result: Result | null): void {
  change({ result });
  if (result) drafts.write(RESULT, result);
  else drafts.forget(RESULT);
}

export function dismissProblem(): void {
  drafts.forget(PENDING);
  change({ problem: null });
}

/** Runs an order to its end; running the same order again recovers a lost response. */
export async function run(order: Order): Promise<void> {
  if (generation.value.running) return;
  const own = new AbortController();
  controller = own;
  const who = user.value?.id;
  const before = drafts.read<Pending | null>(PENDING, null);
  const isAgain = before?.order.key === order.key;
  drafts.write(PENDING, { order, isCancelled: false });
  change({
    running: {
      order,
      who,
      stage: null,
      found: [],
      leftOut: {},
      target: order.wish.target_count,
    },
    problem: null,
  });
  let problem: Problem | null = null;
  let result: Result | null = null;
  try {
    result = await deliver(order, own.signal);
  } catch (error) {
    const isCancelled = own.signal.aborted;
    problem = isCancelled
      ? { kind: "cancelled", isKept: isCharged(), order }
      : problemOf(asFailure(error), order, isAgain);
  }
  // Signing out has reset the state meanwhile.
  if (controller !== own || !generation.value.running) return;
  controller = null;
  // Signed out elsewhere: an order that is still stored is resumed when its user is back.
  if (user.value?.id !== who && problem?.kind !== "failed")
    return change({ running: null });
  if (problem?.kind === "cancelled" && problem.isKept)
    drafts.write(PENDING, { order, isCancelled: true });
  else if (problem?.kind !== "lost") drafts.forget(PENDING);
  if (result) finish(result);
  else change({ running: null, problem });
  const refined = refinedId(order);
  // The screen that shows the problem.
  const place = refined ? `playlists/${refined}` : "";
  if (problem && isAt(MAKING)) goInstead(place);
  else if (problem?.kind === "failed" && !isAt(place))
    sayFailure(problem.failure);
  void refreshUsage();
}

function finish(result: Result): void {
  const { playlist_id, order, target, stop_reason, leftOut } = result;
  const made: Made = {
    wish: order.wish,
    target,
    count: result.tracks.length,
    stop_reason,
    leftOut,
  };
  if (playlist_id) drafts.write(`made.${playlist_id}`, made);
  // The next wish begins with an empty field; the options stay.
  const form = drafts.read<Form | null>("wish", null);
  if (!refinedId(order) && form?.prompt?.trim() === order.wish.prompt)
    drafts.write("wish", { ...form, prompt: "" });
  change({ running: null, problem: null });
  keepResult(result);
  if (!isAt(MAKING))
    say(textsNow().result.ready(result.name, result.tracks.length));
  else if (playlist_id) goInstead(`playlists/${playlist_id}`);
}

/** Returns whether enough tracks have arrived to be charged, so that the function has stored them. */
function isCharged(): boolean {
  const { running } = generation.value;
  if (!running) return false;
  const kept = running.order.wish.refine?.keep?.length ?? 0;
  return (
    countOf(running) - kept >=
    Math.min(5, Math.ceil((running.target - kept) / 3))
  );
}

/** `isAgain`: the order was sent before and may be charged, so after more failures it can be sent again. */
function problemOf(failure: Failure, order: Order, isAgain: boolean): Problem {
  return (isAgain ? MAY_PASS : LOST).has(failure.code)
    ? { kind: "lost", isOffline: !navigator.onLine, order }
    : { kind: "failed", failure, order };
}

async function deliver(order: Order, signal: AbortSignal): Promise<Result> {
  // The function knows only what is stored: a kept track that is not stored yet would be lost.
  await unlessAborted(openEdits.get(refinedId(order) ?? "")?.saved(), signal);
  for (;;) {
    try {
      return await listen(order, signal);
    } catch (error) {
      if (
        !(error instanceof Failure) ||
        error.code !== "generation_in_progress"
      )
        throw error;
      await unlessAborted(
        new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS)),
        signal,
      );
    }
  }
}

async function listen(order: Order, cancelled: AbortSignal): Promise<Result> {
  let isAnswered = false;
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE_MS);
  };
  try {
    const headers = {
      Accept: "text/event-stream",
      "Idempotency-Key": order.key,
    };
    const signal = AbortSignal.any([cancelled, silence.signal]);
    const response = await callRaw("ai-playlist", {
      body: order.wish,
      headers,
      signal,
    });
    heard();
    isAnswered = true;
    if (!response.body) throw new Failure("connection_lost");
    for await (const { name, data } of eventsOf(response.body, heard)) {
      const result = take(order, name, JSON.parse(data));
      if (result) return result;
    }
    throw new Failure("connection_lost");
  } catch (error) {
    if (error instanceof Failure || cancelled.aborted) throw error;
    if (!isAnswered && error instanceof TypeError) throw asFailure(error);
    throw new Failure("connection_lost");
  } finally {
    clearTimeout(timer);
  }
}

/** Applies an event; returns the result of `done`, throws the failure of `error`. */
function take(order: Order, name: string, data: unknown): Result | null {
  const { running } = generation.value;
  if (name === "error") throw failureOfBody(data);
  if (name === "done")
    return { ...(data as Result), order, leftOut: running?.leftOut ?? {} };
  if (!running) return null;
  if (name === "stage")
    change({
      running: { ...running, stage: (data as { stage: Stage }).stage },
    });
  if (name === "track")
    change({
      running: {
        ...running,
        found: placed(running.found, data as Track & { index: number }),
      },
    });
  if (name === "miss") {
    const { reason } = data as { reason: Reason };
    change({
      running: {
        ...running,
        leftOut: {
          ...running.leftOut,
          [reason]: (running.leftOut[reason] ?? 0) + 1,
        },
      },
    });
  }
  return null;
}

function placed(found: Track[], track: Track & { index: number }): Track[] {
  const next = [...found];
  next[track.index] = track;
  return next;
}

function change(next: Partial<Generation>): void {
  generation.value = { ...generation.value, ...next };
}
