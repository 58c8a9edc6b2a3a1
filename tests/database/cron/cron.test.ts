// pg_cron runs the jobs by itself. Its shortest interval is a minute, so a test waits that long.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { TransactionSql } from 'postgres';
import { connect, signUp } from '../support.ts';

const EVERY_MINUTE = '* * * * *';
const PATIENCE_MS = 600_000;

const JOBS = [
  {
    jobname: 'delete_old_ai_sessions',
    schedule: '0 3 * * *',
    command: `delete from public.ai_sessions where created_at < now() - interval '30 days';`,
  },
  { jobname: 'forget_expired', schedule: '15 3 * * *', command: 'select private.forget_expired();' },
  {
    jobname: 'maintain_ai_sessions_partitions',
    schedule: '30 3 * * *',
    command: 'select private.ensure_ai_sessions_partitions(), private.drop_empty_ai_sessions_partitions();',
  },
  { jobname: 'trim_catalogue_memory', schedule: '*/10 * * * *', command: 'select private.trim_catalogue_memory();' },
];

/** Succeeds only if the sessions of jobs use UTC. */
const IN_UTC = { jobname: 'are_days_those_of_utc', command: `select 1 / (current_setting('TimeZone') = 'UTC')::int` };

const sql = connect();
after(() => sql.end());

test('the clean-up and the maintenance are scheduled every night', areScheduled);

test('the query of a deployment finds the jobs, also as the role that hosted Supabase reads with', async () => {
  const question = await readFile('tools/deploy/assets/schedule.sql', 'utf8');
  const found = { has_pg_cron: true, missing_jobs: '', has_next_partition: true };
  const ask = async (tx: { unsafe: typeof sql.unsafe }) => {
    const [{ next_month, ...answer }] = (await tx.unsafe(question)) as unknown as [Record<string, unknown>];
    assert.match(String(next_month), /^\d{4}-\d{2}$/);
    return answer;
  };
  assert.deepEqual(await ask(sql), found);
  await inTransactionUndone(async (tx) => {
    await tx`create role reader bypassrls`;
    await tx`grant pg_read_all_data to reader`;
    await tx`set local role reader`;
    await tx`set local transaction_read_only = on`;
    assert.deepEqual(await ask(tx), found);
  });
  await inTransactionUndone(async (tx) => {
    await tx`update cron.job set active = false where jobname = 'delete_old_ai_sessions'`;
    assert.deepEqual(await ask(tx), { ...found, missing_jobs: 'delete_old_ai_sessions' });
  });
});

async function inTransactionUndone(work: (tx: TransactionSql) => Promise<void>): Promise<void> {
  const undone = new Error('undone');
  await assert.rejects(sql.begin(async (tx) => {
    await work(tx);
    throw undone;
  }), undone);
}

test('the scheduled jobs run and delete old sessions and empty months', async () => {
  const user_id = await signUp(sql);
  await sql`select private.ensure_ai_sessions_partitions_at('2003-02-01T00:00:00Z', 0)`;
  const [ahead] = await sql`select 'ai_sessions_' || to_char((now() at time zone 'UTC') + interval '3 months', 'YYYY_MM') as partition`;
  await sql`drop table if exists ${sql(ahead!.partition)}`;
  await sql`
    insert into public.ai_sessions (user_id, prompt, status, cost, created_at)
    values (${user_id}, 'new', 'succeeded', 0, now()), (${user_id}, 'old', 'succeeded', 0, '2003-02-01T00:00:00Z')`;
  await sql`insert into public.playlists (owner_id, name, is_deleted) values (${user_id}, 'old', true), (${user_id}, 'new', true)`;
  await sql`update public.playlists set deleted_at = now() - interval '31 days' where owner_id = ${user_id} and name = 'old'`;

  await everyMinuteUntilAllHaveRun();

  const left = await sql`select prompt from public.ai_sessions where user_id = ${user_id}`;
  assert.deepEqual(left.map(({ prompt }) => prompt), ['new']);
  const playlists = await sql`select name from public.playlists where owner_id = ${user_id}`;
  assert.deepEqual(playlists.map(({ name }) => name), ['new']);
  const [found] = await sql`
    select to_regclass('public.ai_sessions_2003_01') is not null as empty, to_regclass(${`public.${ahead!.partition}`}) is not null as ahead`;
  assert.deepEqual(found, { empty: false, ahead: true });
  await areScheduled();
});

async function areScheduled(): Promise<void> {
  const jobs = await sql`select jobname, schedule, command, active, database from cron.job order by jobname`;
  assert.deepEqual([...jobs], JOBS.map((job) => ({ ...job, active: true, database: 'postgres' })));
}

/** Waits until each job has succeeded once more, and restores the schedules in any case. */
async function everyMinuteUntilAllHaveRun(): Promise<void> {
  const [last] = await sql`select coalesce(max(runid), 0) as runid from cron.job_run_details`;
  const names = [...JOBS, IN_UTC].map(({ jobname }) => jobname);
  const reschedule = (schedule: string, jobname: string) =>
    sql`select cron.alter_job(jobid, schedule => ${schedule}) from cron.job where jobname = ${jobname}`;
  try {
    await sql`select cron.schedule(${IN_UTC.jobname}, ${EVERY_MINUTE}, ${IN_UTC.command})`;
    for (const { jobname } of JOBS) await reschedule(EVERY_MINUTE, jobname);
    const deadline = performance.now() + PATIENCE_MS;
    let waiting = names;
    while (waiting.length > 0) {
      assert(performance.now() < deadline, `did not run: ${waiting.join(', ')}`);
      await pause(200);
      const runs = await sql`
        select j.jobname, d.status, d.return_message from cron.job_run_details d join cron.job j using (jobid)
        where d.runid > ${last!.runid}`;
      for (const run of runs) assert.notEqual(run.status, 'failed', `${run.jobname}: ${run.return_message}`);
      waiting = names.filter((name) => !runs.some((run) => run.jobname === name && run.status === 'succeeded'));
    }
  } finally {
    for (const { jobname, schedule } of JOBS) await reschedule(schedule, jobname);
    await sql`select cron.unschedule(${IN_UTC.jobname})`;
  }
}
