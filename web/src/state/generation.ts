// One generation at a time: asked for, watched, cancelled, recovered. Screens come and go meanwhile.

import { effect, signal, untracked } from '@preact/signals';
import type { Track } from '../api/data.ts';
import { asFailure, Failure, failureOfBody } from '../api/failure.ts';
import { callRaw } from '../api/functions.ts';
import { eventsOf } from '../api/sse.ts';
import { drafts } from './drafts.ts';
import { refreshUsage, user } from './session.ts';

export type Song = { artist: string; title: string };
export const DISCOVERY = ['familiar', 'balanced', 'adventurous'] as const;
export type Discovery = (typeof DISCOVERY)[number];
export type Wish = {
  prompt: string;
  target_count: number;
  era?: { from?: number; to?: number };
  allow_explicit: boolean;
  allow_versions?: boolean;
  exclude_artists?: string[];
  discovery?: Discovery;
  refine?: { previous: Song[]; instruction: string };
  save: boolean;
};
/** The key makes a repeat safe: nothing is generated, or charged, twice under it. */
export type Order = { key: string; wish: Wish };
export type Stage = 'reserved' | 'thinking' | 'resolving' | 'refilling';
export type Running = { order: Order; stage: Stage | null; found: Track[]; misses: number; target: number };
export type Result = {
  order: Order;
  name: string;
  description: string;
  tracks: Track[];
  target: number;
  stop_reason: 'completed' | 'no_progress' | 'deadline' | 'budget' | 'interrupted';
  playlist_id: string | null;
  not_saved?: 'playlist_limit_reached';
};
export type Problem =
  | { kind: 'failed'; failure: Failure; order: Order }
  | { kind: 'lost'; order: Order }
  | { kind: 'cancelled'; kept: Order | null };
export type Generation = { running: Running | null; result: Result | null; problem: Problem | null };

/** Pings come every 5 seconds; who hears nothing for so long has lost the connection without being told. */
const SILENCE_MS = 20_000;
/** How often a generation that runs on elsewhere is asked for. */
const ASK_AGAIN_MS = 2_000;
const PENDING = 'pending';
const RESULT = 'result';
/** Whose these are. */
const OWNER = 'owner';

export const generation = signal<Generation>({ running: null, result: null, problem: null });
let controller: AbortController | null = null;

/** After a reload, and for who signs in again: the last result, and what was running then. */
export function startGenerations(): void {
  // At once, too.
  effect(() => {
    user.value;
    untracked(resume);
  });
}

function resume(): void {
  const who = user.value?.id;
  // What is kept stays kept, but is not shown to a stranger.
  if (!who) return change({ result: null, problem: null });
  if (drafts.read(OWNER, who) !== who) for (const name of [PENDING, RESULT]) drafts.forget(name);
  drafts.write(OWNER, who);
  if (generation.value.running) return;
  const order = drafts.read<Order | null>(PENDING, null);
  change({ result: drafts.read<Result | null>(RESULT, null), problem: order ? { kind: 'lost', order } : null });
}

export function reset(): void {
  controller?.abort();
  generation.value = { running: null, result: null, problem: null };
}

export function newOrder(wish: Wish): Order {
  return { key: crypto.randomUUID(), wish };
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

/** Runs an order to its end; the same order again recovers what was lost on the way. */
export async function run(order: Order): Promise<void> {
  if (generation.value.running) return;
  const own = new AbortController();
  controller = own;
  drafts.write(PENDING, order);
  change({ running: { order, stage: null, found: [], misses: 0, target: order.wish.target_count }, problem: null });
  let problem: Problem | null = null;
  try {
    keepResult(await deliver(order, own.signal));
  } catch (error) {
    problem = own.signal.aborted
      ? { kind: 'cancelled', kept: isCharged() ? order : null }
      : problemOf(asFailure(error), order);
  }
  // Signing out meanwhile has swept all of this away.
  if (controller !== own || !generation.value.running) return;
  controller = null;
  if (problem?.kind !== 'lost' && !(problem?.kind === 'cancelled' && problem.kept)) drafts.forget(PENDING);
  change({ running: null, problem });
  void refreshUsage();
}

/** Enough has come to be charged, so the function keeps it. */
function isCharged(): boolean {
  const { running } = generation.value;
  if (!running) return false;
  return running.found.filter(Boolean).length >= Math.min(5, Math.ceil(running.target / 3));
}

function problemOf(failure: Failure, order: Order): Problem {
  const lost = failure.code === 'network' || failure.code === 'connection_lost';
  return lost ? { kind: 'lost', order } : { kind: 'failed', failure, order };
}

async function deliver(order: Order, signal: AbortSignal): Promise<Result> {
  for (;;) {
    try {
      return await listen(order, signal);
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'generation_in_progress') throw error;
      await pause(ASK_AGAIN_MS, signal);
    }
  }
}

async function listen(order: Order, cancelled: AbortSignal): Promise<Result> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE_MS);
  };
  try {
    const headers = { Accept: 'text/event-stream', 'Idempotency-Key': order.key };
    const signal = AbortSignal.any([cancelled, silence.signal]);
    const response = await callRaw('ai-playlist', { body: order.wish, headers, signal });
    heard();
    if (!response.body) throw new Failure('connection_lost');
    for await (const { name, data } of eventsOf(response.body, heard)) {
      const result = take(order, name, JSON.parse(data));
      if (result) return result;
    }
    throw new Failure('connection_lost');
  } catch (error) {
    if (error instanceof Failure || cancelled.aborted) throw error;
    throw new Failure('connection_lost');
  } finally {
    clearTimeout(timer);
  }
}

/** What an event changes; the last one answers the result, or is thrown. */
function take(order: Order, name: string, data: unknown): Result | null {
  const { running } = generation.value;
  if (name === 'error') throw failureOfBody(data);
  if (name === 'done') return { ...(data as Result), order };
  if (!running) return null;
  if (name === 'stage') change({ running: { ...running, stage: (data as { stage: Stage }).stage } });
  if (name === 'track')
    change({ running: { ...running, found: placed(running.found, data as Track & { index: number }) } });
  if (name === 'miss') change({ running: { ...running, misses: running.misses + 1 } });
  return null;
}

function placed(found: Track[], track: Track & { index: number }): Track[] {
  const next = [...found];
  next[track.index] = track;
  return next;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

function change(next: Partial<Generation>): void {
  generation.value = { ...generation.value, ...next };
}
