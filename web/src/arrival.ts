// What the address says to a page that was sent here from elsewhere: by Spotify, or by a link in a mail.

export type Arrival =
  | { kind: 'spotify'; code: string; state: string }
  | { kind: 'spotify_refused'; reason: string }
  | { kind: 'mail'; type: string }
  | { kind: 'mail_refused'; code: string }
  | { kind: 'usual' };

export function arrivalOf(hash: string): Arrival {
  const fragment = new URLSearchParams(hash.replace(/^#/, ''));
  const value = (name: string) => fragment.get(name) ?? '';
  if (value('spotify_code')) return { kind: 'spotify', code: value('spotify_code'), state: value('spotify_state') };
  if (value('spotify_error')) return { kind: 'spotify_refused', reason: value('spotify_error') };
  if (value('access_token')) return { kind: 'mail', type: value('type') };
  if (value('error')) return { kind: 'mail_refused', code: value('error_code') || value('error') };
  return { kind: 'usual' };
}
