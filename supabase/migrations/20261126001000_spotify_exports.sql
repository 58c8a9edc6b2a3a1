-- Spotify exports: which copy on Spotify a playlist has, and what a repeated Idempotency-Key needs to complete or find it.
--
-- Creating a playlist on Spotify cannot be repeated safely, filling it can. So the copy's id is stored between the two: a
-- repeat fills the copy that exists. The request that works on an export holds its row for a while; if that request dies,
-- the next one takes over when the time is up. A key is forgotten after a day.
--
-- A playlist has one copy in the linked account. It is remembered as long as the link, so that a later export fills it
-- again, and only one export of a playlist runs at a time.

create table public.spotify_exports (
  user_id uuid not null,
  idempotency_key uuid not null,
  request jsonb not null,
  spotify_playlist_id text,
  result jsonb,
  held_until timestamptz not null,
  created_at timestamptz not null default now(),
  spotify_account_id text,
  constraint spotify_exports_pkey primary key (user_id, idempotency_key),
  constraint spotify_exports_user_id_fkey foreign key (user_id) references public.profiles (user_id) on delete cascade,
  constraint spotify_exports_request_size check (octet_length(request::text) <= 8192),
  constraint spotify_exports_spotify_playlist_id_form check (spotify_playlist_id ~ '^[0-9A-Za-z]{1,64}$'),
  constraint spotify_exports_result_size check (octet_length(result::text) <= 65536)
);

comment on table public.spotify_exports is 'Exports of the last day; written by functions only.';
comment on column public.spotify_exports.request is 'The request made under the key; a different request under the same key is refused.';
comment on column public.spotify_exports.spotify_playlist_id is 'The copy on Spotify; null until it is created.';
comment on column public.spotify_exports.result is 'The response; null until the copy is complete.';
comment on column public.spotify_exports.held_until is 'Until then a request is working on it.';
comment on column public.spotify_exports.spotify_account_id is 'The Spotify account that was linked when the copy was created; null where its id is unknown.';

alter table public.spotify_exports enable row level security;
create policy "Spotify exports owner" on public.spotify_exports to authenticated
  using (user_id = (select auth.uid()))
  with check (user_id = (select auth.uid()));

create table public.spotify_copies (
  playlist_id uuid not null,
  user_id uuid not null,
  spotify_playlist_id text not null,
  spotify_account_id text,
  created_at timestamptz not null default now(),
  constraint spotify_copies_pkey primary key (playlist_id),
  constraint spotify_copies_playlist_id_fkey foreign key (playlist_id) references public.playlists (id) on delete cascade,
  constraint spotify_copies_user_id_fkey foreign key (user_id) references public.profiles (user_id) on delete cascade,
  constraint spotify_copies_spotify_playlist_id_form check (spotify_playlist_id ~ '^[0-9A-Za-z]{1,64}$')
);
create index spotify_copies_user_id_idx on public.spotify_copies (user_id);

comment on table public.spotify_copies is
  'The copy of a playlist in the linked Spotify account; written by functions only, and forgotten with the link.';
comment on column public.spotify_copies.spotify_playlist_id is 'The copy on Spotify.';
comment on column public.spotify_copies.spotify_account_id is 'The Spotify account that has it; null where its id is unknown.';

alter table public.spotify_copies enable row level security;
create policy "Spotify copies owner" on public.spotify_copies to authenticated
  using (user_id = (select auth.uid()))
  with check (user_id = (select auth.uid()));
grant select on table public.spotify_copies to authenticated;

create function private.spotify_copy(p_user_id uuid, p_playlist_id text) returns text
language sql stable set search_path = ''
as $$
  select c.spotify_playlist_id
  from public.spotify_copies c
  join public.spotify_tokens t on t.user_id = c.user_id and t.account_id is not distinct from c.spotify_account_id
  where c.user_id = p_user_id and c.playlist_id::text = p_playlist_id
$$;
comment on function private.spotify_copy(uuid, text) is 'The copy of a playlist in the account that is linked now, or null.';

create function private.spotify_export_ttl() returns interval
language sql immutable parallel safe set search_path = ''
as $$ select interval '1 day' $$;
comment on function private.spotify_export_ttl() is 'How long an Idempotency-Key is remembered.';

create function private.spotify_export_hold() returns interval
language sql immutable parallel safe set search_path = ''
as $$ select interval '90 seconds' $$;
comment on function private.spotify_export_hold() is 'How long an export is held; longer than a request can last.';

-- The profile is locked first: deleting an old key and storing a new one write two rows that are deleted with the profile.
-- The lock also serialises the exports of a user, so that two exports of a playlist see each other.
create function public.begin_spotify_export(p_user_id uuid, p_idempotency_key uuid, p_request jsonb) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_export public.spotify_exports;
  v_now timestamptz;
  v_held_until timestamptz;
