-- Versions of a playlist: a refinement adds one, and the user can restore each of them.
--
-- The tracks of the current version are those of the playlist, which the user edits. Each other version holds the list as
-- the user left it, so that restoring loses no edit. Its number is the version of the list when it was created.
--
-- Spotify's terms do not allow sending its content to a language model. So a version also keeps how the model itself spelled
-- its songs: of the playlist, a refinement sends nothing else.

create table public.playlist_versions (
  playlist_id uuid not null,
  version int not null,
  session_id uuid,
  prompt text,
  instruction text,
  suggestions jsonb not null default '{}',
  tracks jsonb,
  is_current boolean not null default true,
  created_at timestamptz not null default now(),
  constraint playlist_versions_pkey primary key (playlist_id, version),
  constraint playlist_versions_playlist_id_fkey foreign key (playlist_id) references public.playlists (id) on delete cascade,
  constraint playlist_versions_prompt_length check (char_length(prompt) between 1 and 1000),
  constraint playlist_versions_instruction_length check (char_length(instruction) between 1 and 500),
  constraint playlist_versions_suggestions_form check (jsonb_typeof(suggestions) = 'object'),
  constraint playlist_versions_tracks_form check (jsonb_typeof(tracks) = 'array'),
  constraint playlist_versions_current_form check (is_current = (tracks is null))
);

create unique index playlist_versions_current_idx on public.playlist_versions (playlist_id) where is_current;
create index playlist_versions_session_idx on public.playlist_versions (session_id);

comment on table public.playlist_versions is
  'The versions of a playlist that was generated or refined, at most 20; written by functions only.';
comment on column public.playlist_versions.version is 'playlists.version when it was created.';
comment on column public.playlist_versions.session_id is 'The AI session that created it; null for a list that the user created.';
comment on column public.playlist_versions.prompt is 'The prompt of its generation.';
comment on column public.playlist_versions.instruction is 'The instruction of the refinement; null for other songs of the same prompt.';
comment on column public.playlist_versions.suggestions is
  'The model''s own spelling of its songs by track URI: {"spotify:track:…": {"artist", "title"}}.';
comment on column public.playlist_versions.tracks is 'The list as it was left; null for the current version.';
comment on index public.playlist_versions_current_idx is 'A playlist has one current version.';

alter table public.playlist_versions enable row level security;
create policy "Versions accessible through playlist owner" on public.playlist_versions to authenticated
  using (playlist_id = any (array(select id from public.playlists where owner_id = (select auth.uid()))))
  with check (playlist_id = any (array(
    select id from public.playlists where owner_id = (select auth.uid()) and is_deleted = false
  )));
grant select on table public.playlist_versions to authenticated;

create function private.playlist_version_limit() returns int
language sql immutable parallel safe set search_path = ''
as $$ select 20 $$;
comment on function private.playlist_version_limit() is 'How many versions of a playlist are kept.';

create function private.refined_tracks(p_playlist_id uuid) returns jsonb
language sql stable set search_path = ''
as $$
  with known as (
    select coalesce(jsonb_object_agg(e.key, e.value order by v.version), '{}') as suggestions
    from public.playlist_versions v
    cross join lateral jsonb_each(v.suggestions) e
    where v.playlist_id = p_playlist_id
  )
  select coalesce(jsonb_agg(
    to_jsonb(t) - array['playlist_id', 'position', 'is_deleted', 'added_at']
      || jsonb_build_object('suggestion', k.suggestions -> t.track_uri)
    order by t.position
  ), '[]')
  from public.playlist_tracks t
  cross join known k
  where t.playlist_id = p_playlist_id
$$;
comment on function private.refined_tracks(uuid) is
  'The tracks of a playlist in order, each with the model''s own spelling of it where the model suggested it.';

create function private.leave_version(p_playlist_id uuid, p_tracks public.playlist_tracks[]) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  v_tracks jsonb := coalesce((
    select jsonb_agg(to_jsonb(t) - array['playlist_id', 'position', 'is_deleted'] order by t.position) from unnest(p_tracks) t
  ), '[]');
begin
  update public.playlist_versions v set tracks = v_tracks, is_current = false where v.playlist_id = p_playlist_id and v.is_current;
  if not found and cardinality(p_tracks) > 0 then
    insert into public.playlist_versions (playlist_id, version, tracks, is_current, created_at)
    select p.id, p.version, v_tracks, false, p.created_at from public.playlists p where p.id = p_playlist_id;
  end if;
end
$$;
comment on function private.leave_version(uuid, public.playlist_tracks[]) is
  'Keeps the tracks of a playlist as those of its current version, before others take their place. The caller holds the '
  'playlist''s lock.';

create function private.add_version(
  p_playlist_id uuid, p_session public.ai_sessions, p_tracks public.playlist_tracks[], p_instruction text, p_suggestions jsonb
) returns int
language plpgsql volatile set search_path = ''
as $$
declare
  v_old public.playlist_tracks[] :=
    array(select t from public.playlist_tracks t where t.playlist_id = p_playlist_id order by t.position);
  v_version int;
begin
  -- The version that is left is kept, however old it is.
  delete from public.playlist_versions v
  where v.playlist_id = p_playlist_id and v.version in (
    select o.version from public.playlist_versions o
    where o.playlist_id = p_playlist_id and not o.is_current
    order by o.version desc
    offset private.playlist_version_limit() - 2
  );
  perform private.leave_version(p_playlist_id, v_old);
  v_version := (private.write_tracks(p_playlist_id, v_old, p_tracks)).version;
  -- A list that did not change has the version's number already.
  insert into public.playlist_versions as v (playlist_id, version, session_id, prompt, instruction, suggestions)
  values (
    p_playlist_id, v_version, p_session.id, p_session.prompt,
    nullif(private.clean_text(p_instruction, 500), ''), coalesce(p_suggestions, '{}')
  )
  on conflict (playlist_id, version) do update set
    session_id = excluded.session_id, prompt = excluded.prompt, instruction = excluded.instruction,
    suggestions = v.suggestions || excluded.suggestions, tracks = null, is_current = true;
  return v_version;
end
$$;
comment on function private.add_version(uuid, public.ai_sessions, public.playlist_tracks[], text, jsonb) is
  'Makes a generated list the playlist''s next version and returns its number. The caller holds the playlist''s lock.';

create function public.restore_version(playlist_id uuid, version int) returns public.playlist_content
language plpgsql security definer set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_old public.playlist_tracks[] := private.lock_own_tracks(playlist_id);
  v_new public.playlist_tracks[] := v_old;
  v_tracks jsonb;
begin
  select v.tracks into v_tracks
  from public.playlist_versions v
  where v.playlist_id = restore_version.playlist_id and v.version = restore_version.version;
  if not found then
    raise exception using errcode = 'PT404', message = 'version not found';
  end if;
  if v_tracks is not null then
    perform private.leave_version(playlist_id, v_old);
    update public.playlist_versions v set tracks = null, is_current = true
    where v.playlist_id = restore_version.playlist_id and v.version = restore_version.version;
    v_new := array(
      select jsonb_populate_record(null::public.playlist_tracks, e.value)
      from jsonb_array_elements(v_tracks) with ordinality e
      order by e.ordinality
    );
  end if;
  return private.write_tracks(playlist_id, v_old, v_new);
end
$$;
comment on function public.restore_version(uuid, int) is
  'Makes a version of the caller''s playlist the current one; the one before it keeps its tracks. PT404 for an unknown '
  'version. A repeat changes nothing. Returns all its tracks and the version of the list.';
grant execute on function public.restore_version(uuid, int) to authenticated;
