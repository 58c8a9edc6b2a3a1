import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { calculateJwkThumbprint, decodeProtectedHeader, exportJWK, generateKeyPair, importJWK, jwtVerify } from 'jose';

const { privateKey } = await generateKeyPair('ES256', { extractable: true });
const kid = await calculateJwkThumbprint(await exportJWK(privateKey));
// As `supabase gen signing-key` prints it.
const jwk = { ...(await exportJWK(privateKey)), kid, use: 'sig', key_ops: ['sign', 'verify'], alg: 'ES256', ext: true };

function mint(key: unknown, ...args: string[]) {
  const FUNCTION_KEY = typeof key === 'string' ? key : JSON.stringify(key);
  const env = { ...process.env, FUNCTION_KEY };
  return spawnSync(process.execPath, ['xtask/project/assets/function-token.ts', ...args], { env, encoding: 'utf8' });
}

test('a token names its role, expires after the given days and verifies with the public key', async () => {
  const { stdout, status } = mint(jwk, '2', 'fn_ai', 'fn_account');
  assert.equal(status, 0);
  const tokens = JSON.parse(stdout) as Record<string, string>;
  assert.deepEqual(Object.keys(tokens), ['fn_ai', 'fn_account']);
  const { d: _, key_ops: __, ...published } = jwk;
  for (const [role, token] of Object.entries(tokens)) {
    assert.deepEqual(decodeProtectedHeader(token), { alg: 'ES256', typ: 'JWT', kid: jwk.kid });
    const { payload } = await jwtVerify(token, await importJWK(published, 'ES256'), { issuer: 'sound-whiskers' });
    assert.equal(payload.role, role);
    assert.equal(payload.exp! - payload.iat!, 2 * 86_400);
  }
});

for (const [what, key, reason] of [
  ['a public key', { ...jwk, d: undefined }, /public/],
  ['a key without kid', { ...jwk, kid: undefined }, /kid/],
  ['a key of another curve', { ...jwk, crv: 'P-384' }, /ES256/],
  ['an RSA key', { ...jwk, kty: 'RSA' }, /ES256/],
  ['a scalar that is too short', { ...jwk, d: 'AAAA' }, /not a key of P-256/],
  ['text that is no JWK', 'hunter2', /as a JWK/],
] as const) {
  test(`${what} is refused and not shown`, () => {
    const { stdout, stderr, status } = mint(key, '1', 'fn_ai');
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, reason);
    assert.ok(!stderr.includes('hunter2') && !stderr.includes(jwk.d!));
  });
}
