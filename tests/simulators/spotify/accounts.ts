import { createHash, randomBytes } from 'node:crypto';
import { checked, fields, flag, text } from '../common/check.ts';
import { escaped, page } from '../common/page.ts';
import type { Call, Reply } from '../common/server.ts';
import { json, mediaType, plain } from '../common/server.ts';
import { links } from './render.ts';

export interface User {
  id: string;
  /** Unlike the id, this never changes. */
  account_id: string;
  display_name: string | null;
  country: string;
  /** An app in development mode may access only five accounts, which its owner has listed. */
  allow_listed: boolean;
}

export const USERS: readonly User[] = [
  { id: 'ania', account_id: 'acc-ania', display_name: 'Ania Żółć', country: 'PL', allow_listed: true },
  { id: 'bob', account_id: 'acc-bob', display_name: 'Bob', country: 'US', allow_listed: true },
  { id: 'stranger', account_id: 'acc-stranger', display_name: null, country: 'DE', allow_listed: false },
];

export const userObject = ({ display_name, id }: User): Record<string, unknown> => ({ display_name, ...links('user', id) });

/** The user object of `/v1/me` in 2026: without country, email and product. */
export const meObject = (user: User): Record<string, unknown> => ({ account_id: user.account_id, ...userObject(user), followers: { href: null, total: 0 }, images: [] });

const SCOPE_TEXTS: Record<string, string> = {
  'playlist-modify-private': 'Create and change playlists that are not on your profile',
  'playlist-modify-public': 'Create and change playlists on your profile',
};

function consentPage(chosen: string | null, scopes: string[]): Reply {
  const option = ({ id, display_name }: User): string => `<option value="${id}"${id === chosen ? ' selected' : ''}>${escaped(display_name ?? id)}</option>`;
  const asked = scopes.map((scope) => `<li>${escaped(SCOPE_TEXTS[scope] ?? scope)}</li>`).join('') || '<li>Read what is public of your account</li>';
  return page(200, 'Spotify (simulated)', `<form method="post"><p><label>Logged in as <select name="login">${USERS.map(option).join('')}</select></label></p>
<p><b>Sound Whiskers</b> asks to:</p><ul>${asked}</ul>
<p><button name="decision" value="agree">Agree</button><button name="decision" value="cancel">Cancel</button></p></form>`);
}

const SCOPES = ['playlist-modify-private', 'playlist-modify-public', 'playlist-read-private', 'user-read-private', 'user-read-email'];
const TOKEN_SECONDS = 3600;

export interface Credentials {
  clientId: string;
  clientSecret: string;
  redirectUris?: readonly string[];
}

/** The user and the scopes of a token; the app's own token has no user. */
export interface Grant { user: string | null; scopes: string[] }

type Json = Record<string, unknown>;
const invalidGrant = (error_description: string): Json => ({ error: 'invalid_grant', error_description });
const newToken = (prefix: string, bytes: number): string => prefix + randomBytes(bytes).toString('base64url');

