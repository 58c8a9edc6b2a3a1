-- Scheduled jobs: their commands run everywhere; the schedules can be tested only with pg_cron.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the users' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role;

select plan(8);

select is(current_setting('TimeZone'), 'UTC', 'the jobs use UTC');

create function pg_temp.jobs() returns table (jobname text, schedule text, command text) language plpgsql
as $$
begin
  if to_regclass('cron.job') is null then
    return;
  end if;
  return query execute 'select j.jobname::text, j.schedule::text, j.command::text from cron.job j';
end
$$;
create function pg_temp.expect_job(p_name text, p_schedule text) returns text language sql
as $$
  select case when to_regclass('cron.job') is null then skip('pg_cron is not available', 1)
    else is((select j.schedule from pg_temp.jobs() j where j.jobname = p_name), p_schedule, p_name || ' is scheduled') end
$$;
select pg_temp.expect_job('delete_old_ai_sessions', '0 3 * * *');
select pg_temp.expect_job('maintain_ai_sessions_partitions', '30 3 * * *');
select pg_temp.expect_job('trim_catalogue_memory', '*/10 * * * *');

insert into auth.users (id, email) values ('a0000000-0000-0000-0000-000000000001', 'ana@example.test');
create table public.ai_sessions_rest partition of public.ai_sessions default;
insert into public.ai_sessions (user_id, prompt, status, cost, created_at) values
  ('a0000000-0000-0000-0000-000000000001', 'kept', 'failed', 0, now() - interval '30 days'),
  ('a0000000-0000-0000-0000-000000000001', 'deleted', 'failed', 0, now() - interval '30 days 1 microsecond');
delete from public.ai_sessions where created_at < now() - interval '30 days';
select results_eq(
  $$ select prompt from public.ai_sessions where user_id = 'a0000000-0000-0000-0000-000000000001' $$, $$ values ('kept') $$,
  'sessions are kept for 30 days'
);
select lives_ok('select private.ensure_ai_sessions_partitions(), private.drop_empty_ai_sessions_partitions()', 'the maintenance runs');

insert into auth.users (id, email, is_anonymous, created_at, last_sign_in_at)
select ('b0000000-0000-0000-0000-00000000000' || n)::uuid, email, is_anonymous, created_at, last_sign_in_at
from (values
  (1, null, true, now() - interval '31 days', null),
  (2, null, true, now() - interval '31 days', now() - interval '721 hours'),
  (3, null, true, now() - interval '31 days', now() - interval '719 hours'),
  (4, null, true, now() - interval '29 days', null),
  (5, null, true, now() - interval '31 days', null),
  (6, 'ben@example.test', false, now() - interval '31 days', null)
) v (n, email, is_anonymous, created_at, last_sign_in_at);
insert into auth.sessions (id, user_id, updated_at) values (gen_random_uuid(), 'b0000000-0000-0000-0000-000000000005', now());
insert into public.spotify_exports (user_id, idempotency_key, request, held_until, created_at)
select 'a0000000-0000-0000-0000-000000000001', gen_random_uuid(), '{}', '-infinity', now() - age from unnest(array[interval '25 hours', interval '23 hours']) age;
select private.forget_expired();
select is((select count(*)::int from public.spotify_exports), 1, 'requests to export are deleted after a day');
select results_eq(
  $$ select right(u.id::text, 1)::int from auth.users u where u.id::text like 'b0000000%' order by 1 $$, $$ values (3), (4), (5), (6) $$,
  'anonymous accounts that were not used for 30 days are deleted, others stay'
);

select finish();
rollback;
