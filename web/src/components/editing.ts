import { useEffect } from "preact/hooks";
import type { Track } from "../api/data.ts";
import { useTexts } from "../i18n/texts.ts";
import type { Change, Edits, Step } from "../state/edits.ts";
import { moveTo } from "../state/edits.ts";
import { isAt } from "../state/navigation.ts";
import { user } from "../state/session.ts";
import {
  announcement,
  dialogs,
  dismiss,
  followHistory,
  say,
  sayFailure,
} from "../state/toasts.ts";
import { focusSoon } from "./focus.ts";
import type { Editing } from "./track-list.tsx";

type Words = { said: string; announced?: string };

/** Connects a playlist's edits to its rows, to toasts that undo them, and to the keys. */
export function useEditing(edits: Edits) {
  const t = useTexts();
  const tracks = edits.shown.value;

  const who = user.value?.id;
  const isOurs = () => user.value?.id === who;
  /**
   * Says a failure that neither a row nor the dialog shows: the user has left the playlist or closed the dialog, or the
   * session has ended. Another account is not told.
   */
  const follow = ({ outcome }: Pick<Step, "outcome">, isToldAtRow = true) =>
    outcome.then((failure) => {
      const isShown =
        isAt(`playlists/${edits.id}`) && (isToldAtRow || dialogs.value > 0);
      if (failure && (!user.value || (isOurs() && !isShown)))
        sayFailure(failure, t.track.notSaved);
      return failure;
    });

  const undo = (step?: Step): boolean => {
    const undone = edits.undo(step);
    if (!undone) return false;
    if (undone.step.toast) dismiss(undone.step.toast);
    void follow(undone).then((failure) => {
      if (!failure) announcement.value = t.common.undone;
    });
    const added = undone.step.back.find((it) => it.kind === "add");
    if (added)
      focusSoon(`[data-uri="${added.tracks[0]?.track_uri}"] .icon-button`);
    return true;
  };
  const redo = (): boolean => {
    const step = edits.redo();
    if (!step) return false;
    void follow(step);
    announcement.value = t.common.redone;
    return true;
  };
  useEffect(() => followHistory({ undo, redo }), [edits, t]);

  /** Makes an edit and says so at once, with an undo; the message goes if saving fails. */
  const make = (change: Change, { said, announced }: Words) => {
    const step = edits.make(change);
    if (announced) announcement.value = announced;
    const toast = say(said, () => undo(step));
    step.toast = toast;
    void follow(step).then((failure) => failure && dismiss(toast));
  };

  /** Makes an edit and says so once it is saved. */
  const settle = async (change: Change, said: string, isToldAtRow = true) => {
    const step = edits.make(change, isToldAtRow);
    const failure = await follow(step, isToldAtRow);
    if (!failure && isOurs()) step.toast = say(said, () => undo(step));
    return failure;
  };

  /** Makes an edit in a dialog, which shows the failure. */
  const choose = async (change: Change, said: string) => {
    const failure = await settle(change, said, false);
    if (failure) throw failure;
  };

  const removeAll = (gone: readonly Track[]) =>
    make(
      { kind: "remove", uris: gone.map((it) => it.track_uri) },
      { said: t.track.removedAll(gone.length) },
    );

  const edit: Omit<Editing, "swap" | "keep" | "kept"> = {
    remove: (track) => {
      const at = tracks.indexOf(track);
      const neighbour = tracks[at + 1] ?? tracks[at - 1];
      make(
        { kind: "remove", uris: [track.track_uri] },
        { said: t.track.removed(track.title) },
      );
      focusSoon(
        neighbour ? `[data-uri="${neighbour.track_uri}"] .icon-button` : "h1",
      );
    },
    move: (from, to) => {
      const change = moveTo(tracks, from, to);
      const title = tracks[from]?.title ?? "";
      const announced = t.track.moved(title, to + 1, tracks.length);
      if (change) make(change, { said: t.track.movedNow(title), announced });
    },
    failed: edits.failed.value,
    retry: (failed) => void follow(edits.retry(failed)),
    forget: (failed) => edits.forget(failed),
  };
  return { edit, removeAll, choose, settle };
}