/** The accounts host: asks users for consent, and issues and validates tokens. Tokens stay valid after a reset. */
export class Accounts {
  readonly #credentials: Credentials;
  readonly #access = new Map<string, Grant & { expiresAtMs: number }>();
  readonly #refresh = new Map<string, Grant & { revoked: boolean }>();
  readonly #codes = new Map<string, Grant & { redirectUri: string; challenge: string | null; used: boolean }>();
  #rotates = false;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  configure(body: unknown): void {
    const { rotate_refresh_tokens } = checked<Json>('oauth', body, fields({ 'rotate_refresh_tokens?': flag }));
    this.#rotates = rotate_refresh_tokens === true;
  }

  revoke(body: unknown): void {
    const { user } = checked<Json>('revoke', body ?? {}, fields({ 'user?': text }));
    for (const token of this.#refresh.values()) token.revoked ||= user === undefined || token.user === user;
  }

  expireAll(): void {
    for (const token of this.#access.values()) token.expiresAtMs = 0;
  }

  /** Every token that was issued to users, to search for leaks. */
  issued(): Record<string, string[]> {
    const access_tokens = [...this.#access].filter(([, token]) => token.user !== null).map(([token]) => token);
    return { access_tokens, refresh_tokens: [...this.#refresh.keys()], codes: [...this.#codes.keys()] };
  }

  grantOf(authorization: string | undefined): Grant | { status: number; message: string } {
    const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];
    if (authorization === undefined) return { status: 401, message: 'No token provided' };
    if (token === undefined) return { status: 400, message: 'Only valid bearer authentication supported' };
    const known = this.#access.get(token);
    if (known === undefined) return { status: 401, message: 'Invalid access token' };
    return Date.now() < known.expiresAtMs ? known : { status: 401, message: 'The access token expired' };
  }

  authorize({ method, url, body }: Call): Reply {
    const query = url.searchParams;
    const refused = (message: string): Reply => page(400, 'Something is wrong', `<p>${message}</p>`);
    const redirectUri = query.get('redirect_uri') ?? '';
    if (query.get('client_id') !== this.#credentials.clientId) return refused('INVALID_CLIENT: Invalid client');
    if (!this.#credentials.redirectUris?.includes(redirectUri) || new URL(redirectUri).hostname === 'localhost') {
      return refused('INVALID_CLIENT: Invalid redirect URI');
    }
    const back = (name: string, value: string): Reply => {
      const target = new URL(redirectUri);
      target.searchParams.set(name, value);
      if (query.has('state')) target.searchParams.set('state', query.get('state') ?? '');
      return plain(302, '', { location: target.href });
    };
    const challenge = query.get('code_challenge');
    const challengeMethod = query.get('code_challenge_method');
    if ((challenge !== null || challengeMethod !== null) && (challengeMethod !== 'S256' || !/^[\w-]{43}$/.test(challenge ?? ''))) {
      return refused('code_challenge_method must be S256, with a code_challenge of 43 characters');
    }
    const scopes = (query.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
    if (query.get('response_type') !== 'code') return back('error', 'unsupported_response_type');
    if (scopes.some((scope) => !SCOPES.includes(scope))) return back('error', 'invalid_scope');
    if (method === 'GET') return consentPage(query.get('login'), scopes);
    if (method !== 'POST') return plain(405, '', { allow: 'GET, POST' });
    const form = new URLSearchParams(body);
    if (form.get('decision') !== 'agree') return back('error', 'access_denied');
    const user = USERS.find(({ id }) => id === form.get('login')) ?? USERS[0];
    const code = newToken('AQ', 150);
    this.#codes.set(code, { user: user?.id ?? '', scopes, redirectUri, challenge, used: false });
    return back('code', code);
  }

  token(call: Call): Reply {
    const status = call.method !== 'POST' ? 405 : mediaType(call) !== 'application/x-www-form-urlencoded' ? 415 : 400;
    if (status !== 400) return json(status, { error: 'server_error', error_description: `Unexpected status: ${status}` });
    const granted = this.#refuseClient(call.headers.authorization) ?? this.#grant(new URLSearchParams(call.body));
    return 'error' in granted ? json(400, granted) : json(200, granted, { 'cache-control': 'no-store' });
  }

  #refuseClient(authorization: string | undefined): Json | undefined {
    const { clientId, clientSecret } = this.#credentials;
    const encoded = /^Basic ([A-Za-z0-9+/]+={0,2})$/.exec(authorization ?? '')?.[1];
    if (encoded === undefined) return { error: 'invalid_client' };
    const [id, ...secret] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
    if (id === clientId && secret.join(':') === clientSecret) return undefined;
    return { error: 'invalid_client', error_description: id === clientId ? 'Invalid client secret' : 'Invalid client' };
  }

  #grant(form: URLSearchParams): Json {
    switch (form.get('grant_type')) {
      case 'client_credentials': {
        const { scope: _none, ...granted } = this.#issue({ user: null, scopes: [] });
        return granted;
      }
      case 'authorization_code':
        return this.#exchange(form.get('code') ?? '', form.get('redirect_uri'), form.get('code_verifier'));
      case 'refresh_token':
        return this.#renew(form.get('refresh_token') ?? '');
      default:
        return { error: 'unsupported_grant_type', error_description: 'grant_type must be client_credentials, authorization_code or refresh_token' };
    }
  }

  #exchange(text: string, redirectUri: string | null, verifier: string | null): Json {
    const code = this.#codes.get(text);
    if (code === undefined || code.used) return invalidGrant('Invalid authorization code');
    if (code.redirectUri !== redirectUri) return invalidGrant('Invalid redirect URI');
    if (code.challenge !== null && verifier === null) return { error: 'invalid_request', error_description: 'code_verifier required' };
    if (verifier !== null && createHash('sha256').update(verifier).digest('base64url') !== code.challenge) return invalidGrant('code_verifier was incorrect');
    code.used = true;
    return { ...this.#issue(code), refresh_token: this.#newRefreshToken(code) };
  }

  #renew(text: string): Json {
    const token = this.#refresh.get(text);
    if (token === undefined || token.revoked) return invalidGrant(token === undefined ? 'Invalid refresh token' : 'Refresh token revoked');
    token.revoked = this.#rotates;
    return { ...this.#issue(token), ...(this.#rotates ? { refresh_token: this.#newRefreshToken(token) } : {}) };
  }

  #newRefreshToken({ user, scopes }: Grant): string {
    const text = newToken('AQ', 100);
    this.#refresh.set(text, { user, scopes, revoked: false });
    return text;
  }

  #issue({ user, scopes }: Grant): Json {
    const text = newToken('BQ', 90);
    this.#access.set(text, { user, scopes, expiresAtMs: Date.now() + TOKEN_SECONDS * 1000 });
    return { access_token: text, token_type: 'Bearer', scope: scopes.join(' '), expires_in: TOKEN_SECONDS };
  }
}
