/**
 * Prints the tokens by which functions get their roles in the database, as a JSON object: node function-token.ts DAYS ROLE…
 *
 * A token is a JWT that Supabase's data API accepts beside the publishable key, because it is signed with one of the
 * project's keys: FUNCTION_KEY, a private JWK for ES256. Locally that is the key that signs users' tokens; in production it
 * is a key that verifies and never signs for users.
 */

import { importJWK, SignJWT } from 'jose';
import type { JWK } from 'jose';

async function signingKey() {
  let jwk: JWK;
  try {
    jwk = JSON.parse(process.env.FUNCTION_KEY ?? '') as JWK;
  } catch {
    // A malformed key may still be a secret.
    throw new Error('expected a private key as a JWK');
  }
  if (jwk.kty !== 'EC' || jwk.crv !== 'P-256') throw new Error('expected a key for ES256: kty EC, crv P-256');
  if (!jwk.kid) throw new Error('the key has no member kid');
  if (!jwk.d) throw new Error('the key is public: it has no member d');
  // Without `key_ops`: `supabase gen signing-key` lists `verify`, which no private key is imported for.
  const { kty, crv, x, y, d } = jwk;
  try {
    return { kid: jwk.kid, key: await importJWK({ kty, crv, x, y, d } as JWK, 'ES256') };
  } catch {
    throw new Error('the key is not a key of P-256');
  }
}

try {
  const [days, ...roles] = process.argv.slice(2);
  const { kid, key } = await signingKey();
  const token = (role: string) =>
    new SignJWT({ role })
      .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid })
      .setIssuer('sound-whiskers')
      .setIssuedAt()
      .setExpirationTime(`${days} days`)
      .sign(key);
  const tokens = await Promise.all(roles.map(async (role) => [role, await token(role)] as const));
  console.log(JSON.stringify(Object.fromEntries(tokens)));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
