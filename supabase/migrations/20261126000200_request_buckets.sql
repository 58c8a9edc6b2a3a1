-- Request buckets: how many searches, exports, links, payments, edits and playlist writes a user may make within a period.
--
-- Spotify and Stripe count requests per app, and all users share the pool of connections: without a limit per user one
-- account could take all of it. A bucket is refilled as a whole when its period ends, which makes the count exact; a
-- bucket that is refilled continuously would let a longer burst through.
--
-- The profile is locked before the bucket, as in every function that writes several rows of a user: deleting the account
-- locks in the same order.

create table private.request_buckets (
  user_id uuid not null,
  kind text not null,
  period interval not null,
  taken bigint not null,
  refills_at timestamptz not null,
  constraint request_buckets_pkey primary key (user_id, kind, period),
  constraint request_buckets_user_id_fkey foreign key (user_id) references public.profiles (user_id) on delete cascade
);
create index request_buckets_refills_at_idx on private.request_buckets (refills_at);
comment on table private.request_buckets is 'How many requests of a kind a user has made within the current period.';
comment on column private.request_buckets.refills_at is 'The end of the period; after it the row no longer counts.';

create function private.request_limits(p_kind text) returns table (period interval, capacity int)
language sql immutable parallel safe set search_path = ''
as $$
  select l.period, l.capacity
  from (values
    ('search', interval '1 minute', 30),
    ('search', interval '24 hours', 300),
    ('anonymous_search', interval '1 minute', 10),
    ('anonymous_search', interval '24 hours', 30),
    ('export', interval '1 hour', 10),
    ('link', interval '1 hour', 10),
    ('billing', interval '1 hour', 30),
    ('edit', interval '1 minute', 120),
    ('playlist', interval '1 minute', 120)
  ) l(kind, period, capacity)
  where l.kind = p_kind
$$;
comment on function private.request_limits(text) is 'How many requests of a kind a user may make in which period.';

create function private.seconds_until_refill(p_user_id uuid, p_kind text, p_at timestamptz) returns int
language sql stable set search_path = ''
as $$
  select private.seconds_until(max(b.refills_at), p_at)
  from private.request_buckets b
  join private.request_limits(p_kind) l on l.period = b.period
  where b.user_id = p_user_id and b.kind = p_kind and b.taken >= l.capacity and b.refills_at > p_at
  having count(*) > 0
$$;
comment on function private.seconds_until_refill(uuid, text, timestamptz) is
  'Seconds until a user may make the next request of a kind; null where one is left.';

-- A request beyond the limit is refused before any lock, so that a flood of requests does not wait.
create function private.count_request(p_user_id uuid, p_kind text) returns int
language plpgsql volatile set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_wait int := private.seconds_until_refill(p_user_id, p_kind, v_now);
begin
  if v_wait is not null then
    return v_wait;
  end if;
  insert into private.request_buckets as b (user_id, kind, period, taken, refills_at)
  select p_user_id, p_kind, l.period, 0, '-infinity' from private.request_limits(p_kind) l order by l.period
  on conflict on constraint request_buckets_pkey do update set taken = b.taken;
  -- The rows are locked, so no other request is counted until the commit.
  v_now := clock_timestamp();
  v_wait := private.seconds_until_refill(p_user_id, p_kind, v_now);
  if v_wait is null then
    update private.request_buckets b
    set
      taken = case when b.refills_at > v_now then b.taken + 1 else 1 end,
      refills_at = case when b.refills_at > v_now then b.refills_at else v_now + b.period end
    where b.user_id = p_user_id and b.kind = p_kind;
  end if;
  return v_wait;
end
$$;
comment on function private.count_request(uuid, text) is
  'Counts one request of a user; returns the seconds to wait if it exceeds the limit, otherwise null. The caller has locked the profile.';

create function private.needs_account(p_kind text) returns boolean
language sql immutable parallel safe set search_path = ''
as $$ select p_kind in ('export', 'link', 'billing') $$;
comment on function private.needs_account(text) is 'Whether requests of a kind need an account with an address.';

create function public.take_request(p_user_id uuid, p_kind text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_wait int;
begin
  if not exists (select from private.request_limits(p_kind)) then
    raise exception using errcode = 'PT422', message = 'there is no such kind of request';
  end if;
  perform from public.profiles p where p.user_id = p_user_id for key share;
  if not found then
    return jsonb_build_object('outcome', 'no_profile');
  elsif private.needs_account(p_kind) and private.is_anonymous(p_user_id) then
    return jsonb_build_object('outcome', 'account_required');
  end if;
  -- Anonymous users are free to create, so they get less.
  if p_kind = 'search' and private.is_anonymous(p_user_id) then
    p_kind := 'anonymous_search';
  end if;
  v_wait := private.count_request(p_user_id, p_kind);
  if v_wait is not null then
    return jsonb_build_object('outcome', 'too_many_attempts', 'retry_after_seconds', v_wait);
  end if;
  return jsonb_build_object('outcome', 'taken');
end
$$;
comment on function public.take_request(uuid, text) is
  'Takes one request from a user''s bucket: {outcome: taken | too_many_attempts | account_required | no_profile, retry_after_seconds?}. Server only.';
grant execute on function public.take_request(uuid, text) to fn_spotify, fn_billing, service_role;

create function private.refuse_edit(p_wait int) returns void
language plpgsql immutable set search_path = ''
as $$
begin
  if p_wait is not null then
    perform private.refuse(429, 'too_many_attempts', 'too many edits in a short time', p_wait);
  end if;
end
$$;
comment on function private.refuse_edit(int) is 'Refuses an edit (429) that must wait p_wait seconds; does nothing for null.';

-- Writers of one playlist wait for each other, each with a connection of the pool that all users share. So at most three
-- edits of a user run at a time, and none waits longer than two seconds for a lock; the rest is refused at once with 503
-- `too_many_at_once` and can be repeated.
create function private.edits_at_once() returns int
language sql immutable parallel safe set search_path = ''
as $$ select 3 $$;
comment on function private.edits_at_once() is 'How many edits of a user run at a time.';

create function private.refuse_crowd() returns void
language sql set search_path = ''
as $$ select private.refuse(503, 'too_many_at_once', 'too many edits at once', 1) $$;
comment on function private.refuse_crowd() is 'Refuses an edit (503) because too many edits of the user are running.';

create function private.enter_edit(p_user_id uuid) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  for v_place in 1..private.edits_at_once() loop
    if pg_try_advisory_xact_lock(hashtextextended(format('edit %s %s', p_user_id, v_place), 0)) then
      return;
    end if;
  end loop;
  perform private.refuse_crowd();
end
$$;
comment on function private.enter_edit(uuid) is 'Takes one of the user''s edit slots until the transaction ends; 503 if none is free.';
