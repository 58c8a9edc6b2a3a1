-- save_generated_playlist: settles a session as succeeded and stores its playlist, both or neither.
--
-- A refinement becomes the playlist's next version and keeps its name. If the playlist was deleted meanwhile, it becomes a
-- new playlist.
--
-- A new playlist's id is the session's id, so a repeat finds what the first call stored, whether or not its response
-- arrived. Name, description and display texts come from a language model or a catalogue and are made to fit. A malformed
-- track is a bug of the caller: it is refused (PT422) and everything is rolled back.
--
-- The profile's lock is held from the start, and all writers of playlists take it first: neither the name that was found
-- free nor the count can change before the commit.

create function private.free_playlist_name(p_owner_id uuid, p_name text) returns text
language plpgsql stable set search_path = ''
as $$
declare
  v_name text := coalesce(nullif(private.clean_text(p_name, 100), ''), 'Playlist');
  v_candidate text := v_name;
  v_suffix text;
  v_copy int := 1;
begin
  while exists (
    select from public.playlists p
    where p.owner_id = p_owner_id and lower(p.name) = lower(v_candidate) and p.is_deleted = false
  ) loop
    v_copy := v_copy + 1;
    v_suffix := format(' (%s)', v_copy);
    v_candidate := private.clean_text(v_name, 100 - char_length(v_suffix)) || v_suffix;
  end loop;
  return v_candidate;
end
$$;
comment on function private.free_playlist_name(uuid, text) is
  'The name, made to fit, with the suffix " (2)", " (3)"… when the owner has a live playlist with that name.';

create function private.fit_tracks(p_tracks jsonb) returns jsonb
language sql immutable set search_path = ''
as $$
  select case jsonb_typeof(p_tracks)
    when 'array' then (
      select coalesce(jsonb_agg(jsonb_build_object(
        'track_uri', e.value -> 'track_uri',
        'title', nullif(private.clean_text(e.value ->> 'title', 200), ''),
        'artist', nullif(private.clean_text(e.value ->> 'artist', 200), ''),
        'album', nullif(private.clean_text(e.value ->> 'album', 200), ''),
        'duration_ms', e.value -> 'duration_ms',
        'explicit', e.value -> 'explicit',
        'version', e.value -> 'version',
        'image_url', e.value -> 'image_url',
        'why', nullif(private.clean_text(e.value ->> 'why', 200), '')
      ) order by e.ordinality), '[]')
      from jsonb_array_elements(p_tracks) with ordinality e
    )
    else p_tracks
  end
$$;
comment on function private.fit_tracks(jsonb) is 'The known keys of each track, display texts made to fit.';

-- At the limit of playlists the caller settles the session and delivers the playlist unsaved.
create function public.save_generated_playlist(
  p_session_id uuid, p_user_id uuid, p_cost numeric, p_name text, p_description text, p_tracks jsonb,
  p_refined_id uuid default null, p_instruction text default null, p_suggestions jsonb default '{}'
) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_session public.ai_sessions := private.lock_session(p_session_id, p_user_id);
  v_now timestamptz := clock_timestamp();
  v_tracks public.playlist_tracks[] := private.parse_tracks(private.fit_tracks(p_tracks));
  v_playlist_id uuid;
  v_version int;
  v_name text;
begin
  if v_session.id is null then
    return jsonb_build_object('outcome', 'unknown', 'quota', private.ai_quota(p_user_id, v_now));
  end if;
  if v_session.delivered is not null or private.is_live_reservation(v_session, v_now) then
    if cardinality(v_tracks) = 0 then
      raise exception using errcode = 'PT422', message = 'a generated playlist needs tracks';
    end if;
    select p.id, p.name into v_playlist_id, v_name
    from public.playlists p
    where p.id = p_refined_id and p.owner_id = p_user_id and p.is_deleted = false
    for no key update;
    if v_playlist_id is null then
      if private.live_playlist_count(p_user_id) >= private.playlist_limit() then
        return jsonb_build_object('outcome', 'playlist_limit');
      end if;
      v_playlist_id := p_session_id;
      v_name := private.free_playlist_name(p_user_id, p_name);
      insert into public.playlists (id, owner_id, name, description)
      values (v_playlist_id, p_user_id, v_name, nullif(private.clean_text(p_description, 300), ''));
    end if;
    v_version := private.add_version(v_playlist_id, v_session, v_tracks, p_instruction, p_suggestions);
    update public.ai_sessions s set delivered = null where s.id = v_session.id and s.created_at = v_session.created_at;
  else
    select p.id, p.name, coalesce(v.version, p.version) into v_playlist_id, v_name, v_version
    from public.playlists p
    left join public.playlist_versions v on v.playlist_id = p.id and v.session_id = p_session_id
    where p.owner_id = p_user_id and (p.id = p_session_id or v.session_id = p_session_id) and v_session.status = 'succeeded'
    order by v.version
    limit 1;
  end if;
  perform private.settle_session(v_session, 'succeeded', p_cost, v_now);
  if v_name is null then
    return jsonb_build_object('outcome', 'expired', 'quota', private.ai_quota(p_user_id, v_now));
  end if;
  return jsonb_build_object(
    'outcome', 'saved', 'playlist_id', v_playlist_id, 'version', v_version, 'name', v_name,
    'quota', private.ai_quota(p_user_id, v_now)
  );
end
$$;
comment on function public.save_generated_playlist(uuid, uuid, numeric, text, text, jsonb, uuid, text, jsonb) is
  'Settles the session as succeeded and stores its playlist, or the next version of the playlist p_refined_id. {outcome: '
  'saved | expired | unknown | playlist_limit, playlist_id?, version?, name?, quota?}. playlist_limit leaves the session '
  'unsettled. A repeat returns saved and changes nothing. p_tracks: [{track_uri, title?, artist?, album?, duration_ms?, '
  'explicit?, version?, image_url?, why?}], other keys are ignored. p_suggestions: as in playlist_versions. Server only.';
grant execute on function public.save_generated_playlist(uuid, uuid, numeric, text, text, jsonb, uuid, text, jsonb)
  to fn_ai, service_role;
