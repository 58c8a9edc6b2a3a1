-- The partitions at any date: helpers that nobody may call, behind functions that do the same as before.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;

select plan(15);

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
  'the month before to the given number of months ahead are made'
);
select is((select relrowsecurity from pg_class where oid = 'public.ai_sessions_2000_02'::regclass), true, 'they have row-level security');
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
  'before the month before, those without a row are dropped'
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
select lives_ok('select private.ensure_ai_sessions_partitions(), private.drop_empty_ai_sessions_partitions()', 'the job''s command works as before');

select finish();
rollback;
