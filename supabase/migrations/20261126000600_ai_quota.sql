-- The quota of AI generations: how much a user has used, what an attempt may cost, and how a slot is reserved.
--
-- The quota counts the live reservations and the sessions that succeeded within the last 30 days. Sessions are kept for the
-- same 30 days, so the clean-up does not change the quota. The limits are defined here only.
--
-- A reservation is an unsettled 'timeout' row younger than 90 seconds. A session that is settled as 'timeout' frees its
-- slot at once; one whose worker died frees it when the 90 seconds are over, without a clean-up job.
--
-- An anonymous user has one generation in all. Sessions are forgotten after 30 days, so the account may generate in its
-- first 30 days only.
--
-- Attempts that do not succeed are free for the user but cost the operator money. So they count from their start, at most
-- three run at once, and a day has a cap on its cost. Running attempts have no cost yet, so three of them can exceed the
-- cap.

create function private.ai_quota_limit(p_plan public.plan_type) returns int
language sql immutable parallel safe set search_path = ''
as $$ select case p_plan when 'pro' then 50 else 3 end $$;
comment on function private.ai_quota_limit(public.plan_type) is 'Generations per rolling 30 days.';

create function private.ai_quota_window() returns interval
language sql immutable parallel safe set search_path = ''
as $$ select interval '720 hours' $$;
comment on function private.ai_quota_window() is '30 days, in hours: a day of an interval follows the session''s time zone.';

create function private.ai_reservation_ttl() returns interval
language sql immutable parallel safe set search_path = ''
as $$ select interval '90 seconds' $$;
comment on function private.ai_reservation_ttl() is
  'How long a reservation holds its slot: longer than the deadline of a generation (55 seconds) and its settling.';

create function private.ai_daily_cost_limit(p_plan public.plan_type) returns numeric
language sql immutable parallel safe set search_path = ''
as $$ select case p_plan when 'pro' then 1.00 else 0.25 end $$;
comment on function private.ai_daily_cost_limit(public.plan_type) is 'USD that a user''s attempts of 24 hours may cost.';

create function private.ai_attempts_at_once() returns int
language sql immutable parallel safe set search_path = ''
as $$ select 3 $$;
comment on function private.ai_attempts_at_once() is 'How many attempts of a user run at once, on any plan.';

create function private.is_live_reservation(
  p_session public.ai_sessions, p_at timestamptz
) returns boolean
language sql stable parallel safe set search_path = ''
as $$
  select p_session.status = 'timeout'
    and p_session.settled_at is null
    and p_session.created_at > p_at - private.ai_reservation_ttl()
$$;
comment on function private.is_live_reservation(public.ai_sessions, timestamptz) is
  'Whether a session holds its slot without having succeeded yet.';

create function private.is_running(p_session public.ai_sessions, p_at timestamptz) returns boolean
language sql stable set search_path = ''
as $$
  select private.is_live_reservation(p_session, p_at)
    or (
      p_session.status = 'succeeded'
      and p_session.created_at > p_at - private.ai_reservation_ttl()
      and (p_session.delivered ->> 'is_complete')::boolean is false
    )
$$;
comment on function private.is_running(public.ai_sessions, timestamptz) is
  'Whether an attempt may still be running: a live reservation, or one that was charged and is not complete.';

create function private.ai_quota(p_user_id uuid, p_at timestamptz) returns jsonb
language sql stable set search_path = ''
as $$
  with counted as (
    select
      s.created_at,
      s.created_at + case s.status when 'succeeded' then private.ai_quota_window() else private.ai_reservation_ttl() end as free_at
    from public.ai_sessions s
    where s.user_id = p_user_id
      and s.created_at > p_at - private.ai_quota_window()
      and (s.status = 'succeeded' or private.is_live_reservation(s, p_at))
  ),
  account as (
    select
      p.plan,
      n.is_anonymous,
      case when n.is_anonymous then (p.created_at > p_at - private.ai_quota_window())::int else private.ai_quota_limit(p.plan) end as quota,
      (select count(*)::int from counted) as used
    from public.profiles p, private.is_anonymous(p.user_id) n (is_anonymous)
    where p.user_id = p_user_id
  )
  select jsonb_build_object(
    'plan', a.plan,
    'used', a.used,
    'limit', a.quota,
    'remaining', greatest(a.quota - a.used, 0),
    'next_free_at', to_char(
      case
        when a.is_anonymous then null
        when a.used >= a.quota then (select c.free_at from counted c order by c.free_at offset a.used - a.quota limit 1)
        else (select c.free_at from counted c order by c.created_at limit 1)
      end at time zone 'UTC',
      'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
    )
  )
  from account a
$$;
comment on function private.ai_quota(uuid, timestamptz) is
  '{plan, used, limit, remaining, next_free_at} of a user, or null without a profile. next_free_at: when nothing remains, '
  'the moment from which a generation is possible; else the moment at which the oldest counted one is forgotten; else, and for an anonymous user, null.';

-- Definer, because the counting functions are in private; it reads the rows of auth.uid() only.
create function public.usage() returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_user_id uuid := auth.uid();
  v_quota jsonb := private.ai_quota(v_user_id, clock_timestamp());
  v_profile public.profiles;
