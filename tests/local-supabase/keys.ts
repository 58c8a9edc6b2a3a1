import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';

export type Keys = {
  publishable_key: string;
  secret_key: string;
  /** The HS256 secret with which Lite signs internally, and with which a function's role token may be signed. */
  jwt_secret: string;
  /** The private JWK, with its kid, that signs users' tokens. */
  es256: JWK & { kid: string };
  /** The next private JWK, published with the first as during a rotation; folders of earlier versions have none. */
  rs256?: JWK & { kid: string };
};

async function newKey(alg: 'ES256' | 'RS256'): Promise<JWK & { kid: string }> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, kid: randomUUID() };
}

/** Reads the keys of `state_dir`, created on first use. They survive a restart, because clients keep tokens. */
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
  // Never overwrites a file: keys that clients know stay valid.
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
  throw new Error(`${file} does not contain the keys of a local Supabase; move it away to get new ones`);
}
