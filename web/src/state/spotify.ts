// To Spotify's consent page and back. On the way back only the address tells what happened.

import { signal } from '@preact/signals';
import { spotifyLink } from '../api/functions.ts';
import { drafts } from './drafts.ts';

const RETURN = 'after-spotify';

type Return = { place: string; send: string | null };

/** The playlist that is to be sent as soon as it is shown: its sender has just linked Spotify for it. */
export const sending = signal<string | null>(null);

/** Leaves the page. `send`: the playlist that is sent after the return. */
export async function linkSpotify(send?: string): Promise<void> {
  const url = await spotifyLink.start();
  drafts.write(RETURN, { place: location.hash.replace(/^#\/?/, ''), send: send ?? null });
  location.assign(url);
}

/** Where in the app the listener went to Spotify from, and what for. */
export function beforeSpotify(): Return {
  const before = drafts.read<Return>(RETURN, { place: 'account', send: null });
  drafts.forget(RETURN);
  return before;
}
