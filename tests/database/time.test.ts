// Months, years, clocks that change and sessions anywhere in the world: partitions, clean-up and quota follow UTC.
//
// The present cannot be set in PostgreSQL. What depends on it is a helper that takes the moment, and the functions that
// are called with none hand it now().

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Sql, TransactionSql } from 'postgres';
import { scratchDatabase } from './scratch.ts';
import type { Scratch } from './scratch.ts';
import { connect, signUp } from './support.ts';

const ZONES = ['UTC', 'Europe/Warsaw', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'Pacific/Kiritimati'];

const MOMENTS = [
  ['the first moment of a year', '2028-01-01T00:00:00Z'],
  ['the last moment of a year', '2027-12-31T23:59:59.999999Z'],
  ['an hour that is in the next year already for half of the world', '2027-12-31T12:00:00Z'],
  ['the 31st, which the next month does not have', '2028-01-31T23:59:59.999999Z'],
  ['a leap day', '2028-02-29T23:59:59.999999Z'],
  ['the end of February in a year without a leap day', '2027-02-28T23:59:59.999999Z'],
  ['the end of February in a century without a leap day', '2100-02-28T23:59:59.999999Z'],
  ['the end of March while Warsaw moves its clocks', '2024-03-31T01:00:00Z'],
  ['the hour that New York has twice', '2027-11-07T06:30:00Z'],
  ['the half hour that Lord Howe Island has twice', '2027-04-03T15:00:00Z'],
  ['the last moment before the day that Kiritimati never had', '1994-12-31T09:59:59.999999Z'],
] as const;

/** What `delete_old_ai_sessions` runs. */
const DELETE_OLD = `delete from public.ai_sessions where created_at < now() - interval '30 days'`;

let scratch: Scratch;
let sql: Sql;
before(async () => {
  scratch = await scratchDatabase();
  sql = scratch.sql;
});
after(() => scratch.drop());

describe('partitions', () => {
  for (const [what, moment] of MOMENTS) {
    test(`reach from the month before to three ahead, in UTC, at ${what}`, () => rehearse(async (tx) => {
      const wanted = [-1, 0, 1, 2, 3].map((ahead) => monthOf(moment, ahead));
      const names = new Set([...(await partitions(tx)).keys(), ...wanted.map(({ name }) => name)]);
      const user_id = await signUp(tx);
      for (const zone of ZONES) {
        // The first zone makes them; for the others there must be nothing left to make.
        await live(tx, zone);
        await tx`select private.ensure_ai_sessions_partitions_at(${moment}::text::timestamptz, 3)`;
        const found = await partitions(tx);
        assert.deepEqual(new Set(found.keys()), names, zone);
        for (const { name, from, to } of wanted) assert.deepEqual(found.get(name), [from, to], `${name} in ${zone}`);
      }
      for (const zone of ZONES) {
        await live(tx, zone);
        for (const { name, from, to } of wanted) {
          assert.deepEqual(await partitionsOf(tx, user_id, `${from}Z`, `${to}Z`), [name, name], `${name} in ${zone}`);
        }
      }
    }));
  }

  for (const zone of ZONES) {
    test(`are the same when they are first made in ${zone}`, () => rehearse(async (tx) => {
      await live(tx, zone);
      await tx`select private.ensure_ai_sessions_partitions_at('2031-12-31T23:30:00Z', 1)`;
      const found = await partitions(tx);
      for (const ahead of [-1, 0, 1]) {
        const { name, from, to } = monthOf('2031-12-31T23:30:00Z', ahead);
        assert.deepEqual(found.get(name), [from, to]);
      }
    }));

    test(`that are empty go after a month of grace, seen from ${zone}`, () => rehearse(async (tx) => {
      await tx`select private.ensure_ai_sessions_partitions_at('2003-02-15T00:00:00Z', 3)`;
      await insert(tx, await signUp(tx), 'failed', '2003-02-28T23:59:59.999999Z');
      await live(tx, zone);
      const left = async (moment: string) => {
        await tx`select private.drop_empty_ai_sessions_partitions_at(${moment}::text::timestamptz)`;
        return [...(await partitions(tx)).keys()].filter((name) => name.includes('2003')).map((name) => name.slice(-2));
      };
      assert.deepEqual(await left('2003-02-28T23:59:59.999999Z'), ['01', '02', '03', '04', '05']);
      assert.deepEqual(await left('2003-04-30T23:59:59.999999Z'), ['02', '03', '04', '05']);
      // March had its month of grace, February has a row.
      assert.deepEqual(await left('2003-05-01T00:00:00Z'), ['02', '04', '05']);
    }));
  }

  test('without a partition for its month a row is refused, by a message that names the month', () => rehearse(async (tx) => {
    const [parent] = await tx`select partdefid::int as default_partition from pg_partitioned_table where partrelid = 'public.ai_sessions'::regclass`;
    assert.equal(parent?.default_partition, 0);
    const user_id = await signUp(tx);
    const late = () => tx.savepoint((inner) => insert(inner, user_id, 'failed', '2099-07-15T00:00:00Z'));
    await assert.rejects(late, { code: '23514', message: 'no partition of relation "ai_sessions" found for row', detail: /2099-07-15/ });
    await tx`select private.ensure_ai_sessions_partitions_at('2099-07-31T23:59:59.999999Z', 0)`;
    await late();
  }));

  test('are kept up from the present by the functions that the job calls', () => rehearse(async (tx) => {
    await tx`select private.ensure_ai_sessions_partitions_at('2001-01-01T00:00:00Z', 0)`;
    await tx`select private.ensure_ai_sessions_partitions(14), private.drop_empty_ai_sessions_partitions()`;
    const [{ now }] = (await tx`select to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as now`) as unknown as [{ now: string }];
    const wanted = Array.from({ length: 16 }, (_, index) => monthOf(now, index - 1).name);
    assert.deepEqual([...(await partitions(tx)).keys()], wanted);
  }));
});

