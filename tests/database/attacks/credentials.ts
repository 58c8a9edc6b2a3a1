// Being somebody else: forged tokens, keys in the wrong places, and preferences that are not the client's to have.

import { createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { call, publishable_key, secret_key } from '../../local-supabase/conformance/support.ts';
import type { Attack } from './attack.ts';
import { badKey, badToken, denied, deniedToAnon, get, patch, post, rpc } from './attack.ts';
import type { Scene } from './scene.ts';

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

function signedWith(secret: string, header: object, claims: object): string {
  const text = `${encoded(header)}.${encoded(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/** Tokens that say what Mallory would like to be. None carries a signature of the project's. */
async function forgedTokens({ mallory, victim }: Scene): Promise<[string, string][]> {
  const [header = '', payload = '', signature = ''] = mallory.token.split('.');
  const own = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid?: string };
  const { json: jwks } = await call('/auth/v1/.well-known/jwks.json', { key: publishable_key });
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = publicKey.export({ format: 'jwk' });

  const asVictim = { ...own, sub: victim.id };
  const asService = { ...own, role: 'service_role' };
  const hs256 = { alg: 'HS256', typ: 'JWT' };
  const tokens: [string, string][] = [
    ['the victim\'s id under the own signature', `${header}.${encoded(asVictim)}.${signature}`],
    ['the server\'s role under the own signature', `${header}.${encoded(asService)}.${signature}`],
    ['the victim\'s id, signed with the public key as a secret', signedWith(JSON.stringify(jwks?.keys?.[0] ?? {}), { ...hs256, kid }, asVictim)],
    ['the server\'s role, signed with the publishable key', signedWith(publishable_key, hs256, asService)],
    ['the server\'s role, signed with an empty secret', signedWith('', hs256, asService)],
    ['a key that the token brings along', await new SignJWT(asService).setProtectedHeader({ alg: 'ES256', jwk: jwk as never }).sign(privateKey)],
    ['a key of Mallory\'s under the project\'s name', await new SignJWT(asVictim).setProtectedHeader({ alg: 'ES256', kid: kid ?? 'x' }).sign(privateKey)],
    ['a key set of Mallory\'s', await new SignJWT(asVictim).setProtectedHeader({ alg: 'ES256', kid: 'x', jku: 'http://127.0.0.1:9/jwks' }).sign(privateKey)],
  ];
  for (const role of ['service_role', 'postgres', 'supabase_admin', 'authenticator', 'fn_ai', 'fn_spotify', 'fn_billing', 'fn_account']) {
    tokens.push([`role ${role}, signed with a guessed secret`, signedWith('secret'.repeat(8), hs256, { ...own, role })]);
  }
  for (const alg of ['none', 'None', 'NONE', '']) {
    tokens.push([`algorithm "${alg}"`, `${encoded({ alg, typ: 'JWT' })}.${encoded(asService)}.`]);
    tokens.push([`algorithm "${alg}" and some signature`, `${encoded({ alg, typ: 'JWT' })}.${encoded(asVictim)}.eA`]);
  }
  return tokens;
}

const misplacedKeys = ({ mallory, victim }: Scene): Attack[] => {
  const own = `/profiles?user_id=eq.${mallory.id}`;
  const theirTokens = rpc('get_spotify_tokens', { p_user_id: victim.id, p_secret: 's'.repeat(32) });
  const theirPlaylists = get(`/playlists?owner_id=eq.${victim.id}`);
  return [
    { what: 'sets the plan with the secret key beside the own token', ask: { ...patch(own, { plan: 'pro' }), key: secret_key }, expected: denied },
    { what: 'reads tokens with the secret key beside the own token', ask: { ...theirTokens, key: secret_key }, expected: denied },
    { what: 'reads a table with the secret key alone', ask: { ...theirPlaylists, key: secret_key, token: undefined }, expected: denied },
    { what: 'writes a table with the secret key alone', ask: { ...patch(own, { plan: 'pro' }), key: secret_key, token: undefined }, expected: denied },
    { what: 'reads with a publishable key as the token', ask: { ...theirPlaylists, token: publishable_key }, expected: deniedToAnon },
    { what: 'gives the own token as the API key', ask: { ...theirPlaylists, key: mallory.token }, expected: badKey },
    { what: 'makes up a secret key', ask: { ...theirPlaylists, key: `sb_secret_${'x'.repeat(32)}` }, expected: badKey },
    { what: 'names a role in a header', ask: { ...patch(own, { plan: 'pro' }), headers: { Role: 'service_role', 'X-Role': 'service_role', 'X-Forwarded-User': 'postgres' } }, expected: denied },
  ];
};

/** A transaction that is rolled back answers as one that is not. */
const preferences = ({ mallory, victim }: Scene): Attack[] =>
  ['tx=rollback', 'tx=commit', 'missing=default', 'handling=lenient', 'max-affected=1'].flatMap((prefer) => [
    { what: `sets the own plan under Prefer: ${prefer}`, ask: patch(`/profiles?user_id=eq.${mallory.id}`, { plan: 'pro' }, prefer), expected: denied },
    { what: `makes a playlist for the victim under Prefer: ${prefer}`, ask: post('/playlists', { owner_id: victim.id, name: 'A gift' }, prefer), expected: denied },
    { what: `chooses an id under Prefer: ${prefer}`, ask: post('/playlists', { id: randomUUID(), owner_id: mallory.id, name: 'Mine' }, prefer), expected: denied },
  ]);

export async function credentials(scene: Scene): Promise<Attack[]> {
  const tokens = await forgedTokens(scene);
  const { victim } = scene;
  return [
    ...tokens.flatMap(([what, token]) => [
      { what: `reads the victim's playlists with ${what}`, ask: { ...get(`/playlists?owner_id=eq.${victim.id}`), token }, expected: badToken },
      { what: `unlinks the victim with ${what}`, ask: { ...rpc('delete_spotify_tokens', { p_user_id: victim.id }), token }, expected: badToken },
    ]),
    ...misplacedKeys(scene),
    ...preferences(scene),
  ];
}
