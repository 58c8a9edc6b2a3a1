-- Tracks of playlists: positions 1..n without gaps, at most 100, no track twice. Users read the table; only the functions of
-- the next migration write it.
--
-- Everything that names the columns of a track is in this file. A new column needs besides the table: playlist_entry and
-- entry_of (what the track functions return), fit_track and check_track (what may be stored), and shown_track where
-- everyone who has a link may see it.

create table public.playlist_tracks (
  playlist_id uuid not null,
  position smallint not null,
  track_uri text not null,
  is_deleted boolean not null default false,
  added_at timestamptz not null default now(),
  title text,
  artist text,
  album text,
  duration_ms int,
  explicit boolean,
  version text,
  image_url text,
  why text,
  constraint playlist_tracks_pkey primary key (playlist_id, position),
  constraint playlist_tracks_playlist_id_fkey foreign key (playlist_id) references public.playlists (id) on delete cascade,
  constraint playlist_tracks_position_range check (position between 1 and 100),
  constraint playlist_tracks_track_uri_form check (track_uri ~ '^spotify:track:[0-9A-Za-z]{22}$'),
  constraint playlist_tracks_title_length check (char_length(title) between 1 and 200),
  constraint playlist_tracks_artist_length check (char_length(artist) between 1 and 200),
  constraint playlist_tracks_album_length check (char_length(album) between 1 and 200),
  constraint playlist_tracks_duration_ms_range check (duration_ms between 0 and 86400000),
  constraint playlist_tracks_version_form check (version ~ '^[a-z][a-z0-9_]{0,39}$'),
  constraint playlist_tracks_image_url_form check (
    image_url ~ '^(https://|http://127\.0\.0\.1:)[!-~]+$' and char_length(image_url) <= 300
  ),
  constraint playlist_tracks_why_form check (char_length(why) between 1 and 200 and why !~ '[[:cntrl:]\u2028\u2029]')
);

create unique index playlist_tracks_no_dup_idx on public.playlist_tracks (playlist_id, track_uri) where is_deleted = false;

comment on table public.playlist_tracks is
  'The tracks of a playlist in order; written by functions only. Title, artist, album, duration and mark are stored because '
  'Spotify does not let new apps look tracks up in bulk; they are null for a track that came without them.';
comment on column public.playlist_tracks.position is '1-based; live tracks are numbered 1..n without gaps.';
comment on column public.playlist_tracks.is_deleted is
  'Mirrors the playlist''s is_deleted; never set for a single track, because removing a track deletes its row.';
comment on column public.playlist_tracks.added_at is 'When the track was added to the playlist; unchanged when it moves.';
comment on column public.playlist_tracks.title is 'Spotify''s spelling, as in artist and album; null when unknown.';
comment on column public.playlist_tracks.artist is 'All credited artists, joined for display.';
comment on column public.playlist_tracks.duration_ms is 'Milliseconds, at most a day.';
comment on column public.playlist_tracks.explicit is 'Spotify''s explicit mark; null when unknown.';
comment on column public.playlist_tracks.version is
  'Which version the recording is, such as live, acoustic or re_recorded; null for the plain recording.';
comment on column public.playlist_tracks.image_url is
  'Spotify''s small picture of the album, at an https address (http on 127.0.0.1 for local development); null when unknown.';
comment on column public.playlist_tracks.why is 'One line by the model: why it suggested the song; null for other tracks.';

create type public.playlist_entry as (
  "position" smallint,
  track_uri text,
  title text,
  artist text,
  album text,
  duration_ms int,
  explicit boolean,
  version text,
  image_url text,
  why text,
  added_at timestamptz
);
comment on type public.playlist_entry is 'One track of a playlist, as the track functions return it.';

create type public.playlist_content as (version int, tracks public.playlist_entry[]);
comment on type public.playlist_content is 'All tracks of a playlist in order, and the version of the list.';

create function private.entry_of(p_track public.playlist_tracks) returns public.playlist_entry
language plpgsql immutable set search_path = ''
as $$
begin
  return row(
    p_track.position, p_track.track_uri, p_track.title, p_track.artist, p_track.album, p_track.duration_ms, p_track.explicit,
    p_track.version, p_track.image_url, p_track.why, p_track.added_at
  )::public.playlist_entry;
end
$$;
comment on function private.entry_of(public.playlist_tracks) is 'A stored track, as the track functions return it.';

create function private.shown_track(p_track public.playlist_tracks) returns jsonb
language plpgsql immutable set search_path = ''
as $$
begin
  return jsonb_build_object(
    'track_uri', p_track.track_uri, 'title', p_track.title, 'artist', p_track.artist, 'album', p_track.album,
    'duration_ms', p_track.duration_ms, 'explicit', p_track.explicit, 'version', p_track.version,
    'image_url', p_track.image_url
  );
end
$$;
comment on function private.shown_track(public.playlist_tracks) is
  'What everyone sees of a track of a shared playlist: nothing that was written for its owner.';

