-- Tracks of playlists: positions 1..n without gaps, at most 100, no track twice.
--
-- Users only read. All writing goes through functions that lock the playlist first: shifting positions by hand
-- collides with the primary key, and two writers at once would leave gaps. is_deleted mirrors the playlist's; removing
-- one track deletes its row.
--
-- title, artist, album, duration_ms and explicit are Spotify's, kept because Spotify no longer lets a new app look
-- tracks up in bulk. They are null for a track that came without them.

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
  constraint playlist_tracks_pkey primary key (playlist_id, position),
  constraint playlist_tracks_playlist_id_fkey foreign key (playlist_id) references public.playlists (id) on delete cascade,
  constraint playlist_tracks_position_range check (position between 1 and 100),
  constraint playlist_tracks_track_uri_form check (track_uri ~ '^spotify:track:[0-9A-Za-z]{22}$'),
  constraint playlist_tracks_title_length check (char_length(title) between 1 and 500),
  constraint playlist_tracks_artist_length check (char_length(artist) between 1 and 500),
  constraint playlist_tracks_album_length check (char_length(album) between 1 and 500),
  constraint playlist_tracks_duration_ms_range check (duration_ms between 0 and 86400000)
);

create unique index playlist_tracks_no_dup_idx on public.playlist_tracks (playlist_id, track_uri) where is_deleted = false;

comment on table public.playlist_tracks is 'The tracks of a playlist in order; written by functions only.';
comment on column public.playlist_tracks.position is '1-based; live tracks are numbered 1..n without gaps.';
comment on column public.playlist_tracks.is_deleted is 'Mirrors the playlist''s is_deleted, never set for a single track.';
comment on column public.playlist_tracks.added_at is 'When the track came into the playlist; kept when it moves.';
comment on column public.playlist_tracks.title is 'Spotify''s own spelling, as are artist and album; null when unknown.';
comment on column public.playlist_tracks.artist is 'All credited artists, joined for display.';
comment on column public.playlist_tracks.duration_ms is 'Milliseconds, at most a day.';
comment on column public.playlist_tracks.explicit is 'Spotify''s explicit mark; null when unknown.';

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
  'update playlists: this one runs before the update, whose row would then have changed beneath it.';

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

revoke all on function public.soft_delete_playlist_tracks(), private.lock_live_playlist()
  from public, anon, authenticated, service_role;

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

revoke all on table public.playlist_tracks from public, anon, authenticated, service_role;
grant select on table public.playlist_tracks to authenticated;
