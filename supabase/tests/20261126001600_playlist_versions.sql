-- Versions of a playlist: a refinement adds one, restoring loses nothing, and only the owner may restore.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the users' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role;

select plan(42);

create function pg_temp.sign_up(p_id uuid) returns void language sql
as $$ insert into auth.users (id, email) values (p_id, p_id || '@example.test') $$;
create function pg_temp.act_as(p_role text, p_user_id uuid default null) returns void language sql
as $$
  select set_config('request.jwt.claims', jsonb_build_object('role', p_role, 'sub', p_user_id)::text, true);
  select set_config('role', p_role, true);
$$;
select pg_temp.sign_up('a0000000-0000-0000-0000-000000000001');
select pg_temp.sign_up('b0000000-0000-0000-0000-000000000002');
update public.profiles set plan = 'pro' where user_id = 'a0000000-0000-0000-0000-000000000001';

-- Sessions and the playlists that they make are numbered; Ana is the caller by default. Lists are words: one letter a track.
create function pg_temp.id(p_number int) returns uuid language sql as $$ select ('10000000-0000-0000-0000-' || lpad(p_number::text, 12, '0'))::uuid $$;
create function pg_temp.uri(p_letter text) returns text language sql as $$ select 'spotify:track:' || repeat(p_letter, 22) $$;
create function pg_temp.tracks(p_word text) returns jsonb language sql
as $$
  select jsonb_agg(jsonb_build_object('track_uri', pg_temp.uri(l), 'title', upper(l), 'why', 'because of ' || l) order by n)
  from regexp_split_to_table(p_word, '') with ordinality w(l, n)
$$;
create function pg_temp.make(
  p_session int, p_word text, p_refined int default null, p_instruction text default null, p_suggestions jsonb default '{}',
  p_user_id uuid default 'a0000000-0000-0000-0000-000000000001'
) returns jsonb language plpgsql
as $$
declare
  v_reserved jsonb := public.ai_reserve(pg_temp.id(p_session), p_user_id, 'jazz', true, pg_temp.id(p_refined));
begin
  if v_reserved ->> 'outcome' not in ('reserved', 'finished') then
    return v_reserved;
  end if;
  return public.save_generated_playlist(
    pg_temp.id(p_session), p_user_id, 0.001, 'Jazz', null, pg_temp.tracks(p_word), pg_temp.id(p_refined), p_instruction, p_suggestions
  );
end
$$;
create function pg_temp.word(p_number int) returns text language sql
as $$ select string_agg(right(t.track_uri, 1), '' order by t.position) from public.playlist_tracks t where t.playlist_id = pg_temp.id(p_number) $$;
create function pg_temp.history(p_number int) returns text language sql
as $$
  select string_agg(concat_ws(':', v.version, v.instruction, coalesce(
    (select string_agg(right(e.value ->> 'track_uri', 1), '' order by e.ordinality) from jsonb_array_elements(v.tracks) with ordinality e), '*'
  )), ' ' order by v.version)
  from public.playlist_versions v where v.playlist_id = pg_temp.id(p_number)
$$;
create function pg_temp.restore(p_number int, p_version int) returns text language plpgsql
as $$
declare
  v_content public.playlist_content;
begin
  perform pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
  v_content := public.restore_version(pg_temp.id(p_number), p_version);
  perform set_config('role', 'postgres', true);
  return v_content.version || ':' || (select string_agg(right(t.track_uri, 1), '') from unnest(v_content.tracks) t);
end
$$;

do $$ begin execute format('grant execute on all functions in schema %s to authenticated', pg_my_temp_schema()::regnamespace); end $$;

