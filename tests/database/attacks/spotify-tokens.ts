// Reading or replacing what lies in spotify_tokens, one's own included.

import type { Attack } from './attack.ts';
import { del, denied, deniedForAll, get, head, patch, post, put } from './attack.ts';
import type { Scene } from './scene.ts';

/** Asking for the row in return would need the right to read, which is not what is tried. */
const MINIMAL = 'return=minimal';

export const spotifyTokens = ({ mallory, victim }: Scene): Attack[] => {
  const row = { user_id: mallory.id, access_token: '\\x00', refresh_token: '\\x00', expires_at: '2030-01-01' };
  const requests: [string, Attack['ask']][] = [
    ['reads all tokens', get('/spotify_tokens')],
    ['reads the own tokens', get(`/spotify_tokens?user_id=eq.${mallory.id}`)],
    ['reads the victim\'s tokens', get(`/spotify_tokens?user_id=eq.${victim.id}`)],
    ['reads one column', get('/spotify_tokens?select=access_token')],
    ['reads when a token expires', get('/spotify_tokens?select=expires_at')],
    ['reads who has linked Spotify', get('/spotify_tokens?select=user_id')],
    ['reads a token as text', get('/spotify_tokens?select=access_token::text')],
    ['counts the links', head('/spotify_tokens')],
    ['guesses a token byte by byte', get('/spotify_tokens?select=user_id&access_token=gte.\\xc3')],
    ['orders by the token', get('/spotify_tokens?select=user_id&order=access_token')],
    ['embeds the tokens in the own profile', get('/profiles?select=*,spotify_tokens(*)')],
    ['joins the tokens with profiles', get('/profiles?select=user_id,spotify_tokens!inner(user_id)')],
    ['spreads the tokens over the profile', get('/profiles?select=user_id,...spotify_tokens(access_token)')],
    ['orders profiles by the token', get('/profiles?select=user_id,spotify_tokens(user_id)&order=spotify_tokens(access_token)')],
    ['filters profiles by the token', get('/profiles?select=user_id,spotify_tokens!inner(user_id)&spotify_tokens.access_token=gte.\\xc3')],
    ['asks for profiles that have linked Spotify', get('/profiles?select=user_id,spotify_tokens()&spotify_tokens=not.is.null')],
    ['embeds the profile in the tokens', get('/spotify_tokens?select=profiles(*)')],
    ['embeds the tokens behind the playlists', get('/playlists?select=id,profiles(spotify_tokens(*))')],
    ['inserts tokens', post('/spotify_tokens', row, MINIMAL)],
    ['overwrites the own tokens', post('/spotify_tokens?on_conflict=user_id', row, `${MINIMAL},resolution=merge-duplicates`)],
    ['puts other tokens in the place of the own', put(`/spotify_tokens?user_id=eq.${mallory.id}`, row)],
    ['changes the own tokens', patch(`/spotify_tokens?user_id=eq.${mallory.id}`, { access_token: '\\x00' }, MINIMAL)],
    ['moves the victim\'s tokens to oneself', patch(`/spotify_tokens?user_id=eq.${victim.id}`, { user_id: mallory.id }, MINIMAL)],
    ['unlinks by deleting', del(`/spotify_tokens?user_id=eq.${mallory.id}`, MINIMAL)],
    ['unlinks the victim', del(`/spotify_tokens?user_id=eq.${victim.id}`, MINIMAL)],
  ];
  // A condition needs the right to read; these do not.
  const unconditional: [string, Attack['ask']][] = [
    ['changes all tokens', patch('/spotify_tokens', { access_token: '\\x00' }, MINIMAL)],
    ['deletes all tokens', del('/spotify_tokens', MINIMAL)],
  ];
  return [
    ...requests.map(([what, ask]) => ({ what, ask, expected: denied })),
    ...unconditional.map(([what, ask]) => ({ what, ask, expected: deniedForAll })),
  ];
};
