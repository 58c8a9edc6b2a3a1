import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import path from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';

/** The project's API keys and signing keys. */
export type Keys = {
  publishable_key: string;
  secret_key: string;
  /** HS256: what Lite signs with inside, what a function's own role token is signed with, and, under JWT_ALG=HS256, what users get. */
  jwt_secret: string;
  /** The private JWK, with its kid, that user tokens are signed with. */
  es256: JWK & { kid: string };
  /** Another private JWK, published beside the first as in a project that changes to it; folders of earlier versions have none. */
  rs256?: JWK & { kid: string };
};

/** Reads the keys of `state_dir`, made on its first use. Clients keep tokens, so the keys outlive a restart. */
export async function loadKeys(state_dir: string): Promise<Keys> {
  const file = path.join(state_dir, 'keys.json');
  return (await readKeys(file)) ?? (await createKeys(state_dir, file));
}

async function readKeys(file: string): Promise<Keys | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const keys = parseKeys(text);
  if (!keys) throw new Error(`${file} does not hold the keys of a local Supabase; move it away to get new ones`);
  return keys;
}

function parseKeys(text: string): Keys | null {
  try {
    const keys = JSON.parse(text) as Keys;
    const complete =
      keys.publishable_key.startsWith('sb_publishable_') &&
      keys.secret_key.startsWith('sb_secret_') &&
      keys.jwt_secret.length >= 32 &&
      keys.es256.crv === 'P-256' &&
      typeof keys.es256.d === 'string' &&
      typeof keys.es256.kid === 'string';
    return complete ? keys : null;
  } catch {
    return null;
  }
}

async function createKeys(state_dir: string, file: string): Promise<Keys> {
  const newKey = async (alg: 'ES256' | 'RS256') => {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    return { ...(await exportJWK(privateKey)), alg, kid: randomUUID() };
  };
  const keys: Keys = {
    publishable_key: `sb_publishable_${randomBytes(24).toString('base64url')}`,
    secret_key: `sb_secret_${randomBytes(24).toString('base64url')}`,
    jwt_secret: randomBytes(32).toString('base64url'),
    es256: await newKey('ES256'),
    rs256: await newKey('RS256'),
  };

  await mkdir(state_dir, { recursive: true });
  const draft = `${file}.${randomUUID()}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(keys, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    // A link never replaces: of two first starts at once, both end up with the winner's keys.
    await link(draft, file);
    return keys;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const winner = await readKeys(file);
    if (!winner) throw error;
    return winner;
  } finally {
    await unlink(draft);
  }
}