-- A refinement is the next version.
select is(pg_temp.make(1, 'abc') - 'quota', jsonb_build_object('outcome', 'saved', 'playlist_id', pg_temp.id(1), 'version', 1, 'name', 'Jazz'), 'a new playlist has its first version');
select is(pg_temp.history(1), '1:*', 'the first version is the current one');
update public.playlists set name = 'Mine' where id = pg_temp.id(1);
update public.playlist_tracks set added_at = '2020-01-01T00:00:00Z' where playlist_id = pg_temp.id(1);
select is(
  pg_temp.make(2, 'axc', 1, E' calmer\n') - 'quota', jsonb_build_object('outcome', 'saved', 'playlist_id', pg_temp.id(1), 'version', 2, 'name', 'Mine'),
  'a refinement is saved as the playlist''s next version, under the name that it has'
);
select is(pg_temp.word(1), 'axc', 'with its tracks');
select is(
  (select string_agg(t.title, '' order by t.position) from public.playlist_tracks t
   where t.playlist_id = pg_temp.id(1) and t.added_at = '2020-01-01T00:00:00Z'),
  'AC', 'of which those that stay keep the date on which they were added'
);
select is(pg_temp.history(1), '1:abc 2:calmer:*', 'and the version before it keeps the ones it had');
select is((select count(*)::int from public.playlists where owner_id = 'a0000000-0000-0000-0000-000000000001'), 1, 'a refinement creates no other playlist');
select is(
  (select string_agg(concat_ws(' ', s.status, s.delivered is null), ', ' order by s.id) from public.ai_sessions s where s.user_id = 'a0000000-0000-0000-0000-000000000001'),
  'succeeded t, succeeded t',
  'the session of a refinement is settled'
);
select is(pg_temp.make(2, 'zzz', 1, 'other') - 'quota', jsonb_build_object('outcome', 'saved', 'playlist_id', pg_temp.id(1), 'version', 2, 'name', 'Mine'), 'a repeat returns the saved version');
select is(pg_temp.history(1), '1:abc 2:calmer:*', 'a repeat changes nothing');
select is(
  (select count(*)::int from public.ai_sessions where user_id = 'a0000000-0000-0000-0000-000000000001' and status = 'succeeded'), 2,
  'each refinement is charged once'
);

