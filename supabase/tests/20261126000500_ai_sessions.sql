-- AI sessions: the owner reads them, and no user writes them; partitions are closed to users and exist in advance.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the users' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role;

select plan(123);

savepoint part;
create function pg_temp.sign_up(p_id uuid) returns void language sql
as $$ insert into auth.users (id, email) values (p_id, p_id || '@example.test') $$;
create function pg_temp.act_as(p_role text, p_user_id uuid default null) returns void language sql
as $$
  select set_config('request.jwt.claims', jsonb_build_object('role', p_role, 'sub', p_user_id)::text, true);
  select set_config('role', p_role, true);
$$;

delete from public.ai_sessions;
select pg_temp.sign_up('a0000000-0000-0000-0000-000000000001');
select pg_temp.sign_up('b0000000-0000-0000-0000-000000000002');
insert into public.ai_sessions (user_id, prompt, status, cost) values
  ('a0000000-0000-0000-0000-000000000001', 'jazz', 'succeeded', 0.0012),
  ('b0000000-0000-0000-0000-000000000002', 'rock', 'failed', 0);

select enum_has_labels('public', 'ai_status_enum', array['succeeded', 'failed', 'timeout']);
select is_partitioned('public', 'ai_sessions', 'sessions are partitioned');
select is(pg_get_partkeydef('public.ai_sessions'::regclass), 'RANGE (created_at)', 'sessions are partitioned by the time of their creation');
select col_is_pk('public', 'ai_sessions', array['id', 'created_at'], 'the primary key contains the partition key');
select has_index('public', 'ai_sessions', 'ai_sessions_user_created_idx', array['user_id', 'created_at']);
select has_index('public', 'ai_sessions', 'ai_sessions_user_status_idx', array['user_id', 'status']);
select policies_are('public', 'ai_sessions', array['AI sessions owner']);

select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select results_eq('select prompt from public.ai_sessions', $$ values ('jazz') $$, 'a user sees only their own sessions');
select throws_ok(
  $$ insert into public.ai_sessions (user_id, prompt, status, cost) values ('a0000000-0000-0000-0000-000000000001', 'x', 'failed', 0) $$,
  '42501', null, 'a user cannot forge a session'
);
select throws_ok($$ update public.ai_sessions set status = 'failed' $$, '42501', null, 'a user cannot undo a success');
select throws_ok($$ update public.ai_sessions set created_at = now() - interval '1 year' $$, '42501', null, 'a user cannot back-date a session');
select throws_ok('delete from public.ai_sessions', '42501', null, 'a user cannot delete a session');
select throws_ok(format('select * from public.%I', 'ai_sessions_' || to_char(now() at time zone 'UTC', 'YYYY_MM')), '42501', null, 'a partition cannot be read directly');
select throws_ok(format('delete from public.%I', 'ai_sessions_' || to_char(now() at time zone 'UTC', 'YYYY_MM')), '42501', null, 'a partition cannot be written directly');
reset role;
select pg_temp.act_as('anon');
select throws_ok('select * from public.ai_sessions', '42501', null, 'anon has no access');
reset role;
select pg_temp.act_as('service_role');
select throws_ok('select * from public.ai_sessions', '42501', null, 'service_role has no access');
reset role;

select throws_ok(
  format('insert into public.ai_sessions (user_id, prompt, status, cost) values (%L, %L, %L, %L)',
    'a0000000-0000-0000-0000-000000000001', n.prompt, 'failed', n.cost),
  '23514', null, n.why
)
from (values
  ('', '0', 'an empty prompt is refused'), (E' \n\u00a0\u3000', '0', 'a prompt of spaces is refused'),
  (repeat('x', 1001), '0', 'a prompt of 1001 characters is refused'), ('x', '-0.0001', 'a negative cost is refused'),
  ('x', 'NaN', 'a cost that is no number is refused')
) n (prompt, cost, why);
select lives_ok(
  $$ insert into public.ai_sessions (user_id, prompt, status, cost) values ('a0000000-0000-0000-0000-000000000001', repeat('ż', 1000), 'failed', 0) $$,
  'a prompt of 1000 characters is accepted'
);

