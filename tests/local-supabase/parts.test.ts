/** What the local Supabase is made of, each part by itself: needs no database. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
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
import { Mailbox } from './mail.ts';
import { restErrorFrom } from './rest-errors.ts';
import { splitStatements } from './sql-split.ts';
import { mailTemplates } from './templates.ts';
import { createTokens } from './tokens.ts';

describe('configuration', () => {
  const complete: Record<string, string> = {
    DATABASE_URL: 'postgres://postgres:hidden@127.0.0.1:5432/postgres',
    PORT: '0',
    STATE_DIR: '/state',
    FUNCTIONS_ORIGIN: 'http://127.0.0.1:8787/',
    SITE_URL: 'http://127.0.0.1:3000/',
    MIGRATIONS_DIR: '/migrations',
  };

  test('every missing variable is named', () => {
    assert.throws(() => configFromLookup((name) => (name === 'PORT' ? '1' : undefined)), /DATABASE_URL, STATE_DIR, FUNCTIONS_ORIGIN/);
  });

  test('a bad value is refused without being shown', () => {
    const config: Record<string, string> = { ...complete, DATABASE_URL: 'mysql://root:hidden@127.0.0.1' };
    assert.throws(() => configFromLookup((name) => config[name]), (error: Error) => /DATABASE_URL/.test(error.message) && !/hidden/.test(error.message));
  });

  test('addresses are confirmed only where that is asked for', () => {
    const confirms = (value?: string) => configFromLookup((name) => (name === 'CONFIRM_EMAIL' ? value : complete[name])).confirm_email;
    assert.deepEqual([confirms(), confirms('false'), confirms('true')], [false, false, true]);
    assert.throws(() => confirms('yes'), /CONFIRM_EMAIL must be true or false/);
  });

  test('origins lose their slash, and users get ES256', () => {
    const config = configFromLookup((name) => complete[name]);
    assert.deepEqual([config.functions_origin, config.site_url, config.jwt_alg], ['http://127.0.0.1:8787', 'http://127.0.0.1:3000', 'ES256']);
  });
});

describe('statements of a script', () => {
  test('semicolons that end nothing do not split', () => {
    const body = `create function f() returns text language sql as $body$ select 'a;b'; $body$`;
    const atomic = 'create function g() returns int begin atomic select case when true then 1 else 2 end; select 3; end';
    const quoted = `select ';', E'\\';', ";" /* ; /* ; */ ; */ -- ;`;
    assert.deepEqual(splitStatements(`${body};\n${atomic};\n${quoted}\n;`), [body, atomic, quoted]);
  });

  test('an empty script has none', () => {
    assert.deepEqual(splitStatements(' ;\n;'), []);
  });
});

describe('database errors', () => {
  const status = (code: string, message = '', role = 'authenticated') => restErrorFrom({ code, message }, role)?.status;

  test('statuses are those of PostgREST', () => {
    const expected = { '23505': 409, '23503': 409, '23514': 400, '23502': 400, P0001: 400, PT402: 402, PT999: 500, '42883': 404, '25006': 405, '40001': 500, '57014': 500 };
    for (const [code, wanted] of Object.entries(expected)) assert.equal(status(code), wanted, code);
  });

  test('a missing privilege asks anon to sign in and forbids others', () => {
    assert.deepEqual([status('42501', '', 'anon'), status('42501', '', 'fn_ai')], [401, 403]);
  });

  test('a lost connection is 503 and tells nothing of it', () => {
    for (const code of ['ECONNREFUSED', 'CONNECTION_CLOSED', '57P01', '57P03']) assert.equal(status(code, 'postgres:secret@host'), 503, code);
    assert.doesNotMatch(restErrorFrom({ code: 'ECONNREFUSED', message: 'postgres:secret@host' }, 'anon')?.message ?? '', /secret/);
  });

  test('what is no database error is left alone', () => {
    assert.equal(restErrorFrom(new Error('x'), 'anon'), null);
  });
});

describe('keys and tokens', () => {
  const ISSUER = 'http://127.0.0.1:1/auth/v1';
  const directories: string[] = [];
  const newDirectory = async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'local-supabase-'));
    directories.push(directory);
    return directory;
  };
  let keys: Keys;
  before(async () => {
    keys = await loadKeys(await newDirectory());
  });
  after(() => Promise.all(directories.map((directory) => rm(directory, { recursive: true }))));
  const signed = async (claims: JWTPayload, algorithm: 'ES256' | 'RS256' | 'HS256', expires = '1h') => {
    const key = { ES256: keys.es256, RS256: keys.rs256, HS256: undefined }[algorithm];
    return new SignJWT(claims)
      .setProtectedHeader({ alg: algorithm, ...(key ? { kid: key.kid } : {}) })
      .setIssuedAt()
      .setExpirationTime(expires)
      .sign(key ? await importJWK(key, algorithm) : new TextEncoder().encode(keys.jwt_secret));
  };

  test('keys are made once, also by two at a time, and only their owner reads them', async () => {
    const together = await newDirectory();
    const [one, other] = await Promise.all([loadKeys(together), loadKeys(together)]);
    assert.deepEqual(one, other);
    assert.deepEqual(await loadKeys(together), one);
    assert.equal((await stat(path.join(together, 'keys.json'))).mode & 0o777, 0o600);
  });

  test('a file that holds no keys is refused and kept', async () => {
    const broken = await newDirectory();
    await writeFile(path.join(broken, 'keys.json'), '{}');
    await assert.rejects(loadKeys(broken), /does not hold the keys/);
    assert.equal(await readFile(path.join(broken, 'keys.json'), 'utf8'), '{}');
  });

  test("users' tokens verify with the project's algorithm only", async () => {
    const user = { role: 'authenticated', sub: 'x' };
    const es = await createTokens(keys, 'ES256', () => ISSUER);
    assert.equal((await es.verify(await signed(user, 'ES256'))).sub, 'x');
    assert.equal((await es.verify(await signed(user, 'RS256'))).sub, 'x');
    await assert.rejects(es.verify(await signed(user, 'HS256')), { code: 'PGRST301' });
    const hs = await createTokens(keys, 'HS256', () => ISSUER);
    assert.equal((await hs.verify(await signed(user, 'HS256'))).sub, 'x');
    for (const algorithm of ['ES256', 'RS256'] as const) await assert.rejects(hs.verify(await signed(user, algorithm)), { code: 'PGRST301' });
    assert.deepEqual(hs.jwks, { keys: [] });
  });

  test("a function's own role may come in either", async () => {
    const tokens = await createTokens(keys, 'ES256', () => ISSUER);
    for (const algorithm of ['ES256', 'HS256'] as const) {
      assert.equal((await tokens.verify(await signed({ role: 'fn_ai' }, algorithm))).role, 'fn_ai');
    }
  });

  test('an expired token is named as such', async () => {
    const tokens = await createTokens(keys, 'ES256', () => ISSUER);
    await assert.rejects(tokens.verify(await signed({ role: 'authenticated' }, 'ES256', '-1h')), { code: 'PGRST303', message: 'JWT expired' });
  });

  test('what is published is not private', async () => {
    const { jwks } = await createTokens(keys, 'ES256', () => ISSUER);
    assert.deepEqual(jwks.keys.map(({ kid }) => kid), [keys.es256.kid, keys.rs256?.kid]);
    for (const key of jwks.keys) for (const part of ['d', 'p', 'q', 'dp', 'dq', 'qi']) assert(!(part in key), part);
  });
});

describe('mail', () => {
  const boxed = async (html: string) => {
    const mailbox = new Mailbox();
    await mailbox.send({ to: 'a@example.com', subject: '<script>alert(1)</script>', html });
    return mailbox;
  };

  test('the page shows a mail as text', async () => {
    const page = await (await boxed('&lt;img src=x&gt;<img src=y>')).respond(null).text();
    assert.ok(page.includes('&lt;script&gt;alert(1)&lt;/script&gt;') && page.includes('&lt;img src=x&gt;'));
    assert.ok(!page.includes('<script') && !page.includes('<img'));
  });

  test('the text of a mail names where its links lead', async () => {
    const mailbox = await boxed('<head><title>No</title></head><p>Hello</p>\n\n<p><a style="x" href="http://site/#/confirm?type=recovery&amp;token_hash=t">Go</a></p>');
    const [mail] = (await mailbox.respond('application/json').json()) as { text: string }[];
    assert.equal(mail?.text, 'Hello\nGo: http://site/#/confirm?type=recovery&token_hash=t');
  });

  test('every mail of the project leads to the page, and to nothing else', () => {
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

  test('only the latest are kept', async () => {
    const mailbox = await boxed('first');
    for (let number = 0; number < 250; number += 1) await mailbox.send({ to: 'b@example.com', subject: String(number) });
    const mails = (await mailbox.respond('application/json').json()) as { subject: string }[];
    assert.deepEqual([mails.length, mails[0]?.subject], [200, '249']);
  });
});

describe('a CAPTCHA', () => {
  test('is asked for where Auth asks for one, and its token is verified', async () => {
    const asked: string[] = [];
    const siteverify = createServer(async (incoming, outgoing) => {
      const form = new URLSearchParams((await incoming.toArray()).join(''));
      asked.push(`${form.get('secret')} ${form.get('response')}`);
      const success = form.get('response') === 'good';
      outgoing.end(JSON.stringify(success ? { success } : { success, 'error-codes': ['invalid-input-response'] }));
    }).listen(0, '127.0.0.1');
    await once(siteverify, 'listening');
    const guard = createCaptchaGuard('s', `http://127.0.0.1:${(siteverify.address() as AddressInfo).port}`);
    const outcome = async (path: string, captcha_token?: string) => {
      const body = JSON.stringify({ gotrue_meta_security: { captcha_token } });
      const refusal = await guard(new Request(`http://x/auth/v1${path}`, { method: 'POST', body }));
      return refusal && [refusal.status, ((await refusal.json()) as { error_code: string }).error_code];
    };
    for (const path of ['/signup', '/signup?grant_type=refresh_token', '/token?grant_type=password', '/recover', '/resend', '/otp', '/magiclink']) {
      assert.deepEqual(await outcome(path), [400, 'captcha_failed'], path);
      assert.deepEqual(await outcome(path, 'bad'), [400, 'captcha_failed'], path);
      assert.equal(await outcome(path, 'good'), null, path);
    }
    for (const path of ['/token?grant_type=refresh_token', '/verify', '/user', '/logout']) assert.equal(await outcome(path), null, path);
    assert.deepEqual([...new Set(asked)], ['s bad', 's good']);
    siteverify.close().closeAllConnections();
  });
});

