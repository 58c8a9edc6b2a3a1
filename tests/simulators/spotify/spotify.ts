import { TRACKS } from '../catalogue/catalogue.ts';
import type { Track } from '../catalogue/track.ts';
import { checked, fields, flag, like, listOf, number, text } from '../common/check.ts';
import { seededRandom } from '../common/random.ts';
import type { Call, Headers, Reply, Simulator } from '../common/server.ts';
import { json, pause, plain } from '../common/server.ts';
import type { Credentials, Grant, User } from './accounts.ts';
import { Accounts, meObject, USERS } from './accounts.ts';
import { MARKETS } from './markets.ts';
import { shown } from './open.ts';
import { Playlists, Refusal, playlistObject } from './playlists.ts';
import { pageObject, trackObject } from './render.ts';
import { SearchIndex } from './search.ts';

const TYPES = ['album', 'artist', 'playlist', 'track', 'show', 'episode', 'audiobook'];
const DEFAULT_LIMIT = 5;
const MAX_LIMIT = 10;
const MAX_OFFSET = 1000;
const MAX_QUERY_CHARS = 250;
const DEFAULT_LATENCY = { search_ms: 30, token_ms: 30, jitter_ms: 10 };
const DEFAULT_INDEX = new SearchIndex(TRACKS);

const ALBUM = fields({ name: text, release_date: like(/^\d{4}(-\d\d){0,2}$/, 'YYYY, YYYY-MM or YYYY-MM-DD') });
const ID = like(/^[0-9A-Za-z]{22}$/, '22 base62 characters');
const ARTISTS = listOf(fields({ id: text, name: text }), 1);
const FLAGS = { explicit: flag, is_playable: flag };
const CATALOGUE = listOf(fields({ id: ID, name: text, artists: ARTISTS, album: ALBUM, duration_ms: number, ...FLAGS, isrc: text, rank: number }));
const LATENCY = fields({ 'search_ms?': number, 'token_ms?': number, 'jitter_ms?': number });

interface Request extends Grant {
  call: Call;
  method: string;
  id: string;
}

export class Spotify implements Simulator {
  readonly #accounts: Accounts;
  readonly #playlists = new Playlists();
  #index = DEFAULT_INDEX;
  #latency = DEFAULT_LATENCY;
  #random = seededRandom(1);

  readonly control = {
    'GET catalogue': () => this.#index.tracks,
    'PUT catalogue': (body: unknown) => {
      this.#index = new SearchIndex(checked<Track[]>('track', body, CATALOGUE));
    },
    'PUT latency': (body: unknown) => {
      this.#latency = { ...DEFAULT_LATENCY, ...checked<object>('latency', body, LATENCY) };
    },
    'POST expire_tokens': () => this.#accounts.expireAll(),
    'PUT oauth': (body: unknown) => this.#accounts.configure(body),
    'POST revoke': (body: unknown) => this.#accounts.revoke(body),
    'GET tokens': () => this.#accounts.issued(),
    'GET playlists': () => this.#playlists.all(),
    'PUT rejected_uris': (body: unknown) => this.#playlists.reject(body),
  };

