import { useState } from "preact/hooks";
import type { Track } from "../api/data.ts";
import { useTexts } from "../i18n/texts.ts";

/** A text cut to two lines; a press shows all of it. */
export function TrackWords({ track }: { track: Track }) {
  const t = useTexts();
  const { other } = t.track.versionOf;
  const [isOpen, setOpen] = useState(false);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the menu beside it shows the same text.
    // biome-ignore lint/a11y/useKeyWithClickEvents: as above.
    <span
      class={isOpen ? "track-words track-open" : "track-words"}
      onClick={() => setOpen(!isOpen)}
    >
      <span class="track-title">
        <span class="clip" dir="auto">
          {track.title || t.track.unknown}
        </span>
        {track.explicit && (
          <abbr class="explicit" title={t.track.explicit}>
            E
          </abbr>
        )}
        {track.version && (
          <span class="version">
            {t.track.versionOf[track.version] ?? other}
          </span>
        )}
      </span>
      <span class="track-artist clip" dir="auto">
        {track.artist}
      </span>
    </span>
  );
}
