import type { User } from './users.ts';

const escaped = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<style>body{font:16px/1.5 sans-serif;max-width:28rem;margin:4rem auto;padding:0 1rem}button{font:inherit;padding:.5rem 1.5rem;margin-right:1rem}</style>
</head><body><h1>${title}</h1>${body}</body></html>`;

const ASKED: Record<string, string> = {
  'playlist-modify-private': 'Create and change playlists that are not on your profile',
  'playlist-modify-public': 'Create and change playlists on your profile',
};

/** Where the listener decides; the form goes back to the URL that it came from. */
export function consentPage(app: string, users: readonly User[], chosen: string | null, scopes: string[]): string {
  const options = users.map((user) => {
    const name = escaped(user.display_name ?? user.id);
    return `<option value="${escaped(user.id)}"${user.id === chosen ? ' selected' : ''}>${name}</option>`;
  });
  const asked = scopes.map((scope) => `<li>${escaped(ASKED[scope] ?? scope)}</li>`);
  return page(
    'Spotify (simulated)',
    `<form method="post"><p><label>Logged in as <select name="login">${options.join('')}</select></label></p>
<p><b>${escaped(app)}</b> asks to:</p><ul>${asked.join('') || '<li>Read what is public of your account</li>'}</ul>
<p><button name="decision" value="agree">Agree</button><button name="decision" value="cancel">Cancel</button></p></form>`,
  );
}

/** Shown instead of a redirect where it is not certain who would be redirected to. */
export function errorPage(message: string): string {
  return page('Something is wrong', `<p>${escaped(message)}</p>`);
}
