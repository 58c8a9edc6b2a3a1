// Keys in the wrong places, and preferences that clients may not set. Tests of the functions and of the local stack forge tokens.

import { randomUUID } from 'node:crypto';
import { publishable_key, secret_key } from '../../local-supabase/conformance/support.ts';
import type { Attack } from './attack.ts';
import { badKey, denied, deniedToAnon, get, patch, post, rpc } from './attack.ts';
import type { Scene } from './scene.ts';

const misplacedKeys = ({ mallory, victim }: Scene): Attack[] => {
  const own = `/profiles?user_id=eq.${mallory.id}`;
  const theirTokens = rpc('get_spotify_tokens', { p_user_id: victim.id, p_secret: 's'.repeat(32) });
  const theirPlaylists = get(`/playlists?owner_id=eq.${victim.id}`);
  return [
    { what: 'sets the plan with the secret key and the own token', ask: { ...patch(own, { plan: 'pro' }), key: secret_key }, expected: denied },
    { what: 'reads tokens with the secret key and the own token', ask: { ...theirTokens, key: secret_key }, expected: denied },
    { what: 'reads a table with only the secret key', ask: { ...theirPlaylists, key: secret_key, token: undefined }, expected: denied },
    { what: 'writes a table with only the secret key', ask: { ...patch(own, { plan: 'pro' }), key: secret_key, token: undefined }, expected: denied },
    { what: 'reads with a publishable key as the token', ask: { ...theirPlaylists, token: publishable_key }, expected: deniedToAnon },
    { what: 'gives the own token as the API key', ask: { ...theirPlaylists, key: mallory.token }, expected: badKey },
    { what: 'makes up a secret key', ask: { ...theirPlaylists, key: `sb_secret_${'x'.repeat(32)}` }, expected: badKey },
    { what: 'names a role in a header', ask: { ...patch(own, { plan: 'pro' }), headers: { Role: 'service_role', 'X-Role': 'service_role', 'X-Forwarded-User': 'postgres' } }, expected: denied },
  ];
};

/** A transaction that is rolled back returns the same as one that is not. */
const preferences = ({ mallory, victim }: Scene): Attack[] =>
  ['tx=rollback', 'tx=commit', 'missing=default', 'handling=lenient', 'max-affected=1'].flatMap((prefer) => [
    { what: `sets the own plan under Prefer: ${prefer}`, ask: patch(`/profiles?user_id=eq.${mallory.id}`, { plan: 'pro' }, prefer), expected: denied },
    { what: `makes a playlist for the victim under Prefer: ${prefer}`, ask: post('/playlists', { owner_id: victim.id, name: 'A gift' }, prefer), expected: denied },
    { what: `chooses an id under Prefer: ${prefer}`, ask: post('/playlists', { id: randomUUID(), owner_id: mallory.id, name: 'Mine' }, prefer), expected: denied },
  ]);

export const credentials = (scene: Scene): Attack[] => [...misplacedKeys(scene), ...preferences(scene)];
