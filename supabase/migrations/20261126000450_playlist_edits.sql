-- Edits of tracks: add_tracks, remove_tracks, move_track, replace_track and replace_tracks.
--
-- Each locks the caller's live playlist, computes the new list and writes the part that differs. It deletes and inserts in
-- two statements, because shifting positions within one collides with the primary key. A list has at most 100 rows, so this
-- takes about a millisecond. Two writers without the lock would leave gaps.
--
-- Edits name tracks by their URIs, never by positions: another device may have changed the list since the user saw it. All
-- of them can be repeated when the response was lost, and return the whole list with its version.
--
-- The functions are definers, because users have no right to write tracks; lock_own_tracks checks the owner in all five.
-- Argument names are the JSON keys of the API.

create function private.parse_track(p_track jsonb, p_label text) returns public.playlist_tracks
language plpgsql stable set search_path = ''
as $$
begin
  perform private.check_track(p_track, p_label);
  return private.new_track(p_track);
end
$$;
comment on function private.parse_track(jsonb, text) is 'The track of a request, added now and without a position; PT422 for a malformed one.';

create function private.parse_tracks(p_tracks jsonb) returns public.playlist_tracks[]
language plpgsql stable set search_path = ''
as $$
begin
  if jsonb_typeof(p_tracks) is distinct from 'array' then
    raise exception using errcode = 'PT422', message = 'tracks must be an array';
  end if;
  if jsonb_array_length(p_tracks) > 100 then
    raise exception using errcode = 'PT409', message = 'a playlist holds at most 100 tracks';
  end if;
  return array(
    select private.parse_track(e.value, format('tracks[%s]', e.ordinality - 1))
    from jsonb_array_elements(p_tracks) with ordinality e
    order by e.ordinality
  );
end
$$;
comment on function private.parse_tracks(jsonb) is
  'The tracks of a request, added now and without a position: PT422 for malformed ones, PT409 for more than 100.';

-- A refusal waits for no lock. An edit is counted after the playlist has been locked and read, so that the order of locks
-- stays: the profile, then a playlist, then the rows that belong to them.
create function private.lock_own_tracks(p_playlist_id uuid) returns public.playlist_tracks[]
language plpgsql volatile set search_path = ''
as $$
declare
  v_user_id uuid := auth.uid();
  v_tracks public.playlist_tracks[];
  v_is_there boolean;
begin
  perform private.refuse_edit(private.seconds_until_refill(v_user_id, 'edit', clock_timestamp()));
  perform private.enter_edit(v_user_id);
  begin
    perform from public.profiles p where p.user_id = v_user_id for key share;
    perform from public.playlists p
    where p.id = p_playlist_id and p.owner_id = (select auth.uid()) and p.is_deleted = false
    for no key update;
    v_is_there := found;
  exception when lock_not_available then
    perform private.refuse_crowd();
  end;
  if not v_is_there then
    raise exception using errcode = 'PT404', message = 'playlist not found';
  end if;
  v_tracks := array(select t from public.playlist_tracks t where t.playlist_id = p_playlist_id order by t.position);
  perform private.refuse_edit(private.count_request(v_user_id, 'edit'));
  return v_tracks;
end
$$;
comment on function private.lock_own_tracks(uuid) is
  'Locks the caller''s live playlist, counts the edit and returns the tracks in order; PT404 for a playlist of another user, '
  'a deleted or an unknown one; 429 for an edit too many, 503 where too many run at once.';

create function private.write_tracks(
  p_playlist_id uuid, p_old public.playlist_tracks[], p_new public.playlist_tracks[], p_base_version int default null
) returns public.playlist_content
language plpgsql volatile set search_path = ''
as $$
declare
  v_duplicate text;
  v_content public.playlist_content;
  v_first int;
  v_last int;