describe('30 days', () => {
  test('a session is forgotten by the quota at 30 days and deleted after them', () => rehearse(async (tx) => {
    await tx`select private.ensure_ai_sessions_partitions_at(now() - interval '720 hours', 0)`;
    const user_id = await signUp(tx);
    for (const [prompt, age] of [['younger', '719:59:59.999999'], ['30 days old', '720:00:00'], ['older', '720:00:00.000001']]) {
      await tx`
        insert into public.ai_sessions (user_id, prompt, status, cost, created_at)
        values (${user_id}, ${prompt!}, 'succeeded', 0, now() - ${age!}::text::interval)`;
    }
    const used = async () => (await tx`select (private.ai_quota(${user_id}, now()) ->> 'used')::int as used`)[0]?.used;
    assert.equal(await used(), 1);
    await tx.unsafe(DELETE_OLD);
    const left = await tx`select prompt from public.ai_sessions where user_id = ${user_id} order by created_at desc`;
    assert.deepEqual(left.map(({ prompt }) => prompt), ['younger', '30 days old']);
    assert.equal(await used(), 1);
  }));

  test('are 720 hours to the job, which runs in the time zone of the database', async () => {
    const server = connect();
    const [row] = await server`select current_setting('TimeZone') as zone`.finally(() => server.end());
    assert.equal(row?.zone, 'UTC');
  });

  for (const [what, moment, oldest, next_free_at] of [
    ['skipped an hour', '2027-04-10T00:30:00Z', '2027-03-11T00:30:00Z', '2027-04-10T00:30:00.000001Z'],
    ['had an hour twice', '2027-11-20T00:30:00Z', '2027-10-21T00:30:00Z', '2027-11-20T00:30:00.000001Z'],
  ] as const) {
    test(`are as long for the quota where clocks ${what} within them`, () => rehearse(async (tx) => {
      await tx`select private.ensure_ai_sessions_partitions_at(${moment}::text::timestamptz, 0)`;
      const user_id = await signUp(tx);
      await insert(tx, user_id, 'succeeded', oldest);
      for (const micros of [1, 2, 3]) await insert(tx, user_id, 'succeeded', oldest, micros);
      for (const zone of ZONES) {
        await live(tx, zone);
        const [row] = await tx`
          select private.ai_quota(${user_id}, ${moment}::text::timestamptz) as quota,
            private.ai_no_room(${user_id}, false, ${moment}::text::timestamptz) as refusal`;
        const quota = { plan: 'free', used: 3, limit: 3, remaining: 0, next_free_at };
        assert.deepEqual(row, { quota, refusal: { outcome: 'quota_exceeded', retry_after_seconds: 1, quota } }, zone);
      }
    }));
  }
});

