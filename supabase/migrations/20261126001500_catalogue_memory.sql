-- Catalogue memory: the search results of songs, so that the next request need not search for them.
--
-- Spotify's terms allow no database of its content beyond what is strictly necessary to operate the app, and demand current
-- data. So the memory is small, expires, and serves the functions only: no function lists it, and its keys are hashes, which
-- name no song and keep none of a user's words. `truncate private.catalogue_memory` deletes all of it at any time.
--
-- An entry depends on the song as it was searched for, the market and the version of the matching, on nothing of the user
-- who caused it. The functions check what they read as if it came from outside; the limits here bound the table.
--
-- Reading, writing and trimming cannot deadlock: reading and trimming skip locked rows, and writers lock rows in the order
-- of the key.

create table private.catalogue_memory (
  song bytea not null,
  market text not null,
  matcher int not null,
  candidates jsonb not null,
  expires_at timestamptz not null,
  used_at timestamptz not null,
  constraint catalogue_memory_pkey primary key (song, market, matcher),
  constraint catalogue_memory_song_is_hash check (octet_length(song) = 32),
  constraint catalogue_memory_market_form check (market ~ '^([A-Z]{2})?$'),
  constraint catalogue_memory_candidates_size check (octet_length(candidates::text) <= 32768)
);
comment on table private.catalogue_memory is 'The search results of songs in Spotify''s catalogue, for some days.';
comment on column private.catalogue_memory.song is 'SHA-256 of the folded artist and title.';
comment on column private.catalogue_memory.market is 'ISO 3166-1 alpha-2; empty for a search without a market.';
comment on column private.catalogue_memory.matcher is 'The version of the matching that chose the candidates.';
comment on column private.catalogue_memory.used_at is 'The last use, to the hour; the least recently used songs are deleted first.';

create function private.catalogue_memory_rows() returns int
language sql immutable parallel safe set search_path = ''
as $$ select 50000 $$;
comment on function private.catalogue_memory_rows() is 'How many songs are remembered at most.';

create function private.song_key(p_song text) returns bytea
language sql stable strict parallel safe set search_path = ''
as $$ select sha256(convert_to(p_song, 'UTF8')) $$;
comment on function private.song_key(text) is 'The key of a song: the hash of its folded artist and title.';

create function public.recall_songs(p_songs text[], p_market text, p_matcher int) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_market text := coalesce(p_market, '');
begin
  if cardinality(p_songs) > 50 then
    raise exception using errcode = 'PT422', message = 'too many songs at once';
  end if;
  update private.catalogue_memory m
  set used_at = v_now
  from (
    select k.song
    from private.catalogue_memory k
    where k.song in (select private.song_key(s.song) from unnest(p_songs) s(song))
      and k.market = v_market and k.matcher = p_matcher and k.used_at < v_now - interval '1 hour'
    for no key update skip locked
  ) used
  where m.song = used.song and m.market = v_market and m.matcher = p_matcher;
  return (
    select coalesce(jsonb_agg(m.candidates order by s.place), '[]')
    from unnest(p_songs) with ordinality s(song, place)
    left join private.catalogue_memory m
      on m.song = private.song_key(s.song) and m.market = v_market and m.matcher = p_matcher and m.expires_at > v_now
  );
end
$$;
comment on function public.recall_songs(text[], text, int) is
  'The remembered results of each song, in the order of p_songs; null for an unknown song. 50 songs at most. Server only.';
grant execute on function public.recall_songs(text[], text, int) to fn_ai, fn_spotify, service_role;

create function public.remember_songs(p_market text, p_matcher int, p_entries jsonb) returns void
language plpgsql security definer set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_now timestamptz := clock_timestamp();
begin
  if jsonb_array_length(p_entries) > 200
    or exists (select from jsonb_array_elements(p_entries) e where (e ->> 'hours')::int not between 1 and 720) then
    raise exception using errcode = 'PT422', message = 'too many songs at once, or for too long';
  end if;
  insert into private.catalogue_memory (song, market, matcher, candidates, expires_at, used_at)
  select distinct on (private.song_key(e ->> 'song'))
    private.song_key(e ->> 'song'), coalesce(p_market, ''), p_matcher, e -> 'candidates',
    v_now + make_interval(hours => (e ->> 'hours')::int), v_now
  from jsonb_array_elements(p_entries) e
  order by private.song_key(e ->> 'song')
  on conflict on constraint catalogue_memory_pkey do update set
    candidates = excluded.candidates, expires_at = excluded.expires_at, used_at = excluded.used_at;
end
$$;
comment on function public.remember_songs(text, int, jsonb) is
  'Remembers [{song, candidates, hours}], 200 at most, each for 1 to 720 hours. A newer entry replaces an older one. Server only.';
grant execute on function public.remember_songs(text, int, jsonb) to fn_ai, service_role;

create function private.trim_catalogue_memory() returns void
language plpgsql security definer set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_too_old timestamptz;
begin
  select k.used_at into v_too_old
  from private.catalogue_memory k
  order by k.used_at desc
  offset private.catalogue_memory_rows() limit 1;
  delete from private.catalogue_memory m
  where m.ctid = any (array(
    select k.ctid
    from private.catalogue_memory k
    where k.expires_at <= v_now or k.used_at <= v_too_old
    for update skip locked
  ));
end
$$;
comment on function private.trim_catalogue_memory() is
  'Deletes expired songs, and the least recently used ones beyond catalogue_memory_rows().';
