// Inline icons, which need no request. They are hidden from screen readers because a text accompanies each.

const PATHS = {
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  close: 'M6 6l12 12M18 6 6 18',
  grip: 'M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm5-2 4 4',
  check: 'M5 13l4 4L19 7',
  alert: 'M12 8v5m0 3h.01M12 3l10 18H2Z',
  add: 'M12 5v14M5 12h14',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" stroke-width="2" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} stroke-width={name === 'more' ? 3.5 : undefined} />
    </svg>
  );
}

export function Logo({ twitches = false }: { twitches?: boolean }) {
  return (
    <svg class={twitches ? 'logo logo-twitch' : 'logo'} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect class="logo-ground" width="32" height="32" rx="9" />
      <path class="logo-cat" d="M9 22V8l5 4h4l5-4v14a7 5 0 0 1-14 0Z" />
      <path class="logo-whiskers" d="M4 16l5 1M4 21l5-1M28 16l-5 1M28 21l-5-1" />
      <path class="logo-ground" d="M13 15.6a1.4 1.4 0 1 0 .01 0ZM19 15.6a1.4 1.4 0 1 0 .01 0ZM14.6 21h2.8L16 22.6Z" />
    </svg>
  );
}

/** Spotify's icon, which its guidelines require beside its metadata. */
export function SpotifyMark() {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d="M12 0C5.4 0 0 5.4 0 12s5.4 12 12 12 12-5.4 12-12S18.66 0 12 0zm5.521 17.34c-.24.359-.66.48-1.021.24-2.82-1.74-6.36-2.101-10.561-1.141-.418.122-.779-.179-.899-.539-.12-.421.18-.78.54-.9 4.56-1.021 8.52-.6 11.64 1.32.42.18.479.659.301 1.02zm1.44-3.3c-.301.42-.841.6-1.262.3-3.239-1.98-8.159-2.58-11.939-1.38-.479.12-1.02-.12-1.14-.6-.12-.48.12-1.021.6-1.141C9.6 9.9 15 10.561 18.72 12.84c.361.181.54.78.241 1.2zm.12-3.36C15.24 8.4 8.82 8.16 5.16 9.301c-.6.179-1.2-.181-1.38-.721-.18-.601.18-1.2.72-1.381 4.26-1.26 11.28-1.02 15.721 1.621.539.3.719 1.02.419 1.56-.299.421-1.02.599-1.559.3z" />
    </svg>
  );
}