begin
  if cardinality(p_new) > 100 then
    raise exception using errcode = 'PT409', message = 'a playlist holds at most 100 tracks';
  end if;
  select t.track_uri into v_duplicate from unnest(p_new) t group by t.track_uri having count(*) > 1 limit 1;
  if found then
    raise exception using errcode = 'PT409', message = format('duplicate track: %s', v_duplicate);
  end if;
  select p.version into strict v_content.version from public.playlists p where p.id = p_playlist_id;
  -- The rows outside of what has changed stay.
  select min(n), max(n) into v_first, v_last
  from generate_series(1, greatest(cardinality(p_old), cardinality(p_new))) n
  where p_old[n] is distinct from p_new[n];
  if v_first is not null then
    if p_base_version <> v_content.version then
      raise exception using errcode = 'PT409', message = 'the playlist has changed';
    end if;
    delete from public.playlist_tracks t where t.playlist_id = p_playlist_id and t.position between v_first and v_last;
    insert into public.playlist_tracks
    select t.*
    from generate_series(v_first, least(v_last, cardinality(p_new))) n
    cross join lateral private.place_track(p_new[n], p_playlist_id, n) t;
    update public.playlists p set version = p.version + 1 where p.id = p_playlist_id
    returning p.version into v_content.version;
  end if;
  v_content.tracks := array(
    select private.entry_of(t)
    from public.playlist_tracks t
    where t.playlist_id = p_playlist_id
    order by t.position
  );
  return v_content;
end
$$;
comment on function private.write_tracks(uuid, public.playlist_tracks[], public.playlist_tracks[], int) is
  'Replaces the playlist''s tracks p_old by p_new, increases its version and returns both; writes nothing where they are the '
  'same. PT409 for a duplicate, for more than 100 and where the version is not p_base_version. The caller holds the '
  'playlist''s lock.';

create function private.position_of(p_tracks public.playlist_tracks[], p_track_uri text) returns int
language sql immutable set search_path = ''
as $$ select n.ordinality::int from unnest(p_tracks) with ordinality n where n.track_uri = p_track_uri $$;
comment on function private.position_of(public.playlist_tracks[], text) is 'The place of a track in the list, from 1; null for a missing track.';

create function private.place_between(p_tracks public.playlist_tracks[], p_after_uri text, p_before_uri text) returns int
language sql immutable set search_path = ''
as $$
  select coalesce(
    private.position_of(p_tracks, p_after_uri), private.position_of(p_tracks, p_before_uri) - 1, cardinality(p_tracks)
  )
$$;
comment on function private.place_between(public.playlist_tracks[], text, text) is
  'How many tracks come before one that is put after p_after_uri; where that is missing, before p_before_uri; else at the end.';

create function public.add_tracks(playlist_id uuid, tracks jsonb, after_uri text default null, before_uri text default null)
returns public.playlist_content
language plpgsql security definer set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_new public.playlist_tracks[] := private.parse_tracks(tracks);
  v_tracks public.playlist_tracks[] := private.lock_own_tracks(playlist_id);
  v_after int := private.place_between(v_tracks, after_uri, before_uri);
begin
  v_new := array(
    select v_new[n.ordinality]
    from unnest(v_new) with ordinality n
    where not exists (select from unnest(v_tracks) t where t.track_uri = n.track_uri)
    order by n.ordinality
  );
  return private.write_tracks(playlist_id, v_tracks, v_tracks[:v_after] || v_new || v_tracks[v_after + 1:]);
end
$$;
comment on function public.add_tracks(uuid, jsonb, text, text) is
  'Adds tracks to the caller''s playlist after after_uri; where that is not in it, before before_uri; otherwise at the end. '
  'Tracks that it already holds stay where they are. Returns all its tracks and its version. '
  'A track has the members of playlist_entry without position and added_at; all but track_uri may be missing or null.';

create function public.remove_tracks(playlist_id uuid, track_uris text[])
returns public.playlist_content
language plpgsql security definer set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_tracks public.playlist_tracks[];
begin
  if track_uris is null or cardinality(track_uris) > 100 then
    raise exception using errcode = 'PT422', message = 'track_uris must be an array of at most 100 URIs';
  end if;
  v_tracks := private.lock_own_tracks(playlist_id);
  return private.write_tracks(playlist_id, v_tracks, array(
    select t from unnest(v_tracks) t where (t.track_uri = any (track_uris)) is not true order by t.position
  ));
