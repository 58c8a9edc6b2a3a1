-- What a user may ask of shared quotas: searches, exports, links, payments and edits, each within its period.
--
-- Spotify and Stripe count per app, and the pool of connections is everybody's: without a limit per user, one account
-- takes all of it. A bucket is filled again as a whole when its period is over, which makes it exact: a bucket that is
-- refilled continuously would let a burst through that lasts longer.
--
-- Of a user's rows the profile is locked first, as in every function that writes several of them: deleting the account
-- locks in the same order.

set local lock_timeout = '5s';

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
comment on table private.request_buckets is 'How many requests of a kind a user made within the running period.';
comment on column private.request_buckets.refills_at is 'The end of the period; after it the row counts for nothing.';
revoke all on table private.request_buckets from public, anon, authenticated, service_role;

create function private.request_limits(p_kind text) returns table (period interval, capacity int)
language sql immutable parallel safe set search_path = ''
as $$
  select l.period, l.capacity
  from (values
    ('search', interval '1 minute', 30),
    ('search', interval '24 hours', 300),
    ('export', interval '1 hour', 10),
    ('link', interval '1 hour', 10),
    ('billing', interval '1 hour', 30),
    ('edit', interval '1 minute', 120)
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
  'How long a user has to wait for the next request of a kind; no row where one is left.';

-- A refusal is found without a lock first: a flood of them must not wait for anything.
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
  -- The rows are locked: no other request is counted until the commit.
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
  'Counts one request of a user; the seconds to wait where it is one too many, else null. The caller has locked the profile.';

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
  end if;
  v_wait := private.count_request(p_user_id, p_kind);
  if v_wait is not null then
    return jsonb_build_object('outcome', 'too_many_attempts', 'retry_after_seconds', v_wait);
  end if;
  return jsonb_build_object('outcome', 'taken');
end
$$;
comment on function public.take_request(uuid, text) is
  'Takes one request from a user''s bucket: {outcome: taken | too_many_attempts | no_profile, retry_after_seconds?}. Server only.';

-- An error of PostgREST's own form, because one of ours could not carry Retry-After.
create function private.refuse(p_status int, p_code text, p_message text, p_wait int) returns void
language plpgsql immutable set search_path = ''
as $$
begin
  raise sqlstate 'PGRST' using
    message = jsonb_build_object('code', p_code, 'message', p_message, 'details', null, 'hint', null)::text,
    detail = jsonb_build_object('status', p_status, 'headers', jsonb_build_object('Retry-After', p_wait::text))::text;
end
$$;
comment on function private.refuse(int, text, text, int) is
  'Refuses a request to the data API with a status, a code and Retry-After.';

create function private.refuse_edit(p_wait int) returns void
language plpgsql immutable set search_path = ''
as $$
begin
  if p_wait is not null then
    perform private.refuse(429, 'too_many_attempts', 'too many edits in a short time', p_wait);
  end if;
end
$$;
comment on function private.refuse_edit(int) is 'Refuses an edit (429) that has to wait so many seconds; null for none.';

-- A refusal waits for no lock. What is not refused is counted once the playlist is locked and read, so that the order of
-- locks stays: the profile, a playlist, what hangs on them.
create or replace function private.lock_own_tracks(p_playlist_id uuid) returns public.playlist_tracks[]
language plpgsql volatile set search_path = ''
as $$
declare
  v_user_id uuid := auth.uid();
  v_tracks public.playlist_tracks[];
begin
  perform private.refuse_edit(private.seconds_until_refill(v_user_id, 'edit', clock_timestamp()));
  perform from public.profiles p where p.user_id = v_user_id for key share;
  perform from public.playlists p
  where p.id = p_playlist_id and p.owner_id = (select auth.uid()) and p.is_deleted = false
  for no key update;
  if not found then
    raise exception using errcode = 'PT404', message = 'playlist not found';
  end if;
  v_tracks := array(select t from public.playlist_tracks t where t.playlist_id = p_playlist_id order by t.position);
  perform private.refuse_edit(private.count_request(v_user_id, 'edit'));
  return v_tracks;
end
$$;
comment on function private.lock_own_tracks(uuid) is
  'Locks the caller''s live playlist, counts the edit and returns the tracks in order; PT404 for a playlist of another user, '
  'a deleted or an unknown one; 429 for an edit too many.';

revoke all on function
  private.request_limits(text), private.seconds_until_refill(uuid, text, timestamptz), private.count_request(uuid, text),
  private.refuse(int, text, text, int), private.refuse_edit(int), public.take_request(uuid, text)
  from public, anon, authenticated, service_role;
grant execute on function public.take_request(uuid, text) to fn_spotify, fn_billing, service_role;
