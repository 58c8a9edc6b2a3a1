-- The partitions at any date: what the two maintenance functions do now, they do for a moment that is given.
--
-- The first versions read now() themselves, so nobody could see what they do at the end of a month, in a leap year or
-- at New Year before it came. The moment is now an argument of a helper; the functions that the job calls keep their
-- names, arguments and effect.

set local lock_timeout = '5s';

create function private.ensure_ai_sessions_partitions_at(p_at timestamptz, p_months_ahead int) returns void
language plpgsql security definer set search_path = '' set timezone = 'UTC'
as $$
declare
  v_this_month timestamptz := date_trunc('month', p_at);
  v_month timestamptz;
  v_name text;
begin
  -- Two callers at once would both find a month missing.
  perform pg_advisory_xact_lock(hashtextextended('ensure_ai_sessions_partitions', 0));
  for v_month in
    select generate_series(v_this_month - interval '1 month', v_this_month + make_interval(months => p_months_ahead), interval '1 month')
  loop
    v_name := 'ai_sessions_' || to_char(v_month, 'YYYY_MM');
    if to_regclass('public.' || v_name) is null then
      execute format('create table public.%I (like public.ai_sessions including defaults including constraints)', v_name);
      execute format('comment on table public.%I is %L', v_name, 'Sessions of one UTC month; reached through ai_sessions only.');
      execute format('alter table public.%I enable row level security', v_name);
      execute format('revoke all on table public.%I from public, anon, authenticated, service_role', v_name);
      execute format('alter table public.ai_sessions attach partition public.%I for values from (%L) to (%L)',
        v_name, v_month, v_month + interval '1 month');
    end if;
  end loop;
end
$$;
comment on function private.ensure_ai_sessions_partitions_at(timestamptz, int) is
  'Creates the missing monthly partitions from the month before a moment to the given number of months after it.';

create function private.drop_empty_ai_sessions_partitions_at(p_at timestamptz) returns void
language plpgsql security definer set search_path = '' set timezone = 'UTC' set lock_timeout = '5s'
as $$
declare
  v_first_kept text := 'ai_sessions_' || to_char(date_trunc('month', p_at) - interval '1 month', 'YYYY_MM');
  v_name text;
  v_is_empty boolean;
begin
  for v_name in
    select c.relname::text
    from pg_catalog.pg_inherits i
    join pg_catalog.pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'public.ai_sessions'::regclass and c.relname ~ '^ai_sessions_\d{4}_\d{2}$' and c.relname < v_first_kept
    order by c.relname
  loop
    -- The parent first, as every reader does; the drop needs both.
    lock table only public.ai_sessions in access exclusive mode;
    execute format('select not exists (select from public.%I)', v_name) into v_is_empty;
    if v_is_empty then
      execute format('drop table public.%I', v_name);
    end if;
  end loop;
end
$$;
comment on function private.drop_empty_ai_sessions_partitions_at(timestamptz) is
  'Drops the partitions before the month before a moment that have no rows left.';

create or replace function private.ensure_ai_sessions_partitions(months_ahead int default 3) returns void
language sql security definer set search_path = ''
as $$ select private.ensure_ai_sessions_partitions_at(now(), months_ahead) $$;

create or replace function private.drop_empty_ai_sessions_partitions() returns void
language sql security definer set search_path = ''
as $$ select private.drop_empty_ai_sessions_partitions_at(now()) $$;

revoke all on function
  private.ensure_ai_sessions_partitions_at(timestamptz, int), private.drop_empty_ai_sessions_partitions_at(timestamptz)
  from public, anon, authenticated, service_role;
