-- AI sessions: one row per attempt to generate a playlist, partitioned by UTC month, kept for 30 days.
--
-- The primary key includes created_at because a unique key of a partitioned table must include the partition key. One id
-- may have several rows: each attempt after a failure is a row of its own, so that failures can be counted.
--
-- The API would expose a partition as a table: the parent's row-level security does not apply when a partition is named
-- directly. Each partition has row-level security without a policy, and no grants. There is no default partition: its
-- rows would block the creation of their month.

create type public.ai_status_enum as enum ('succeeded', 'failed', 'timeout');

create table public.ai_sessions (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  prompt text not null,
  status public.ai_status_enum not null,
  cost numeric(10, 4) not null,
  created_at timestamptz not null default now(),
  settled_at timestamptz,
  delivered jsonb,
  constraint ai_sessions_pkey primary key (id, created_at),
  constraint ai_sessions_user_id_fkey foreign key (user_id) references public.profiles (user_id) on delete cascade,
  constraint ai_sessions_prompt_length check (char_length(prompt) between 1 and 1000),
  constraint ai_sessions_prompt_not_blank check (prompt ~ '[^\s\u0085\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]'),
  constraint ai_sessions_cost_range check (cost >= 0 and cost <> 'NaN')
) partition by range (created_at);

create index ai_sessions_user_created_idx on public.ai_sessions (user_id, created_at desc);
create index ai_sessions_user_status_idx on public.ai_sessions (user_id, status);

comment on table public.ai_sessions is
  'Attempts to generate a playlist: history and quota ledger of the last 30 days. Users read their own rows; only functions '
  'write, because forged, back-dated or deleted rows would evade the quota.';
comment on column public.ai_sessions.id is 'The client''s Idempotency-Key; shared by the attempts after a failure.';
comment on column public.ai_sessions.status is
  'A running attempt is stored as ''timeout'', so that the row is right when its worker dies.';
comment on column public.ai_sessions.cost is 'USD, rounded up to 4 decimals; 0 until settled.';
comment on column public.ai_sessions.created_at is 'Start of the attempt.';
comment on column public.ai_sessions.settled_at is
  'When the function reported the end of the attempt; null while it runs, and where its worker died.';
comment on column public.ai_sessions.delivered is
  'What was sent and not saved as a playlist: {is_complete, tracks, name?, description?, summary?, language?, stop_reason?}; '
  'null where nothing was sent, or all of it was saved.';

alter table public.ai_sessions enable row level security;
create policy "AI sessions owner" on public.ai_sessions to authenticated
  using (user_id = (select auth.uid()))
  with check (user_id = (select auth.uid()));
grant select on table public.ai_sessions to authenticated;

-- `like` and attach instead of `create table … partition of`: attaching takes a lock on the parent that does not block
-- running attempts. The time zone is fixed because the bounds of a month must not depend on the caller. The moment is an
-- argument so that month ends, leap years and New Year can be tested.
create function private.ensure_ai_sessions_partitions_at(p_at timestamptz, p_months_ahead int) returns void
language plpgsql security definer set search_path = '' set timezone = 'UTC'
as $$
declare
  v_this_month timestamptz := date_trunc('month', p_at);
  v_month timestamptz;
  v_name text;
begin
  -- Without the lock, two concurrent callers would both find a month missing.
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

create function private.ensure_ai_sessions_partitions(months_ahead int default 3) returns void
language sql security definer set search_path = ''
as $$ select private.ensure_ai_sessions_partitions_at(now(), months_ahead) $$;
comment on function private.ensure_ai_sessions_partitions(int) is
  'Creates the missing monthly partitions from the previous month to the given number of months ahead.';

-- Sessions are deleted after 30 days, so a partition before the previous month is empty or holds its last days.
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
    -- Locks the parent first, as every reader does; the drop needs both locks.
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

create function private.drop_empty_ai_sessions_partitions() returns void
language sql security definer set search_path = ''
as $$ select private.drop_empty_ai_sessions_partitions_at(now()) $$;
comment on function private.drop_empty_ai_sessions_partitions() is
  'Drops the partitions before the previous month that have no rows left.';

select private.ensure_ai_sessions_partitions();