describe('forwarding to the functions', () => {
  const servers: ReturnType<typeof createServer>[] = [];
  const listen = async (handler: RequestListener) => {
    const server = createServer(handler).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const gatewayTo = async (functions: RequestListener) => listen(createForwarder(await listen(functions)));
  after(() => {
    for (const server of servers) server.close().closeAllConnections();
  });

  test('method, address, headers and body arrive as they were sent', async () => {
    const gateway = await gatewayTo(async (incoming, outgoing) => {
      const body = (await incoming.toArray()).join('');
      outgoing.end(JSON.stringify({ method: incoming.method, url: incoming.url, origin: incoming.headers.origin, body }));
    });
    const answer = await fetch(`${gateway}/functions/v1/x?q=%20a`, { method: 'PUT', headers: { Origin: 'http://app' }, body: 'text' });
    assert.deepEqual(await answer.json(), { method: 'PUT', url: '/functions/v1/x?q=%20a', origin: 'http://app', body: 'text' });
  });

  test('events arrive one by one, and a client that leaves is noticed', async () => {
    const { promise: left, resolve } = Promise.withResolvers<void>();
    const gateway = await gatewayTo((_, outgoing) => {
      outgoing.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: 1\n\n');
      outgoing.on('close', resolve);
    });
    const controller = new AbortController();
    const answer = await fetch(`${gateway}/functions/v1/x`, { signal: controller.signal });
    const { value } = (await answer.body?.getReader().read()) ?? {};
    assert.equal(Buffer.from(value ?? []).toString(), 'data: 1\n\n');
    controller.abort();
    await left;
  });

  test('an answer that breaks off is not taken for whole', async () => {
    const gateway = await gatewayTo((_, outgoing) => {
      outgoing.writeHead(200).write('half', () => outgoing.destroy());
    });
    await assert.rejects(async () => (await fetch(`${gateway}/functions/v1/x`)).text());
  });

  test('functions that are down are 502', async () => {
    const functions = await listen(() => {});
    servers.at(-1)?.close();
    const answer = await fetch(`${await listen(createForwarder(functions))}/functions/v1/x`, { method: 'POST', body: 'x' });
    assert.deepEqual([answer.status, ((await answer.json()) as { code: string }).code], [502, 'functions_unreachable']);
  });
});
