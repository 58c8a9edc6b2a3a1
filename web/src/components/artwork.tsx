import { useState } from "preact/hooks";
import { Icon } from "./icons.tsx";

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
