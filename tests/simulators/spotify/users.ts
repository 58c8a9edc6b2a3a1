import { any, checked, fields, flag, listOf, text } from '../common/check.ts';
import { escaped, page } from '../common/page.ts';

/** A Spotify account. */
export interface User {
  id: string;
  /** Never changes, unlike the id. */
  account_id: string;
  display_name: string | null;
  country: string;
  /** An app in development mode may act for five accounts that its owner has listed. */
  allow_listed: boolean;
}

export const DEFAULT_USERS: readonly User[] = [
  { id: 'ania', account_id: 'acc-ania', display_name: 'Ania Żółć', country: 'PL', allow_listed: true },
  { id: 'bob', account_id: 'acc-bob', display_name: 'Bob', country: 'US', allow_listed: true },
  { id: 'stranger', account_id: 'acc-stranger', display_name: null, country: 'DE', allow_listed: false },
];

const USERS = listOf(fields({ id: text, 'account_id?': text, 'display_name?': any, 'country?': text, 'allow_listed?': flag }), 1);

export function readUsers(body: unknown): User[] {
  const given = checked<(Partial<User> & { id: string })[]>('users', body, USERS);
  return given.map((user) => ({ account_id: `acc-${user.id}`, display_name: user.id, country: 'PL', allow_listed: true, ...user }));
}

export function userObject(user: User): Record<string, unknown> {
  return {
    display_name: user.display_name,
    external_urls: { spotify: `https://open.spotify.com/user/${user.id}` },
    href: `https://api.spotify.com/v1/users/${user.id}`,
    id: user.id,
    type: 'user',
    uri: `spotify:user:${user.id}`,
  };
}

/** What `/v1/me` answers in 2026: without country, email and product. */
export function meObject(user: User): Record<string, unknown> {
  return { account_id: user.account_id, ...userObject(user), followers: { href: null, total: 0 }, images: [] };
}

const ASKED: Record<string, string> = {
  'playlist-modify-private': 'Create and change playlists that are not on your profile',
  'playlist-modify-public': 'Create and change playlists on your profile',
};

/** Where the user decides; the form goes back to the URL that it came from. */
export function consentPage(users: readonly User[], chosen: string | null, scopes: string[]): string {
  const options = users.map((user) => {
    const name = escaped(String(user.display_name ?? user.id));
    return `<option value="${escaped(user.id)}"${user.id === chosen ? ' selected' : ''}>${name}</option>`;
  });
  const asked = scopes.map((scope) => `<li>${escaped(ASKED[scope] ?? scope)}</li>`);
  return page(
    'Spotify (simulated)',
    `<form method="post"><p><label>Logged in as <select name="login">${options.join('')}</select></label></p>
<p><b>Sound Whiskers</b> asks to:</p><ul>${asked.join('') || '<li>Read what is public of your account</li>'}</ul>
<p><button name="decision" value="agree">Agree</button><button name="decision" value="cancel">Cancel</button></p></form>`,
  );
}