  readonly #routes: [path: RegExp, methods: string[], run: (request: Request, user: User | undefined) => Reply][] = [
    [/^\/v1\/search$/, ['GET'], ({ call }, user) => this.#search(call.url, user?.country)],
    [/^\/v1\/me$/, ['GET'], (_, user) => json(200, meObject(signedIn(user)))],
    [/^\/v1\/me\/playlists$/, ['POST'], ({ call, scopes }, user) => {
      const owner = signedIn(user);
      return json(201, playlistObject(call.url, this.#playlists.create(owner, scopes, call.body), owner));
    }],
    [/^\/v1\/playlists\/([^/]+)\/items$/, ['PUT', 'POST'], ({ call, method, id, scopes }, user) => {
      const { snapshot_id } = this.#playlists.change(id, signedIn(user), scopes, method, call.body, (track) => this.#index.has(track));
      return json(method === 'POST' ? 201 : 200, { snapshot_id });
    }],
  ];

  constructor(credentials: Credentials) {
    this.#accounts = new Accounts(credentials);
  }

  reset(): void {
    this.#index = DEFAULT_INDEX;
    this.#latency = DEFAULT_LATENCY;
    this.#random = seededRandom(1);
    this.#accounts.configure({});
    this.#playlists.reset();
  }

  async handle(call: Call): Promise<Reply> {
    const { pathname } = call.url;
    const wait = (ms: number): Promise<void> => pause(ms + this.#random() * this.#latency.jitter_ms, call.gone);
    if (pathname === '/authorize') return this.#accounts.authorize(call);
    if (pathname === '/api/token') {
      await wait(this.#latency.token_ms);
      return this.#accounts.token(call);
    }
    if (!pathname.startsWith('/v1/')) return shown(pathname) ?? plain(404, '');
    await wait(this.#latency.search_ms);
    return this.#api(call);
  }

  #api(call: Call): Reply {
    const { headers, method, url } = call;
    const grant = this.#accounts.grantOf(headers.authorization);
    if ('status' in grant) {
      return fail(grant.status, grant.message, { 'www-authenticate': `Bearer realm="spotify", error="invalid_token", error_description="${grant.message}"` });
    }
    const user = USERS.find(({ id }) => id === grant.user);
    if (user && !user.allow_listed) {
      return plain(403, 'Check settings on developer.spotify.com/dashboard, the user may not be registered.', { 'content-type': 'text/plain' });
    }
    // Apps created after 2024 do not have the former; the latter has moved.
    if (/^\/v1\/(audio-(features|analysis)\b|users\/[^/]+\/playlists$)/.test(url.pathname)) return fail(403, 'Forbidden');
    const [path, methods, run] = this.#routes.find(([pattern]) => pattern.test(url.pathname)) ?? [];
    if (path === undefined || methods === undefined || run === undefined) return fail(404, 'Service not found');
    if (!methods.includes(method)) return fail(405, 'Method not allowed');
    try {
      return run({ ...grant, call, method, id: path.exec(url.pathname)?.[1] ?? '' }, user);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return fail(error.status, error.message);
    }
  }

  /** With a user's token the user's country overrides the requested market. */
  #search(url: URL, country?: string): Reply {
    const params = url.searchParams;
    const query = params.get('q')?.trim() ?? '';
    const types = (params.get('type') ?? '').split(',').filter((type) => type !== '');
    const market = params.get('market');
    const limit = integer(params.get('limit') ?? String(DEFAULT_LIMIT));
    const offset = integer(params.get('offset') ?? '0');
    const wrongType = types.find((type) => !TYPES.includes(type));
    const problem =
      (query === '' && 'No search query') ||
      (query.length > MAX_QUERY_CHARS && `Query exceeds maximum length of ${MAX_QUERY_CHARS} characters`) ||
      (types.length === 0 && 'Missing parameter type') ||
      (wrongType !== undefined && `Bad search type field ${wrongType}`) ||
      (!(limit >= 1 && limit <= MAX_LIMIT) && 'Invalid limit') ||
      (!(offset <= MAX_OFFSET) && 'Invalid offset') ||
      (market !== null && market !== 'from_token' && !MARKETS.has(market) && 'Invalid market code');
    if (problem) return fail(400, problem);
    const found = types.includes('track') ? this.#index.search(query) : [];
    const tracks = found.slice(offset, offset + limit).map((track) => trackObject(track, country ?? market, url.origin));
    // The catalogue has only tracks: other types find nothing.
    const pages = types.map((type) => [`${type}s`, type === 'track' ? pageObject(url, tracks, found.length, limit, offset) : pageObject(url, [], 0, limit, offset)]);
    return json(200, Object.fromEntries(pages), { 'cache-control': 'private, max-age=0' });
  }
}

function signedIn(user: User | undefined): User {
  if (!user) throw new Refusal(403, 'This requires user authentication');
  return user;
}

const integer = (text: string): number => (/^\d+$/.test(text) ? Number(text) : NaN);
const fail = (status: number, message: string, headers: Headers = {}): Reply => json(status, { error: { status, message } }, headers);
