-- Tracks: read through the playlist's owner, deleted and restored with the playlist.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the users' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role;

select plan(30);

create function pg_temp.sign_up(p_id uuid) returns void language sql
as $$ insert into auth.users (id, email) values (p_id, p_id || '@example.test') $$;
create function pg_temp.act_as(p_role text, p_user_id uuid default null) returns void language sql
as $$
  select set_config('request.jwt.claims', jsonb_build_object('role', p_role, 'sub', p_user_id)::text, true);
  select set_config('role', p_role, true);
$$;

select pg_temp.sign_up('a0000000-0000-0000-0000-000000000001');
select pg_temp.sign_up('b0000000-0000-0000-0000-000000000002');
insert into public.playlists (id, owner_id, name) values
  ('a1000000-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000001', 'Ana''s'),
  ('b1000000-0000-0000-0000-000000000001', 'b0000000-0000-0000-0000-000000000002', 'Bob''s');
create function pg_temp.insert_track(p_playlist_id uuid, p_position int, p_uri text, p_rest text default '{}') returns void language sql
as $$
  insert into public.playlist_tracks
  select * from jsonb_populate_record(
    null::public.playlist_tracks,
    jsonb_build_object('playlist_id', p_playlist_id, 'position', p_position, 'track_uri', p_uri, 'is_deleted', false, 'added_at', now()) || p_rest::jsonb
  )
$$;
select pg_temp.insert_track('a1000000-0000-0000-0000-000000000001', n, 'spotify:track:' || lpad(n::text, 22, '0')) from generate_series(1, 3) n;
select pg_temp.insert_track('b1000000-0000-0000-0000-000000000001', 1, 'spotify:track:' || lpad('1', 22, '0'));

select col_is_pk('public', 'playlist_tracks', array['playlist_id', 'position'], 'a position is unique within a playlist');
select has_index('public', 'playlist_tracks', 'playlist_tracks_no_dup_idx', array['playlist_id', 'track_uri'], 'a track is unique within a playlist');
select index_is_unique('public', 'playlist_tracks', 'playlist_tracks_no_dup_idx');
select policies_are('public', 'playlist_tracks', array['Tracks accessible through playlist owner']);

select throws_ok(
  format('select pg_temp.insert_track(%L, %s, %L, %L)', 'a1000000-0000-0000-0000-000000000001', n.place, n.uri, n.rest), n.code, null, n.why
)
from (values
  (0, 'spotify:track:' || repeat('9', 22), '{}', '23514', 'position 0 is refused'),
  (101, 'spotify:track:' || repeat('9', 22), '{}', '23514', 'position 101 is refused'),
  (4, 'spotify:track:' || repeat('9', 21), '{}', '23514', 'a short URI is refused'),
  (4, 'spotify:album:' || repeat('9', 22), '{}', '23514', 'another kind of URI is refused'),
  (4, 'spotify:track:' || repeat('9', 22) || E'\n', '{}', '23514', 'a URI with a line break is refused'),
  (4, 'spotify:track:' || lpad('1', 22, '0'), '{}', '23505', 'a track twice is refused'),
  (4, 'spotify:track:' || repeat('9', 22), '{"title": ""}', '23514', 'an empty title is refused'),
  (4, 'spotify:track:' || repeat('9', 22), jsonb_build_object('title', repeat('x', 501))::text, '23514', 'a title of 501 characters is refused'),
  (4, 'spotify:track:' || repeat('9', 22), jsonb_build_object('artist', repeat('x', 501))::text, '23514', 'as is such an artist'),
  (4, 'spotify:track:' || repeat('9', 22), jsonb_build_object('album', repeat('x', 501))::text, '23514', 'as is such an album'),
  (4, 'spotify:track:' || repeat('9', 22), '{"duration_ms": -1}', '23514', 'a negative duration is refused'),
  (4, 'spotify:track:' || repeat('9', 22), '{"duration_ms": 86400001}', '23514', 'a duration above a day is refused')
) n (place, uri, rest, code, why);

select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select is((select count(*)::int from public.playlist_tracks), 3, 'a user sees only the tracks of their own playlists');
select throws_ok(
  $$ insert into public.playlist_tracks (playlist_id, position, track_uri)
     values ('a1000000-0000-0000-0000-000000000001', 4, 'spotify:track:' || repeat('9', 22)) $$,
  '42501', null, 'users cannot insert a track directly'
);
select throws_ok('update public.playlist_tracks set is_deleted = true', '42501', null, 'users cannot update a track directly');
select throws_ok('delete from public.playlist_tracks', '42501', null, 'users cannot delete a track directly');
update public.playlists set is_deleted = true;
select is((select bool_and(is_deleted) from public.playlist_tracks), true, 'tracks are deleted with their playlist');
reset role;
select is(
  (select bool_or(is_deleted) from public.playlist_tracks where playlist_id = 'b1000000-0000-0000-0000-000000000001'), false,
  'the tracks of other playlists stay'
);
select throws_ok(
  $$ select pg_temp.insert_track('a1000000-0000-0000-0000-000000000001', 4, 'spotify:track:' || repeat('9', 22)) $$, 'PT404',
  'playlist not found', 'a deleted playlist gets no track'
);
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
update public.playlists set is_deleted = false;
select is((select bool_or(is_deleted) from public.playlist_tracks), false, 'tracks are restored with their playlist');
update public.playlists set name = 'New name', is_deleted = false;
select is((select count(*)::int from public.playlist_tracks where not is_deleted), 3, 'renaming a playlist leaves its tracks unchanged');
reset role;

select pg_temp.act_as('anon');
select throws_ok('select * from public.playlist_tracks', '42501', null, 'anon has no access');
reset role;
select pg_temp.act_as('service_role');
select throws_ok('select * from public.playlist_tracks', '42501', null, 'service_role has no access');
reset role;

-- The policy is a second line of defence, tested as if a grant were added.
grant insert on public.playlist_tracks to authenticated;
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select throws_ok(
  $$ insert into public.playlist_tracks (playlist_id, position, track_uri)
     values ('b1000000-0000-0000-0000-000000000001', 9, 'spotify:track:' || repeat('9', 22)) $$,
  '42501', null, 'even with a grant the policy excludes other users'
);
reset role;

delete from auth.users where id = 'a0000000-0000-0000-0000-000000000001';
select is((select count(*)::int from public.playlist_tracks where playlist_id = 'a1000000-0000-0000-0000-000000000001'), 0, 'tracks go with the account');
select is((select count(*)::int from public.playlist_tracks where playlist_id = 'b1000000-0000-0000-0000-000000000001'), 1, 'those of others stay');

select finish();
rollback;
