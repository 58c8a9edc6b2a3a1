-- Bounds of what one user stores: a hundred playlists with the deleted ones, texts of 200 characters, deletions for 30 days.
--
-- Deleted playlists were kept as long as the account, so making and deleting them filled the disk. Now the one that was
-- deleted first goes where a new one would be the 101st, and each goes 30 days after its deletion. That moment has a
-- column of its own, for updated_at moves when a deleted playlist is renamed.

set local lock_timeout = '5s';

alter table public.playlists add column deleted_at timestamptz;
comment on column public.playlists.deleted_at is 'When it was softly deleted, null for live ones; 30 days later it is gone.';
comment on table public.playlists is 'A user''s playlists, deleted ones included for 30 days; a hundred at the most.';
update public.playlists set deleted_at = clock_timestamp() where is_deleted;

create function private.playlist_row_limit() returns int
language sql immutable parallel safe set search_path = ''
as $$ select 100 $$;
comment on function private.playlist_row_limit() is 'How many playlists of a user are kept, deleted ones included.';

create or replace function private.prepare_playlist() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  new.name := private.trim_space(new.name);
  if not new.is_deleted then
    new.deleted_at := null;
    perform from public.profiles p where p.user_id = new.owner_id for no key update;
  elsif tg_op = 'INSERT' or not old.is_deleted then
    new.deleted_at := clock_timestamp();
  end if;
  return new;
end
$$;
comment on function private.prepare_playlist() is
  'Trigger: the name is stored trimmed, a deletion with its moment; for a live playlist the owner''s profile is locked before '
  'any index is touched.';

create function private.forget_oldest_deleted_playlists() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  delete from public.playlists p
  where p.id = any (array(
    select d.id
    from public.playlists d
    where d.owner_id = new.owner_id and d.is_deleted and d.id <> new.id
    order by d.deleted_at desc
    offset greatest(private.playlist_row_limit() - (
      select count(*) from public.playlists l where l.owner_id = new.owner_id and (not l.is_deleted or l.id = new.id)
    ), 0)
  ));
  return null;
end
$$;
comment on function private.forget_oldest_deleted_playlists() is
  'Trigger: where a new playlist is one more than are kept, those that were deleted first are deleted for good.';
create trigger forget_oldest_deleted_playlists after insert on public.playlists
  for each row execute function private.forget_oldest_deleted_playlists();

-- A track's texts come from the user who adds it.
update public.playlist_tracks t
set title = left(t.title, 200), artist = left(t.artist, 200), album = left(t.album, 200)
where char_length(t.title) > 200 or char_length(t.artist) > 200 or char_length(t.album) > 200;
alter table public.playlist_tracks
  drop constraint playlist_tracks_title_length,
  drop constraint playlist_tracks_artist_length,
  drop constraint playlist_tracks_album_length,
  add constraint playlist_tracks_title_length check (char_length(title) between 1 and 200) not valid,
  add constraint playlist_tracks_artist_length check (char_length(artist) between 1 and 200) not valid,
  add constraint playlist_tracks_album_length check (char_length(album) between 1 and 200) not valid;

create or replace function private.check_track(p_track jsonb, p_label text) returns void
language plpgsql immutable set search_path = ''
as $$
declare
  v_keys constant text[] := array['track_uri', 'title', 'artist', 'album', 'duration_ms', 'explicit'];
  v_key text;
  v_problem text;
begin
  if jsonb_typeof(p_track) <> 'object' then
    raise exception using errcode = 'PT422', message = p_label || ' must be an object';
  end if;
  select format(' has the unknown key %s', to_jsonb(left(k, 50))) into v_problem
  from jsonb_object_keys(p_track) k where k <> all (v_keys) limit 1;
  if jsonb_typeof(p_track -> 'track_uri') is distinct from 'string'
    or p_track ->> 'track_uri' !~ '^spotify:track:[0-9A-Za-z]{22}$' then
    v_problem := coalesce(v_problem, '.track_uri must be spotify:track: followed by 22 letters or digits');
  end if;
  foreach v_key in array array['title', 'artist', 'album'] loop
    if jsonb_typeof(p_track -> v_key) not in ('string', 'null')
      or char_length(p_track ->> v_key) not between 1 and 200 then
      v_problem := coalesce(v_problem, format('.%s must be a string of 1 to 200 characters', v_key));
    end if;
  end loop;
  if jsonb_typeof(p_track -> 'duration_ms') not in ('number', 'null')
    or p_track ->> 'duration_ms' !~ '^\d{1,8}$' or (p_track ->> 'duration_ms')::numeric > 86400000 then
    v_problem := coalesce(v_problem, '.duration_ms must be a whole number from 0 to 86400000');
  end if;
  if jsonb_typeof(p_track -> 'explicit') not in ('boolean', 'null') then
    v_problem := coalesce(v_problem, '.explicit must be true or false');
  end if;
  if v_problem is not null then
    raise exception using errcode = 'PT422', message = p_label || v_problem;
  end if;
end
$$;

create or replace function private.fit_tracks(p_tracks jsonb) returns jsonb
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
        'explicit', e.value -> 'explicit'
      ) order by e.ordinality), '[]')
      from jsonb_array_elements(p_tracks) with ordinality e
    )
    else p_tracks
  end
$$;

create function private.forget_expired() returns void
language plpgsql security definer set search_path = '' set lock_timeout = '5s'
as $$
begin
  delete from public.playlists p where p.is_deleted and p.deleted_at < now() - interval '720 hours';
  delete from private.request_buckets b where b.refills_at < now();
end
$$;
comment on function private.forget_expired() is
  'Deletes what has had its time: playlists 30 days after their deletion, buckets whose period is over.';

do $$
begin
  perform cron.schedule('forget_expired', '15 3 * * *', $job$select private.forget_expired();$job$);
exception when others then
  raise notice 'pg_cron is not available (%): run daily private.forget_expired()', sqlerrm;
end
$$;

revoke all on function
  private.playlist_row_limit(), private.forget_oldest_deleted_playlists(), private.forget_expired()
  from public, anon, authenticated, service_role;
