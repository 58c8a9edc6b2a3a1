import { escaped, page } from '../common/page.ts';
import type { Reply } from '../common/server.ts';
import { links } from './render.ts';

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

export const USERS: readonly User[] = [
  { id: 'ania', account_id: 'acc-ania', display_name: 'Ania Żółć', country: 'PL', allow_listed: true },
  { id: 'bob', account_id: 'acc-bob', display_name: 'Bob', country: 'US', allow_listed: true },
  { id: 'stranger', account_id: 'acc-stranger', display_name: null, country: 'DE', allow_listed: false },
];

export const userObject = ({ display_name, id }: User): Record<string, unknown> => ({ display_name, ...links('user', id) });

/** What `/v1/me` returns in 2026: without country, email and product. */
export const meObject = (user: User): Record<string, unknown> => ({ account_id: user.account_id, ...userObject(user), followers: { href: null, total: 0 }, images: [] });

const ASKED: Record<string, string> = {
  'playlist-modify-private': 'Create and change playlists that are not on your profile',
  'playlist-modify-public': 'Create and change playlists on your profile',
};

/** Where the user decides. The form goes back to the URL that it came from. */
export function consentPage(chosen: string | null, scopes: string[]): Reply {
  const option = ({ id, display_name }: User): string => `<option value="${id}"${id === chosen ? ' selected' : ''}>${escaped(display_name ?? id)}</option>`;
  const asked = scopes.map((scope) => `<li>${escaped(ASKED[scope] ?? scope)}</li>`).join('') || '<li>Read what is public of your account</li>';
  return page(200, 'Spotify (simulated)', `<form method="post"><p><label>Logged in as <select name="login">${USERS.map(option).join('')}</select></label></p>
<p><b>Sound Whiskers</b> asks to:</p><ul>${asked}</ul>
<p><button name="decision" value="agree">Agree</button><button name="decision" value="cancel">Cancel</button></p></form>`);
}
