-- Settlement: what was delivered is charged, and the user who was charged can get it, however the request ended.
--
-- Before the function sends the track that makes enough of a playlist, ai_deliver stores the tracks so far: from then on
-- the session has succeeded. A client that leaves, a lost response and a killed worker change nothing about the charge,
-- and a repeat of the Idempotency-Key returns what was stored. A running attempt that was charged differs from a finished
-- one by `is_complete` and by its age. A saved playlist is stored as such, so its session forgets the tracks.
--
-- All functions take the same lock as ai_reserve and read the clock after it: otherwise a call that waited could still
-- claim a reservation that has expired meanwhile and whose slot was given to another attempt. The cost is recorded in any
-- case and never falls, so a late duplicate cannot erase it.

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
comment on function private.ai_cost(numeric) is 'USD rounded up to 4 decimals; PT422 for anything that is not a cost.';

-- Only the latest attempt matters: no new one starts while another is live or has succeeded.
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
  'Locks the user''s profile and returns the latest attempt of the session, null when the user has none.';

create function private.settle_session(
  p_session public.ai_sessions, p_status public.ai_status_enum, p_cost numeric, p_at timestamptz
) returns boolean
language plpgsql volatile set search_path = ''
as $$
declare
  v_is_live boolean := private.is_live_reservation(p_session, p_at);
  v_has_status boolean := v_is_live or p_session.status = p_status;
begin
  update public.ai_sessions s
  set
    cost = greatest(s.cost, private.ai_cost(p_cost)),
    status = case when v_is_live then p_status else s.status end,
    settled_at = case when v_has_status then coalesce(s.settled_at, p_at) else s.settled_at end
  where s.id = p_session.id and s.created_at = p_session.created_at;
  return v_has_status;
end
$$;
comment on function private.settle_session(public.ai_sessions, public.ai_status_enum, numeric, timestamptz) is
  'Records the cost, and the status if the reservation is live; returns whether the session now has that status.';

create function public.ai_settle(
  p_session_id uuid, p_user_id uuid, p_status public.ai_status_enum, p_cost numeric, p_max_age_ms int default null,
  p_result jsonb default null
) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_session public.ai_sessions := private.lock_session(p_session_id, p_user_id);
  v_now timestamptz := clock_timestamp();
  -- The caller has timed out meanwhile and has told its client that nothing was charged.
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
  if v_settled and p_status = 'succeeded' and p_result is not null then
    perform private.parse_tracks(private.fit_tracks(p_result -> 'tracks'));
    update public.ai_sessions s
    set delivered = p_result || jsonb_build_object('is_complete', true, 'tracks', private.fit_tracks(p_result -> 'tracks'))
    where s.id = v_session.id and s.created_at = v_session.created_at
      and (s.delivered ->> 'is_complete')::boolean is not true
      and not exists (select from public.playlists p where p.id = s.id);
  end if;
  return jsonb_build_object(
    'outcome', case when v_settled then 'settled' else 'expired' end,
    'status', case when v_settled then p_status else v_session.status end,
    'quota', private.ai_quota(p_user_id, v_now)
  );
end
$$;
comment on function public.ai_settle(uuid, uuid, public.ai_status_enum, numeric, int, jsonb) is
  'Ends a reservation. {outcome: settled | expired | unknown, status, quota}. expired: too late, status is the stored one, '
  'and nothing may be delivered. p_cost: USD. p_max_age_ms: a success that comes later than this after the reservation '
  'counts as failed, because a request may be carried out long after its sender stopped waiting; what was charged before '
  'stays charged. p_result: what a success delivers unsaved, {tracks, name, description, summary, language, stop_reason}. '
  'A repeated call has the same outcome. Server only.';

create function public.ai_deliver(p_session_id uuid, p_user_id uuid, p_cost numeric, p_tracks jsonb) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_session public.ai_sessions := private.lock_session(p_session_id, p_user_id);
  v_tracks jsonb := private.fit_tracks(p_tracks);
begin
  if v_session.id is null then
    return jsonb_build_object('outcome', 'unknown');
  elsif not private.is_running(v_session, clock_timestamp()) then
    return jsonb_build_object('outcome', 'expired');
  end if;
  perform private.parse_tracks(v_tracks);
  update public.ai_sessions s
  set
    status = 'succeeded',
    cost = greatest(s.cost, private.ai_cost(p_cost)),
    -- Calls may be executed out of order.
    delivered = case
      when jsonb_array_length(s.delivered -> 'tracks') > jsonb_array_length(v_tracks) then s.delivered
      else jsonb_build_object('is_complete', false, 'tracks', v_tracks)
    end
  where s.id = v_session.id and s.created_at = v_session.created_at;
  return jsonb_build_object('outcome', 'delivered');
end
$$;
comment on function public.ai_deliver(uuid, uuid, numeric, jsonb) is
  'Charges a running attempt and keeps the tracks so far, before they are sent: {outcome: delivered | expired | unknown}. '
  'expired, unknown: nothing may be sent. p_tracks as in save_generated_playlist. Server only.';

grant execute on function
  public.ai_settle(uuid, uuid, public.ai_status_enum, numeric, int, jsonb), public.ai_deliver(uuid, uuid, numeric, jsonb)
  to fn_ai, service_role;
