-- Saving a generated playlist: settled and stored together, once, or not at all.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the users' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role;

select plan(47);

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

-- Sessions are numbered; Ana is the caller by default.
create function pg_temp.id(p_number int) returns uuid language sql as $$ select ('10000000-0000-0000-0000-' || lpad(p_number::text, 12, '0'))::uuid $$;
create function pg_temp.reserve(p_number int) returns text language sql
as $$ select public.ai_reserve(pg_temp.id(p_number), 'a0000000-0000-0000-0000-000000000001', 'jazz', true) ->> 'outcome' $$;
create function pg_temp.tracks() returns jsonb language sql
as $$
  select jsonb_agg(jsonb_build_object('track_uri', 'spotify:track:' || repeat(l, 22), 'title', 'Title ' || l, 'duration_ms', 1000, 'explicit', true, 'version', 'live') order by l)
  from unnest(array['a', 'b', 'c']) l
$$;
create function pg_temp.save(
  p_number int, p_name text default 'Jazz', p_description text default null, p_tracks jsonb default pg_temp.tracks(),
  p_user_id uuid default 'a0000000-0000-0000-0000-000000000001', p_cost numeric default 0.0012
) returns jsonb language sql
as $$ select public.save_generated_playlist(pg_temp.id(p_number), p_user_id, p_cost, p_name, p_description, p_tracks) $$;
create function pg_temp.saved_name(p_number int, p_name text) returns text language plpgsql
as $$
begin
  perform pg_temp.reserve(p_number);
  return pg_temp.save(p_number, p_name) ->> 'name';
end
$$;
create function pg_temp.session(p_number int) returns text language sql
as $$ select concat_ws(' ', s.status, s.cost) from public.ai_sessions s where s.id = pg_temp.id(p_number) $$;
create function pg_temp.playlist(p_number int) returns text language sql
as $$
  select concat_ws(' | ', p.name, p.description, string_agg(right(t.track_uri, 1), '' order by t.position))
  from public.playlists p join public.playlist_tracks t on t.playlist_id = p.id
  where p.id = pg_temp.id(p_number) and p.owner_id = 'a0000000-0000-0000-0000-000000000001'
  group by p.id
$$;
create function pg_temp.age(p_number int, p_by interval) returns void language sql
as $$ update public.ai_sessions set created_at = created_at - p_by where id = pg_temp.id(p_number) $$;

-- Saving.
select pg_temp.reserve(1);
select is(
  pg_temp.save(1, 'Jazz', 'Late at night') #- '{quota,next_free_at}',
  jsonb_build_object(
    'outcome', 'saved', 'playlist_id', pg_temp.id(1), 'version', 1, 'name', 'Jazz',
    'quota', '{"plan": "pro", "used": 1, "limit": 50, "remaining": 49}'::jsonb
  ),
  'a playlist is saved under the session''s id'
);
select is(pg_temp.playlist(1), 'Jazz | Late at night | abc', 'with its texts and its tracks in order');
select is(pg_temp.session(1), 'succeeded 0.0012', 'the session of a saved playlist has succeeded');
select results_eq(
  $$ select title, artist, duration_ms, explicit, version from public.playlist_tracks where playlist_id = pg_temp.id(1) order by position limit 1 $$,
  $$ values ('Title a', null, 1000, true, 'live') $$, 'what is known of the tracks is stored'
);
select is(
  pg_temp.save(1, 'Other', 'Other', '[]') - 'quota', jsonb_build_object('outcome', 'saved', 'playlist_id', pg_temp.id(1), 'version', 1, 'name', 'Jazz'),
  'a repeat returns what was saved'
);
select is(pg_temp.playlist(1), 'Jazz | Late at night | abc', 'a repeat changes nothing');
select is((select count(*)::int from public.ai_sessions where id = pg_temp.id(1)), 1, 'a repeat is not counted');
update public.playlists set is_deleted = true, name = 'Renamed' where id = pg_temp.id(1);
select is(pg_temp.save(1) ->> 'name', 'Renamed', 'a repeat returns the playlist even if it was renamed and deleted');
update public.playlists set is_deleted = false, name = 'Jazz' where id = pg_temp.id(1);

-- Names.
select is(pg_temp.saved_name(2, 'jazz'), 'jazz (2)', 'a name in use gets a number');
select is(pg_temp.saved_name(3, 'JAZZ'), 'JAZZ (3)', 'a second name in use gets the next number, regardless of the case');
update public.playlists set is_deleted = true where id = pg_temp.id(2);
select is(pg_temp.saved_name(4, 'Jazz'), 'Jazz (2)', 'the name of a deleted playlist is free');
select is(pg_temp.saved_name(5, repeat('ż', 120)), repeat('ż', 100), 'a long name is cut');
select is(pg_temp.saved_name(6, repeat('ż', 120)), repeat('ż', 96) || ' (2)', 'a long name in use is cut to leave room for the number');
select is(pg_temp.saved_name(7, E'  Rock\n&\u0007 Roll\u2028 '), 'Rock & Roll', 'line breaks in a name are replaced');
select is(pg_temp.saved_name(8, E' \n\u200b'), 'Playlist', 'an empty name has a substitute');
select is(pg_temp.saved_name(9, null), 'Playlist (2)', 'a missing name is replaced');
insert into public.playlists (owner_id, name) values ('b0000000-0000-0000-0000-000000000002', 'Blues');
select is(pg_temp.saved_name(10, 'Blues'), 'Blues', 'the names of other users are free');

