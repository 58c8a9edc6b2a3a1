-- Tracks of playlists: positions 1..n without gaps, at most 100, no track twice. Users read the table; only the functions of
-- the next migration write it.

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
