// Short messages, each with at most one action.

import { signal } from "@preact/signals";
import { asFailure } from "../api/failure.ts";
import { failureText, textsNow } from "../i18n/texts.ts";

export type Toast = { id: number; text: string; undo?: () => void };

/** Long enough to read a message, and to reach its action by keyboard. */
const SHOWN_MS = { plain: 5_000, undo: 10_000 };
const AT_MOST = 3;

export const toasts = signal<readonly Toast[]>([]);
/** The open dialogs. The topmost shows the toasts, because everything below is inert. */
export const dialogs = signal(0);
/** The text that screen readers announce; not visible. */
export const announcement = signal("");

const timers = new Map<number, ReturnType<typeof setTimeout>>();
let last = 0;

export function say(text: string, undo?: () => void): number {
  last += 1;
  const toast = { id: last, text, undo };
  for (const { id } of toasts.value.slice(
    0,
    Math.max(0, toasts.value.length + 1 - AT_MOST),
  ))
    dismiss(id);
  toasts.value = [...toasts.value, toast];
  release(toast);
  return toast.id;
}

export function dismiss(id: number): void {
  hold(id);
  toasts.value = toasts.value.filter((it) => it.id !== id);
}

/** Keeps a toast while the pointer or the focus is on it. */
export function hold(id: number): void {
  clearTimeout(timers.get(id));
  timers.delete(id);
}

export function release({ id, undo }: Toast): void {
  hold(id);
  timers.set(
    id,
    setTimeout(() => dismiss(id), undo ? SHOWN_MS.undo : SHOWN_MS.plain),
  );
}

export function undo(toast: Toast): void {
  dismiss(toast.id);
  toast.undo?.();
}

/** Shows a failure whose screen is no longer open; `before`: what it means for the user. */
export function sayFailure(error: unknown, before = ""): void {
  const { what, next } = failureText(asFailure(error).code);
  say(`${before} ${what} ${next}`.trim());
}

/** The edits of the open screen. Each method returns false if there is nothing to do. */
type History = { undo: () => boolean; redo: () => boolean };
let history: History | null = null;

/** Lets the keys undo and redo a screen's edits, until the returned function is called. */
export function followHistory(of: History): () => void {
  history = of;
  return () => {
    if (history === of) history = null;
  };
}

/** The fields in which the keys undo typing. */
const FIELDS =
  "input:not([type=checkbox]), textarea, select, [contenteditable]";

/** Ctrl+Z, or Cmd+Z, undoes the newest edit; with Shift, or Ctrl+Y, it is made again. */
export function followUndoKeys(): void {
  addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase();
    if (
      !(event.ctrlKey || event.metaKey) ||
      event.altKey ||
      (key !== "z" && key !== "y")
    )
      return;
    if (event.target instanceof Element && event.target.matches(FIELDS)) return;
    const isUndo = key === "z" && !event.shiftKey;
    if (isUndo ? history?.undo() || undoNewest() : history?.redo())
      event.preventDefault();
  });
}

function undoNewest(): boolean {
  const toast = toasts.value.findLast((it) => it.undo);
  if (!toast) return false;
  undo(toast);
  announcement.value = textsNow().common.undone;
  return true;
}
