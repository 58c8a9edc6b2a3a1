import { randomBytes } from 'node:crypto';
import type { Answer } from '../common/answer.ts';
import { nowMs } from '../common/clock.ts';
import type { SimRequest } from '../common/simulator.ts';

const TOKEN_TTL_SECONDS = 3600;

export interface Credentials {
  clientId: string;
  clientSecret: string;
}

/** The accounts host: hands out access tokens and knows which are still good. */
export class Accounts {
  readonly #credentials: Credentials;
  readonly #expiresAtMs = new Map<string, number>();

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  state(token: string): 'valid' | 'expired' | 'unknown' {
    const expiresAtMs = this.#expiresAtMs.get(token);
    if (expiresAtMs === undefined) {
      return 'unknown';
    }
    return nowMs() < expiresAtMs ? 'valid' : 'expired';
  }

  expireAll(): void {
    for (const token of this.#expiresAtMs.keys()) {
      this.#expiresAtMs.set(token, 0);
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
    const grant = new URLSearchParams(request.body).get('grant_type');
    if (grant !== 'client_credentials') {
      const description =
        grant === null
          ? 'grant_type parameter is missing'
          : 'grant_type must be client_credentials, authorization_code or refresh_token';
      answer.json(400, { error: 'unsupported_grant_type', error_description: description });
      return;
    }
    const token = `BQ${randomBytes(90).toString('base64url')}`;
    this.#expiresAtMs.set(token, nowMs() + TOKEN_TTL_SECONDS * 1000);
    answer.json(200, { access_token: token, token_type: 'Bearer', expires_in: TOKEN_TTL_SECONDS }, { 'cache-control': 'no-store' });
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
