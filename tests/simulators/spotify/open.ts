// Spotify's pictures of albums, and the player that other pages embed.

import { escaped, page } from '../common/page.ts';
import { hash32 } from '../common/random.ts';
import type { Reply } from '../common/server.ts';
import { plain } from '../common/server.ts';

/** Returns a picture or the player; undefined for another path. */
export function shown(pathname: string): Reply | undefined {
  const [, album] = /^\/image\/([0-9A-Za-z]{24,25})$/.exec(pathname) ?? [];
  if (album !== undefined) return picture(album);
  const [, kind, id] = /^\/embed\/(track|playlist)\/([0-9A-Za-z]{22})$/.exec(pathname) ?? [];
  return kind === undefined ? undefined : page(200, 'Spotify (simulated)', `<p>Plays the ${kind} ${escaped(String(id))}.</p><button type="button">Play</button>`);
}

function picture(album: string): Reply {
  const hue = hash32(album.slice(0, 22)) % 360;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8" width="300" height="300"><rect width="8" height="8" fill="hsl(${hue} 45% 45%)"/><circle cx="4" cy="4" r="2" fill="hsl(${hue} 45% 75%)"/></svg>`;
  return plain(200, svg, { 'content-type': 'image/svg+xml', 'cache-control': 'public, max-age=86400' });
}