-- Descriptions and tracks.
select pg_temp.reserve(11);
select pg_temp.save(11, 'Texts', E'  one\ntwo' || repeat('ż', 400));
select is((select description from public.playlists where id = pg_temp.id(11)), 'one two' || repeat('ż', 293), 'a description is cleaned and cut');
select pg_temp.reserve(12);
select pg_temp.save(12, 'Blank', ' ');
select is((select description from public.playlists where id = pg_temp.id(12)), null, 'an empty description is null');
select pg_temp.reserve(13);
select is(
  pg_temp.save(13, 'Odd tracks', null, jsonb_build_array(jsonb_build_object(
    'track_uri', 'spotify:track:' || repeat('a', 22), 'title', repeat('ż', 600), 'artist', E'a\u0001b', 'album', '', 'score', 0.9,
    'image_url', 'https://i.scdn.co/image/a', 'why', E'one\n' || repeat('ż', 300)
  ))) ->> 'outcome',
  'saved', 'display texts of tracks are cleaned, and unknown keys are removed'
);
select results_eq(
  $$ select title, artist, album, duration_ms, explicit, image_url, why from public.playlist_tracks where playlist_id = pg_temp.id(13) $$,
  $$ values (repeat('ż', 200), 'a b', null::text, null::int, null::boolean, 'https://i.scdn.co/image/a', 'one ' || repeat('ż', 196)) $$,
  'cleaned tracks are stored'
);

-- Atomicity.
select pg_temp.reserve(14);
select throws_ok(format('select pg_temp.save(14, %L, null, %L::jsonb)', 'Bad', b.tracks), b.code, null, b.why)
from (values
  ('[{"track_uri": "x"}]', 'PT422', 'a malformed track is refused'), ('{}', 'PT422', 'as is what is no list'), (null, 'PT422', 'and nothing'),
  ('[]', 'PT422', 'and an empty list'), ('[7]', 'PT422', 'and what is no object'),
  ((pg_temp.tracks() || pg_temp.tracks())::text, 'PT409', 'and a track twice')
) b (tracks, code, why);
select throws_ok($$ select pg_temp.save(14, p_cost => null) $$, 'PT422', null, 'a missing cost is refused');
select is(pg_temp.playlist(14), null, 'nothing is stored after a refusal');
select is(pg_temp.session(14), 'timeout 0.0000', 'the session is not settled after a refusal');
select is(pg_temp.saved_name(14, 'Good'), 'Good', 'the playlist can be saved after a refusal');

-- Too late, or never reserved.
select pg_temp.reserve(15);
select pg_temp.age(15, interval '90 seconds');
select is(pg_temp.save(15) - 'quota', '{"outcome": "expired"}', 'saving after 90 seconds is too late');
select is(pg_temp.playlist(15), null, 'no playlist is stored after 90 seconds');
select is(pg_temp.session(15), 'timeout 0.0012', 'the cost is recorded after 90 seconds');
select pg_temp.reserve(16);
select public.ai_settle(pg_temp.id(16), 'a0000000-0000-0000-0000-000000000001', 'succeeded', 0);
select is(pg_temp.save(16) - 'quota', '{"outcome": "expired"}', 'a session that succeeded without saving cannot be saved later');
select pg_temp.reserve(17);
select public.ai_settle(pg_temp.id(17), 'a0000000-0000-0000-0000-000000000001', 'failed', 0);
select is(pg_temp.save(17) - 'quota', '{"outcome": "expired"}', 'a failed session cannot be saved');
select is(pg_temp.save(99) - 'quota', '{"outcome": "unknown"}', 'a session that was never reserved is unknown');
select is(pg_temp.save(1, p_user_id => 'b0000000-0000-0000-0000-000000000002') - 'quota', '{"outcome": "unknown"}', 'another user''s session is unknown');

-- The limit.
delete from public.playlists;
delete from public.ai_sessions;
insert into public.playlists (owner_id, name) select 'a0000000-0000-0000-0000-000000000001', 'Playlist ' || n from generate_series(1, 49) n;
select pg_temp.reserve(21);
select pg_temp.reserve(22);
select is(pg_temp.save(21) ->> 'outcome', 'saved', 'the 50th playlist is saved');
select is(pg_temp.save(22), '{"outcome": "playlist_limit"}', 'the 51st playlist is refused');
select is(pg_temp.session(22), 'timeout 0.0000', 'the session of a refused playlist stays unsettled');
select is(
  public.ai_settle(pg_temp.id(22), 'a0000000-0000-0000-0000-000000000001', 'failed', 0) #>> '{quota,used}', '1', 'and can be settled as failed'
);
select is(pg_temp.save(21) ->> 'outcome', 'saved', 'a repeat returns the saved playlist at the limit');
select lives_ok('set constraints all immediate', 'the limit''s trigger accepts the playlists');

select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select throws_ok(
  $$ select public.save_generated_playlist(gen_random_uuid(), 'a0000000-0000-0000-0000-000000000001', 0, 'x', null, '[]') $$, '42501', null,
  'users may not call the function'
);
select is((select count(*)::int from public.playlists where id = '10000000-0000-0000-0000-000000000021'), 1, 'the owner sees the saved playlist');
reset role;
select pg_temp.act_as('authenticated', 'b0000000-0000-0000-0000-000000000002');
select is((select count(*)::int from public.playlists), 0, 'other users do not see the saved playlist');
reset role;

select finish();
rollback;
