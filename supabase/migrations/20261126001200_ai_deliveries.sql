-- What was delivered is charged, and the user who paid for it has it, however the request ended.
--
-- Before the track leaves with which a listener has enough, the function writes down the tracks so far: from then on the
-- session has succeeded. So a client that leaves, a lost answer and a worker that is killed change nothing about the
-- charge, and a repeat of the Idempotency-Key returns what was written down. A running attempt that was charged is told
-- from one that is over by `is_complete` and by its age.
--
-- What was saved as a playlist stands there, so the session forgets it; what was not saved is kept as long as the session.

set local lock_timeout = '5s';

alter table public.ai_sessions add column delivered jsonb;
comment on column public.ai_sessions.delivered is
  'What was sent and not saved as a playlist: {is_complete, tracks, name?, description?, summary?, language?, stop_reason?}; '
  'null where nothing was sent, or all of it was saved.';

create function private.is_running(p_session public.ai_sessions, p_at timestamptz) returns boolean
language sql stable set search_path = ''
as $$
  select private.is_live_reservation(p_session.status, p_session.created_at, p_at)
    or (
      p_session.status = 'succeeded'
      and p_session.created_at > p_at - private.ai_reservation_ttl()
      and (p_session.delivered ->> 'is_complete')::boolean is false
    )
$$;
comment on function private.is_running(public.ai_sessions, timestamptz) is
  'Whether an attempt may still be worked on: a reservation, or one that was charged and is not complete.';

create or replace function private.ai_too_many_at_once(p_user_id uuid, p_at timestamptz) returns jsonb
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

create function private.saved_delivery(p_session_id uuid) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'is_saved', true,
    'name', p.name,
    'description', coalesce(p.description, ''),
    'summary', coalesce(p.description, ''),
    'stop_reason', 'completed',
    'tracks', (
      select coalesce(jsonb_agg(to_jsonb(t) - array['playlist_id', 'position', 'is_deleted', 'added_at'] order by t.position), '[]')
      from public.playlist_tracks t
      where t.playlist_id = p.id
    )
  )
  from public.playlists p
  where p.id = p_session_id and p.is_deleted = false
$$;
comment on function private.saved_delivery(uuid) is
  'The live playlist that a session was saved as, in the form of ai_sessions.delivered; no row without one.';

create or replace function private.ai_replay(p_session_id uuid, p_user_id uuid, p_prompt text, p_at timestamptz) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  v_last public.ai_sessions;
  v_owner_id uuid;
  v_is_running boolean;
begin
  select * into v_last from public.ai_sessions s where s.id = p_session_id order by s.created_at desc limit 1;
  select p.owner_id into v_owner_id from public.playlists p where p.id = p_session_id;
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

comment on function public.ai_reserve(uuid, uuid, text, boolean) is
  'Reserves one generation for 90 seconds. {outcome: reserved | finished | in_progress | key_reused | quota_exceeded | '
  'too_many_attempts | playlist_limit | no_profile, retry_after_seconds?, quota?, delivered?}. p_save: refuse when no playlist '
  'could be saved anyway. Server only.';

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
    -- A call may be carried out after a later one.
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

drop function public.ai_settle(uuid, uuid, public.ai_status_enum, numeric, int);
create function public.ai_settle(
  p_session_id uuid, p_user_id uuid, p_status public.ai_status_enum, p_cost numeric, p_max_age_ms int default null,
  p_result jsonb default null
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
  'Ends a reservation. {outcome: settled | expired | unknown, status, quota}. expired: too late, status is what stands, '
  'and nothing may be delivered. p_max_age_ms: a success that comes later than this after the reservation counts as '
  'failed, for a request may be carried out long after its sender stopped waiting; what was charged before stays charged. '
  'p_result: what a success delivers unsaved, {tracks, name, description, summary, language, stop_reason}. Repeating a '
  'settling has the same outcome. Server only.';

-- As before, but also for what was charged already; at the limit the caller settles what it delivers unsaved.
create or replace function public.save_generated_playlist(
  p_session_id uuid, p_user_id uuid, p_cost numeric, p_name text, p_description text, p_tracks jsonb
) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_session public.ai_sessions := private.lock_session(p_session_id, p_user_id);
  v_now timestamptz := clock_timestamp();
  v_tracks public.playlist_tracks[] := private.parse_tracks(private.fit_tracks(p_tracks));
  v_name text;
begin
  if v_session.id is null then
    return jsonb_build_object('outcome', 'unknown', 'quota', private.ai_quota(p_user_id, v_now));
  end if;
  if v_session.delivered is not null or private.is_live_reservation(v_session.status, v_session.created_at, v_now) then
    if private.live_playlist_count(p_user_id) >= private.playlist_limit() then
      return jsonb_build_object('outcome', 'playlist_limit');
    elsif cardinality(v_tracks) = 0 then
      raise exception using errcode = 'PT422', message = 'a generated playlist needs tracks';
    end if;
    v_name := private.free_playlist_name(p_user_id, p_name);
    insert into public.playlists (id, owner_id, name, description)
    values (p_session_id, p_user_id, v_name, nullif(private.clean_text(p_description, 300), ''));
    perform private.write_tracks(p_session_id, v_tracks);
    update public.ai_sessions s set delivered = null where s.id = v_session.id and s.created_at = v_session.created_at;
  else
    select p.name into v_name
    from public.playlists p
    where p.id = p_session_id and p.owner_id = p_user_id and v_session.status = 'succeeded';
  end if;
  perform private.settle_session(v_session, 'succeeded', p_cost, v_now);
  if v_name is null then
    return jsonb_build_object('outcome', 'expired', 'quota', private.ai_quota(p_user_id, v_now));
  end if;
  return jsonb_build_object(
    'outcome', 'saved', 'playlist_id', p_session_id, 'name', v_name, 'quota', private.ai_quota(p_user_id, v_now)
  );
end
$$;
comment on function public.save_generated_playlist(uuid, uuid, numeric, text, text, jsonb) is
  'Settles the session as succeeded and stores its playlist. {outcome: saved | expired | unknown | playlist_limit, '
  'playlist_id?, name?, quota?}. playlist_limit leaves the session unsettled. A repeat has the outcome saved and changes '
  'nothing. p_tracks: [{track_uri, title?, artist?, album?, duration_ms?, explicit?}], other keys are ignored. Server only.';

revoke all on function
  private.is_running(public.ai_sessions, timestamptz), private.saved_delivery(uuid),
  public.ai_deliver(uuid, uuid, numeric, jsonb),
  public.ai_settle(uuid, uuid, public.ai_status_enum, numeric, int, jsonb)
  from public, anon, authenticated, service_role;
grant execute on function
  public.ai_deliver(uuid, uuid, numeric, jsonb),
  public.ai_settle(uuid, uuid, public.ai_status_enum, numeric, int, jsonb)
  to fn_ai, service_role;
