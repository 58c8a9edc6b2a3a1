-- Sharing a playlist by a link, and duplicating one.
--
-- The link shows the playlist as it is now, until the owner revokes the link or deletes the playlist. The link's id is
-- random (122 bits) and never used again, so neither another id nor the playlist's own leads to it.
--
-- shared_playlist is the only function that anonymous users may execute: it reads one playlist by a unique index, and
-- returns what the page shows of it and nothing of its owner.

create table public.shared_playlists (
  playlist_id uuid not null,
  share_id uuid not null default gen_random_uuid(),
  created_at timestamptz not null default now(),
  constraint shared_playlists_pkey primary key (playlist_id),
  constraint shared_playlists_share_id_key unique (share_id),
  constraint shared_playlists_playlist_id_fkey foreign key (playlist_id) references public.playlists (id) on delete cascade
);

comment on table public.shared_playlists is 'The playlists that have a link for everyone; written by functions only.';
comment on column public.shared_playlists.share_id is 'The secret part of the link; a revoked link never gets the same one again.';

alter table public.shared_playlists enable row level security;
create policy "Shares accessible through playlist owner" on public.shared_playlists to authenticated
  using (playlist_id = any (array(select id from public.playlists where owner_id = (select auth.uid()))))
  with check (playlist_id = any (array(select id from public.playlists where owner_id = (select auth.uid()))));
grant select on table public.shared_playlists to authenticated;

create function public.share_playlist(playlist_id uuid) returns uuid
language plpgsql security definer set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_share_id uuid;
begin
  perform private.lock_own_tracks(playlist_id);
  insert into public.shared_playlists as s (playlist_id) values (share_playlist.playlist_id)
  on conflict on constraint shared_playlists_pkey do nothing;
  select s.share_id into strict v_share_id from public.shared_playlists s where s.playlist_id = share_playlist.playlist_id;
  return v_share_id;
end
$$;
comment on function public.share_playlist(uuid) is
  'Gives the caller''s playlist a link and returns its id; the same one while it is shared. Counts as an edit.';

create function public.unshare_playlist(playlist_id uuid) returns void
language plpgsql security definer set search_path = '' set lock_timeout = '2s'
as $$
begin
  perform private.lock_own_tracks(playlist_id);
  delete from public.shared_playlists s where s.playlist_id = unshare_playlist.playlist_id;
end
$$;
comment on function public.unshare_playlist(uuid) is
  'Revokes the link of the caller''s playlist for good; sharing it again makes another one. Counts as an edit.';

create function public.shared_playlist(share_id uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_playlist jsonb;
begin
  select jsonb_build_object('name', p.name, 'description', p.description, 'tracks', (
    select coalesce(jsonb_agg(private.shown_track(t) order by t.position), '[]')
    from public.playlist_tracks t where t.playlist_id = p.id
  ))
  into v_playlist
  from public.shared_playlists s
  join public.playlists p on p.id = s.playlist_id
  where s.share_id = shared_playlist.share_id and p.is_deleted = false;
  if v_playlist is null then
    raise exception using errcode = 'PT404', message = 'shared playlist not found';
  end if;
  return v_playlist;
end
$$;
comment on function public.shared_playlist(uuid) is
  'A shared playlist: {name, description, tracks}. A track has the members of playlist_entry without position, why and '
  'added_at. PT404 for an unknown or revoked link and for a deleted playlist. For everyone.';

-- The profile's lock is held from the start, as in save_generated_playlist. One statement reads the original, so the copy is
-- consistent without a lock on it.
create function private.duplicate(p_playlist_id uuid, p_with_why boolean) returns uuid
language plpgsql volatile set search_path = ''
as $$
declare
  v_user_id uuid := auth.uid();
  v_is_there boolean;
  v_name text;
  v_description text;
  v_tracks public.playlist_tracks[];
  v_id uuid;
begin
  perform private.refuse_edit(private.seconds_until_refill(v_user_id, 'playlist', clock_timestamp()));
  begin
    perform from public.profiles p where p.user_id = v_user_id for no key update;
    v_is_there := found;
  exception when lock_not_available then
    perform private.refuse_crowd();
  end;
  if not v_is_there then
    raise exception using errcode = 'PT404', message = 'profile not found';
  end if;
  select p.name, p.description, array(select t from public.playlist_tracks t where t.playlist_id = p.id order by t.position)
  into v_name, v_description, v_tracks
  from public.playlists p
  where p.id = p_playlist_id and p.is_deleted = false;
  if not found then
    raise exception using errcode = 'PT404', message = 'playlist not found';
  end if;
  insert into public.playlists (owner_id, name, description)
  values (v_user_id, private.free_playlist_name(v_user_id, v_name), v_description)
  returning id into v_id;
  insert into public.playlist_tracks
  select c.*
  from generate_subscripts(v_tracks, 1) n
  cross join lateral private.new_track(
    case when p_with_why then to_jsonb(v_tracks[n]) else private.shown_track(v_tracks[n]) end
  ) t
  cross join lateral private.place_track(t, v_id, n) c;
  return v_id;
end
$$;
comment on function private.duplicate(uuid, boolean) is
  'Copies a live playlist into the caller''s library and returns the copy''s id; PT409 at the limit of playlists.';

create function public.duplicate_playlist(playlist_id uuid) returns uuid
language plpgsql security definer set search_path = '' set lock_timeout = '2s'
as $$
begin
  if not exists (
    select from public.playlists p where p.id = duplicate_playlist.playlist_id and p.owner_id = (select auth.uid())
  ) then
    raise exception using errcode = 'PT404', message = 'playlist not found';
  end if;
  return private.duplicate(playlist_id, true);
end
$$;
comment on function public.duplicate_playlist(uuid) is
  'Copies one of the caller''s playlists under a free name and returns the copy''s id. PT404, PT409 at the limit.';

create function public.duplicate_shared_playlist(share_id uuid) returns uuid
language plpgsql security definer set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_playlist_id uuid;
begin
  select s.playlist_id into v_playlist_id
  from public.shared_playlists s
  where s.share_id = duplicate_shared_playlist.share_id;
  if not found then
    raise exception using errcode = 'PT404', message = 'shared playlist not found';
  end if;
  return private.duplicate(v_playlist_id, false);
end
$$;
comment on function public.duplicate_shared_playlist(uuid) is
  'Copies what shared_playlist returns into the caller''s library and returns the copy''s id. PT404 as there, PT409 at the '
  'limit.';

grant execute on function public.shared_playlist(uuid) to anon, authenticated;
grant execute on function
  public.share_playlist(uuid), public.unshare_playlist(uuid),
  public.duplicate_playlist(uuid), public.duplicate_shared_playlist(uuid)
  to authenticated;
