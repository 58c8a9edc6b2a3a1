import { createHash, randomBytes } from 'node:crypto';
import type { Answer } from '../common/answer.ts';
import { checkFields } from '../common/check.ts';
import { nowMs } from '../common/clock.ts';
import type { SimRequest } from '../common/simulator.ts';
import { consentPage, errorPage } from './consent.ts';
import type { Users } from './users.ts';

const SCOPES = ['playlist-modify-private', 'playlist-modify-public', 'playlist-read-private', 'user-read-private', 'user-read-email'];
const CODE_TTL_MS = 10 * 60_000;
const DEFAULT_OAUTH = { rotate_refresh_tokens: false, access_token_ttl_seconds: 3600 };
const LINK_MONTHS = 6;

export interface Credentials {
  clientId: string;
  clientSecret: string;
  /** Where listeners may be sent back to, exactly. */
  redirectUris?: readonly string[];
}

/** For whom a token was given, and for what; the app's own is for nobody. */
export interface Grant {
  user?: string;
  scopes: string[];
}

interface AccessToken extends Grant {
  expiresAtMs: number;
}
interface UserGrant extends Grant {
  user: string;
  expiresAtMs: number;
}
interface Code extends UserGrant {
  redirectUri: string;
  challenge: string | null;
}
interface RefreshToken extends UserGrant {
  revoked: boolean;
}

/** The accounts host: asks listeners, hands out tokens and knows which are still good. */
export class Accounts {
  readonly #credentials: Credentials;
  readonly #users: Users;
  readonly #access = new Map<string, AccessToken>();
  readonly #refresh = new Map<string, RefreshToken>();
  readonly #codes = new Map<string, Code>();
  #oauth = DEFAULT_OAUTH;
  #aheadMs = 0;

  constructor(credentials: Credentials, users: Users) {
    this.#credentials = credentials;
    this.#users = users;
  }

  /** Tokens stay good: a client may keep one for as long as it lives. */
  reset(): void {
    this.#oauth = DEFAULT_OAUTH;
    this.#aheadMs = 0;
  }

  configure(body: unknown): void {
    const fields = { rotate_refresh_tokens: 'boolean', access_token_ttl_seconds: 'number' } as const;
    this.#oauth = { ...DEFAULT_OAUTH, ...checkFields('oauth', body, fields) };
  }

  advance(body: unknown): void {
    const { advance_seconds } = checkFields('clock', body, { advance_seconds: 'number' }, ['advance_seconds']);
    this.#aheadMs += Number(advance_seconds) * 1000;
  }

  /** As when listeners remove the app in their account's settings. */
  revoke(body: unknown): void {
    const { user } = checkFields('revoke', body ?? {}, { user: 'string' });
    for (const token of this.#refresh.values()) {
      token.revoked ||= user === undefined || token.user === user;
    }
  }

  expireAll(): void {
    for (const token of this.#access.values()) {
      token.expiresAtMs = 0;
    }
  }

