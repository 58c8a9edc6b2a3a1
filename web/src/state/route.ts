// The app's routes. They are in the fragment, so that any file server can host the page.

export const SCREENS = [
  'create',
  'playlists',
  'playlist',
  'account',
  'sign-in',
  'sign-up',
  'forgot',
  'confirm',
  'new-password',
  'privacy',
  'terms',
] as const;
export type Screen = (typeof SCREENS)[number];
export type Route = { screen: Screen; id: string; query: string };

/** Screens that require a session. */
const PRIVATE: readonly Screen[] = ['playlists', 'playlist', 'account', 'new-password'];

export function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [name = '', id = ''] = path.split('/');
  if (name === 'playlists' && id) return { screen: 'playlist', id, query };
  const screen = SCREENS.find((it) => it === name && it !== 'playlist') ?? 'create';
  return { screen, id: '', query };
}

export function needsSession({ screen }: Route): boolean {
  return PRIVATE.includes(screen);
}
