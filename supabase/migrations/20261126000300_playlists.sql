-- Playlists: at most 50 live ones per user, names unique among them, deleted softly.
--
-- Users cannot choose ids: a generated playlist has its AI session's id, which no other user may take beforehand.
--
-- A count is exact only while no other transaction of the same user can add a playlist. So every writer first locks the
-- owner's profile, before a row enters the unique index: a writer that waits in the index for one that waits for the
-- profile would be a deadlock. The limit is checked at commit, so that a transaction may delete after it has added.
--
-- Deleted playlists are kept for 30 days, and at most 100 rows per owner: the one that was deleted first is removed. The
-- time of the deletion has its own column because updated_at changes when a deleted playlist is renamed.

create table public.playlists (
  id uuid not null default gen_random_uuid(),
  owner_id uuid not null,
  name text not null,
  description text,
  is_deleted boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  version int not null default 0,
  constraint playlists_pkey primary key (id),
  constraint playlists_owner_id_fkey foreign key (owner_id) references public.profiles (user_id) on delete cascade,
  constraint playlists_name_length check (char_length(name) between 1 and 100),
  constraint playlists_name_one_line check (name !~ '[\u0001-\u001f\u007f-\u009f\u2028\u2029]'),
  constraint playlists_description_length check (char_length(description) <= 300)
);

create unique index playlists_owner_name_idx on public.playlists (owner_id, lower(name)) where is_deleted = false;
create index playlists_owner_idx on public.playlists (owner_id);

comment on table public.playlists is 'A user''s playlists, including those deleted within the last 30 days; at most 100 rows per owner.';
comment on column public.playlists.id is 'For a generated playlist, the id of its AI session.';
comment on column public.playlists.name is '1 to 100 characters on one line, trimmed; unique per owner among live playlists, ignoring case.';
comment on column public.playlists.description is 'Up to 300 characters, or null.';
comment on column public.playlists.is_deleted is 'Soft deletion; setting it back to false restores the playlist with its tracks.';
comment on column public.playlists.deleted_at is 'When it was softly deleted, null for live playlists; it is deleted for good 30 days later.';
comment on column public.playlists.version is
  'Increases by one with every change of the track list, in the same transaction; written by functions only.';
comment on index public.playlists_owner_idx is 'For a user''s whole list and for the cascade: the unique index covers live rows only.';

create function private.playlist_limit() returns int
language sql immutable parallel safe set search_path = ''
as $$ select 50 $$;
comment on function private.playlist_limit() is 'How many live playlists a user may have.';

create function private.live_playlist_count(p_owner_id uuid) returns int
language sql stable set search_path = ''
as $$ select count(*)::int from public.playlists p where p.owner_id = p_owner_id and p.is_deleted = false $$;
comment on function private.live_playlist_count(uuid) is 'Live playlists of one user. Exact only while the owner''s profile is locked.';

create function private.playlist_row_limit() returns int
language sql immutable parallel safe set search_path = ''
as $$ select 100 $$;
comment on function private.playlist_row_limit() is 'How many playlists of a user are kept, deleted ones included.';

create function private.refuse_playlist() returns void
language plpgsql stable set search_path = ''
as $$
begin
  raise exception using
    errcode = 'PT409',
    message = format('playlist limit reached: at most %s', private.playlist_limit()),
    hint = 'Delete a playlist first.';
end
$$;
comment on function private.refuse_playlist() is 'Refuses (PT409) a live playlist beyond the limit.';

-- Thousands of rows in one statement would be counted at commit, once for each row: 5,000 took half a minute.
create function private.prepare_playlist() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if tg_op = 'INSERT' and private.live_playlist_count(new.owner_id) >= private.playlist_row_limit() then
    perform private.refuse_playlist();
  end if;
  new.name := private.trim_space(new.name);
  if not new.is_deleted then
    new.deleted_at := null;
  elsif tg_op = 'INSERT' or not old.is_deleted then
    new.deleted_at := clock_timestamp();
  end if;
  return new;
end
$$;
comment on function private.prepare_playlist() is
  'Trigger: the name is stored trimmed, a deletion with its time; more playlists than can be kept are refused at once.';

create function public.check_playlists_limit() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform from public.profiles p where p.user_id = new.owner_id for no key update;
  if private.live_playlist_count(new.owner_id) > private.playlist_limit() then
    perform private.refuse_playlist();
  end if;
  return null;
end
$$;
comment on function public.check_playlists_limit() is 'Deferred trigger: at most private.playlist_limit() live playlists per owner.';

-- An update locks its row before the row's triggers run, so a row's trigger would lock the profile too late: two
-- transactions that each hold one playlist could wait for each other. A statement's trigger runs before any row is
-- locked. Users write only their own playlists, so the profile to lock is theirs; the server's functions, which have no
-- auth.uid(), lock it themselves. Each statement of a user is one write from their bucket.
create function private.lock_own_profile() returns trigger
language plpgsql security definer set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_user_id uuid := auth.uid();
  v_is_there boolean;
begin
  perform private.refuse_edit(private.seconds_until_refill(v_user_id, 'playlist', clock_timestamp()));
  begin
    perform from public.profiles p where p.user_id = v_user_id for no key update;
    v_is_there := found;
  exception when lock_not_available then
    perform private.refuse_crowd();
  end;
  if v_is_there then
    perform private.refuse_edit(private.count_request(v_user_id, 'playlist'));
  end if;
  return null;
end
$$;
comment on function private.lock_own_profile() is
  'Trigger: locks the caller''s profile before the rows of the statement and counts the write; 429 above the limit per '
  'minute, 503 if the lock takes two seconds.';

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
  'Trigger: when a new playlist exceeds the number that is kept, the one that was deleted first is removed for good.';

-- Not for version: edits of tracks have their own bucket.
create trigger lock_own_profile before insert or update of owner_id, name, description, is_deleted on public.playlists
  for each statement execute function private.lock_own_profile();
create trigger prepare_playlist before insert or update of owner_id, name, is_deleted on public.playlists
  for each row execute function private.prepare_playlist();
create constraint trigger check_playlists_limit after insert or update of owner_id, is_deleted on public.playlists
  deferrable initially deferred
  for each row when (new.is_deleted = false) execute function public.check_playlists_limit();
create trigger forget_oldest_deleted_playlists after insert on public.playlists
  for each row execute function private.forget_oldest_deleted_playlists();
create trigger set_updated_at before update on public.playlists
  for each row execute function private.set_updated_at();

alter table public.playlists enable row level security;
create policy "Playlists are owner-read-write" on public.playlists to authenticated
  using (owner_id = (select auth.uid()))
  with check (owner_id = (select auth.uid()));
grant select, insert (owner_id, name, description), update (name, description, is_deleted)
  on table public.playlists to authenticated;
