-- Tracks: read through the playlist's owner, deleted and restored with the playlist.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the users' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role;

select plan(122);

savepoint part;
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

delete from auth.users where id = 'a0000000-0000-0000-0000-000000000001';
select is((select count(*)::int from public.playlist_tracks where playlist_id = 'a1000000-0000-0000-0000-000000000001'), 0, 'tracks go with the account');
select is((select count(*)::int from public.playlist_tracks where playlist_id = 'b1000000-0000-0000-0000-000000000001'), 1, 'those of others stay');
rollback to savepoint part;

-- Adding, removing, moving and replacing tracks: always 1..n, only in one's own live playlist.
create function pg_temp.sign_up(p_id uuid) returns void language sql
as $$ insert into auth.users (id, email) values (p_id, p_id || '@example.test') $$;
create function pg_temp.act_as(p_role text, p_user_id uuid default null) returns void language sql
as $$
  select set_config('request.jwt.claims', jsonb_build_object('role', p_role, 'sub', p_user_id)::text, true);
  select set_config('role', p_role, true);
$$;

-- Tracks are named by a letter: a track's URI is its letter, 22 times.
create function pg_temp.tracks(p_letters text) returns jsonb language sql
as $$
  select coalesce(jsonb_agg(jsonb_build_object('track_uri', 'spotify:track:' || repeat(l, 22)) order by n), '[]')
  from string_to_table(p_letters, null) with ordinality x (l, n)
$$;
create function pg_temp.numbered(p_count int) returns jsonb language sql
as $$
  select coalesce(jsonb_agg(jsonb_build_object('track_uri', 'spotify:track:' || lpad(n::text, 22, '0'))), '[]') from generate_series(1, p_count) n
$$;
create function pg_temp.letters(p_entries public.playlist_entry[]) returns text language sql
as $$
  select case when bool_or(e.position <> e.n) then 'wrong positions' else string_agg(right(e.track_uri, 1), '' order by e.n) end
  from unnest(p_entries) with ordinality e ("position", track_uri, title, artist, album, duration_ms, explicit, version, image_url, why, added_at, n)
$$;
create function pg_temp.added(p_tracks jsonb, p_after int default null, p_playlist_id uuid default 'a1000000-0000-0000-0000-000000000001') returns text
language sql as $$ select pg_temp.letters(array(select public.add_tracks(p_playlist_id, p_tracks, p_after))) $$;
create function pg_temp.removed(p_position int, p_playlist_id uuid default 'a1000000-0000-0000-0000-000000000001') returns text
language sql as $$ select pg_temp.letters(array(select public.remove_track(p_playlist_id, p_position))) $$;
create function pg_temp.moved(p_from int, p_to int, p_playlist_id uuid default 'a1000000-0000-0000-0000-000000000001') returns text
language sql as $$ select pg_temp.letters(array(select public.move_track(p_playlist_id, p_from, p_to))) $$;
create function pg_temp.replaced(p_tracks jsonb, p_playlist_id uuid default 'a1000000-0000-0000-0000-000000000001') returns text
language sql as $$ select pg_temp.letters(array(select public.replace_tracks(p_playlist_id, p_tracks))) $$;
create function pg_temp.stored() returns text language sql
as $$
  select string_agg(right(t.track_uri, 1), '' order by t.position) from public.playlist_tracks t
  where t.playlist_id = 'a1000000-0000-0000-0000-000000000001'
$$;
grant execute on all functions in schema pg_temp to authenticated, anon;

select pg_temp.sign_up('a0000000-0000-0000-0000-000000000001');
select pg_temp.sign_up('b0000000-0000-0000-0000-000000000002');
insert into public.playlists (id, owner_id, name, is_deleted) values
  ('a1000000-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000001', 'Ana''s', false),
  ('a2000000-0000-0000-0000-000000000002', 'a0000000-0000-0000-0000-000000000001', 'Deleted', true),
  ('b1000000-0000-0000-0000-000000000001', 'b0000000-0000-0000-0000-000000000002', 'Bob''s', false);

select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');

