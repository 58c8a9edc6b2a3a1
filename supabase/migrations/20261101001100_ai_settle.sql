-- ai_settle: ends a reservation as succeeded, failed or timeout, and records what it cost.
--
-- It takes the same lock as ai_reserve and reads the clock after it: otherwise a settling that waited could still claim
-- a reservation that has expired meanwhile and whose slot went to somebody else. The cost is recorded in any case; it
-- never falls, so a late duplicate cannot erase it.

create function private.ai_cost(p_cost numeric) returns numeric
language plpgsql immutable set search_path = ''
as $$
begin
  if p_cost between 0 and 999999.9999 then
    return ceil(p_cost * 10000) / 10000;
  end if;
  raise exception using errcode = 'PT422', message = 'cost must be a number from 0 to 999999.9999';
end
$$;
comment on function private.ai_cost(numeric) is 'USD rounded up to 4 decimals; PT422 for what is no cost.';

-- The latest attempt is the one that counts: no new one starts while another is live or has succeeded.
create function private.lock_session(p_session_id uuid, p_user_id uuid) returns public.ai_sessions
language plpgsql volatile set search_path = ''
as $$
declare
  v_session public.ai_sessions;
begin
  perform from public.profiles p where p.user_id = p_user_id for no key update;
  select * into v_session
  from public.ai_sessions s
  where s.id = p_session_id and s.user_id = p_user_id
  order by s.created_at desc
  limit 1;
  return v_session;
end
$$;
comment on function private.lock_session(uuid, uuid) is
  'Locks the user''s profile and answers the latest attempt of the session, null when the user has none.';

create function private.settle_session(
  p_session public.ai_sessions, p_status public.ai_status_enum, p_cost numeric, p_at timestamptz
) returns boolean
language plpgsql volatile set search_path = ''
as $$
declare
  v_is_live boolean := private.is_live_reservation(p_session.status, p_session.created_at, p_at);
  v_ends_as_timeout boolean := v_is_live and p_status = 'timeout';
begin
  update public.ai_sessions s
  set
    cost = greatest(s.cost, private.ai_cost(p_cost)),
    status = case when v_is_live then p_status else s.status end,
    created_at = case when v_ends_as_timeout then date_trunc('milliseconds', s.created_at) else s.created_at end
  where s.id = p_session.id and s.created_at = p_session.created_at;
  return v_is_live or p_session.status = p_status;
end
$$;
comment on function private.settle_session(public.ai_sessions, public.ai_status_enum, numeric, timestamptz) is
  'Records the cost, and the status if the reservation is live; whether the session now has that status.';

create function public.ai_settle(
  p_session_id uuid, p_user_id uuid, p_status public.ai_status_enum, p_cost numeric, p_max_age_ms int default null
) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_session public.ai_sessions := private.lock_session(p_session_id, p_user_id);
  v_now timestamptz := clock_timestamp();
  -- The caller has given up meanwhile, and told its client that nothing was charged.
  v_is_late boolean := p_status = 'succeeded' and v_session.status <> 'succeeded'
    and v_now > v_session.created_at + p_max_age_ms * interval '1 millisecond';
  v_settled boolean;
begin
  if p_status is null then
    raise exception using errcode = 'PT422', message = 'status must be succeeded, failed or timeout';
  elsif v_session.id is null then
    return jsonb_build_object('outcome', 'unknown', 'status', null, 'quota', private.ai_quota(p_user_id, v_now));
  end if;
  if v_is_late then
    perform private.settle_session(v_session, 'failed', p_cost, v_now);
    return jsonb_build_object('outcome', 'expired', 'status', 'failed', 'quota', private.ai_quota(p_user_id, v_now));
  end if;
  v_settled := private.settle_session(v_session, p_status, p_cost, v_now);
  return jsonb_build_object(
    'outcome', case when v_settled then 'settled' else 'expired' end,
    'status', case when v_settled then p_status else v_session.status end,
    'quota', private.ai_quota(p_user_id, v_now)
  );
end
$$;
comment on function public.ai_settle(uuid, uuid, public.ai_status_enum, numeric, int) is
  'Ends a reservation. {outcome: settled | expired | unknown, status, quota}. expired: too late, status is what stands, '
  'and nothing may be delivered. p_max_age_ms: a success that comes later than this after the reservation counts as '
  'failed, for a request may be carried out long after its sender stopped waiting. Repeating a settling answers settled '
  'again. Server only.';

revoke all on function
  private.ai_cost(numeric), private.lock_session(uuid, uuid),
  private.settle_session(public.ai_sessions, public.ai_status_enum, numeric, timestamptz),
  public.ai_settle(uuid, uuid, public.ai_status_enum, numeric, int)
  from public, anon, authenticated, service_role;
grant execute on function public.ai_settle(uuid, uuid, public.ai_status_enum, numeric, int) to service_role;