-- A repeat after a lost response.
select pg_temp.make(3, 'axy', 1);
select is(
  (public.ai_reserve(pg_temp.id(2), 'a0000000-0000-0000-0000-000000000001', 'jazz', true, pg_temp.id(1)) -> 'delivered') - array['tracks', 'description', 'summary', 'stop_reason'],
  jsonb_build_object('is_saved', true, 'playlist_id', pg_temp.id(1), 'version', 2, 'name', 'Mine'), 'a repeat after a later refinement says which version it was'
);
select is(
  (select string_agg(right(t ->> 'track_uri', 1), '') from jsonb_array_elements(
    public.ai_reserve(pg_temp.id(2), 'a0000000-0000-0000-0000-000000000001', 'jazz', true, pg_temp.id(1)) #> '{delivered,tracks}') t),
  'axc', 'a repeat returns the tracks of that version'
);
delete from public.ai_sessions where id = pg_temp.id(2);
select is(
  public.ai_reserve(pg_temp.id(2), 'b0000000-0000-0000-0000-000000000002', 'jazz', true) ->> 'outcome', 'key_reused',
  'another user cannot reuse the key of a version, even after its session is deleted'
);

-- The input of a refinement.
select pg_temp.make(8, 'q');
select is(
  pg_temp.make(4, 'axyz', 1, 'longer', jsonb_build_object(pg_temp.uri('z'), jsonb_build_object('artist', 'Zed', 'title', 'zzz'))) ->> 'version', '4',
  'the model''s own spelling is saved'
);
select is(
  (select string_agg(concat_ws(' ', t ->> 'title', t ->> 'why', t #>> '{suggestion,artist}'), ', ') from jsonb_array_elements(
    public.ai_reserve(pg_temp.id(5), 'a0000000-0000-0000-0000-000000000001', 'jazz', true, pg_temp.id(1)) -> 'tracks') t),
  'A because of a, X because of x, Y because of y, Z because of z Zed', 'a reservation has the tracks in order, and how the model spelled them'
);
select is(pg_temp.make(6, 'a', 99) ->> 'outcome', 'no_playlist', 'an unknown playlist cannot be refined');
select is(pg_temp.make(7, 'a', 1, null, '{}', 'b0000000-0000-0000-0000-000000000002') ->> 'outcome', 'no_playlist', 'another user''s playlist cannot be refined');
select is((select count(*)::int from public.ai_sessions where id in (pg_temp.id(6), pg_temp.id(7))), 0, 'a refused refinement reserves nothing');

-- Restoring versions.
select is(pg_temp.restore(1, 2), '5:axc', 'an earlier version is restored, which changes the list');
select is(pg_temp.word(1), 'axc', 'the restored version is stored');
select is(pg_temp.history(1), '1:abc 2:calmer:* 3:axy 4:longer:axyz', 'later versions are kept');
select is((select why from public.playlist_tracks where playlist_id = pg_temp.id(1) and position = 2), 'because of x', 'restored tracks keep their texts');
select is(pg_temp.restore(1, 2), '5:axc', 'restoring again changes nothing');
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select public.remove_tracks(pg_temp.id(1), array[pg_temp.uri('x')]);
select set_config('role', 'postgres', true);
select is(pg_temp.restore(1, 4), '7:axyz', 'a later version is restored');
select is(pg_temp.restore(1, 2), '8:ac', 'an edit of a version is kept when it is restored');
select throws_ok('select pg_temp.restore(1, 9)', 'PT404', 'version not found', 'an unknown version cannot be restored');
select set_config('role', 'postgres', true);
select pg_temp.act_as('authenticated', 'b0000000-0000-0000-0000-000000000002');
select throws_ok(format('select public.restore_version(%L, 1)', pg_temp.id(1)), 'PT404', 'playlist not found', 'another user''s version cannot be restored');
select is((select count(*)::int from public.playlist_versions), 0, 'another user''s versions cannot be read');
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select is((select string_agg(v.instruction, ' ' order by v.version) from public.playlist_versions v), 'calmer longer', 'the owner reads the prompts of the versions');
select throws_ok('delete from public.playlist_versions', '42501', null, 'the owner cannot write versions directly');
select set_config('role', 'postgres', true);

-- A refinement that changes nothing.
select pg_temp.make(40, 'ef');
select is(pg_temp.make(41, 'ef', 40, 'as it is') ->> 'version', '2', 'a refinement that changes nothing is a version, too');
select is(pg_temp.history(40), '1:ef 2:as it is:*', 'beside the one before it');
select is(
  (select string_agg(public.ai_reserve(pg_temp.id(n), 'a0000000-0000-0000-0000-000000000001', 'jazz', true) #>> '{delivered,version}', ' ')
   from generate_series(40, 41) n),
  '1 2', 'and the key of each returns its own'
);

-- A list that the user made.
insert into public.playlists (id, owner_id, name) values (pg_temp.id(20), 'a0000000-0000-0000-0000-000000000001', 'By hand');
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select public.add_tracks(pg_temp.id(20), pg_temp.tracks('pq'));
select set_config('role', 'postgres', true);
select is(pg_temp.make(21, 'pr', 20, 'softer') ->> 'version', '2', 'a list that the user made is refined, too');
select is(pg_temp.history(20), '1:pq 2:softer:*', 'and is the first version then');

-- A playlist that was deleted during a refinement.
select public.ai_reserve(pg_temp.id(22), 'a0000000-0000-0000-0000-000000000001', 'jazz', true, pg_temp.id(20));
update public.playlists set is_deleted = true where id = pg_temp.id(20);
select is(
  public.save_generated_playlist(pg_temp.id(22), 'a0000000-0000-0000-0000-000000000001', 0.001, 'Jazz', null, pg_temp.tracks('s'), pg_temp.id(20)) ->> 'playlist_id',
  pg_temp.id(22)::text, 'the refinement of a playlist that was deleted meanwhile is a playlist of its own'
);

-- At most twenty versions, deleted with the playlist.
select pg_temp.make(100 + n, 'ab' || chr(100 + n), 1, 'number ' || n) from generate_series(1, 20) n;
select is(
  (select concat_ws(' ', count(*), min(v.version), count(*) filter (where v.is_current)) from public.playlist_versions v where v.playlist_id = pg_temp.id(1)),
  '20 9 1', 'the twenty newest versions are kept'
);
select is(pg_temp.word(1), 'abx', 'the newest version is the current one');
select pg_temp.restore(1, 9), pg_temp.make(130, 'abz', 1, 'the oldest versions are removed');
select is(
  (select concat_ws(' ', count(*), count(*) filter (where v.version = 9)) from public.playlist_versions v where v.playlist_id = pg_temp.id(1)),
  '20 1', 'the version that a refinement leaves is kept, however old it is'
);
delete from public.playlists where id = pg_temp.id(1);
select is((select count(*)::int from public.playlist_versions v where v.playlist_id = pg_temp.id(1)), 0, 'versions are deleted with their playlist');
select throws_ok(
  format('insert into public.playlist_versions (playlist_id, version) values (%L, 7)', pg_temp.id(20)), '23505', null,
  'a playlist has one current version'
);

select * from finish();
rollback;
