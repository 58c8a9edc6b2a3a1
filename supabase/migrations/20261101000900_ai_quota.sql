-- The quota of AI generations: how much a user has used, and when the next one is free.
--
-- Counted are the sessions that succeeded within the last 30 days, the same 30 days for which sessions are kept, so the
-- clean-up can neither give quota back nor take it, and the live reservations. The limits live here and nowhere else.
--
-- A reservation is a 'timeout' row younger than 90 seconds that nobody has settled. To tell it from a deadline that was
-- settled as 'timeout' and must free its slot at once, reservations start off a whole millisecond and settling one as
-- 'timeout' truncates created_at to the millisecond. The mark costs less than a millisecond of truth, leaves cost a sum
-- that can be added up, never moves a row to another month (months begin on whole milliseconds), and an attempt still
-- counts as made when it was made.

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

create function private.is_live_reservation(
  p_status public.ai_status_enum, p_created_at timestamptz, p_at timestamptz
) returns boolean
language sql stable parallel safe set search_path = ''
as $$
  select p_status = 'timeout'
    and p_created_at > p_at - private.ai_reservation_ttl()
    and p_created_at <> date_trunc('milliseconds', p_created_at)
$$;
comment on function private.is_live_reservation(public.ai_status_enum, timestamptz, timestamptz) is
  'Whether a session holds its slot without having succeeded yet.';

create function private.seconds_until(p_moment timestamptz, p_at timestamptz) returns int
language sql stable parallel safe set search_path = ''
as $$ select greatest(1, ceil(extract(epoch from p_moment - p_at)))::int $$;
comment on function private.seconds_until(timestamptz, timestamptz) is 'A value for Retry-After: whole seconds, at least 1.';

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
      and (s.status = 'succeeded' or private.is_live_reservation(s.status, s.created_at, p_at))
  ),
  account as (
    select p.plan, private.ai_quota_limit(p.plan) as quota, (select count(*)::int from counted) as used
    from public.profiles p
    where p.user_id = p_user_id
  )
  select jsonb_build_object(
    'plan', a.plan,
    'used', a.used,
    'limit', a.quota,
    'remaining', greatest(a.quota - a.used, 0),
    'next_free_at', to_char(
      case
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
  'the moment from which a generation is possible; else the moment at which the oldest counted one is forgotten; else null.';

revoke all on function
  private.ai_quota_limit(public.plan_type), private.ai_quota_window(), private.ai_reservation_ttl(),
  private.is_live_reservation(public.ai_status_enum, timestamptz, timestamptz),
  private.seconds_until(timestamptz, timestamptz), private.ai_quota(uuid, timestamptz)
  from public, anon, authenticated, service_role;