-- What each one does.
select is(pg_temp.added(pg_temp.tracks('abc')), 'abc', 'tracks are added to an empty playlist in their order');
select is(pg_temp.added(pg_temp.tracks('de')), 'abcde', 'by default at the end');
select is(pg_temp.added(pg_temp.tracks('f'), 0), 'fabcde', 'after position 0: at the start');
select is(pg_temp.added(pg_temp.tracks('gh'), 2), 'faghbcde', 'after a position: directly after it');
select is(pg_temp.added(pg_temp.tracks('i'), 8), 'faghbcdei', 'after the last: at the end');
select is(pg_temp.added('[]'), 'faghbcdei', 'adding none changes nothing');
select is(pg_temp.removed(1), 'aghbcdei', 'the first track is removed, the others move up');
select is(pg_temp.removed(8), 'aghbcde', 'the last is removed');
select is(pg_temp.removed(3), 'agbcde', 'one in between is removed');
select is(pg_temp.moved(1, 6), 'gbcdea', 'a track moves from the start to the end');
select is(pg_temp.moved(6, 1), 'agbcde', 'and back');
select is(pg_temp.moved(2, 4), 'abcgde', 'down');
select is(pg_temp.moved(4, 2), 'agbcde', 'up');
select is(pg_temp.moved(3, 3), 'agbcde', 'and to where it is');
select is(pg_temp.stored(), 'agbcde', 'the returned tracks are the stored ones');
select is(pg_temp.replaced(pg_temp.tracks('xyz')), 'xyz', 'a list replaces another');
select is(pg_temp.replaced('[]'), null, 'also an empty one');
select is(pg_temp.stored(), null, 'which leaves no track');

-- What is stored of a track.
select results_eq(
  $$
    select "position"::int, track_uri, title, artist, album, duration_ms, explicit, version, image_url, why from public.add_tracks(
      'a1000000-0000-0000-0000-000000000001',
      '[{"track_uri": "spotify:track:4uLU6hMCjMI75M1A2tKUQC", "title": "Whisky", "artist": "Dżem", "album": "Cegła", "duration_ms": 335000, "explicit": false, "version": "re_recorded", "image_url": "https://i.scdn.co/image/a", "why": "Blues po śląsku"},
        {"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaaa", "title": null, "explicit": null, "duration_ms": 0, "image_url": "http://127.0.0.1:27005/image/b", "why": null}]'
    )
  $$,
  $$
    values
      (1, 'spotify:track:4uLU6hMCjMI75M1A2tKUQC', 'Whisky', 'Dżem', 'Cegła', 335000, false, 're_recorded', 'https://i.scdn.co/image/a', 'Blues po śląsku'),
      (2, 'spotify:track:aaaaaaaaaaaaaaaaaaaaaa', null, null, null, 0, null, null, 'http://127.0.0.1:27005/image/b', null)
  $$,
  'all fields of a track are stored and returned'
);
reset role;
update public.playlist_tracks set added_at = '2026-01-01Z' where playlist_id = 'a1000000-0000-0000-0000-000000000001';
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select results_eq(
  $$ select right(track_uri, 1), title, added_at from public.move_track('a1000000-0000-0000-0000-000000000001', 1, 2) $$,
  $$ values ('a', null, '2026-01-01Z'::timestamptz), ('C', 'Whisky', '2026-01-01Z') $$,
  'moving keeps what is known of a track and when it was added'
);
select results_eq(
  $$ select right(track_uri, 1), added_at from public.replace_tracks('a1000000-0000-0000-0000-000000000001', pg_temp.tracks('bac')) $$,
  $$ values ('b', now()), ('a', '2026-01-01Z'), ('c', now()) $$,
  'replacing keeps the date of the tracks that stay'
);