const ROLL_BACK = new Error('rolled back on purpose');

/** Runs in a transaction of which nothing stays. */
async function rehearse(work: (tx: TransactionSql) => Promise<void>): Promise<void> {
  const done = sql.begin(async (tx) => {
    await work(tx);
    throw ROLL_BACK;
  });
  await assert.rejects(done, (error) => {
    if (error !== ROLL_BACK) throw error;
    return true;
  });
}

/** From here on the session is in a time zone. */
async function live(tx: TransactionSql, zone: string): Promise<void> {
  await tx`select set_config('TimeZone', ${zone}, true)`;
}

type Month = { name: string; from: string; to: string };

/** The month some months after the one of a moment, and its bounds, in UTC. */
function monthOf(moment: string, ahead: number): Month {
  const year = Number(moment.slice(0, 4));
  const index = Number(moment.slice(5, 7)) - 1 + ahead;
  const first = (months: number) => new Date(Date.UTC(year, months)).toISOString().slice(0, 10);
  return {
    name: `ai_sessions_${first(index).slice(0, 7).replace('-', '_')}`,
    from: `${first(index)} 00:00:00`,
    to: `${first(index + 1)} 00:00:00`,
  };
}

/** The bounds of each partition in UTC, whatever the session's time zone. */
async function partitions(tx: TransactionSql): Promise<Map<string, [string, string]>> {
  const rows = await tx<{ name: string; bounds: string }[]>`
    select c.relname as name, pg_get_expr(c.relpartbound, c.oid) as bounds
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'public.ai_sessions'::regclass
    order by c.relname`;
  const parsed = new Map<string, [string, string]>();
  for (const { name, bounds } of rows) {
    const [, from, to] = /^FOR VALUES FROM \('(.+)'\) TO \('(.+)'\)$/.exec(bounds) ?? assert.fail(bounds);
    const [row] = await tx<{ from: string; to: string }[]>`
      select (${from!}::text::timestamptz at time zone 'UTC')::text as from, (${to!}::text::timestamptz at time zone 'UTC')::text as to`;
    parsed.set(name, [row!.from, row!.to]);
  }
  return parsed;
}

async function insert(tx: TransactionSql, user_id: string, status: string, created_at: string, micros = 0): Promise<void> {
  await tx`
    insert into public.ai_sessions (user_id, prompt, status, cost, created_at)
    values (${user_id}, 'jazz', ${status}::public.ai_status_enum, 0, ${created_at}::text::timestamptz + ${micros}::int * interval '1 microsecond')`;
}

/** Where the first and the last row of a stretch of time go. */
async function partitionsOf(tx: TransactionSql, user_id: string, from: string, to: string): Promise<string[]> {
  const rows = await tx<{ name: string }[]>`
    insert into public.ai_sessions (user_id, prompt, status, cost, created_at)
    values (${user_id}, 'jazz', 'failed', 0, ${from}::text::timestamptz),
      (${user_id}, 'jazz', 'failed', 0, ${to}::text::timestamptz - interval '1 microsecond')
    returning tableoid::regclass::text as name`;
  return rows.map(({ name }) => name.replace('public.', ''));
}
