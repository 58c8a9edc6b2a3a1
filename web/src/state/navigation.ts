import { signal } from '@preact/signals';
import type { Route } from './route.ts';
import { routeOf } from './route.ts';

export const route = signal<Route>(routeOf(''));

export function go(path: string): void {
  location.hash = path ? `#/${path}` : '#/';
}

/** The same, but replaces the current entry of the history. */
export function goInstead(path: string): void {
  history.replaceState(null, '', `#/${path}`);
  route.value = routeOf(location.hash);
}

export function startNavigation(): void {
  route.value = routeOf(location.hash);
  addEventListener('hashchange', () => {
    route.value = routeOf(location.hash);
  });
}

export function isAt(path: string): boolean {
  return location.hash.replace(/^#\/?/, '') === path;
}
