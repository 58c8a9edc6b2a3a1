-- Tracks: read through the playlist's owner, deleted and restored with the playlist; what is stored and shown of one.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the users' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role;

select plan(67);

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

select col_is_pk('public', 'playlist_tracks', array['playlist_id', 'position'], 'a position is taken once per playlist');
select has_index('public', 'playlist_tracks', 'playlist_tracks_no_dup_idx', array['playlist_id', 'track_uri'], 'a track is in a playlist once');
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
select is((select count(*)::int from public.playlist_tracks), 3, 'a user sees the tracks of their own playlists only');
select throws_ok(
  $$ insert into public.playlist_tracks (playlist_id, position, track_uri)
     values ('a1000000-0000-0000-0000-000000000001', 4, 'spotify:track:' || repeat('9', 22)) $$,
  '42501', null, 'users cannot insert a track directly'
);
select throws_ok('update public.playlist_tracks set is_deleted = true', '42501', null, 'nor update one');
select throws_ok('delete from public.playlist_tracks', '42501', null, 'nor delete one');
update public.playlists set is_deleted = true;
select is((select bool_and(is_deleted) from public.playlist_tracks), true, 'tracks are deleted with their playlist');
reset role;
select is(
  (select bool_or(is_deleted) from public.playlist_tracks where playlist_id = 'b1000000-0000-0000-0000-000000000001'), false,
  'those of others are not'
);
select throws_ok(
  $$ select pg_temp.insert_track('a1000000-0000-0000-0000-000000000001', 4, 'spotify:track:' || repeat('9', 22)) $$, 'PT404',
  'playlist not found', 'no track enters a deleted playlist'
);
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
update public.playlists set is_deleted = false;
select is((select bool_or(is_deleted) from public.playlist_tracks), false, 'tracks are restored with their playlist');
update public.playlists set name = 'New name', is_deleted = false;
select is((select count(*)::int from public.playlist_tracks where not is_deleted), 3, 'renaming leaves them alone');
reset role;

select pg_temp.act_as('anon');
select throws_ok('select * from public.playlist_tracks', '42501', null, 'anon has no access');
reset role;
select pg_temp.act_as('service_role');
select throws_ok('select * from public.playlist_tracks', '42501', null, 'service_role has no access');
reset role;

-- The policy is the second line of defence: what it would do if a grant were ever added.
grant insert on public.playlist_tracks to authenticated;
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select throws_ok(
  $$ insert into public.playlist_tracks (playlist_id, position, track_uri)
     values ('b1000000-0000-0000-0000-000000000001', 9, 'spotify:track:' || repeat('9', 22)) $$,
  '42501', null, 'even with a grant the policy keeps others out'
);
reset role;

-- What is stored of a track: the sample has every column but its place and its date.
create function pg_temp.sample() returns jsonb language sql immutable
as $$
  select '{
    "track_uri": "spotify:track:4uLU6hMCjMI75M1A2tKUQC", "title": "Whisky", "artist": "Dżem", "album": "Cegła", "duration_ms": 335000,
    "explicit": false, "version": "re_recorded", "image_url": "https://i.scdn.co/image/a", "why": "Blues po śląsku"
  }'::jsonb
$$;
-- A track of which little is known.
create function pg_temp.bare() returns jsonb language sql immutable
as $$
  select jsonb_object_agg(key, null::text) || '{"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaaa", "duration_ms": 0}'
  from jsonb_object_keys(pg_temp.sample()) key
$$;
create function pg_temp.stored(p_playlist_id uuid) returns jsonb language sql
as $$
  select jsonb_agg(to_jsonb(t) - array['playlist_id', 'position', 'is_deleted', 'added_at'] order by t.position)
  from public.playlist_tracks t where t.playlist_id = p_playlist_id
