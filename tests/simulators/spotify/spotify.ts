import { defaultTracks } from '../catalogue/catalogue.ts';
import type { Track } from '../catalogue/track.ts';
import { checked, fields, flag, like, listOf, number, text } from '../common/check.ts';
import { seededRandom } from '../common/random.ts';
import type { Call, Headers, Reply, Simulator } from '../common/server.ts';
import { json, pause, plain } from '../common/server.ts';
import type { Credentials, Grant } from './accounts.ts';
import { Accounts } from './accounts.ts';
import { MARKETS } from './markets.ts';
import { Playlists, Refusal, playlistObject } from './playlists.ts';
import { pageObject, trackObject } from './render.ts';
import { SearchIndex } from './search.ts';
import type { User } from './users.ts';
import { DEFAULT_USERS, meObject, readUsers } from './users.ts';

const TYPES = ['album', 'artist', 'playlist', 'track', 'show', 'episode', 'audiobook'];
const DEFAULT_LIMIT = 5;
const MAX_LIMIT = 10;
const MAX_OFFSET = 1000;
const MAX_QUERY_CHARS = 250;
const DEFAULT_LATENCY = { search_ms: 30, token_ms: 30, jitter_ms: 10 };
const DEFAULT_INDEX = new SearchIndex(defaultTracks());

const CATALOGUE = listOf(
  fields({
    id: like(/^[0-9A-Za-z]{22}$/, '22 base62 characters'),
    name: text,
    artists: listOf(fields({ id: text, name: text }), 1),
    album: fields({ name: text, release_date: like(/^\d{4}(-\d\d){0,2}$/, 'YYYY, YYYY-MM or YYYY-MM-DD') }),
    duration_ms: number,
    explicit: flag,
    is_playable: flag,
    isrc: text,
    rank: number,
  }),
);
const LATENCY = fields({ 'search_ms?': number, 'token_ms?': number, 'jitter_ms?': number });

/** Spotify: the accounts host and the Web API on one port. */
export class Spotify implements Simulator {
  readonly #accounts: Accounts;
  readonly #playlists = new Playlists();
  #users = DEFAULT_USERS;
  #tracks: readonly Track[] = [];
  #byId = new Map<string, Track>();
  #index = DEFAULT_INDEX;
  #latency = DEFAULT_LATENCY;
  #random = seededRandom(1);

  readonly control = {
    'GET catalogue': () => this.#tracks,
    'PUT catalogue': (body: unknown) => {
      const tracks = checked<Track[]>('track', body, CATALOGUE);
      this.#stock(tracks, new SearchIndex(tracks));
    },
    'PUT latency': (body: unknown) => {
      this.#latency = { ...DEFAULT_LATENCY, ...checked<object>('latency', body, LATENCY) };
    },
    'PUT users': (body: unknown) => {
      this.#users = readUsers(body);
    },
    'POST expire_tokens': () => this.#accounts.expireAll(),
    'PUT oauth': (body: unknown) => this.#accounts.configure(body),
    'POST revoke': (body: unknown) => this.#accounts.revoke(body),
    'GET tokens': () => this.#accounts.issued(),
    'GET playlists': () => this.#playlists.all(),
    'PUT rejected_uris': (body: unknown) => this.#playlists.reject(body),
  };

  constructor(credentials: Credentials) {
    this.#accounts = new Accounts(credentials, () => this.#users);
    this.reset();
  }

  reset(): void {
    this.#stock(defaultTracks(), DEFAULT_INDEX);
    this.#latency = DEFAULT_LATENCY;
    this.#random = seededRandom(1);
    this.#users = DEFAULT_USERS;
    this.#accounts.configure({});
    this.#playlists.reset();
  }

