import { useTexts } from "../i18n/texts.ts";
import { SpotifyLogo } from "./icons.tsx";

/** Spotify's logo, which has to be wherever its titles and pictures are. */
export function SpotifyLink() {
  const t = useTexts();
  return (
    <a
      class="spotify"
      href="https://open.spotify.com"
      target="_blank"
      rel="noopener noreferrer"
    >
      <SpotifyLogo />
      <span class="visually-hidden">{t.common.attribution}</span>
    </a>
  );
}

export function spotifyUrl(track_uri: string): string {
  return `https://open.spotify.com/track/${track_uri.split(":").at(-1)}`;
}
