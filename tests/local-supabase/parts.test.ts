/** The parts of the local Supabase that need no database. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { importJWK, SignJWT } from 'jose';
import type { JWTPayload } from 'jose';
import { createCaptchaGuard } from './captcha.ts';
import { configFromLookup } from './config.ts';
import { createForwarder } from './forward.ts';
import { loadKeys } from './keys.ts';
import type { Keys } from './keys.ts';
import { Mailbox, mailTemplates } from './mail.ts';
import { restErrorFrom } from './rest-errors.ts';
import { createTokens } from './tokens.ts';

const servers: ReturnType<typeof createServer>[] = [];
after(() => servers.forEach((server) => server.close().closeAllConnections()));

async function listen(handler: RequestListener): Promise<string> {
  const server = createServer(handler).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('an invalid variable is named without its value', () => {
  const names = ['DATABASE_URL', 'PORT', 'STATE_DIR', 'FUNCTIONS_ORIGIN', 'SITE_URL', 'MIGRATIONS_DIR'];
  const lookup = (name: string) => (names.includes(name) ? 'mysql://root:hidden@127.0.0.1' : undefined);
  assert.throws(() => configFromLookup(lookup), { message: 'DATABASE_URL must be a URL starting with postgres:// or postgresql://' });
});

test('a lost connection is 503 without details', () => {
  for (const code of ['ECONNREFUSED', 'CONNECTION_CLOSED', '57P01', '57P03']) {
    const { status, message } = restErrorFrom({ code, message: 'postgres:secret@host' }, 'anon') ?? {};
    assert.deepEqual([status, message?.includes('secret')], [503, false], code);
  }
});

describe('keys and tokens', () => {
  const newDirectory = (): Promise<string> => mkdtemp(path.join(tmpdir(), 'local-supabase-'));
  let directory: string;
  let keys: Keys;
  before(async () => {
    directory = await newDirectory();
    keys = await loadKeys(directory);
  });
  const tokens = () => createTokens(keys, 'http://127.0.0.1:1/auth/v1');
  const signed = async (claims: JWTPayload, algorithm: 'ES256' | 'RS256' | 'HS256', expires = '1h') => {
    const key = { ES256: keys.es256, RS256: keys.rs256, HS256: undefined }[algorithm];
    const header = { alg: algorithm, ...(key ? { kid: key.kid } : {}) };
    const secret = key ? await importJWK(key, algorithm) : new TextEncoder().encode(keys.jwt_secret);
    return new SignJWT(claims).setProtectedHeader(header).setIssuedAt().setExpirationTime(expires).sign(secret);
  };

  test('keys are created once and readable by their owner only; a file without keys is refused and kept', async () => {
    const broken = await newDirectory();
    assert.deepEqual(await loadKeys(directory), keys);
    assert.equal((await stat(path.join(directory, 'keys.json'))).mode & 0o777, 0o600);
    await writeFile(path.join(broken, 'keys.json'), '{}');
    await assert.rejects(loadKeys(broken), /does not hold the keys/);
    assert.equal(await readFile(path.join(broken, 'keys.json'), 'utf8'), '{}');
  });

  test("users' tokens verify only with the published keys, a function's role also with the secret", async () => {
    for (const [role, algorithm] of [['authenticated', 'ES256'], ['authenticated', 'RS256'], ['fn_ai', 'ES256'], ['fn_ai', 'HS256']] as const) {
      assert.equal((await (await tokens()).verify(await signed({ role }, algorithm))).role, role);
    }
    await assert.rejects((await tokens()).verify(await signed({ role: 'authenticated' }, 'HS256')), { code: 'PGRST301' });
    const expired = (await tokens()).verify(await signed({ role: 'authenticated' }, 'ES256', '-1h'));
    await assert.rejects(expired, { code: 'PGRST303', message: 'JWT expired' });
  });
});

describe('mail', () => {
  test('the page shows a mail as text', async () => {
    const mailbox = new Mailbox();
    await mailbox.send({ to: 'a@example.com', subject: '<script>alert(1)</script>', html: '&lt;img src=x&gt;<img src=y>' });
    const page = await mailbox.respond(null).text();
    assert.ok(page.includes('&lt;script&gt;alert(1)&lt;/script&gt;') && page.includes('&lt;img src=x&gt;'));
    assert.ok(!page.includes('<script') && !page.includes('<img'));
  });

  test('every mail of the project links to the page and to nothing else', () => {
    const types = { confirmation: 'signup', magic_link: 'magiclink', recovery: 'recovery', email_change: 'email_change', invite: 'invite' };
    const templates = mailTemplates();
    assert.deepEqual(Object.keys(templates).sort(), Object.keys(types).sort());
    for (const [name, type] of Object.entries(types)) {
      const html = readFileSync(templates[name]?.content_path ?? '', 'utf8');
      const links = [...html.matchAll(/href="([^"]*)"/g)].map(([, link]) => link);
      assert.deepEqual([...new Set(links)], [`{{ .SiteURL }}/#/confirm?type=${type}&amp;token_hash={{ .TokenHash }}`], name);
      assert.doesNotMatch(html, /ConfirmationURL|RedirectTo|<script|<img|<link/);
    }
  });
});

test('a CAPTCHA token is required where Auth requires one, and verified', async () => {
  const verified: string[] = [];
  const siteverify = await listen(async (incoming, outgoing) => {
    const form = new URLSearchParams((await incoming.toArray()).join(''));
    verified.push(`${form.get('secret')} ${form.get('response')}`);
    const success = form.get('response') === 'good';
    outgoing.end(JSON.stringify(success ? { success } : { success, 'error-codes': ['invalid-input-response'] }));
  });
  const guard = createCaptchaGuard('s', siteverify);
  const outcome = async (path: string, captcha_token?: string) => {
    const body = JSON.stringify({ gotrue_meta_security: { captcha_token } });
    const refusal = await guard(new Request(`http://x/auth/v1${path}`, { method: 'POST', body }));
    return refusal && [refusal.status, ((await refusal.json()) as { error_code: string }).error_code];
  };
  for (const path of ['/signup', '/signup?grant_type=refresh_token', '/token?grant_type=password', '/recover', '/resend', '/otp', '/magiclink']) {
    const refused = [400, 'captcha_failed'];
    assert.deepEqual([await outcome(path), await outcome(path, 'bad'), await outcome(path, 'good')], [refused, refused, null], path);
  }
  for (const path of ['/token?grant_type=refresh_token', '/verify', '/user', '/logout']) assert.equal(await outcome(path), null, path);
  assert.deepEqual([...new Set(verified)], ['s bad', 's good']);
});

describe('forwarding to the functions', () => {
  const gatewayTo = async (functions: RequestListener) => `${await listen(createForwarder(await listen(functions)))}/functions/v1/x`;
  test('events arrive one by one, and a disconnect is forwarded, also before the response', async () => {
    for (const event of ['data: 1\n\n', '']) {
      const [{ promise: left, resolve }, { promise: arrived, resolve: arrive }] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const gateway = await gatewayTo((_, outgoing) => {
        arrive();
        outgoing.on('close', resolve);
        if (event !== '') outgoing.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(event);
      });
      const controller = new AbortController();
      const request = fetch(gateway, { signal: controller.signal });
      const { value } = event === '' ? { value: undefined } : ((await (await request).body?.getReader().read()) ?? {});
      assert.equal(Buffer.from(value ?? []).toString(), event);
      await arrived;
      controller.abort();
      if (event === '') await assert.rejects(request);
      await left;
    }
  });

  test('an interrupted response is an error, and unreachable functions are 502', async () => {
    const broken = await gatewayTo((_, outgoing) => {
      outgoing.writeHead(200).write('half', () => outgoing.destroy());
    });
    await assert.rejects(async () => (await fetch(broken)).text());
    const down = await gatewayTo(() => {});
    servers.at(-2)?.close();
    const response = await fetch(down, { method: 'POST', body: 'x' });
    assert.deepEqual([response.status, ((await response.json()) as { code: string }).code], [502, 'functions_unreachable']);
  });
});
