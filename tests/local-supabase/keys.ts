import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';

export type Keys = {
  publishable_key: string;
  secret_key: string;
  /** HS256: what Lite signs with inside, and what a function's own role token may be signed with. */
  jwt_secret: string;
  /** The private JWK, with its kid, that user tokens are signed with. */
  es256: JWK & { kid: string };
  /** Another private JWK, published beside the first as in a project that changes to it; folders of earlier versions have none. */
  rs256?: JWK & { kid: string };
};

async function newKey(alg: 'ES256' | 'RS256'): Promise<JWK & { kid: string }> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, kid: randomUUID() };
}

/** Reads the keys of `state_dir`, made on its first use. Clients keep tokens, so the keys outlive a restart. */
export async function loadKeys(state_dir: string): Promise<Keys> {
  const file = path.join(state_dir, 'keys.json');
  try {
    return keysOf(await readFile(file, 'utf8'), file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const keys: Keys = {
    publishable_key: `sb_publishable_${randomBytes(24).toString('base64url')}`,
    secret_key: `sb_secret_${randomBytes(24).toString('base64url')}`,
    jwt_secret: randomBytes(32).toString('base64url'),
    es256: await newKey('ES256'),
    rs256: await newKey('RS256'),
  };
  await mkdir(state_dir, { recursive: true });
  // Never over a file that is there: keys that were handed out stay what they are.
  await writeFile(file, `${JSON.stringify(keys, null, 2)}\n`, { flag: 'wx', mode: 0o600, flush: true });
  return keys;
}

function keysOf(text: string, file: string): Keys {
  try {
    const keys = JSON.parse(text) as Keys;
    const { publishable_key, secret_key, jwt_secret, es256 } = keys;
    const isComplete =
      publishable_key.startsWith('sb_publishable_') && secret_key.startsWith('sb_secret_') && jwt_secret.length >= 32 && es256.crv === 'P-256' && es256.d && es256.kid;
    if (isComplete) return keys;
  } catch {
    // Refused below.
  }
  throw new Error(`${file} does not hold the keys of a local Supabase; move it away to get new ones`);
}
