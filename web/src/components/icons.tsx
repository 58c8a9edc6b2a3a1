// Inline icons, which need no request. They are hidden from screen readers because a text accompanies each.

const PATHS = {
  more: "M5 12h.01M12 12h.01M19 12h.01",
  close: "M6 6l12 12M18 6 6 18",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm5-2 4 4",
  check: "M5 13l4 4L19 7",
  alert: "M12 8v5m0 3h.01M12 3l10 18H2Z",
  add: "M12 5v14M5 12h14",
  note: "M9 18V6l10-2v12M9 18a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0ZM19 16a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Z",
  play: "M8 5v14l11-7Z",
  share: "M12 15V4M8 8l4-4 4 4M6 12v7h12v-7",
  keep: "M12 18a6 6 0 1 0 0-12 6 6 0 0 0 0 12Z",
  back: "M19 12H5m6-6-6 6 6 6",
  forth: "M5 12h14m-6-6 6 6-6 6",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      stroke-width="2"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} stroke-width={name === "more" ? 3.5 : undefined} />
    </svg>
  );
}

export function Logo({ twitches = false }: { twitches?: boolean }) {
  return (
    <svg
      class={twitches ? "logo logo-twitch" : "logo"}
      viewBox="0 0 32 32"
      aria-hidden="true"
      focusable="false"
    >
      <rect class="logo-ground" width="32" height="32" rx="9" />
      <path class="logo-cat" d="M9 22V8l5 4h4l5-4v14a7 5 0 0 1-14 0Z" />
      <path
        class="logo-whiskers"
        d="M4 16l5 1M4 21l5-1M28 16l-5 1M28 21l-5-1"
      />
      <path
        class="logo-ground"
        d="M13 15.6a1.4 1.4 0 1 0 .01 0ZM19 15.6a1.4 1.4 0 1 0 .01 0ZM14.6 21h2.8L16 22.6Z"
      />
    </svg>
  );
}
