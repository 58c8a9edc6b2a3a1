import { randomBytes } from 'node:crypto';
import { checked, isObject, listOf, text } from '../common/check.ts';
import { base62Id } from '../common/random.ts';
import { links, pageObject } from './render.ts';
import type { User } from './accounts.ts';
import { userObject } from './accounts.ts';

const MAX_ITEMS_PER_CALL = 100;
const MAX_NAME = 100;
const MAX_DESCRIPTION = 300;

export interface Playlist { id: string; owner: string; name: string; description: string | null; public: boolean; uris: string[]; snapshot_id: string }

export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const snapshot = (): string => randomBytes(24).toString('base64');

export class Playlists {
  #playlists: Playlist[] = [];
  #rejected = new Set<string>();

  reset(): void {
    this.#playlists = [];
    this.#rejected = new Set();
  }

  all(): readonly Playlist[] {
    return this.#playlists;
  }

  reject(body: unknown): void {
    this.#rejected = new Set(checked<string[]>('rejected_uris', body, listOf(text)));
  }

  create(owner: User, scopes: string[], body: string): Playlist {
    const { name, description = null, public: isPublic = true } = parse(body);
    if (typeof name !== 'string' || name === '') throw new Refusal(400, 'Missing required field: name');
    if (typeof isPublic !== 'boolean') throw new Refusal(400, 'Invalid value for field: public');
    if (description !== null && typeof description !== 'string') throw new Refusal(400, 'Invalid value for field: description');
    checkScope(isPublic, scopes);
    // Undocumented, but reported by users: Spotify fails instead of refusing.
    if (name.length > MAX_NAME || (description?.length ?? 0) > MAX_DESCRIPTION || /[\r\n]/.test(`${name}${description ?? ''}`)) {
      throw new Refusal(500, 'Server error');
    }
    const id = base62Id(`playlist|${randomBytes(16).toString('hex')}`);
    const playlist = { id, owner: owner.id, name, description, public: isPublic, uris: [], snapshot_id: snapshot() };
    this.#playlists.push(playlist);
    return playlist;
  }

  /** Replaces (PUT) or appends (POST); one wrong URI prevents any change. */
  change(id: string, owner: User, scopes: string[], method: string, body: string, exists: (id: string) => boolean): Playlist {
    const playlist = this.#playlists.find((it) => it.id === id);
    if (!playlist) throw new Refusal(404, 'Resource not found');
    if (playlist.owner !== owner.id) throw new Refusal(403, "You cannot add tracks to a playlist you don't own.");
    checkScope(playlist.public, scopes);
    const { uris } = parse(body);
    if (!Array.isArray(uris)) throw new Refusal(400, 'No uris provided');
    if (uris.length > MAX_ITEMS_PER_CALL) throw new Refusal(400, `You can add a maximum of ${MAX_ITEMS_PER_CALL} tracks per request.`);
    const wrong = uris.find((uri: unknown) => {
      const track = /^spotify:track:([0-9A-Za-z]{22})$/.exec(String(uri))?.[1];
      return track === undefined || !exists(track) || this.#rejected.has(String(uri));
    });
    if (wrong !== undefined) throw new Refusal(400, `Invalid track uri: ${String(wrong)}`);
    playlist.uris = method === 'PUT' ? uris : [...playlist.uris, ...uris];
    playlist.snapshot_id = snapshot();
    return playlist;
  }
}

function checkScope(isPublic: boolean, scopes: string[]): void {
  if (!scopes.includes(isPublic ? 'playlist-modify-public' : 'playlist-modify-private')) throw new Refusal(403, 'Insufficient client scope');
}

function parse(body: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(body);
    if (isObject(parsed)) return parsed;
  } catch {
    // Refused below.
  }
  throw new Refusal(400, 'Error parsing JSON.');
}

export function playlistObject(url: URL, { uris: _none, ...playlist }: Playlist, owner: User): Record<string, unknown> {
  const items = pageObject(url, [], 0, MAX_ITEMS_PER_CALL, 0);
  return { ...playlist, ...links('playlist', playlist.id), collaborative: false, images: [], items, owner: userObject(owner) };
}
