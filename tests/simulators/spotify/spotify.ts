import { defaultTracks } from '../catalogue/catalogue.ts';
import type { Track } from '../catalogue/types.ts';
import type { Answer } from '../common/answer.ts';
import { checkFields } from '../common/check.ts';
import { seededRandom } from '../common/random.ts';
import type { SimRequest, Simulator } from '../common/simulator.ts';
import type { Credentials, Grant } from './accounts.ts';
import { Accounts } from './accounts.ts';
import { readCatalogue } from './catalogue-input.ts';
import { RateLimit } from './limits.ts';
import { MARKETS } from './markets.ts';
import type { Playlist } from './playlists.ts';
import { Playlists, Refusal, itemsPage, meObject, playlistObject } from './playlists.ts';
import { page, trackObject } from './render.ts';
import { SearchIndex } from './search.ts';
import type { User } from './users.ts';
import { Users } from './users.ts';

const TYPES = ['album', 'artist', 'playlist', 'track', 'show', 'episode', 'audiobook'];
const DEFAULT_LIMIT = 5;
const MAX_LIMIT = 10;
const MAX_OFFSET = 1000;
const MAX_QUERY_CHARS = 250;
const DEFAULT_LATENCY = { search_ms: 30, token_ms: 30, jitter_ms: 10 };

/** Spotify: the accounts host and the Web API on one port. */
export class Spotify implements Simulator {
  readonly #accounts: Accounts;
  readonly #users = new Users();
  readonly #playlists = new Playlists();
  readonly #limit = new RateLimit();
  #tracks: readonly Track[] = defaultTracks();
  #index = defaultIndex();
  #byId: Map<string, Track> | undefined;
  #latency = DEFAULT_LATENCY;
  #random = seededRandom(1);

  readonly control = {
    'GET catalogue': () => this.#tracks,
    'PUT catalogue': (body: unknown) => {
      this.#tracks = readCatalogue(body);
      this.#index = new SearchIndex(this.#tracks);
      this.#byId = undefined;
    },
    'PUT latency': (body: unknown) => {
      const fields = { search_ms: 'number', token_ms: 'number', jitter_ms: 'number' } as const;
      this.#latency = { ...DEFAULT_LATENCY, ...checkFields('latency', body, fields) };
    },
    'PUT limits': (body: unknown) => this.#limit.set(body),
    'POST expire_tokens': () => this.#accounts.expireAll(),
    'PUT users': (body: unknown) => this.#users.set(body),
    'PUT oauth': (body: unknown) => this.#accounts.configure(body),
    'POST revoke': (body: unknown) => this.#accounts.revoke(body),
    'POST clock': (body: unknown) => this.#accounts.advance(body),
    'GET tokens': () => this.#accounts.issued(),
    'GET playlists': () => this.#playlists.all(),
    'PUT rejected_uris': (body: unknown) => this.#playlists.reject(body),
  };

  constructor(credentials: Credentials) {
    this.#accounts = new Accounts(credentials, this.#users);
  }

  /** Issued tokens stay good: a client may keep one for as long as it lives. */
  reset(): void {
    this.#tracks = defaultTracks();
    this.#index = defaultIndex();
    this.#byId = undefined;
    this.#latency = DEFAULT_LATENCY;
    this.#random = seededRandom(1);
    this.#limit.clear();
    this.#users.reset();
    this.#accounts.reset();
    this.#playlists.reset();
  }

  async handle(request: SimRequest, answer: Answer): Promise<void> {
    const { pathname } = request.url;
    if (pathname === '/authorize') {
      this.#accounts.authorize(request, answer);
    } else if (pathname === '/api/token') {
      await this.#wait(answer, this.#latency.token_ms);
      this.#accounts.token(request, answer);
    } else if (pathname === '/v1' || pathname.startsWith('/v1/')) {
      await this.#wait(answer, this.#latency.search_ms);
      this.#api(request, answer);
    } else {
      answer.text(404, '');
    }
  }

  async #wait(answer: Answer, ms: number): Promise<void> {
    await answer.pause(ms + this.#random() * this.#latency.jitter_ms);
  }

  #api(request: SimRequest, answer: Answer): void {
    const problem = this.#refuseToken(request.headers.authorization);
    if (problem) {
      fail(answer, problem.status, problem.message, { 'www-authenticate': `Bearer realm="spotify", error="invalid_token", error_description="${problem.message}"` });
      return;
    }
    const retryAfterSeconds = this.#limit.take();
    if (retryAfterSeconds !== undefined) {
      fail(answer, 429, 'API rate limit exceeded', { 'retry-after': String(retryAfterSeconds) }, this.#limit.reason());
      return;
    }
    const grant = this.#accounts.grantOf(request.headers.authorization?.slice('Bearer '.length) ?? '');
    const user = this.#users.find(grant.user);
    if (user && !user.allow_listed) {
      answer.text(403, 'Check settings on developer.spotify.com/dashboard, the user may not be registered.', { 'content-type': 'text/plain' });
      return;
    }
    try {
      this.#route(request, answer, grant, user);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      fail(answer, error.status, error.message);
    }
  }

