import { useEffect, useState } from "preact/hooks";
import type { FoundTrack, SearchResponse } from "../api/functions.ts";
import { searchTracks } from "../api/functions.ts";
import type { Texts } from "../i18n/texts.ts";
import { duration, useTexts } from "../i18n/texts.ts";
import { drafts, useDraft } from "../state/drafts.ts";
import { useAction } from "./action.ts";
import { ArtworkLink } from "./artwork.tsx";
import { Field } from "./field.tsx";
import { Icon } from "./icons.tsx";
import { FailureNotice } from "./notice.tsx";
import { SpotifyLink } from "./spotify-link.tsx";
import { TrackWords } from "./track-words.tsx";

type Props = {
  /** The initial query, which is searched at once. */
  artist?: string;
  has: (track_uri: string) => boolean;
  choose: (track: FoundTrack) => Promise<void>;
  kind: "add" | "use";
};

/** Searches the catalogue by hand, which uses no generation. */
export function SearchPanel({ artist: given, has, choose, kind }: Props) {
  const t = useTexts();
  const [words, setWords] = useDraft("search", {
    artist: "",
    title: "",
  });
  const [swapWords, setSwapWords] = useState({
    artist: given ?? "",
    title: "",
  });
  const [current, change] =
    given === undefined ? [words, setWords] : [swapWords, setSwapWords];
  const [found, setFound] = useState<SearchResponse | null>(null);
  const action = useAction();
  const search = () =>
    action.run(async () =>
      setFound(await searchTracks(current.artist, current.title)),
    );
  useEffect(() => {
    if (given) void search();
  }, []);
  const submit = (event: Event) => {
    event.preventDefault();
    if (current.artist.trim() || current.title.trim()) void search();
  };
  const take = (track: FoundTrack) =>
    action.run(async () => {
      await choose(track);
      // The words stay above their results, but not for the next time.
      drafts.forget("search");
    });
  return (
    <div class="stack">
      <search>
        <form class="search-form" onSubmit={submit}>
          <Field
            label={t.search.artist}
            value={current.artist}
            maxLength={200}
            change={(artist) => change({ ...current, artist })}
            autofocus={given === undefined}
          />
          <Field
            label={t.search.title}
            value={current.title}
            maxLength={200}
            change={(title) => change({ ...current, title })}
          />
          <button type="submit" class="button" aria-disabled={action.busy}>
            <Icon name="search" /> {t.search.go}
          </button>
        </form>
      </search>
      <p class="hint">{t.search.hint}</p>
      {action.failure && <FailureNotice failure={action.failure} />}
      <p class="hint" role="status">
        {action.busy ? t.common.loading : found && wordsFor(found, t)}
      </p>
      {found && found.tracks.length > 0 && <SpotifyLink />}
      {found && found.tracks.length > 0 && (
        <ul class="found" aria-label={t.search.results}>
          {found.tracks.map((track) => (
            <li key={track.track_uri} class="found-row">
              <ArtworkLink track={track} />
              <TrackWords track={track} />
              <span class="track-time">{duration(track.duration_ms)}</span>
              {has(track.track_uri) ? (
                <span class="badge">{t.search.there}</span>
              ) : (
                <button
                  type="button"
                  class="button"
                  aria-label={
                    kind === "add"
                      ? t.search.addLabel(track.title)
                      : t.search.useLabel(track.title)
                  }
                  onClick={() => take(track)}
                >
                  {kind === "add" ? t.search.add : t.search.use}
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function wordsFor({ tracks, is_partial }: SearchResponse, t: Texts): string {
  const count = tracks.length > 0 && t.search.count(tracks.length);
  if (is_partial) return [t.search.partial, count].filter(Boolean).join(" ");
  return count || t.search.none;
}