create function private.fit_track(p_track jsonb) returns jsonb
language plpgsql immutable set search_path = ''
as $$
begin
  return jsonb_build_object(
    'track_uri', p_track -> 'track_uri',
    'title', nullif(private.clean_text(p_track ->> 'title', 200), ''),
    'artist', nullif(private.clean_text(p_track ->> 'artist', 200), ''),
    'album', nullif(private.clean_text(p_track ->> 'album', 200), ''),
    'duration_ms', p_track -> 'duration_ms',
    'explicit', p_track -> 'explicit',
    'version', p_track -> 'version',
    'image_url', p_track -> 'image_url',
    'why', nullif(private.clean_text(p_track ->> 'why', 200), '')
  );
end
$$;
comment on function private.fit_track(jsonb) is 'The known keys of a track, its display texts made to fit.';

create function private.check_track(p_track jsonb, p_label text) returns void
language plpgsql immutable set search_path = ''
as $$
declare
  v_key text;
  v_problem text;
begin
  if jsonb_typeof(p_track) is distinct from 'object' then
    raise exception using errcode = 'PT422', message = p_label || ' must be an object';
  end if;
  select format(' has the unknown key %s', to_jsonb(left(k, 50))) into v_problem
  from jsonb_object_keys(p_track) k where not private.fit_track('{}') ? k limit 1;
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
  if jsonb_typeof(p_track -> 'version') not in ('string', 'null') or p_track ->> 'version' !~ '^[a-z][a-z0-9_]{0,39}$' then
    v_problem := coalesce(v_problem, '.version must be a name of lower-case letters, digits and underscores');
  end if;
  if jsonb_typeof(p_track -> 'image_url') not in ('string', 'null')
    or p_track ->> 'image_url' !~ '^(https://|http://127\.0\.0\.1:)[!-~]+$'
    or char_length(p_track ->> 'image_url') > 300 then
    v_problem := coalesce(v_problem, '.image_url must be an https URL of at most 300 characters');
  end if;
  if jsonb_typeof(p_track -> 'why') not in ('string', 'null')
    or char_length(p_track ->> 'why') not between 1 and 200 or p_track ->> 'why' ~ '[[:cntrl:]\u2028\u2029]' then
    v_problem := coalesce(v_problem, '.why must be one line of 1 to 200 characters');
  end if;
  if v_problem is not null then
    raise exception using errcode = 'PT422', message = p_label || v_problem;
  end if;
end
$$;
comment on function private.check_track(jsonb, text) is 'Refuses (PT422) a malformed track; the message names the problem.';

create function private.new_track(p_track jsonb) returns public.playlist_tracks
language plpgsql stable set search_path = ''
as $$
begin
  return jsonb_populate_record(null::public.playlist_tracks, p_track || jsonb_build_object('added_at', now()));
end
$$;
comment on function private.new_track(jsonb) is 'A checked track, added now and without a place.';

create function private.place_track(p_track public.playlist_tracks, p_playlist_id uuid, p_position int)
returns public.playlist_tracks
language plpgsql immutable set search_path = ''
as $$
begin
  p_track.playlist_id := p_playlist_id;
  p_track.position := p_position;
  p_track.is_deleted := false;
  return p_track;
end
$$;
comment on function private.place_track(public.playlist_tracks, uuid, int) is 'The track at a place of a live playlist.';

create function public.soft_delete_playlist_tracks() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if new.is_deleted is distinct from old.is_deleted then
    update public.playlist_tracks t set is_deleted = new.is_deleted where t.playlist_id = new.id;
  end if;
  return new;
end
$$;
comment on function public.soft_delete_playlist_tracks() is
  'Trigger: deleting a playlist softly deletes its tracks, restoring it restores them. A trigger on tracks must never '
  'update playlists: this one runs before the update, which would then find its row already changed.';

create function private.lock_live_playlist() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform from public.playlists p where p.id = new.playlist_id and p.is_deleted = false for share;
  if not found then
    raise exception using errcode = 'PT404', message = 'playlist not found';
  end if;
  return new;
end
$$;
comment on function private.lock_live_playlist() is
  'Trigger: no track enters a deleted playlist, also not one that is being deleted at the same moment.';

create trigger soft_delete_playlist_tracks before update of is_deleted on public.playlists
  for each row execute function public.soft_delete_playlist_tracks();
create trigger lock_live_playlist before insert on public.playlist_tracks
  for each row execute function private.lock_live_playlist();

-- `any (array(…))` and not `in (…)`: the array is computed once and used as an index condition.
alter table public.playlist_tracks enable row level security;
create policy "Tracks accessible through playlist owner" on public.playlist_tracks to authenticated
  using (playlist_id = any (array(select id from public.playlists where owner_id = (select auth.uid()))))
  with check (playlist_id = any (array(
    select id from public.playlists where owner_id = (select auth.uid()) and is_deleted = false
  )));
grant select on table public.playlist_tracks to authenticated;