begin
  select * into v_profile from public.profiles p where p.user_id = v_user_id;
  if v_quota is null then
    raise exception using errcode = 'PT404', message = 'profile not found';
  end if;
  return jsonb_build_object(
    'plan', v_quota -> 'plan',
    'renews', v_profile.plan_renews,
    'period_ends_at', v_profile.plan_period_ends_at,
    'playlists', jsonb_build_object('used', private.live_playlist_count(v_user_id), 'limit', private.playlist_limit()),
    'ai', v_quota - 'plan'
  );
end
$$;
comment on function public.usage() is
  'The caller''s {plan, renews, period_ends_at, playlists: {used, limit}, ai: {used, limit, remaining, next_free_at}}.';
grant execute on function public.usage() to authenticated;

create function private.ai_too_many_attempts(p_user_id uuid, p_at timestamptz) returns jsonb
language sql stable set search_path = ''
as $$
  with attempts as (
    select s.created_at, s.status, sum(s.cost) over (order by s.created_at desc) as cost_since
    from public.ai_sessions s
    where s.user_id = p_user_id and s.created_at > p_at - interval '24 hours'
  ),
  limits(period, most) as (values (interval '1 minute', 5), (interval '24 hours', 30)),
  refusals(ends_at) as (
    select a.created_at + l.period
    from limits l
    cross join lateral (
      select t.created_at from attempts t
      where t.status <> 'succeeded' and t.created_at > p_at - l.period
      order by t.created_at desc
      offset l.most - 1 limit 1
    ) a
    union all
    select max(t.created_at) + interval '24 hours'
    from attempts t
    where t.cost_since >= (
      select private.ai_daily_cost_limit(p.plan) * case when private.is_anonymous(p_user_id) then 0.2 else 1 end
      from public.profiles p where p.user_id = p_user_id
    )
  )
  select jsonb_build_object('outcome', 'too_many_attempts', 'retry_after_seconds', private.seconds_until(max(r.ends_at), p_at))
  from refusals r
  having max(r.ends_at) is not null
$$;
comment on function private.ai_too_many_attempts(uuid, timestamptz) is
  'The refusal after five attempts within a minute or thirty within 24 hours that have not succeeded, running ones '
  'included, or once the attempts of 24 hours have cost what the plan allows; else null.';

create function private.ai_too_many_at_once(p_user_id uuid, p_at timestamptz) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'outcome', 'too_many_attempts',
    'retry_after_seconds', private.seconds_until(s.created_at + private.ai_reservation_ttl(), p_at)
  )
  from public.ai_sessions s
  where s.user_id = p_user_id
    and s.created_at > p_at - private.ai_reservation_ttl()
    and private.is_running(s, p_at)
  order by s.created_at desc
  offset private.ai_attempts_at_once() - 1 limit 1
$$;
comment on function private.ai_too_many_at_once(uuid, timestamptz) is 'The refusal while the user''s maximum of attempts is running; else null.';

create function private.ai_no_room(p_user_id uuid, p_save boolean, p_at timestamptz) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  v_quota jsonb := private.ai_quota(p_user_id, p_at);
begin
  if (v_quota ->> 'remaining')::int = 0 and private.is_anonymous(p_user_id) then
    return jsonb_build_object('outcome', 'account_required', 'quota', v_quota);
  elsif (v_quota ->> 'remaining')::int = 0 then
    return jsonb_build_object(
      'outcome', 'quota_exceeded',
      'retry_after_seconds', private.seconds_until((v_quota ->> 'next_free_at')::timestamptz, p_at),
      'quota', v_quota
    );
  elsif p_save and private.live_playlist_count(p_user_id) >= private.playlist_limit() then
    return jsonb_build_object('outcome', 'playlist_limit', 'quota', v_quota);
  end if;
  return null;
end
$$;
comment on function private.ai_no_room(uuid, boolean, timestamptz) is
  'The refusal for a used-up quota, or for a playlist that could not be saved; else null.';

create function private.saved_delivery(p_session_id uuid) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  v_playlist_id uuid;
  v_version int;
  v_tracks jsonb;
begin
  select v.playlist_id, v.version, v.tracks into v_playlist_id, v_version, v_tracks
  from public.playlist_versions v
  where v.session_id = p_session_id;
  return (select jsonb_build_object(
    'is_saved', true,
    'playlist_id', p.id,
    'version', coalesce(v_version, p.version),
    'name', p.name,
    'description', coalesce(p.description, ''),
    'summary', coalesce(p.description, ''),
    'stop_reason', 'completed',
    'tracks', coalesce(v_tracks, (
      select coalesce(jsonb_agg(to_jsonb(t) - array['playlist_id', 'position', 'is_deleted', 'added_at'] order by t.position), '[]')
      from public.playlist_tracks t
      where t.playlist_id = p.id
    ))
  )
  from public.playlists p
  where p.id = coalesce(v_playlist_id, p_session_id) and p.is_deleted = false);
end
$$;
comment on function private.saved_delivery(uuid) is
  'The version of a live playlist that a session was saved as, in the form of ai_sessions.delivered; null without one.';

