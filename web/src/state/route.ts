// The app's routes. They are in the fragment, so that any file server can host the page. A shared playlist's is in the
// query, so that the gateway can tell others what a link leads to.

export const SCREENS = [
  "create",
  "playlists",
  "playlist",
  "shared",
  "account",
  "sign-in",
  "sign-up",
  "forgot",
  "resend",
  "confirm",
  "new-password",
  "privacy",
  "terms",
] as const;
export type Screen = (typeof SCREENS)[number];
export type Route = { screen: Screen; id: string; query: string };

/** Screens that require a session. */
const PRIVATE: readonly Screen[] = [
  "playlists",
  "playlist",
  "account",
  "new-password",
];

/** `search`: the address's query, which names a shared playlist (`?p=<id>`) until the user goes elsewhere. */
export function routeOf(hash: string, search = ""): Route {
  const shared = new URLSearchParams(search).get("p");
  if (shared !== null && hash === "")
    return { screen: "shared", id: shared, query: "" };
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [name = "", id = ""] = path.split("/");
  if (name === "playlists" && id) return { screen: "playlist", id, query };
  const screen =
    SCREENS.find((it) => it === name && it !== "playlist" && it !== "shared") ??
    "create";
  return { screen, id: "", query };
}

export function needsSession({ screen }: Route): boolean {
  return PRIVATE.includes(screen);
}