-- Partitions.
create function pg_temp.month(p_months int) returns timestamptz language sql
as $$ select (date_trunc('month', now() at time zone 'UTC') + make_interval(months => p_months)) at time zone 'UTC' $$;
create function pg_temp.partition(p_months int) returns text language sql
as $$ select 'ai_sessions_' || to_char(pg_temp.month(p_months) at time zone 'UTC', 'YYYY_MM') $$;
select is(
  (select count(*)::int from generate_series(-1, 2) n where to_regclass('public.' || pg_temp.partition(n)) is not null), 4,
  'the partitions from the previous month to two months ahead exist, even if the database was created in the month before'
);
set local timezone = 'Pacific/Kiritimati';
select lives_ok('select private.ensure_ai_sessions_partitions(5)', 'more months are created on demand, in any time zone');
select lives_ok('select private.ensure_ai_sessions_partitions(5)', 'creating existing months again does nothing');
set local timezone = 'UTC';
insert into public.ai_sessions (user_id, prompt, status, cost, created_at)
select 'a0000000-0000-0000-0000-000000000001', 'edge', 'failed', 0, m
from unnest(array[pg_temp.month(5), pg_temp.month(6) - interval '1 microsecond']) m;
select is(
  (select array_agg(distinct tableoid::regclass::text) from public.ai_sessions where prompt = 'edge'), array[pg_temp.partition(5)],
  'a month begins and ends in UTC'
);
select is((select relrowsecurity from pg_class where oid = pg_temp.partition(5)::regclass), true, 'a new partition has row-level security');
select is(
  has_table_privilege(r, pg_temp.partition(5), 'select, insert, update, delete, truncate'), false, 'and is closed to ' || r
)
from unnest(array['anon', 'authenticated', 'service_role']) r;
select has_index('public', pg_temp.partition(5), pg_temp.partition(5) || '_user_id_created_at_idx', 'a new partition has the parent''s indexes');

-- Dropping old months: -3 (empty) and -2 (with a row) are created by hand if the database is younger.
do $$
begin
  for n in -3..-2 loop
    continue when to_regclass('public.' || pg_temp.partition(n)) is not null;
    execute format('create table public.%I partition of public.ai_sessions for values from (%L) to (%L)',
      pg_temp.partition(n), pg_temp.month(n), pg_temp.month(n + 1));
    execute format('alter table public.%I owner to %I', pg_temp.partition(n),
      (select relowner::regrole::text from pg_class where oid = 'public.ai_sessions'::regclass));
  end loop;
end
$$;
insert into public.ai_sessions (user_id, prompt, status, cost, created_at)
values ('a0000000-0000-0000-0000-000000000001', 'old', 'failed', 0, pg_temp.month(-1) - interval '1 hour');
select private.drop_empty_ai_sessions_partitions();
select is(
  (select array_agg(n order by n) from generate_series(-3, 5) n where to_regclass('public.' || pg_temp.partition(n)) is not null),
  array[-2, -1, 0, 1, 2, 3, 4, 5], 'of the old partitions the empty ones are dropped, none that has rows'
);

delete from auth.users where id = 'a0000000-0000-0000-0000-000000000001';
select is((select array_agg(prompt) from public.ai_sessions where prompt in ('jazz', 'rock', 'old')), array['rock'], 'sessions are deleted with the account');
rollback to savepoint part;

-- Partitions at any date, through helpers that no role may call.
savepoint part;
select is(has_function_privilege(r, f, 'execute'), false, f || ' is closed to ' || r)
from unnest(array['anon', 'authenticated', 'service_role']) r,
  unnest(array['private.ensure_ai_sessions_partitions_at(timestamptz, int)', 'private.drop_empty_ai_sessions_partitions_at(timestamptz)']) f;

create function pg_temp.partitions() returns text[] language sql
as $$
  select array_agg(c.relname::text order by c.relname)
  from pg_inherits i join pg_class c on c.oid = i.inhrelid
  where i.inhparent = 'public.ai_sessions'::regclass and c.relname < 'ai_sessions_2001'
$$;
select private.ensure_ai_sessions_partitions_at('2000-01-31T23:59:59.999999Z', 1);
select is(
  pg_temp.partitions(), array['ai_sessions_1999_12', 'ai_sessions_2000_01', 'ai_sessions_2000_02'],
  'the months from the previous one to the given number ahead are created'
);
select is((select relrowsecurity from pg_class where oid = 'public.ai_sessions_2000_02'::regclass), true, 'created partitions have row-level security');
select is(
  has_table_privilege(r, 'public.ai_sessions_2000_02', 'select, insert, update, delete, truncate'), false, 'and are closed to ' || r
)
from unnest(array['anon', 'authenticated', 'service_role']) r;

insert into auth.users (id, email) values ('a0000000-0000-0000-0000-000000000001', 'ana@example.test');
insert into public.ai_sessions (user_id, prompt, status, cost, created_at)
values ('a0000000-0000-0000-0000-000000000001', 'jazz', 'failed', 0, '2000-01-15T12:00:00Z');
select private.drop_empty_ai_sessions_partitions_at('2000-03-01T00:00:00Z');
select is(
  pg_temp.partitions(), array['ai_sessions_2000_01', 'ai_sessions_2000_02'],
  'empty partitions before the previous month are dropped'
);

select private.ensure_ai_sessions_partitions();
select is(
  (select count(*)::int from generate_series(-1, 3) n
    where to_regclass('public.ai_sessions_' || to_char((now() at time zone 'UTC') + make_interval(months => n), 'YYYY_MM')) is not null),
  5, 'the function without a date means the present'
);
select private.drop_empty_ai_sessions_partitions();
select is(pg_temp.partitions(), array['ai_sessions_2000_01'], 'and so does the one that drops');
delete from public.ai_sessions where created_at < '2001-01-01';
select lives_ok('select private.ensure_ai_sessions_partitions(), private.drop_empty_ai_sessions_partitions()', 'the command of the job runs');
rollback to savepoint part;

