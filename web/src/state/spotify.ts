// To Spotify's consent page and back. On the way back only the address tells what happened.

import { spotifyLink } from '../api/functions.ts';
import { drafts } from './drafts.ts';

const RETURN = 'after-spotify';

/** Leaves the page. */
export async function linkSpotify(): Promise<void> {
  const url = await spotifyLink.start();
  drafts.write(RETURN, location.hash.replace(/^#\/?/, ''));
  location.assign(url);
}

/** Where in the app the listener went to Spotify from. */
export function placeBefore(): string {
  const place = drafts.read(RETURN, 'account');
  drafts.forget(RETURN);
  return place;
}