  /** Everything that was ever issued to listeners, to look for where it must not be. */
  issued(): Record<string, string[]> {
    const ofUsers = [...this.#access].filter(([, token]) => token.user !== undefined).map(([token]) => token);
    return { access_tokens: ofUsers, refresh_tokens: [...this.#refresh.keys()], codes: [...this.#codes.keys()] };
  }

  state(token: string): 'valid' | 'expired' | 'unknown' {
    const known = this.#access.get(token);
    if (known === undefined) {
      return 'unknown';
    }
    return this.#now() < known.expiresAtMs ? 'valid' : 'expired';
  }

  grantOf(token: string): Grant {
    return this.#access.get(token) ?? { scopes: [] };
  }

  /** GET shows the page, POST is its form. */
  authorize(request: SimRequest, answer: Answer): void {
    const query = request.url.searchParams;
    const html = { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' };
    const redirectUri = query.get('redirect_uri') ?? '';
    if (query.get('client_id') !== this.#credentials.clientId) {
      answer.text(400, errorPage('INVALID_CLIENT: Invalid client'), html);
      return;
    }
    if (!this.#credentials.redirectUris?.includes(redirectUri) || new URL(redirectUri).hostname === 'localhost') {
      answer.text(400, errorPage('INVALID_CLIENT: Invalid redirect URI'), html);
      return;
    }
    const back = (parameters: Record<string, string>): void => {
      const url = new URL(redirectUri);
      const state = query.get('state');
      for (const [name, value] of Object.entries({ ...parameters, ...(state === null ? {} : { state }) })) {
        url.searchParams.set(name, value);
      }
      answer.text(302, '', { location: url.href });
    };
    const challenge = query.get('code_challenge');
    const method = query.get('code_challenge_method');
    if ((challenge !== null || method !== null) && (method !== 'S256' || !/^[\w-]{43}$/.test(challenge ?? ''))) {
      answer.text(400, errorPage('code_challenge_method must be S256, with a code_challenge of 43 characters'), html);
      return;
    }
    const scopes = (query.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
    if (query.get('response_type') !== 'code') {
      back({ error: 'unsupported_response_type' });
    } else if (scopes.some((scope) => !SCOPES.includes(scope))) {
      back({ error: 'invalid_scope' });
    } else if (request.method === 'GET') {
      answer.text(200, consentPage('Sound Whiskers', this.#users.all(), query.get('login'), scopes), html);
    } else if (request.method === 'POST') {
      const form = new URLSearchParams(request.body);
      const user = this.#users.find(form.get('login'))?.id ?? this.#users.all()[0]?.id ?? '';
      const code = `AQ${randomBytes(150).toString('base64url')}`;
      if (form.get('decision') === 'agree') {
        this.#codes.set(code, { user, scopes, redirectUri, challenge, expiresAtMs: this.#now() + CODE_TTL_MS });
        back({ code });
      } else {
        back({ error: 'access_denied' });
      }
    } else {
      answer.text(405, '', { allow: 'GET, POST' });
    }
  }

  token(request: SimRequest, answer: Answer): void {
    if (request.method !== 'POST') {
      answer.json(405, { error: 'server_error', error_description: 'Unexpected status: 405' }, { allow: 'POST' });
      return;
    }
    const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
    if (type !== 'application/x-www-form-urlencoded') {
      answer.json(415, { error: 'server_error', error_description: 'Unexpected status: 415' });
      return;
    }
    const refusal = this.#refuseClient(request.headers.authorization);
    if (refusal) {
      answer.json(400, refusal);
      return;
    }
    const form = new URLSearchParams(request.body);
    const granted = this.#grant(form);
    const ok = !('error' in granted);
    answer.json(ok ? 200 : 400, granted, ok ? { 'cache-control': 'no-store' } : {});
  }

  #grant(form: URLSearchParams): Record<string, unknown> {
    const type = form.get('grant_type');
    if (type === 'client_credentials') {
      const { scope: _none, ...granted } = this.#issue({ scopes: [] });
      return granted;
    }
    if (type === 'authorization_code') {
      return this.#exchange(form.get('code') ?? '', form.get('redirect_uri'), form.get('code_verifier'));
    }
    if (type === 'refresh_token') {
      return this.#renew(form.get('refresh_token') ?? '');
    }
    const description = type === null ? 'grant_type parameter is missing' : 'grant_type must be client_credentials, authorization_code or refresh_token';
    return { error: 'unsupported_grant_type', error_description: description };
  }

  #exchange(text: string, redirectUri: string | null, verifier: string | null): Record<string, unknown> {
    const code = this.#codes.get(text);
    if (code === undefined || code.expiresAtMs === 0) {
      return invalidGrant('Invalid authorization code');
    }
    if (code.redirectUri !== redirectUri) {
      return invalidGrant('Invalid redirect URI');
    }
    if (this.#now() >= code.expiresAtMs) {
      return invalidGrant('Authorization code expired');
    }
    if (code.challenge !== null && verifier === null) {
      return { error: 'invalid_request', error_description: 'code_verifier required' };
    }
    if (verifier !== null && createHash('sha256').update(verifier).digest('base64url') !== code.challenge) {
      return invalidGrant('code_verifier was incorrect');
    }
    // A code is good once.
    code.expiresAtMs = 0;
    const end = new Date(this.#now());
    end.setUTCMonth(end.getUTCMonth() + LINK_MONTHS);
    const refresh_token = this.#newRefreshToken({ user: code.user, scopes: code.scopes, expiresAtMs: end.getTime() });
    return { ...this.#issue(code), refresh_token };
  }

  #renew(text: string): Record<string, unknown> {
    const token = this.#refresh.get(text);
    if (token === undefined) {
      return invalidGrant('Invalid refresh token');
    }
    if (token.revoked) {
      return invalidGrant('Refresh token revoked');
    }
    if (this.#now() >= token.expiresAtMs) {
      return invalidGrant('Refresh token expired');
    }
    if (!this.#oauth.rotate_refresh_tokens) {
      return this.#issue(token);
    }
    token.revoked = true;
    // Its end is that of the listener's agreement.
    return { ...this.#issue(token), refresh_token: this.#newRefreshToken(token) };
  }

  #newRefreshToken({ user, scopes, expiresAtMs }: UserGrant): string {
    const text = `AQ${randomBytes(100).toString('base64url')}`;
    this.#refresh.set(text, { user, scopes, expiresAtMs, revoked: false });
    return text;
  }

  #issue({ user, scopes }: Grant): Record<string, unknown> {
    const text = `BQ${randomBytes(90).toString('base64url')}`;
    const ttl = this.#oauth.access_token_ttl_seconds;
    this.#access.set(text, { ...(user === undefined ? {} : { user }), scopes, expiresAtMs: this.#now() + ttl * 1000 });
    return { access_token: text, token_type: 'Bearer', scope: scopes.join(' '), expires_in: ttl };
  }

  #now(): number {
    return nowMs() + this.#aheadMs;
  }

  #refuseClient(authorization: string | undefined): Record<string, string> | undefined {
    const encoded = /^Basic ([A-Za-z0-9+/]+={0,2})$/.exec(authorization ?? '')?.[1];
    if (encoded === undefined) {
      return { error: 'invalid_client' };
    }
    const pair = Buffer.from(encoded, 'base64').toString('utf8');
    const colon = pair.indexOf(':');
    if (colon < 0 || pair.slice(0, colon) !== this.#credentials.clientId) {
      return { error: 'invalid_client', error_description: 'Invalid client' };
    }
    if (pair.slice(colon + 1) !== this.#credentials.clientSecret) {
      return { error: 'invalid_client', error_description: 'Invalid client secret' };
    }
    return undefined;
  }
}

function invalidGrant(error_description: string): Record<string, unknown> {
  return { error: 'invalid_grant', error_description };
}
