import { defaultTracks } from '../catalogue/catalogue.ts';
import type { Track } from '../catalogue/types.ts';
import type { Answer } from '../common/answer.ts';
import { checkFields } from '../common/check.ts';
import { seededRandom } from '../common/random.ts';
import type { SimRequest, Simulator } from '../common/simulator.ts';
import type { Credentials } from './accounts.ts';
import { Accounts } from './accounts.ts';
import { readCatalogue } from './catalogue-input.ts';
import { RateLimit } from './limits.ts';
import { page, trackObject } from './render.ts';
import { SearchIndex } from './search.ts';

const TYPES = ['album', 'artist', 'playlist', 'track', 'show', 'episode', 'audiobook'];
const DEFAULT_LIMIT = 5;
const MAX_LIMIT = 10;
const MAX_OFFSET = 1000;
const MAX_QUERY_CHARS = 250;
const DEFAULT_LATENCY = { search_ms: 30, token_ms: 30, jitter_ms: 10 };

/** Spotify: the accounts host and the Web API on one port. */
export class Spotify implements Simulator {
  readonly #accounts: Accounts;
  readonly #limit = new RateLimit();
  #tracks: readonly Track[] = defaultTracks();
  #index = defaultIndex();
  #latency = DEFAULT_LATENCY;
  #random = seededRandom(1);

  readonly control = {
    'GET catalogue': () => this.#tracks,
    'PUT catalogue': (body: unknown) => {
      this.#tracks = readCatalogue(body);
      this.#index = new SearchIndex(this.#tracks);
    },
    'PUT latency': (body: unknown) => {
      const fields = { search_ms: 'number', token_ms: 'number', jitter_ms: 'number' } as const;
      this.#latency = { ...DEFAULT_LATENCY, ...checkFields('latency', body, fields) };
    },
    'PUT limits': (body: unknown) => this.#limit.set(body),
    'POST expire_tokens': () => this.#accounts.expireAll(),
  };

  constructor(credentials: Credentials) {
    this.#accounts = new Accounts(credentials);
  }

  /** Issued tokens stay good: a client may keep one for as long as it lives. */
  reset(): void {
    this.#tracks = defaultTracks();
    this.#index = defaultIndex();
    this.#latency = DEFAULT_LATENCY;
    this.#random = seededRandom(1);
    this.#limit.clear();
  }

  async handle(request: SimRequest, answer: Answer): Promise<void> {
    const { pathname } = request.url;
    if (pathname === '/api/token') {
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
      fail(answer, 429, 'API rate limit exceeded', { 'retry-after': String(retryAfterSeconds) });
      return;
    }
    if (request.url.pathname !== '/v1/search') {
      fail(answer, 404, 'Service not found');
    } else if (request.method !== 'GET') {
      fail(answer, 405, 'Method not allowed', { allow: 'GET' });
    } else {
      this.#search(request.url, answer);
    }
  }

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

  #search(url: URL, answer: Answer): void {
    const query = url.searchParams.get('q')?.trim() ?? '';
    const types = (url.searchParams.get('type') ?? '').split(',').filter((type) => type !== '');
    const market = url.searchParams.get('market');
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
      (market !== null && !/^([A-Z]{2}|from_token)$/.test(market) && 'Invalid market code');
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

function fail(answer: Answer, status: number, message: string, headers: Record<string, string> = {}): void {
  answer.json(status, { error: { status, message } }, headers);
}
