// Drawn here, so that nothing has to be fetched for them. They say nothing by themselves: the words beside them do.

const PATHS = {
  create: 'M12 4v16M4 12h16',
  playlists: 'M4 6h12M4 12h12M4 18h7M17 13v6m0-6 4-1v6',
  account: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-8 8c1-4 4-6 8-6s7 2 8 6',
  play: 'M8 5v14l11-7Z',
  swap: 'M4 8h13m-4-4 4 4-4 4M20 16H7m4-4-4 4 4 4',
  remove: 'M6 6l12 12M18 6 6 18',
  grip: 'M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm5-2 4 4',
  spark: 'M12 3l2 6 6 2-6 2-2 6-2-6-6-2 6-2Z',
  back: 'M15 5l-7 7 7 7',
  check: 'M5 13l4 4L19 7',
  alert: 'M12 8v5m0 3h.01M12 3l10 18H2Z',
  out: 'M14 4h6v6m0-6-9 9M10 5H5v14h14v-5',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect class="logo-ground" width="32" height="32" rx="9" />
      <path class="logo-cat" d="M9 22V8l5 4h4l5-4v14a7 5 0 0 1-14 0Z" />
      <path class="logo-whiskers" d="M4 16l5 1M4 21l5-1M28 16l-5 1M28 21l-5-1" />
      <path class="logo-ground" d="M13 15.6a1.4 1.4 0 1 0 .01 0ZM19 15.6a1.4 1.4 0 1 0 .01 0ZM14.6 21h2.8L16 22.6Z" />
    </svg>
  );
}