create function private.ai_replay(p_session_id uuid, p_user_id uuid, p_prompt text, p_at timestamptz) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  v_last public.ai_sessions;
  v_owner_id uuid;
  v_is_running boolean;
begin
  select * into v_last from public.ai_sessions s where s.id = p_session_id order by s.created_at desc limit 1;
  select p.owner_id into v_owner_id
  from public.playlists p
  where p.id = coalesce(
    (select v.playlist_id from public.playlist_versions v where v.session_id = p_session_id), p_session_id
  );
  if p_user_id <> any (array_remove(array[v_last.user_id, v_owner_id], null)) then
    return jsonb_build_object('outcome', 'key_reused');
  end if;
  v_is_running := private.is_running(v_last, p_at);
  if (v_last.status = 'succeeded' or v_is_running) and v_last.prompt is distinct from p_prompt then
    return jsonb_build_object('outcome', 'key_reused');
  elsif v_is_running then
    return jsonb_build_object(
      'outcome', 'in_progress',
      'retry_after_seconds', private.seconds_until(v_last.created_at + private.ai_reservation_ttl(), p_at)
    );
  elsif v_last.status = 'succeeded' or v_owner_id is not null then
    return jsonb_build_object('outcome', 'finished', 'quota', private.ai_quota(p_user_id, p_at))
      || jsonb_strip_nulls(jsonb_build_object(
        'delivered', coalesce(v_last.delivered - 'is_complete', private.saved_delivery(p_session_id))
      ));
  end if;
  return null;
end
$$;
comment on function private.ai_replay(uuid, uuid, text, timestamptz) is
  'The outcome for an id that is taken, or null where a new attempt may start; for a finished one with what was delivered, '
  'from the session or from the playlist, which outlives it.';

-- The profile is locked in a separate statement: a statement that both locks and counts uses the snapshot from before it
-- waited, and lets every parallel call through. The clock is read and rows are counted only afterwards.
--
-- Expected refusals are outcomes, not errors. The session's id is the client's idempotency key:
--   running or finished with the same prompt       in_progress, finished
--   running or finished with another prompt,
--   or another user's session or playlist          key_reused
--   failed, or its reservation expired             a new attempt, in a row of its own
-- The order of the other refusals: no_playlist, too_many_attempts, account_required, quota_exceeded, playlist_limit, too
-- many at once.
create function public.ai_reserve(
  p_session_id uuid, p_user_id uuid, p_prompt text, p_save boolean, p_playlist_id uuid default null
) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_now timestamptz;
  v_refusal jsonb;
  v_created_at timestamptz;
  v_refined jsonb := '{}'::jsonb;
begin
  perform from public.profiles p where p.user_id = p_user_id for no key update;
  if not found then
    return jsonb_build_object('outcome', 'no_profile');
  end if;
  -- Two users with the same id lock different profiles; this lock makes the second see the first.
  perform pg_advisory_xact_lock(hashtextextended(p_session_id::text, 0));

  v_now := clock_timestamp();
  if exists (
    select from public.playlists p where p.id = p_playlist_id and p.owner_id = p_user_id and p.is_deleted = false
  ) then
    v_refined := jsonb_build_object('tracks', private.refined_tracks(p_playlist_id));
  end if;
  v_refusal := private.ai_replay(p_session_id, p_user_id, p_prompt, v_now);
  if v_refusal is null and p_playlist_id is not null and v_refined = '{}' then
    return jsonb_build_object('outcome', 'no_playlist');
  end if;
  v_refusal := coalesce(v_refusal, private.ai_too_many_attempts(p_user_id, v_now));
  v_refusal := coalesce(v_refusal, private.ai_no_room(p_user_id, p_save and p_playlist_id is null, v_now));
  v_refusal := coalesce(v_refusal, private.ai_too_many_at_once(p_user_id, v_now));
  if v_refusal is not null then
    return v_refusal || v_refined;
  end if;

  -- The key contains the id and the time, which must be later than the last attempt's even if the clock stepped back.
  select greatest(v_now, max(s.created_at) + interval '1 microsecond') into v_created_at
  from public.ai_sessions s
  where s.id = p_session_id;
  insert into public.ai_sessions (id, user_id, prompt, status, cost, created_at)
  values (p_session_id, p_user_id, p_prompt, 'timeout', 0, v_created_at);
  return jsonb_build_object('outcome', 'reserved', 'quota', private.ai_quota(p_user_id, v_now)) || v_refined;
end
$$;
comment on function public.ai_reserve(uuid, uuid, text, boolean, uuid) is
  'Reserves one generation for 90 seconds. {outcome: reserved | finished | in_progress | key_reused | quota_exceeded | '
  'account_required | too_many_attempts | playlist_limit | no_profile | no_playlist, retry_after_seconds?, quota?, delivered?, tracks?}. p_save: '
  'refuse when no playlist could be saved. p_playlist_id: the user''s live playlist that is refined; tracks: what it holds. '
  'Server only.';
grant execute on function public.ai_reserve(uuid, uuid, text, boolean, uuid) to fn_ai, service_role;