  #stock(tracks: readonly Track[], index: SearchIndex): void {
    this.#tracks = tracks;
    this.#byId = new Map(tracks.map((track) => [track.id, track]));
    this.#index = index;
  }

  async handle(call: Call): Promise<Reply> {
    const { pathname } = call.url;
    const wait = (ms: number): Promise<void> => pause(ms + this.#random() * this.#latency.jitter_ms, call.gone);
    if (pathname === '/authorize') {
      return this.#accounts.authorize(call);
    }
    if (pathname === '/api/token') {
      await wait(this.#latency.token_ms);
      return this.#accounts.token(call);
    }
    if (pathname.startsWith('/v1/')) {
      await wait(this.#latency.search_ms);
      return this.#api(call);
    }
    return plain(404, '');
  }

  #api(call: Call): Reply {
    const grant = this.#accounts.grantOf(call.headers.authorization);
    if ('status' in grant) {
      return fail(grant.status, grant.message, { 'www-authenticate': `Bearer realm="spotify", error="invalid_token", error_description="${grant.message}"` });
    }
    const user = this.#users.find(({ id }) => id === grant.user);
    if (user && !user.allow_listed) {
      return plain(403, 'Check settings on developer.spotify.com/dashboard, the user may not be registered.', { 'content-type': 'text/plain' });
    }
    try {
      return this.#route(call, grant, user);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return fail(error.status, error.message);
    }
  }

  #route({ method, url, body }: Call, grant: Grant, user: User | undefined): Reply {
    const { pathname } = url;
    const only = (...methods: string[]): void => {
      if (!methods.includes(method)) throw new Refusal(405, 'Method not allowed');
    };
    const required = (): User => {
      if (!user) throw new Refusal(403, 'This requires user authentication');
      return user;
    };
    const [, filled] = /^\/v1\/playlists\/([^/]+)\/items$/.exec(pathname) ?? [];
    if (pathname === '/v1/search') {
      only('GET');
      return this.#search(url, user?.country);
    }
    if (pathname === '/v1/me') {
      only('GET');
      return json(200, meObject(required()));
    }
    if (pathname === '/v1/me/playlists') {
      only('POST');
      const owner = required();
      return json(201, playlistObject(url, this.#playlists.create(owner, grant.scopes, body), owner));
    }
    if (filled !== undefined) {
      only('PUT', 'POST');
      const { snapshot_id } = this.#playlists.change(filled, required(), grant.scopes, method, body, (id) => this.#byId.has(id));
      return json(method === 'POST' ? 201 : 200, { snapshot_id });
    }
    // The former is gone for apps that are new since the end of 2024, the latter has moved since.
    if (/^\/v1\/(audio-(features|analysis)\b|users\/[^/]+\/playlists$)/.test(pathname)) throw new Refusal(403, 'Forbidden');
    throw new Refusal(404, 'Service not found');
  }

  /** With a user's token their country counts, whatever market is asked for. */
  #search(url: URL, country?: string): Reply {
    const asked = url.searchParams;
    const query = asked.get('q')?.trim() ?? '';
    const types = (asked.get('type') ?? '').split(',').filter((type) => type !== '');
    const market = asked.get('market');
    const limit = integer(asked.get('limit') ?? String(DEFAULT_LIMIT));
    const offset = integer(asked.get('offset') ?? '0');
    const wrongType = types.find((type) => !TYPES.includes(type));
    const problem =
      (query === '' && 'No search query') ||
      (query.length > MAX_QUERY_CHARS && `Query exceeds maximum length of ${MAX_QUERY_CHARS} characters`) ||
      (types.length === 0 && 'Missing parameter type') ||
      (wrongType !== undefined && `Bad search type field ${wrongType}`) ||
      (!(limit >= 1 && limit <= MAX_LIMIT) && 'Invalid limit') ||
      (!(offset <= MAX_OFFSET) && 'Invalid offset') ||
      (market !== null && market !== 'from_token' && !MARKETS.has(market) && 'Invalid market code');
    if (problem) {
      return fail(400, problem);
    }
    const found = types.includes('track') ? this.#index.search(query) : [];
    const tracks = found.slice(offset, offset + limit).map((track) => trackObject(track, country ?? market));
    // The catalogue has tracks only: other types find nothing.
    const pages = types.map((type) => [`${type}s`, type === 'track' ? pageObject(url, tracks, found.length, limit, offset) : pageObject(url, [], 0, limit, offset)]);
    return json(200, Object.fromEntries(pages), { 'cache-control': 'private, max-age=0' });
  }
}

function integer(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : NaN;
}

function fail(status: number, message: string, headers: Headers = {}): Reply {
  return json(status, { error: { status, message } }, headers);
}
