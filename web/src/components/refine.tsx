import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Track } from "../api/data.ts";
import { useTexts } from "../i18n/texts.ts";
import { useDraft } from "../state/drafts.ts";
import type { Wish } from "../state/generation.ts";
import {
  countOf,
  generation,
  MAKING,
  newOrder,
  refinedId,
} from "../state/generation.ts";
import { ProblemNotice, start } from "./problem.tsx";

const MAX_TRACKS = 50;

type Props = {
  id: string;
  wish: Wish;
  tracks: readonly Track[];
  kept: ReadonlySet<string>;
};

/** Returns the wish that changes the tracks that are not kept. */
export function refinement(
  { id, wish, tracks, kept }: Props,
  instruction?: string,
): Wish {
  const keep = tracks.map((it) => it.track_uri).filter((uri) => kept.has(uri));
  const target_count = Math.min(tracks.length, MAX_TRACKS);
  return {
    ...wish,
    target_count,
    save: true,
    refine: { playlist_id: id, keep, ...(instruction && { instruction }) },
  };
}

/** Returns how many tracks a refinement would change. */
export function changing({
  tracks,
  kept,
}: Pick<Props, "tracks" | "kept">): number {
  return (
    Math.min(tracks.length, MAX_TRACKS) -
    tracks.filter((it) => kept.has(it.track_uri)).length
  );
}

/** The form for refining a playlist. `wish`: the request that it was made from; `children`: the line above the form. */
export function RefineDock({
  children,
  ...props
}: Props & { children: ComponentChildren }) {
  const { id, tracks } = props;
  const t = useTexts();
  const [words, setWords, forget] = useDraft(`refine.${id}`, "");
  const [tried, setTried] = useState(false);
  const [isTouched, setTouched] = useState(false);
  const { problem, running } = generation.value;
  // It is found again whenever the user is back, who may read the list.
  const [first] = useState(problem);
  const isOurs = problem !== null && refinedId(problem.order) === id;
  // After a failure the text appears here again.
  const shown =
    words ||
    (isOurs && !isTouched
      ? (problem.order.wish.refine?.instruction ?? "")
      : "");
  const count = changing(props);
  const isStuck = tried && count < 1;
  const write = (text: string) => {
    setTouched(true);
    setWords(text);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    setTried(true);
    const instruction = shown.trim();
    if (!instruction || count < 1)
      return document.getElementById("refine")?.focus();
    if (!running) forget();
    start(newOrder(refinement(props, instruction)));
  };
  return (
    <>
      {isOurs && (
        <ProblemNotice
          problem={problem}
          isBackground={problem.kind === "lost" && problem !== first}
        />
      )}
      <form class="dock" onSubmit={submit}>
        {children}
        {running && refinedId(running.order) === id ? (
          <p class="versions">
            <a href={`#/${MAKING}`}>{t.playlists.changing}</a>{" "}
            {t.run.found(countOf(running), running.target)}
          </p>
        ) : (
          <>
            <ul class="chips" aria-label={t.create.examples}>
              {t.result.chips.map((chip) => (
                <li key={chip}>
                  <button
                    type="button"
                    class="chip"
                    onClick={() => write(chip)}
                  >
                    {chip}
                  </button>
                </li>
              ))}
            </ul>
            <div class="ask">
              <input
                id="refine"
                aria-label={t.result.refineLabel}
                aria-describedby={isStuck ? "refine-error" : "refine-cost"}
                aria-invalid={isStuck || undefined}
                value={shown}
                maxLength={500}
                placeholder={t.result.refinePlaceholder(
                  Math.max(count, 0),
                  count < Math.min(tracks.length, MAX_TRACKS),
                )}
                autocomplete="off"
                onInput={(event) => write(event.currentTarget.value)}
              />
              <button type="submit" class="button button-primary">
                {t.result.refineGo}
              </button>
            </div>
          </>
        )}
        {isStuck && (
          <p id="refine-error" class="field-error" role="alert">
            {t.result.allKept}
          </p>
        )}
        <p id="refine-cost" class="visually-hidden">
          {t.result.refineCost}
        </p>
      </form>
    </>
  );
}
