import { createLocalJWKSet, decodeJwt, errors, importJWK, jwtVerify, SignJWT } from 'jose';
import type { JWK, JWTPayload, JWTVerifyGetKey } from 'jose';
import type { Keys } from './keys.ts';
import type { SignIn } from './sign-ins.ts';

/** PostgREST's allowance for the difference between clocks. */
const CLOCK_TOLERANCE_SECONDS = 30;

/** A refused bearer token, with PostgREST's message. */
export class TokenError extends Error {
  readonly code: 'PGRST301' | 'PGRST303';
  readonly details: string | null;

  constructor(code: TokenError['code'], message: string, details: string | null = null) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

export type TokenUser = { id?: string; phone?: string; app_metadata?: Record<string, unknown>; user_metadata?: Record<string, unknown>; is_anonymous?: boolean };

export type Tokens = {
  jwks: { keys: JWK[] };
  /** The claims of a token that clients may hold. Throws TokenError. */
  verify(token: string): Promise<JWTPayload>;
  /** Converts Lite's token into the client's. */
  toOutside(inside: string, user: TokenUser, amr: SignIn[]): Promise<string>;
  /** Creates Lite's token from verified claims. */
  toInside(claims: JWTPayload): Promise<string>;
};

/**
 * Lite knows only HS256 and omits most claims. Hosted projects sign users' tokens with ES256 and publish the key, with
 * which the functions verify them. So the gateway converts tokens in both directions.
 */
export async function createTokens(keys: Keys, issuer: string): Promise<Tokens> {
  const secret = new TextEncoder().encode(keys.jwt_secret);
  const es256 = await importJWK(keys.es256, 'ES256');
  const published = [keys.es256, keys.rs256].filter((key) => key !== undefined).map(publicPart);
  const findPublicKey = createLocalJWKSet({ keys: published });

  return {
    jwks: { keys: published },

    async verify(token) {
      const parts = token.split('.').length;
      if (parts !== 3) throw new TokenError('PGRST301', `Expected 3 parts in JWT; got ${parts}`);
      const options = { algorithms: ['ES256', 'RS256', 'HS256'], clockTolerance: CLOCK_TOLERANCE_SECONDS };
      const keyFor: JWTVerifyGetKey = (header) => (header.alg === 'HS256' ? secret : findPublicKey(header));
      const { payload, protectedHeader } = await jwtVerify(token, keyFor, options).catch((error: unknown) => {
        throw asTokenError(error);
      });
      if (payload.iat !== undefined && payload.iat > Date.now() / 1000 + CLOCK_TOLERANCE_SECONDS) throw new TokenError('PGRST303', 'JWT issued at future');
      // Only the token of a function's role may be signed with the secret; a user's may not.
      const isOfFunction = typeof payload.role === 'string' && payload.role.startsWith('fn_');
      if (protectedHeader.alg === 'HS256' && !isOfFunction) throw noSuitableKey();
      return payload;
    },

    async toOutside(inside, user, amr) {
      const { phone = '', app_metadata = {}, user_metadata = {}, is_anonymous = false } = user;
      const claims = { ...decodeJwt(inside), iss: issuer, phone, app_metadata, user_metadata, aal: 'aal1', amr, is_anonymous };
      return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: keys.es256.kid, typ: 'JWT' }).sign(es256);
    },

    toInside: (claims) => new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(secret),
  };
}

const publicPart = ({ kty, crv, x, y, n, e, kid, alg }: JWK): JWK => ({ kty, crv, x, y, n, e, kid, alg, use: 'sig', key_ops: ['verify'], ext: true });

function asTokenError(error: unknown): TokenError {
  if (error instanceof errors.JWTExpired) return new TokenError('PGRST303', 'JWT expired');
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'nbf' && error.reason === 'check_failed') {
    return new TokenError('PGRST303', 'JWT not yet valid');
  }
  return noSuitableKey();
}

const noSuitableKey = (): TokenError => new TokenError('PGRST301', 'No suitable key or wrong key type', 'None of the keys was able to decode the JWT');
