-- Playlists: at most 50 live ones per user, names unique among them, deleted softly.
--
-- Ids cannot be chosen by users: a generated playlist carries its AI session's id, and nobody may squat on one.
--
-- Counting is only right when no other transaction of the same user can add a playlist meanwhile. So whatever makes a
-- playlist live or changes a live one's name first locks the owner's profile. It happens before the row goes into the
-- unique index: a writer that waited in the index for one that waits for the profile would be a deadlock. The limit
-- itself is checked at commit, so that a transaction may delete after it has added.

create table public.playlists (
  id uuid not null default gen_random_uuid(),
  owner_id uuid not null,
  name text not null,
  description text,
  is_deleted boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint playlists_pkey primary key (id),
  constraint playlists_owner_id_fkey foreign key (owner_id) references public.profiles (user_id) on delete cascade,
  constraint playlists_name_length check (char_length(name) between 1 and 100),
  constraint playlists_name_one_line check (name !~ '[\u0001-\u001f\u007f-\u009f\u2028\u2029]'),
  constraint playlists_description_length check (char_length(description) <= 300)
);

create unique index playlists_owner_name_idx on public.playlists (owner_id, lower(name)) where is_deleted = false;
create index playlists_owner_idx on public.playlists (owner_id);

comment on table public.playlists is 'A user''s playlists, deleted ones included until the account goes.';
comment on column public.playlists.id is 'Equals the AI session''s id where the playlist was generated.';
comment on column public.playlists.name is '1 to 100 characters on one line, trimmed; unique per owner among live ones, ignoring case.';
comment on column public.playlists.description is 'Up to 300 characters, or null.';
comment on column public.playlists.is_deleted is 'Soft deletion; setting it back to false restores the playlist with its tracks.';
comment on index public.playlists_owner_idx is 'For a user''s whole list and for the cascade: the unique index covers live rows only.';

create function private.playlist_limit() returns int
language sql immutable parallel safe set search_path = ''
as $$ select 50 $$;
comment on function private.playlist_limit() is 'How many live playlists a user may have.';

create function private.live_playlist_count(p_owner_id uuid) returns int
language sql stable set search_path = ''
as $$ select count(*)::int from public.playlists p where p.owner_id = p_owner_id and p.is_deleted = false $$;
comment on function private.live_playlist_count(uuid) is 'Live playlists of one user. Exact only while the owner''s profile is locked.';

create function private.prepare_playlist() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  new.name := private.trim_space(new.name);
  if not new.is_deleted then
    perform from public.profiles p where p.user_id = new.owner_id for no key update;
  end if;
  return new;
end
$$;
comment on function private.prepare_playlist() is
  'Trigger: the name is stored trimmed; for a live playlist the owner''s profile is locked before any index is touched.';

create function public.check_playlists_limit() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform from public.profiles p where p.user_id = new.owner_id for no key update;
  if private.live_playlist_count(new.owner_id) > private.playlist_limit() then
    raise exception using
      errcode = 'PT409',
      message = format('playlist limit reached: at most %s', private.playlist_limit()),
      hint = 'Delete a playlist first.';
  end if;
  return null;
end
$$;
comment on function public.check_playlists_limit() is 'Deferred trigger: at most private.playlist_limit() live playlists per owner.';

revoke all on function
  private.playlist_limit(), private.live_playlist_count(uuid), private.prepare_playlist(), public.check_playlists_limit()
  from public, anon, authenticated, service_role;

create trigger prepare_playlist before insert or update of owner_id, name, is_deleted on public.playlists
  for each row execute function private.prepare_playlist();
create constraint trigger check_playlists_limit after insert or update of owner_id, is_deleted on public.playlists
  deferrable initially deferred
  for each row when (new.is_deleted = false) execute function public.check_playlists_limit();
create trigger set_updated_at before update on public.playlists
  for each row execute function private.set_updated_at();

alter table public.playlists enable row level security;
create policy "Playlists are owner-read-write" on public.playlists to authenticated
  using (owner_id = (select auth.uid()))
  with check (owner_id = (select auth.uid()));

revoke all on table public.playlists from public, anon, authenticated, service_role;
grant select, insert (owner_id, name, description), update (name, description, is_deleted)
  on table public.playlists to authenticated;
