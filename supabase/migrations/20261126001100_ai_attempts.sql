-- What one account can make the model cost: attempts count from their beginning, few run at once, and the day has a cap.
--
-- Attempts that do not succeed are free to the user and not to us. They count while they run too, or a user starts any
-- number before the first one fails. The cap on the day's cost holds whatever an attempt costs; running attempts have no
-- cost yet, so at most what three of them cost comes on top.

set local lock_timeout = '5s';

create function private.ai_daily_cost_limit(p_plan public.plan_type) returns numeric
language sql immutable parallel safe set search_path = ''
as $$ select case p_plan when 'pro' then 1.00 else 0.25 end $$;
comment on function private.ai_daily_cost_limit(public.plan_type) is 'USD that a user''s attempts of 24 hours may cost.';

create function private.ai_attempts_at_once() returns int
language sql immutable parallel safe set search_path = ''
as $$ select 3 $$;
comment on function private.ai_attempts_at_once() is 'How many attempts of a user run at once, on any plan.';

create or replace function private.ai_too_many_attempts(p_user_id uuid, p_at timestamptz) returns jsonb
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
    where t.cost_since >= (select private.ai_daily_cost_limit(p.plan) from public.profiles p where p.user_id = p_user_id)
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
    and private.is_live_reservation(s.status, s.created_at, p_at)
  order by s.created_at desc
  offset private.ai_attempts_at_once() - 1 limit 1
$$;
comment on function private.ai_too_many_at_once(uuid, timestamptz) is 'The refusal while as many attempts run as may; else null.';

create or replace function public.ai_reserve(p_session_id uuid, p_user_id uuid, p_prompt text, p_save boolean) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_now timestamptz;
  v_refusal jsonb;
  v_created_at timestamptz;
begin
  perform from public.profiles p where p.user_id = p_user_id for no key update;
  if not found then
    return jsonb_build_object('outcome', 'no_profile');
  end if;
  -- Two users with one id hold different profiles; this makes the second see the first.
  perform pg_advisory_xact_lock(hashtextextended(p_session_id::text, 0));

  v_now := clock_timestamp();
  v_refusal := private.ai_replay(p_session_id, p_user_id, p_prompt, v_now);
  v_refusal := coalesce(v_refusal, private.ai_too_many_attempts(p_user_id, v_now));
  v_refusal := coalesce(v_refusal, private.ai_no_room(p_user_id, p_save, v_now));
  v_refusal := coalesce(v_refusal, private.ai_too_many_at_once(p_user_id, v_now));
  if v_refusal is not null then
    return v_refusal;
  end if;

  -- Later than the id's last attempt by a millisecond at least, so that both keep their own when truncated.
  select greatest(v_now, max(date_trunc('milliseconds', s.created_at)) + interval '1 millisecond') into v_created_at
  from public.ai_sessions s
  where s.id = p_session_id;
  if v_created_at = date_trunc('milliseconds', v_created_at) then
    v_created_at := v_created_at + interval '1 microsecond';
  end if;
  insert into public.ai_sessions (id, user_id, prompt, status, cost, created_at)
  values (p_session_id, p_user_id, p_prompt, 'timeout', 0, v_created_at);
  return jsonb_build_object('outcome', 'reserved', 'quota', private.ai_quota(p_user_id, v_now));
end
$$;

revoke all on function
  private.ai_daily_cost_limit(public.plan_type), private.ai_attempts_at_once(), private.ai_too_many_at_once(uuid, timestamptz)
  from public, anon, authenticated, service_role;
