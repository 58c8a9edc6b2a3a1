import { signal } from "@preact/signals";
import type { Route } from "./route.ts";
import { routeOf } from "./route.ts";

export const route = signal<Route>(routeOf(""));

export function go(path: string): void {
  location.hash = path ? `#/${path}` : "#/";
  // The event comes later, and the screen that is left would be drawn once more.
  route.value = routeOf(location.hash);
}

/** The same, but replaces the current entry of the history. */
export function goInstead(path: string): void {
  history.replaceState(null, "", `${location.pathname}#/${path}`);
  route.value = routeOf(location.hash);
}

export function startNavigation(): void {
  route.value = routeOf(location.hash, location.search);
  addEventListener("hashchange", () => {
    // The query belongs to the shared playlist that the user has left.
    if (location.hash && location.search)
      history.replaceState(null, "", location.pathname + location.hash);
    route.value = routeOf(location.hash, location.search);
  });
  // The way back to a shared playlist changes the query, which some browsers do not report as a change of the fragment.
  addEventListener("popstate", () => {
    if (!location.hash) route.value = routeOf("", location.search);
  });
}

export function isAt(path: string): boolean {
  return (
    route.value.screen !== "shared" &&
    location.hash.replace(/^#\/?/, "") === path
  );
}
