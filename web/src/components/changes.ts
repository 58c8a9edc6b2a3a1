import { useEffect, useState } from "preact/hooks";
import type { Version } from "../api/versions.ts";
import { readVersions } from "../api/versions.ts";
import { useTexts } from "../i18n/texts.ts";
import { drafts } from "../state/drafts.ts";
import type { Change, Edits } from "../state/edits.ts";
import type { Made } from "../state/generation.ts";
import { newOrder } from "../state/generation.ts";
import { keptOf } from "../state/kept.ts";
import { go } from "../state/navigation.ts";
import { say } from "../state/toasts.ts";
import { EMPTY, formOf, wishOf } from "../state/wish.ts";
import { start } from "./problem.tsx";
import { useReading } from "./reading.ts";
import { changing, refinement } from "./refine.tsx";

/** The versions of a playlist, and what makes the next one. `made`: how it was generated, if this browser knows. */
export function useChanges(
  edits: Edits,
  name: string,
  made: Made | null,
  settle: (change: Change, said: string) => void,
) {
  const t = useTexts();
  const { id } = edits;
  const tracks = edits.shown.value;
  const [versions, setVersions] = useState<Version[]>([]);
  // The playlist is of use without them, so a failure is not reported.
  const { load } = useReading(() => readVersions(id), setVersions);
  useEffect(() => void load(), [id, edits.version]);
  const current = versions.find((it) => it.is_current);
  const prompt = current?.prompt ?? made?.wish.prompt ?? "";
  const base =
    made?.wish ??
    wishOf({
      ...EMPTY,
      prompt: prompt || name,
      count: tracks.length || EMPTY.count,
    });
  const refining = { id, wish: base, tracks, kept: keptOf(id) };
  const restore = (version: number) => {
    const at = versions.findIndex((it) => it.version === version);
    const words =
      versions[at]?.instruction ?? t.versions.of(at + 1, versions.length);
    settle(
      { kind: "restore", version, from: current?.version ?? version },
      t.versions.restored(words),
    );
  };
  const makeOthers = () => {
    if (changing(refining) < 1) say(t.result.allKept);
    else start(newOrder(refinement(refining)));
  };
  const wishAgain = () => {
    drafts.write("wish", formOf(base));
    go("");
  };
  return { refining, versions, restore, makeOthers, wishAgain, prompt };
}