-- Conflicts.
select throws_ok($$ select pg_temp.added(pg_temp.tracks('dad')) $$, 'PT409', null, 'a track twice in a request is a conflict');
select throws_ok($$ select pg_temp.added(pg_temp.tracks('da')) $$, 'PT409', 'duplicate track: spotify:track:' || repeat('a', 22), 'as is one that is there already');
select throws_ok($$ select pg_temp.replaced(pg_temp.tracks('xx')) $$, 'PT409', null, 'also when replacing');
select is(pg_temp.stored(), 'bac', 'and nothing was changed');
select throws_ok($$ select pg_temp.added(pg_temp.numbered(98)) $$, 'PT409', 'a playlist holds at most 100 tracks', 'more than 100 tracks are a conflict');
select throws_ok($$ select pg_temp.replaced(pg_temp.numbered(101)) $$, 'PT409', 'a playlist holds at most 100 tracks', 'also when replacing');
select lives_ok($$ select pg_temp.added(pg_temp.numbered(97), 1) $$, '100 are not');
select is((select array_agg("position"::int order by "position") from public.playlist_tracks), array(select generate_series(1, 100)), 'they are numbered 1 to 100');
select lives_ok($$ select pg_temp.moved(100, 1) $$, 'a full playlist can be reordered');
select lives_ok($$ select pg_temp.replaced(pg_temp.numbered(100)) $$, 'and replaced');
select pg_temp.replaced(pg_temp.tracks('abc'));

-- Nonsense.
select throws_ok(format('select pg_temp.added(%L::jsonb)', n.tracks), 'PT422', n.message, n.message)
from (values
  (null, 'tracks must be an array'),
  ('{}', 'tracks must be an array'),
  ('null', 'tracks must be an array'),
  ('"spotify:track:aaaaaaaaaaaaaaaaaaaaaa"', 'tracks must be an array'),
  ('["x"]', 'tracks[0] must be an object'),
  ('[{"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaaa"}, null]', 'tracks[1] must be an object'),
  ('[{"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaaa", "position": 3}]', 'tracks[0] has the unknown key "position"'),
  ('[{"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaaa", "is_deleted": true}]', 'tracks[0] has the unknown key "is_deleted"'),
  ('[{}]', 'tracks[0].track_uri must be spotify:track: followed by 22 letters or digits'),
  ('[{"track_uri": 7}]', 'tracks[0].track_uri must be spotify:track: followed by 22 letters or digits'),
  ('[{"track_uri": null}]', 'tracks[0].track_uri must be spotify:track: followed by 22 letters or digits'),
  ('[{"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaa"}]', 'tracks[0].track_uri must be spotify:track: followed by 22 letters or digits'),
  ('[{"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaaa\n"}]', 'tracks[0].track_uri must be spotify:track: followed by 22 letters or digits'),
  ('[{"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaaa", "title": 7}]', 'tracks[0].title must be a string of 1 to 200 characters'),
  ('[{"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaaa", "artist": ""}]', 'tracks[0].artist must be a string of 1 to 200 characters'),
  ('[{"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaaa", "album": ["x"]}]', 'tracks[0].album must be a string of 1 to 200 characters'),
  ('[{"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaaa", "title": "' || repeat('x', 201) || '"}]', 'tracks[0].title must be a string of 1 to 200 characters'),
  ('[{"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaaa", "duration_ms": "7"}]', 'tracks[0].duration_ms must be a whole number from 0 to 86400000'),
  ('[{"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaaa", "duration_ms": 1.5}]', 'tracks[0].duration_ms must be a whole number from 0 to 86400000'),
  ('[{"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaaa", "duration_ms": -1}]', 'tracks[0].duration_ms must be a whole number from 0 to 86400000'),
  ('[{"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaaa", "duration_ms": 86400001}]', 'tracks[0].duration_ms must be a whole number from 0 to 86400000'),
  ('[{"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaaa", "duration_ms": 1e300}]', 'tracks[0].duration_ms must be a whole number from 0 to 86400000'),
  ('[{"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaaa", "explicit": "true"}]', 'tracks[0].explicit must be true or false'),
  ('[{"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaaa", "version": 7}]', 'tracks[0].version must be a name of lower-case letters, digits and underscores'),
  ('[{"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaaa", "version": "Live!"}]', 'tracks[0].version must be a name of lower-case letters, digits and underscores')
) n (tracks, message);
select throws_ok(
  format('select pg_temp.added(%L::jsonb)', jsonb_build_array(jsonb_build_object('track_uri', 'spotify:track:' || repeat('a', 22)) || n.members)),
  'PT422', 'tracks[0].' || n.message, n.message || ': ' || left(n.members::text, 60)
)
from (values
  ('{"image_url": 7}'::jsonb, 'image_url must be an https URL of at most 300 characters'),
  ('{"image_url": ""}', 'image_url must be an https URL of at most 300 characters'),
  ('{"image_url": "https://"}', 'image_url must be an https URL of at most 300 characters'),
  ('{"image_url": "http://i.scdn.co/image/a"}', 'image_url must be an https URL of at most 300 characters'),
  ('{"image_url": "javascript:alert(1)"}', 'image_url must be an https URL of at most 300 characters'),
  ('{"image_url": "https://i.scdn.co/a b"}', 'image_url must be an https URL of at most 300 characters'),
  (jsonb_build_object('image_url', 'https://' || repeat('x', 293)), 'image_url must be an https URL of at most 300 characters'),
  ('{"why": 7}', 'why must be one line of 1 to 200 characters'),
  ('{"why": ""}', 'why must be one line of 1 to 200 characters'),
  ('{"why": "one\ntwo"}', 'why must be one line of 1 to 200 characters'),
  (jsonb_build_object('why', repeat('ż', 201)), 'why must be one line of 1 to 200 characters')
) n (members, message);
select throws_ok(n.call, 'PT422', n.message, n.message)
from (values
  ('select pg_temp.added(pg_temp.tracks(''d''), -1)', 'after_position must be a whole number from 0 to 3'),
  ('select pg_temp.added(pg_temp.tracks(''d''), 4)', 'after_position must be a whole number from 0 to 3'),
  ('select pg_temp.removed(0)', 'position must be a whole number from 1 to 3'),
  ('select pg_temp.removed(4)', 'position must be a whole number from 1 to 3'),
  ('select pg_temp.removed(null)', 'position must be a whole number from 1 to 3'),
  ('select pg_temp.removed(2147483647)', 'position must be a whole number from 1 to 3'),
  ('select pg_temp.moved(0, 1)', 'from_position must be a whole number from 1 to 3'),
  ('select pg_temp.moved(1, 4)', 'to_position must be a whole number from 1 to 3'),
  ('select pg_temp.moved(1, null)', 'to_position must be a whole number from 1 to 3')
) n (call, message);
select is(pg_temp.stored(), 'abc', 'no nonsense changed anything');
select pg_temp.replaced('[]');
select throws_ok('select pg_temp.removed(1)', 'PT422', 'the playlist has no tracks', 'nothing can be removed from an empty playlist');