-- Month ends, leap days and changes of clocks: partitions use UTC regardless of the caller's time zone.
insert into auth.users (id, email) values ('a0000000-0000-0000-0000-000000000001', 'ana@example.test');
create function pg_temp.add(p_created_at timestamptz) returns void language sql
as $$
  insert into public.ai_sessions (user_id, prompt, status, cost, created_at)
  values ('a0000000-0000-0000-0000-000000000001', 'jazz', 'failed', 0, p_created_at)
$$;
create temporary table zones as
  select unnest(array['UTC', 'Europe/Warsaw', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'Pacific/Kiritimati']) as zone;
create temporary table partitions_before as select inhrelid from pg_inherits where inhparent = 'public.ai_sessions'::regclass;

-- The new partitions with their bounds in UTC; everything is rolled back.
create function pg_temp.months_made(p_zone text, p_at timestamptz) returns text language plpgsql
as $$
begin
  perform set_config('TimeZone', p_zone, true);
  perform private.ensure_ai_sessions_partitions_at(p_at, 3);
  perform set_config('TimeZone', 'UTC', true);
  raise sqlstate 'ZZZZZ' using message = (
    select string_agg(c.relname || ' ' || pg_get_expr(c.relpartbound, c.oid), ', ' order by c.relname)
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'public.ai_sessions'::regclass and i.inhrelid not in (select b.inhrelid from partitions_before b)
  );
exception when sqlstate 'ZZZZZ' then
  return sqlerrm;
end
$$;
create function pg_temp.five_months_from(p_first date) returns text language sql
as $$
  select string_agg(
    format('ai_sessions_%s FOR VALUES FROM (''%s 00:00:00+00'') TO (''%s 00:00:00+00'')', to_char(m, 'YYYY_MM'), m::date, (m + interval '1 month')::date),
    ', ' order by m
  )
  from generate_series(p_first, p_first + interval '4 months', interval '1 month') m
$$;
select is(pg_temp.months_made(z.zone, v.at::timestamptz), pg_temp.five_months_from(v.first::date), v.what || ', in ' || z.zone)
from zones z, (values
  ('the first moment of a year', '2048-01-01T00:00:00Z', '2047-12-01'),
  ('the last moment of a year', '2047-12-31T23:59:59.999999Z', '2047-11-01'),
  ('an hour that is in the next year for half of the world', '2047-12-31T12:00:00Z', '2047-11-01'),
  ('the 31st, which the next month does not have', '2048-01-31T23:59:59.999999Z', '2047-12-01'),
  ('a leap day', '2048-02-29T23:59:59.999999Z', '2048-01-01'),
  ('the end of February in a year without a leap day', '2047-02-28T23:59:59.999999Z', '2047-01-01'),
  ('the end of February in a century without a leap day', '2100-02-28T23:59:59.999999Z', '2100-01-01'),
  ('the change of clocks at the end of March in Warsaw', '2024-03-31T01:00:00Z', '2024-02-01'),
  ('the hour that New York has twice', '2010-11-07T06:30:00Z', '2010-10-01'),
  ('the half hour that Lord Howe Island has twice', '2011-04-02T15:00:00Z', '2011-03-01'),
  ('the last moment before the day that Kiritimati skipped', '1994-12-31T09:59:59.999999Z', '1994-11-01')
) v (what, at, first);

create function pg_temp.months_left(p_zone text) returns text language plpgsql
as $$
declare
  v_at timestamptz;
  v_left text := '';
begin
  perform private.ensure_ai_sessions_partitions_at('2003-02-15T00:00:00Z', 3), pg_temp.add('2003-02-28T23:59:59.999999Z');
  perform set_config('TimeZone', p_zone, true);
  foreach v_at in array array['2003-02-28T23:59:59.999999Z', '2003-04-30T23:59:59.999999Z', '2003-05-01T00:00:00Z']::timestamptz[] loop
    perform private.drop_empty_ai_sessions_partitions_at(v_at);
    v_left := v_left || '|' || (
      select string_agg(right(c.relname, 2), ' ' order by c.relname) from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname ~ '^ai_sessions_2003'
    );
  end loop;
  raise sqlstate 'ZZZZZ' using message = v_left;
exception when sqlstate 'ZZZZZ' then
  return sqlerrm;
end
$$;
select is(
  pg_temp.months_left(zone), '|01 02 03 04 05|02 03 04 05|02 04 05', 'empty months are dropped after a month, seen from ' || zone
)
from zones;

select is((select partdefid::int from pg_partitioned_table where partrelid = 'public.ai_sessions'::regclass), 0, 'there is no default partition');
select throws_ok(
  $$ select pg_temp.add('2099-07-15T00:00:00Z') $$, '23514', 'no partition of relation "ai_sessions" found for row',
  'a row without a partition for its month is refused'
);
select private.ensure_ai_sessions_partitions_at('2099-07-31T23:59:59.999999Z', 0);
select lives_ok($$ select pg_temp.add('2099-07-15T00:00:00Z') $$, 'a row is accepted once its partition exists');

select finish();
rollback;
