import { randomBytes } from 'node:crypto';
import type { Track } from '../catalogue/types.ts';
import { ControlError, isObject } from '../common/check.ts';
import { base62Id } from '../common/random.ts';
import { page, trackObject } from './render.ts';
import type { User } from './users.ts';

const MAX_ITEMS_PER_CALL = 100;
const MAX_NAME = 100;
const MAX_DESCRIPTION = 300;

export interface Playlist {
  id: string;
  owner: string;
  name: string;
  description: string | null;
  public: boolean;
  uris: string[];
  snapshot_id: string;
}

/** A refusal, as the API words it. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The playlists that were made here. */
export class Playlists {
  #playlists: Playlist[] = [];
  #rejected = new Set<string>();
  #count = 0;

  reset(): void {
    this.#playlists = [];
    this.#rejected = new Set();
  }

  all(): readonly Playlist[] {
    return this.#playlists;
  }

  /** Addresses that look fine and are refused all the same. */
  reject(body: unknown): void {
    if (!Array.isArray(body) || !body.every((uri) => typeof uri === 'string')) {
      throw new ControlError('rejected_uris must be a list of strings');
    }
    this.#rejected = new Set(body);
  }

  create(owner: User, scopes: string[], text: string): Playlist {
    const { name, description = null, public: listed = true } = body(text);
    if (typeof name !== 'string' || name === '') throw new Refusal(400, 'Missing required field: name');
    if (typeof listed !== 'boolean') throw new Refusal(400, 'Invalid value for field: public');
    if (description !== null && typeof description !== 'string') throw new Refusal(400, 'Invalid value for field: description');
    if (!scopes.includes(listed ? 'playlist-modify-public' : 'playlist-modify-private')) throw new Refusal(403, 'Insufficient client scope');
    // Nowhere written, reported by users: not a refusal, but a failure.
    if (name.length > MAX_NAME || (description?.length ?? 0) > MAX_DESCRIPTION || /[\r\n]/.test(`${name}${description ?? ''}`)) {
      throw new Refusal(500, 'Server error');
    }
    this.#count += 1;
    const id = base62Id(`playlist|${this.#count}|${randomBytes(8).toString('hex')}`);
    const playlist = { id, owner: owner.id, name, description, public: listed, uris: [], snapshot_id: snapshot() };
    this.#playlists.push(playlist);
    return playlist;
  }

  find(id: string): Playlist {
    const playlist = this.#playlists.find((it) => it.id === id);
    if (!playlist) throw new Refusal(404, 'Resource not found');
    return playlist;
  }

  /** A playlist that this listener may change with these scopes. */
  own(id: string, owner: User, scopes: string[]): Playlist {
    const playlist = this.find(id);
    if (playlist.owner !== owner.id) throw new Refusal(403, 'You cannot add tracks to a playlist you don\'t own.');
    if (!scopes.includes(playlist.public ? 'playlist-modify-public' : 'playlist-modify-private')) throw new Refusal(403, 'Insufficient client scope');
    return playlist;
  }

  /** Replaces, appends or removes; one bad address and nothing is changed. */
  change(playlist: Playlist, method: string, text: string, exists: (id: string) => boolean): void {
    const given = body(text);
    if (method === 'DELETE') {
      const items = Array.isArray(given.items) ? given.items : [];
      const uris = this.#check(items.map((item) => (isObject(item) ? item.uri : undefined)), exists);
      playlist.uris = playlist.uris.filter((uri) => !uris.includes(uri));
    } else {
      const uris = this.#check(given.uris, exists);
      playlist.uris = method === 'PUT' ? uris : [...playlist.uris, ...uris];
    }
    playlist.snapshot_id = snapshot();
  }

  #check(uris: unknown, exists: (id: string) => boolean): string[] {
    if (!Array.isArray(uris)) throw new Refusal(400, 'No uris provided');
    if (uris.length > MAX_ITEMS_PER_CALL) throw new Refusal(400, `You can add a maximum of ${MAX_ITEMS_PER_CALL} tracks per request.`);
    return uris.map((uri: unknown) => {
      const id = typeof uri === 'string' ? /^spotify:track:([0-9A-Za-z]{22})$/.exec(uri)?.[1] : undefined;
      if (id === undefined || !exists(id) || this.#rejected.has(uri as string)) throw new Refusal(400, `Invalid track uri: ${String(uri)}`);
      return uri as string;
    });
  }
}

function body(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (isObject(parsed)) return parsed;
  } catch {
    // Answered below.
  }
  throw new Refusal(400, 'Error parsing JSON.');
}

const snapshot = (): string => randomBytes(24).toString('base64');

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

export function itemsPage(url: URL, playlist: Playlist, owner: User, track: (id: string) => Track | undefined): Record<string, unknown> {
  const { display_name: _public, ...added_by } = userObject(owner);
  const items = playlist.uris.map((uri) => {
    const found = track(uri.slice(-22));
    return { added_at: '2026-01-01T00:00:00Z', added_by, is_local: false, item: found ? trackObject(found, null) : null };
  });
  return page(url, items, items.length, MAX_ITEMS_PER_CALL, 0);
}

export function playlistObject(playlist: Playlist, owner: User, items: Record<string, unknown>): Record<string, unknown> {
  return {
    collaborative: false,
    description: playlist.description,
    external_urls: { spotify: `https://open.spotify.com/playlist/${playlist.id}` },
    href: `https://api.spotify.com/v1/playlists/${playlist.id}`,
    id: playlist.id,
    images: [],
    items,
    name: playlist.name,
    owner: userObject(owner),
    public: playlist.public,
    snapshot_id: playlist.snapshot_id,
    type: 'playlist',
    uri: `spotify:playlist:${playlist.id}`,
  };
}