  #route(request: SimRequest, answer: Answer, grant: Grant, user: User | undefined): void {
    const { method, url } = request;
    const [, first = '', second = '', third = ''] = url.pathname.split('/').slice(1);
    const only = (...methods: string[]): void => {
      if (!methods.includes(method)) throw new Refusal(405, 'Method not allowed');
    };
    const listener = (): User => {
      if (!user) throw new Refusal(403, 'This requires user authentication');
      return user;
    };
    const path = [first, second && '…', third].filter((part) => part !== '').join('/');
    if (url.pathname === '/v1/search') {
      only('GET');
      this.#search(url, answer, user?.country);
    } else if (url.pathname === '/v1/me') {
      only('GET');
      answer.json(200, meObject(listener()));
    } else if (url.pathname === '/v1/me/playlists') {
      only('POST');
      const playlist = this.#playlists.create(listener(), grant.scopes, request.body);
      answer.json(201, this.#playlist(url, playlist));
    } else if (path === 'playlists/…/items') {
      only('GET', 'PUT', 'POST', 'DELETE');
      if (method === 'GET') {
        answer.json(200, this.#playlist(url, this.#playlists.find(second)).items);
        return;
      }
      const playlist = this.#playlists.own(second, listener(), grant.scopes);
      this.#playlists.change(playlist, method, request.body, (id) => this.#track(id) !== undefined);
      answer.json(method === 'POST' ? 201 : 200, { snapshot_id: playlist.snapshot_id });
    } else if (path === 'playlists/…') {
      only('GET');
      answer.json(200, this.#playlist(url, this.#playlists.find(second)));
    } else if (path === 'users/…/playlists' || first === 'audio-features' || first === 'audio-analysis') {
      // Gone for apps that are new since the end of 2024, or moved since.
      throw new Refusal(403, 'Forbidden');
    } else {
      throw new Refusal(404, 'Service not found');
    }
  }

  #playlist(url: URL, playlist: Playlist): Record<string, unknown> {
    const owner = this.#users.find(playlist.owner);
    if (!owner) throw new Refusal(404, 'Resource not found');
    return playlistObject(playlist, owner, itemsPage(url, playlist, owner, this.#track));
  }

  readonly #track = (id: string): Track | undefined => {
    this.#byId ??= new Map(this.#tracks.map((track) => [track.id, track]));
    return this.#byId.get(id);
  };

  #refuseToken(authorization: string | undefined): { status: number; message: string } | undefined {
    if (authorization === undefined) {
      return { status: 401, message: 'No token provided' };
    }
    const token = /^Bearer (\S+)$/.exec(authorization)?.[1];
    if (token === undefined) {
      return { status: 400, message: 'Only valid bearer authentication supported' };
    }
    const state = this.#accounts.state(token);
    if (state === 'valid') {
      return undefined;
    }
    return { status: 401, message: state === 'expired' ? 'The access token expired' : 'Invalid access token' };
  }

  /** With a listener's token their country counts, whatever market is asked for. */
  #search(url: URL, answer: Answer, country?: string): void {
    const query = url.searchParams.get('q')?.trim() ?? '';
    const types = (url.searchParams.get('type') ?? '').split(',').filter((type) => type !== '');
    const asked = url.searchParams.get('market');
    const market = country ?? asked;
    const limit = integer(url.searchParams.get('limit'), DEFAULT_LIMIT);
    const offset = integer(url.searchParams.get('offset'), 0);
    const wrongType = types.find((type) => !TYPES.includes(type));
    const problem =
      (query === '' && 'No search query') ||
      (query.length > MAX_QUERY_CHARS && `Query exceeds maximum length of ${MAX_QUERY_CHARS} characters`) ||
      (types.length === 0 && 'Missing parameter type') ||
      (wrongType !== undefined && `Bad search type field ${wrongType}`) ||
      (!(limit >= 1 && limit <= MAX_LIMIT) && 'Invalid limit') ||
      (!(offset >= 0 && offset <= MAX_OFFSET) && 'Invalid offset') ||
      (asked !== null && asked !== 'from_token' && !MARKETS.has(asked) && 'Invalid market code');
    if (problem) {
      fail(answer, 400, problem);
      return;
    }
    const found = types.includes('track') ? this.#index.search(query) : [];
    const tracks = found.slice(offset, offset + limit).map((track) => trackObject(track, market));
    // the catalogue has tracks only: other types find nothing
    const pages = types.map((type) =>
      type === 'track' ? ['tracks', page(url, tracks, found.length, limit, offset)] : [`${type}s`, page(url, [], 0, limit, offset)],
    );
    answer.json(200, Object.fromEntries(pages), { 'cache-control': 'private, max-age=0' });
  }
}

let sharedIndex: SearchIndex | undefined;

function defaultIndex(): SearchIndex {
  sharedIndex ??= new SearchIndex(defaultTracks());
  return sharedIndex;
}

function integer(text: string | null, missing: number): number {
  return text === null ? missing : /^\d+$/.test(text) ? Number(text) : NaN;
}

function fail(answer: Answer, status: number, message: string, headers: Record<string, string> = {}, reason?: string): void {
  answer.json(status, { error: { status, message, ...(reason === undefined ? {} : { reason }) } }, headers);
}
