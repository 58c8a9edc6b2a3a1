import { duration, useTexts } from "../i18n/texts.ts";
import { Cover } from "./cover.tsx";
import { TrackWords } from "./track-words.tsx";

const SAMPLE = [
  ["Falling Slowly", "Glen Hansard, Markéta Irglová", 244],
  ["Pink Moon", "Nick Drake", 126],
  ["Zostań", "Kortez", 226],
  ["The Blower's Daughter", "Damien Rice", 284],
] as const;

/** An example of a generated playlist. */
export function Sample() {
  const t = useTexts();
  const tracks = SAMPLE.map(([title, artist, seconds]) => ({
    title,
    artist,
    duration_ms: seconds * 1000,
    track_uri: title,
    album: "",
    explicit: false,
  }));
  return (
    <section class="sample" aria-labelledby="sample">
      <Cover seed="window seat, line 18" />
      <div class="sample-words">
        <div>
          <p class="hint">{t.create.sample}</p>
          <h2 id="sample">{t.create.sampleName}</h2>
        </div>
        <ol>
          {tracks.map((track, index) => (
            <li key={track.title} class="track">
              <span class="art" aria-hidden="true">
                {index + 1}
              </span>
              <TrackWords track={track} />
              <span class="track-time">{duration(track.duration_ms)}</span>
            </li>
          ))}
        </ol>
      </div>
    </section>
  );
}
