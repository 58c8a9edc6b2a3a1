-- ai_reserve: takes one slot of a user's AI quota before anything is generated, or says why not.
--
-- The lock on the profile is a statement of its own: a statement that locks and counts at once counts on the snapshot
-- from before it waited, and lets every parallel call through. Only afterwards is the clock read and anything counted.
--
-- Expected refusals are outcomes, not errors. The session's id is the client's idempotency key:
--   running or finished with the same prompt       in_progress, finished
--   running or finished with another prompt,
--   or another user's session or playlist          key_reused
--   failed, or its reservation expired             a new attempt, in a row of its own
-- The order of the other refusals: too_many_attempts, quota_exceeded, playlist_limit.

create function private.ai_replay(p_session_id uuid, p_user_id uuid, p_prompt text, p_at timestamptz) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  v_last public.ai_sessions;
  v_owner_id uuid;
  v_is_live boolean;
begin
  select * into v_last from public.ai_sessions s where s.id = p_session_id order by s.created_at desc limit 1;
  select p.owner_id into v_owner_id from public.playlists p where p.id = p_session_id;
  if p_user_id <> any (array_remove(array[v_last.user_id, v_owner_id], null)) then
    return jsonb_build_object('outcome', 'key_reused');
  end if;
  v_is_live := private.is_live_reservation(v_last.status, v_last.created_at, p_at);
  if (v_last.status = 'succeeded' or v_is_live) and v_last.prompt is distinct from p_prompt then
    return jsonb_build_object('outcome', 'key_reused');
  elsif v_is_live then
    return jsonb_build_object(
      'outcome', 'in_progress',
      'retry_after_seconds', private.seconds_until(v_last.created_at + private.ai_reservation_ttl(), p_at)
    );
  elsif v_last.status = 'succeeded' or v_owner_id is not null then
    return jsonb_build_object('outcome', 'finished', 'quota', private.ai_quota(p_user_id, p_at));
  end if;
  return null;
end
$$;
comment on function private.ai_replay(uuid, uuid, text, timestamptz) is
  'The outcome for an id that is taken, or null where a new attempt may start. A saved playlist outlives its session '
  'and still answers for it.';

create function private.ai_too_many_attempts(p_user_id uuid, p_at timestamptz) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'outcome', 'too_many_attempts',
    'retry_after_seconds', private.seconds_until(s.created_at + interval '1 minute', p_at)
  )
  from public.ai_sessions s
  where s.user_id = p_user_id
    and s.created_at > p_at - interval '1 minute'
    and s.status <> 'succeeded'
    and not private.is_live_reservation(s.status, s.created_at, p_at)
  order by s.created_at desc
  offset 4 limit 1
$$;
comment on function private.ai_too_many_attempts(uuid, timestamptz) is
  'The refusal after five failed or timed-out attempts within a minute, else null: failures cost no quota, so they are bounded.';

create function private.ai_no_room(p_user_id uuid, p_save boolean, p_at timestamptz) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  v_quota jsonb := private.ai_quota(p_user_id, p_at);
begin
  if (v_quota ->> 'remaining')::int = 0 then
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

create function public.ai_reserve(p_session_id uuid, p_user_id uuid, p_prompt text, p_save boolean) returns jsonb
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
comment on function public.ai_reserve(uuid, uuid, text, boolean) is
  'Reserves one generation for 90 seconds. {outcome: reserved | finished | in_progress | key_reused | quota_exceeded | '
  'too_many_attempts | playlist_limit | no_profile, retry_after_seconds?, quota?}. p_save: refuse when no playlist could '
  'be saved anyway. Server only.';

revoke all on function
  private.ai_replay(uuid, uuid, text, timestamptz), private.ai_too_many_attempts(uuid, timestamptz),
  private.ai_no_room(uuid, boolean, timestamptz), public.ai_reserve(uuid, uuid, text, boolean)
  from public, anon, authenticated, service_role;
grant execute on function public.ai_reserve(uuid, uuid, text, boolean) to service_role;
