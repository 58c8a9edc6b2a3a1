import type { ComponentChildren } from "preact";
import { useTexts } from "../i18n/texts.ts";
import type { LeftOut, Made } from "../state/generation.ts";
import { Cover } from "./cover.tsx";
import { SpotifyLink } from "./spotify-link.tsx";
import { TrackList } from "./track-list.tsx";

type Props = {
  cover: ComponentChildren;
  words: ComponentChildren;
  actions: ComponentChildren;
  notes: ComponentChildren;
  isShared?: boolean;
  children: ComponentChildren;
};

/** A name of more characters is shown smaller. */
const LONG = 45;

export const sizeOf = (name: string) =>
  name.length > LONG ? "long" : undefined;

/** The one layout of a playlist during generation, after it and when saved, so that nothing moves in between. */
export function Frame({
  cover,
  words,
  actions,
  notes,
  isShared = false,
  children,
}: Props) {
  return (
    <div class={isShared ? "playlist playlist-shared" : "playlist"}>
      <div class="playlist-side">
        <div>{cover}</div>
        <div class="playlist-words">{words}</div>
        <div class="playlist-actions">{actions}</div>
        <div class="playlist-notes">
          <SpotifyLink />
          {notes}
        </div>
      </div>
      <div class="playlist-list">{children}</div>
    </div>
  );
}

/** A playlist that is being read. */
export function WaitingFrame({ isShared }: { isShared?: boolean }) {
  const t = useTexts();
  const words = (
    <h1 tabIndex={-1} class="hint">
      {t.common.loading}
    </h1>
  );
  return (
    <Frame
      cover={<Cover seed="" lines={0} hasMoon={false} />}
      words={words}
      actions={null}
      notes={null}
      isShared={isShared}
    >
      <TrackList label={t.common.loading} tracks={[]} rows={6} />
    </Frame>
  );
}

/** Shows how many suggestions were left out and why, and why there are fewer tracks than requested. */
export function Notes({
  leftOut,
  made,
}: {
  leftOut: LeftOut;
  made?: Made | null;
}) {
  const t = useTexts();
  const reasons = Object.entries(leftOut) as [keyof LeftOut, number][];
  const words = reasons
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => t.run.leftOut[reason](count));
  const isShort =
    made && made.count < made.target && made.stop_reason !== "completed";
  return (
    <>
      {isShort && (
        <p class="hint">{`${t.result.fewer(made.count, made.target)}: ${t.result.why[made.stop_reason]}.`}</p>
      )}
      {words.length > 0 && (
        <p class={made === undefined ? "hint clip" : "hint"}>
          {t.run.leftOutTitle(words.join(", "))}
        </p>
      )}
    </>
  );
}