$$;
create temp table copied (what text, id uuid);
grant all on copied to authenticated;
grant execute on all functions in schema pg_temp to authenticated;
insert into public.playlists (id, owner_id, name)
values ('a2000000-0000-0000-0000-000000000002', 'a0000000-0000-0000-0000-000000000001', 'Samples');
select set_eq(
  'select jsonb_object_keys(pg_temp.sample())',
  $$
    select attname::text from pg_catalog.pg_attribute
    where attrelid = 'public.playlist_tracks'::regclass and attnum > 0 and not attisdropped
      and attname not in ('playlist_id', 'position', 'is_deleted', 'added_at')
  $$,
  'the sample has every column'
);
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select results_eq(
  $$
    select to_jsonb(e) - array['position', 'added_at'] from unnest((public.add_tracks(
      'a2000000-0000-0000-0000-000000000002', jsonb_build_array(pg_temp.sample(), pg_temp.bare())
    )).tracks) e
  $$,
  $$ values (pg_temp.sample()), (pg_temp.bare()) $$, 'all columns of a track are returned'
);
insert into copied values ('own', public.duplicate_playlist('a2000000-0000-0000-0000-000000000002'));
insert into copied values ('link', public.share_playlist('a2000000-0000-0000-0000-000000000002'));
select pg_temp.act_as('authenticated', 'b0000000-0000-0000-0000-000000000002');
insert into copied select 'shared', public.duplicate_shared_playlist(id) from copied where what = 'link';
reset role;
select is(pg_temp.stored('a2000000-0000-0000-0000-000000000002'), jsonb_build_array(pg_temp.sample(), pg_temp.bare()), 'and stored');
select is(pg_temp.stored(id), jsonb_build_array(pg_temp.sample(), pg_temp.bare()), 'and copied') from copied where what = 'own';
select is(
  pg_temp.stored(id), jsonb_build_array(pg_temp.sample() || '{"why": null}', pg_temp.bare()), 'from a link without what it does not show'
)
from copied where what = 'shared';
select is(private.shown_track(t), pg_temp.sample() - 'why', 'a link shows what is Spotify''s and nothing that was written for the owner')
from public.playlist_tracks t where t.playlist_id = 'a2000000-0000-0000-0000-000000000002' and t.position = 1;
select is(private.fit_track(pg_temp.sample()), pg_temp.sample(), 'what fits is left as it is');
select is(
  private.fit_track('{"title": "a\u0001b", "artist": " ", "score": 1}'),
  (select jsonb_object_agg(key, null::text) || '{"title": "a b"}' from jsonb_object_keys(pg_temp.sample()) key),
  'what does not is made to fit, and unknown keys are left out'
);
select lives_ok(
  $$ select private.check_track(pg_temp.sample() || '{"image_url": "http://127.0.0.1:27005/image/b"}', 'track') $$,
  'pictures may come from this machine'
);
select throws_ok(
  format('select private.check_track(%L, %L)', pg_temp.sample() || n.members, 'track'), 'PT422', 'track' || n.message, left(n.members::text, 60)
)
from (values
  ('{"position": 3}'::jsonb, ' has the unknown key "position"'),
  ('{"track_uri": 7}', '.track_uri must be spotify:track: followed by 22 letters or digits'),
  ('{"track_uri": null}', '.track_uri must be spotify:track: followed by 22 letters or digits'),
  ('{"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaa"}', '.track_uri must be spotify:track: followed by 22 letters or digits'),
  ('{"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaaa\n"}', '.track_uri must be spotify:track: followed by 22 letters or digits'),
  ('{"title": 7}', '.title must be a string of 1 to 200 characters'),
  ('{"artist": ""}', '.artist must be a string of 1 to 200 characters'),
  ('{"album": ["x"]}', '.album must be a string of 1 to 200 characters'),
  (jsonb_build_object('title', repeat('x', 201)), '.title must be a string of 1 to 200 characters'),
  ('{"duration_ms": "7"}', '.duration_ms must be a whole number from 0 to 86400000'),
  ('{"duration_ms": 1.5}', '.duration_ms must be a whole number from 0 to 86400000'),
  ('{"duration_ms": -1}', '.duration_ms must be a whole number from 0 to 86400000'),
  ('{"duration_ms": 86400001}', '.duration_ms must be a whole number from 0 to 86400000'),
  ('{"duration_ms": 1e300}', '.duration_ms must be a whole number from 0 to 86400000'),
  ('{"explicit": "true"}', '.explicit must be true or false'),
  ('{"version": 7}', '.version must be a name of lower-case letters, digits and underscores'),
  ('{"version": "Live!"}', '.version must be a name of lower-case letters, digits and underscores'),
  ('{"image_url": 7}', '.image_url must be an https URL of at most 300 characters'),
  ('{"image_url": ""}', '.image_url must be an https URL of at most 300 characters'),
  ('{"image_url": "https://"}', '.image_url must be an https URL of at most 300 characters'),
  ('{"image_url": "http://i.scdn.co/image/a"}', '.image_url must be an https URL of at most 300 characters'),
  ('{"image_url": "javascript:alert(1)"}', '.image_url must be an https URL of at most 300 characters'),
  ('{"image_url": "https://i.scdn.co/a b"}', '.image_url must be an https URL of at most 300 characters'),
  (jsonb_build_object('image_url', 'https://' || repeat('x', 293)), '.image_url must be an https URL of at most 300 characters'),
  ('{"why": 7}', '.why must be one line of 1 to 200 characters'),
  ('{"why": ""}', '.why must be one line of 1 to 200 characters'),
  ('{"why": "one\ntwo"}', '.why must be one line of 1 to 200 characters'),
  (jsonb_build_object('why', repeat('ż', 201)), '.why must be one line of 1 to 200 characters')
) n (members, message);

delete from auth.users where id = 'a0000000-0000-0000-0000-000000000001';
select is((select count(*)::int from public.playlist_tracks where playlist_id = 'a1000000-0000-0000-0000-000000000001'), 0, 'tracks go with the account');
select is((select count(*)::int from public.playlist_tracks where playlist_id = 'b1000000-0000-0000-0000-000000000001'), 1, 'those of others stay');

select finish();
rollback;
