import { createHash, randomBytes } from 'node:crypto';
import { checked, fields, flag, text } from '../common/check.ts';
import { HTML, escaped, page } from '../common/page.ts';
import type { Call, Reply } from '../common/server.ts';
import { json, plain } from '../common/server.ts';
import type { User } from './users.ts';
import { consentPage } from './users.ts';

const SCOPES = ['playlist-modify-private', 'playlist-modify-public', 'playlist-read-private', 'user-read-private', 'user-read-email'];
const TOKEN_SECONDS = 3600;

export interface Credentials {
  clientId: string;
  clientSecret: string;
  /** Where users may be sent back to, exactly. */
  redirectUris?: readonly string[];
}

/** For whom a token was given, and for what; the app's own is for no user. */
export interface Grant {
  user?: string;
  scopes: string[];
}

type Answer = Record<string, unknown>;
const invalidGrant = (error_description: string): Answer => ({ error: 'invalid_grant', error_description });
const newToken = (prefix: string, bytes: number): string => prefix + randomBytes(bytes).toString('base64url');

/** The accounts host: asks users, hands out tokens and knows which are still good. A reset leaves issued tokens good. */
export class Accounts {
  readonly #credentials: Credentials;
  readonly #users: () => readonly User[];
  readonly #access = new Map<string, Grant & { expiresAtMs: number }>();
  readonly #refresh = new Map<string, Grant & { revoked: boolean }>();
  readonly #codes = new Map<string, Grant & { redirectUri: string; challenge: string | null; used: boolean }>();
  #rotates = false;

  constructor(credentials: Credentials, users: () => readonly User[]) {
    this.#credentials = credentials;
    this.#users = users;
  }

  configure(body: unknown): void {
    const { rotate_refresh_tokens } = checked<Answer>('oauth', body, fields({ 'rotate_refresh_tokens?': flag }));
    this.#rotates = rotate_refresh_tokens === true;
  }

  /** As when users remove the app in their account's settings. */
  revoke(body: unknown): void {
    const { user } = checked<Answer>('revoke', body ?? {}, fields({ 'user?': text }));
    for (const token of this.#refresh.values()) {
      token.revoked ||= user === undefined || token.user === user;
    }
  }

  expireAll(): void {
    for (const token of this.#access.values()) {
      token.expiresAtMs = 0;
    }
  }