-- Whose playlist it is.
select throws_ok(format(c.call, p.id), 'PT404', 'playlist not found', p.why || ': ' || c.name)
from (values
  ('b1000000-0000-0000-0000-000000000001', 'another user''s playlist is not found')
) p (id, why), (values
  ('add_tracks', 'select pg_temp.added(pg_temp.tracks(''a''), null, %L)'), ('remove_track', 'select pg_temp.removed(1, %L)'),
  ('move_track', 'select pg_temp.moved(1, 1, %L)'), ('replace_tracks', 'select pg_temp.replaced(pg_temp.tracks(''a''), %L)')
) c (name, call);
select throws_ok(format(c.call, 'a2000000-0000-0000-0000-000000000002'), 'PT404', 'playlist not found', 'a deleted playlist is not found: ' || c.name)
from (values
  ('add_tracks', 'select pg_temp.added(''[]'', null, %L)'), ('remove_track', 'select pg_temp.removed(1, %L)'),
  ('move_track', 'select pg_temp.moved(1, 1, %L)'), ('replace_tracks', 'select pg_temp.replaced(''[]'', %L)')
) c (name, call);
select throws_ok(format('select pg_temp.added(pg_temp.tracks(%L), null, %L)', 'a', p.id), 'PT404', 'playlist not found', p.why)
from (values
  ('a2000000-0000-0000-0000-000000000002', 'a deleted playlist gets no track'),
  ('c1000000-0000-0000-0000-000000000001', 'an unknown one is not found'), (null, 'null neither')
) p (id, why);
reset role;
select is_empty($$ select 1 from public.playlist_tracks where playlist_id::text ~ '^(b1|a2)0000' $$, 'and none of them was touched');
select pg_temp.act_as('authenticated');
select throws_ok('select pg_temp.replaced(''[]'')', 'PT404', 'playlist not found', 'a token without a user finds nothing');
reset role;
select pg_temp.act_as('anon');
select throws_ok('select pg_temp.replaced(''[]'')', '42501', null, 'anon may not call them');
reset role;

select finish();
rollback;