end
$$;
comment on function public.remove_tracks(uuid, text[]) is
  'Removes tracks from the caller''s playlist; those that it does not hold are ignored. Returns all its tracks and its version.';

create function public.move_track(
  playlist_id uuid, track_uri text, after_uri text default null, before_uri text default null
) returns public.playlist_content
language plpgsql security definer set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_tracks public.playlist_tracks[] := private.lock_own_tracks(playlist_id);
  v_at int := private.position_of(v_tracks, track_uri);
  v_others public.playlist_tracks[] := v_tracks[:v_at - 1] || v_tracks[v_at + 1:];
  v_after int := private.place_between(v_others, after_uri, before_uri);
begin
  if v_at is null then
    raise exception using errcode = 'PT409', message = 'the track is not in the playlist';
  end if;
  return private.write_tracks(playlist_id, v_tracks, v_others[:v_after] || v_tracks[v_at] || v_others[v_after + 1:]);
end
$$;
comment on function public.move_track(uuid, text, text, text) is
  'Moves a track of the caller''s playlist after after_uri; where that is not in it, before before_uri; otherwise to the '
  'end. PT409 where the playlist does not hold the track. Returns all its tracks and its version.';

create function private.keep_dates(p_old public.playlist_tracks[], p_new public.playlist_tracks[])
returns public.playlist_tracks[]
language sql stable set search_path = ''
as $$
  select array(
    select case when o.track_uri is null then p_new[n.ordinality] else
      jsonb_populate_record(p_new[n.ordinality], jsonb_build_object(
        'playlist_id', o.playlist_id, 'position', o.position, 'is_deleted', o.is_deleted, 'added_at', o.added_at
      ))
    end
    from unnest(p_new) with ordinality n
    left join unnest(p_old) o on o.track_uri = n.track_uri
    order by n.ordinality
  )
$$;
comment on function private.keep_dates(public.playlist_tracks[], public.playlist_tracks[]) is
  'p_new, in which the tracks of p_old are the same rows with new texts, so that they keep the date on which they were added.';

create function public.replace_track(playlist_id uuid, track_uri text, track jsonb)
returns public.playlist_content
language plpgsql security definer set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_new public.playlist_tracks := private.parse_track(track, 'track');
  v_tracks public.playlist_tracks[] := private.lock_own_tracks(playlist_id);
  v_at int := private.position_of(v_tracks, track_uri);
begin
  if v_at is not null then
    return private.write_tracks(
      playlist_id, v_tracks, v_tracks[:v_at - 1] || private.keep_dates(v_tracks, array[v_new]) || v_tracks[v_at + 1:]
    );
  elsif private.position_of(v_tracks, v_new.track_uri) is null then
    raise exception using errcode = 'PT409', message = 'the track is not in the playlist';
  end if;
  return private.write_tracks(playlist_id, v_tracks, v_tracks);
end
$$;
comment on function public.replace_track(uuid, text, jsonb) is
  'Puts track in the place of another one in the caller''s playlist. Changes nothing where that was done before; PT409 where '
  'the playlist holds neither, or both. track as in add_tracks. Returns all its tracks and its version.';

create function public.replace_tracks(playlist_id uuid, tracks jsonb, base_version int default null)
returns public.playlist_content
language plpgsql security definer set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_new public.playlist_tracks[] := private.parse_tracks(tracks);
  v_old public.playlist_tracks[] := private.lock_own_tracks(playlist_id);
begin
  return private.write_tracks(playlist_id, v_old, private.keep_dates(v_old, v_new), base_version);
end
$$;
comment on function public.replace_tracks(uuid, jsonb, int) is
  'Replaces all tracks of the caller''s playlist; with a base_version only if the list still has it, otherwise PT409, unless '
  'the tracks are the same already. tracks as in add_tracks. Returns all its tracks and its version.';

grant execute on function
  public.add_tracks(uuid, jsonb, text, text), public.remove_tracks(uuid, text[]), public.move_track(uuid, text, text, text),
  public.replace_track(uuid, text, jsonb), public.replace_tracks(uuid, jsonb, int)
  to authenticated;