  /** Everything that was ever issued to users, to look for where it must not be. */
  issued(): Record<string, string[]> {
    const ofUsers = [...this.#access].filter(([, token]) => token.user !== undefined).map(([token]) => token);
    return { access_tokens: ofUsers, refresh_tokens: [...this.#refresh.keys()], codes: [...this.#codes.keys()] };
  }

  /** What a request's token is good for, or why it is refused. */
  grantOf(authorization: string | undefined): Grant | { status: number; message: string } {
    const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];
    if (token === undefined) {
      const isMissing = authorization === undefined;
      return { status: isMissing ? 401 : 400, message: isMissing ? 'No token provided' : 'Only valid bearer authentication supported' };
    }
    const known = this.#access.get(token);
    if (known === undefined) {
      return { status: 401, message: 'Invalid access token' };
    }
    return Date.now() < known.expiresAtMs ? known : { status: 401, message: 'The access token expired' };
  }

  /** GET shows the page, POST is its form. */
  authorize({ method, url, body }: Call): Reply {
    const query = url.searchParams;
    const redirectUri = query.get('redirect_uri') ?? '';
    const isRegistered = this.#credentials.redirectUris?.includes(redirectUri) && new URL(redirectUri).hostname !== 'localhost';
    const isOurs = query.get('client_id') === this.#credentials.clientId;
    if (!isOurs || !isRegistered) {
      const message = `INVALID_CLIENT: Invalid ${isOurs ? 'redirect URI' : 'client'}`;
      return plain(400, page('Something is wrong', `<p>${escaped(message)}</p>`), HTML);
    }
    const back = (name: string, value: string): Reply => {
      const target = new URL(redirectUri);
      target.searchParams.set(name, value);
      if (query.has('state')) target.searchParams.set('state', query.get('state') ?? '');
      return plain(302, '', { location: target.href });
    };
    const challenge = query.get('code_challenge');
    const method_asked = query.get('code_challenge_method');
    if ((challenge !== null || method_asked !== null) && (method_asked !== 'S256' || !/^[\w-]{43}$/.test(challenge ?? ''))) {
      return plain(400, page('Something is wrong', '<p>code_challenge_method must be S256, with a code_challenge of 43 characters</p>'), HTML);
    }
    const scopes = (query.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
    if (query.get('response_type') !== 'code') return back('error', 'unsupported_response_type');
    if (scopes.some((scope) => !SCOPES.includes(scope))) return back('error', 'invalid_scope');
    if (method === 'GET') return plain(200, consentPage(this.#users(), query.get('login'), scopes), HTML);
    if (method !== 'POST') return plain(405, '', { allow: 'GET, POST' });
    const form = new URLSearchParams(body);
    if (form.get('decision') !== 'agree') return back('error', 'access_denied');
    const [first] = this.#users();
    const user = this.#users().find(({ id }) => id === form.get('login')) ?? first;
    const code = newToken('AQ', 150);
    this.#codes.set(code, { user: user?.id ?? '', scopes, redirectUri, challenge, used: false });
    return back('code', code);
  }

  token({ method, headers, body }: Call): Reply {
    const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
    const status = method !== 'POST' ? 405 : type !== 'application/x-www-form-urlencoded' ? 415 : 400;
    if (status !== 400) {
      return json(status, { error: 'server_error', error_description: `Unexpected status: ${status}` });
    }
    const granted = this.#refuseClient(headers.authorization) ?? this.#grant(new URLSearchParams(body));
    return 'error' in granted ? json(400, granted) : json(200, granted, { 'cache-control': 'no-store' });
  }

  #refuseClient(authorization: string | undefined): Answer | undefined {
    const encoded = /^Basic ([A-Za-z0-9+/]+={0,2})$/.exec(authorization ?? '')?.[1];
    if (encoded === undefined) {
      return { error: 'invalid_client' };
    }
    const [id, ...secret] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
    if (id === this.#credentials.clientId && secret.join(':') === this.#credentials.clientSecret) {
      return undefined;
    }
    return { error: 'invalid_client', error_description: id === this.#credentials.clientId ? 'Invalid client secret' : 'Invalid client' };
  }

  #grant(form: URLSearchParams): Answer {
    switch (form.get('grant_type')) {
      case 'client_credentials': {
        const { scope: _none, ...granted } = this.#issue({ scopes: [] });
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

  #exchange(text: string, redirectUri: string | null, verifier: string | null): Answer {
    const code = this.#codes.get(text);
    if (code === undefined || code.used) {
      return invalidGrant('Invalid authorization code');
    }
    if (code.redirectUri !== redirectUri) {
      return invalidGrant('Invalid redirect URI');
    }
    if (code.challenge !== null && verifier === null) {
      return { error: 'invalid_request', error_description: 'code_verifier required' };
    }
    if (verifier !== null && createHash('sha256').update(verifier).digest('base64url') !== code.challenge) {
      return invalidGrant('code_verifier was incorrect');
    }
    code.used = true;
    return { ...this.#issue(code), refresh_token: this.#newRefreshToken(code) };
  }

  #renew(text: string): Answer {
    const token = this.#refresh.get(text);
    if (token === undefined || token.revoked) {
      return invalidGrant(token === undefined ? 'Invalid refresh token' : 'Refresh token revoked');
    }
    token.revoked = this.#rotates;
    return { ...this.#issue(token), ...(this.#rotates ? { refresh_token: this.#newRefreshToken(token) } : {}) };
  }

  #newRefreshToken({ user, scopes }: Grant): string {
    const text = newToken('AQ', 100);
    this.#refresh.set(text, { ...(user === undefined ? {} : { user }), scopes, revoked: false });
    return text;
  }

  #issue({ user, scopes }: Grant): Answer {
    const text = newToken('BQ', 90);
    this.#access.set(text, { ...(user === undefined ? {} : { user }), scopes, expiresAtMs: Date.now() + TOKEN_SECONDS * 1000 });
    return { access_token: text, token_type: 'Bearer', scope: scopes.join(' '), expires_in: TOKEN_SECONDS };
  }
}