begin
  perform from public.profiles p where p.user_id = p_user_id for no key update;
  if not found then
    return jsonb_build_object('outcome', 'no_profile');
  end if;
  delete from public.spotify_exports e
  where e.user_id = p_user_id and e.created_at < clock_timestamp() - private.spotify_export_ttl();

  insert into public.spotify_exports (user_id, idempotency_key, request, held_until)
  values (p_user_id, p_idempotency_key, p_request, '-infinity')
  on conflict (user_id, idempotency_key) do nothing;
  -- The clock is read after the lock: a request that waited must not take over an export that was finished meanwhile.
  select * into v_export
  from public.spotify_exports e
  where e.user_id = p_user_id and e.idempotency_key = p_idempotency_key
  for update;
  v_now := clock_timestamp();

  if v_export.request <> p_request then
    return jsonb_build_object('outcome', 'key_reused');
  elsif v_export.result is not null then
    return jsonb_build_object('outcome', 'finished', 'result', v_export.result);
  end if;
  -- A running export under this key, or of the same playlist under another key.
  select max(e.held_until) into v_held_until
  from public.spotify_exports e
  where e.user_id = p_user_id
    and (e.idempotency_key = p_idempotency_key or e.request ->> 'playlist_id' = p_request ->> 'playlist_id')
    and e.held_until > v_now;
  if v_held_until is not null then
    return jsonb_build_object(
      'outcome', 'in_progress', 'retry_after_seconds', private.seconds_until(v_held_until, v_now)
    );
  end if;
  update public.spotify_exports e
  set held_until = v_now + private.spotify_export_hold()
  where e.user_id = p_user_id and e.idempotency_key = p_idempotency_key;
  return jsonb_build_object(
    'outcome', 'held',
    'spotify_playlist_id', coalesce(
      v_export.spotify_playlist_id,
      case when (p_request -> 'new_copy') is distinct from 'true' then private.spotify_copy(p_user_id, p_request ->> 'playlist_id') end
    )
  );
end
$$;
comment on function public.begin_spotify_export(uuid, uuid, jsonb) is
  'Holds an export for 90 seconds. {outcome: held | in_progress | finished | key_reused | no_profile, '
  'spotify_playlist_id?, retry_after_seconds?, result?}. held with an id: the copy exists and is to be filled, unless the request asks for a new_copy. in_progress '
  'also while the playlist is exported under another key. Server only.';

create function public.record_spotify_export(
  p_user_id uuid, p_idempotency_key uuid, p_spotify_playlist_id text, p_instead_of text default null
) returns text
language plpgsql security definer set search_path = ''
as $$
declare
  v_export public.spotify_exports;
begin
  perform from public.profiles p where p.user_id = p_user_id for key share;
  update public.spotify_exports e
  set
    spotify_playlist_id = coalesce(nullif(e.spotify_playlist_id, p_instead_of), p_spotify_playlist_id),
    spotify_account_id = (select t.account_id from public.spotify_tokens t where t.user_id = p_user_id)
  where e.user_id = p_user_id and e.idempotency_key = p_idempotency_key
  returning * into v_export;
  insert into public.spotify_copies as c (playlist_id, user_id, spotify_playlist_id, spotify_account_id)
  select p.id, p_user_id, v_export.spotify_playlist_id, v_export.spotify_account_id
  from public.playlists p
  -- Unlinking also forgets copies that are being created.
  join public.spotify_tokens t on t.user_id = p.owner_id
  where p.owner_id = p_user_id and p.id::text = v_export.request ->> 'playlist_id'
  for key share of t
  on conflict (playlist_id) do update
    set spotify_playlist_id = excluded.spotify_playlist_id, spotify_account_id = excluded.spotify_account_id;
  return v_export.spotify_playlist_id;
end
$$;
comment on function public.record_spotify_export(uuid, uuid, text, text) is
  'Stores the copy''s id, also with the playlist, replacing p_instead_of where that one is stored, and returns the stored '
  'one: otherwise the first. '
  'Null where the export is forgotten. Server only.';

create function public.finish_spotify_export(p_user_id uuid, p_idempotency_key uuid, p_result jsonb) returns void
language sql security definer set search_path = ''
as $$
  update public.spotify_exports e
  set result = p_result, held_until = '-infinity'
  where e.user_id = p_user_id and e.idempotency_key = p_idempotency_key
$$;
comment on function public.finish_spotify_export(uuid, uuid, jsonb) is 'Stores the response for repeats. Server only.';

create function public.release_spotify_export(p_user_id uuid, p_idempotency_key uuid) returns void
language plpgsql security definer set search_path = ''
as $$
begin
  delete from public.spotify_exports e
  where e.user_id = p_user_id and e.idempotency_key = p_idempotency_key
    and e.spotify_playlist_id is null and e.result is null;
  update public.spotify_exports e
  set held_until = '-infinity'
  where e.user_id = p_user_id and e.idempotency_key = p_idempotency_key;
end
$$;
comment on function public.release_spotify_export(uuid, uuid) is
  'Releases an export that failed, so that it can be repeated at once; deletes it where nothing was created. Server only.';

grant execute on function
  public.begin_spotify_export(uuid, uuid, jsonb), public.record_spotify_export(uuid, uuid, text, text),
  public.finish_spotify_export(uuid, uuid, jsonb), public.release_spotify_export(uuid, uuid)
  to fn_spotify, service_role;
