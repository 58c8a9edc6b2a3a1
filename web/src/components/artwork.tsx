import { useState } from "preact/hooks";
import type { Track } from "../api/data.ts";
import { useTexts } from "../i18n/texts.ts";
import { Icon } from "./icons.tsx";
import { spotifyUrl } from "./spotify-link.tsx";

/** An album's picture as Spotify has it, or a note where there is none. The place is reserved before it has loaded. */
export function Artwork({ url }: { url: string | undefined }) {
  const [broken, setBroken] = useState("");
  if (!url || url === broken) {
    return (
      <span class="artwork artwork-none" aria-hidden="true">
        <Icon name="note" />
      </span>
    );
  }
  return (
    <img
      class="artwork"
      src={url}
      alt=""
      width={40}
      height={40}
      loading="lazy"
      decoding="async"
      draggable={false}
      onError={() => setBroken(url)}
    />
  );
}

/** The picture as a link to Spotify. */
export function ArtworkLink({ track }: { track: Track }) {
  const t = useTexts();
  return (
    <a
      class="art"
      href={spotifyUrl(track.track_uri)}
      target="_blank"
      rel="noopener noreferrer"
      aria-label={t.track.open(track.title)}
    >
      <Artwork url={track.image_url} />
    </a>
  );
}
