-- Adding, removing, moving and replacing tracks: always 1..n, only in one's own live playlist.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the users' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role;

select plan(94);

create function pg_temp.sign_up(p_id uuid) returns void language sql
as $$ insert into auth.users (id, email) values (p_id, p_id || '@example.test') $$;
create function pg_temp.act_as(p_role text, p_user_id uuid default null) returns void language sql
as $$
  select set_config('request.jwt.claims', jsonb_build_object('role', p_role, 'sub', p_user_id)::text, true);
  select set_config('role', p_role, true);
$$;

-- Tracks are named by a letter: a track's URI is its letter, 22 times.
create function pg_temp.uri(p_letter text) returns text language sql as $$ select 'spotify:track:' || repeat(p_letter, 22) $$;
create function pg_temp.tracks(p_letters text) returns jsonb language sql
as $$
  select coalesce(jsonb_agg(jsonb_build_object('track_uri', pg_temp.uri(l)) order by n), '[]')
  from string_to_table(p_letters, null) with ordinality x (l, n)
$$;
create function pg_temp.numbered(p_count int) returns jsonb language sql
as $$
  select coalesce(jsonb_agg(jsonb_build_object('track_uri', 'spotify:track:' || lpad(n::text, 22, '0'))), '[]') from generate_series(1, p_count) n
$$;
-- The version and the letters of the list, such as '3 abc'.
create function pg_temp.told(p_content public.playlist_content) returns text language sql
as $$
  select p_content.version || ' ' || case
    when count(*) <> cardinality(p_content.tracks) or bool_or(e.position <> e.ordinality) then 'wrong positions'
    else coalesce(string_agg(right(e.track_uri, 1), '' order by e.ordinality), '')
  end
  from unnest(p_content.tracks) with ordinality e
$$;
create function pg_temp.mine() returns uuid language sql immutable as $$ select 'a1000000-0000-0000-0000-000000000001'::uuid $$;
create function pg_temp.added(p_letters text, p_after text default null, p_before text default null) returns text language sql
as $$ select pg_temp.told(public.add_tracks(pg_temp.mine(), pg_temp.tracks(p_letters), pg_temp.uri(p_after), pg_temp.uri(p_before))) $$;
create function pg_temp.removed(p_letters text) returns text language sql
as $$
  select pg_temp.told(public.remove_tracks(pg_temp.mine(), array(select pg_temp.uri(l) from string_to_table(p_letters, null) l)))
$$;
create function pg_temp.moved(p_letter text, p_after text default null, p_before text default null) returns text language sql
as $$ select pg_temp.told(public.move_track(pg_temp.mine(), pg_temp.uri(p_letter), pg_temp.uri(p_after), pg_temp.uri(p_before))) $$;
create function pg_temp.swapped(p_letter text, p_new text) returns text language sql
as $$ select pg_temp.told(public.replace_track(pg_temp.mine(), pg_temp.uri(p_letter), pg_temp.tracks(p_new) -> 0)) $$;
create function pg_temp.replaced(p_letters text, p_base int default null) returns text language sql
as $$ select pg_temp.told(public.replace_tracks(pg_temp.mine(), pg_temp.tracks(p_letters), p_base)) $$;
create function pg_temp.stored() returns text language sql
as $$
  select p.version || ' ' || coalesce(string_agg(right(t.track_uri, 1), '' order by t.position), '')
  from public.playlists p left join public.playlist_tracks t on t.playlist_id = p.id
  where p.id = pg_temp.mine()
  group by p.id
$$;
grant execute on all functions in schema pg_temp to authenticated, anon;

select pg_temp.sign_up('a0000000-0000-0000-0000-000000000001');
select pg_temp.sign_up('b0000000-0000-0000-0000-000000000002');
insert into public.playlists (id, owner_id, name, is_deleted) values
  ('a1000000-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000001', 'Ana''s', false),
  ('a2000000-0000-0000-0000-000000000002', 'a0000000-0000-0000-0000-000000000001', 'Deleted', true),
  ('b1000000-0000-0000-0000-000000000001', 'b0000000-0000-0000-0000-000000000002', 'Bob''s', false);

select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');

-- What each one does. The version counts the changes.
select is(pg_temp.added('abc'), '1 abc', 'tracks are added to an empty playlist in their order');
select is(pg_temp.added('de'), '2 abcde', 'by default at the end');
select is(pg_temp.added('f', null, 'a'), '3 fabcde', 'before the first');
select is(pg_temp.added('gh', 'a', 'd'), '4 faghbcde', 'after a track, whatever comes next now');
select is(pg_temp.added('i', 'z', 'b'), '5 faghibcde', 'before the next one where that track is gone');
select is(pg_temp.added('j', 'z', 'y'), '6 faghibcdej', 'at the end where both are gone');
select is(pg_temp.added('fkj', 'a'), '7 fakghibcdej', 'those that are there stay where they are, the others are added');
select is(pg_temp.added('kf'), '7 fakghibcdej', 'adding again changes nothing, nor does it count');
select is(pg_temp.added(''), '7 fakghibcdej', 'as does adding none');
select is(pg_temp.removed('fkj'), '8 aghibcde', 'several tracks are removed at once, the others move up');
select is(pg_temp.removed('zie'), '9 aghbcd', 'those that are not there are ignored');
select is(pg_temp.removed('ie'), '9 aghbcd', 'removing again changes nothing');
select is(pg_temp.told(public.remove_tracks(pg_temp.mine(), array[null, 'nonsense'])), '9 aghbcd', 'nor does removing what cannot be there');
select is(pg_temp.moved('a', 'd'), '10 ghbcda', 'a track moves after another');
select is(pg_temp.moved('a', null, 'g'), '11 aghbcd', 'before another');
select is(pg_temp.moved('g', 'z', 'c'), '12 ahbgcd', 'before the next one where the first is gone');
select is(pg_temp.moved('h'), '13 abgcdh', 'and by default to the end');
select is(pg_temp.moved('h', 'd', 'z'), '13 abgcdh', 'moving to where it is changes nothing');
select throws_ok($$ select pg_temp.moved('z', 'a') $$, 'PT409', 'the track is not in the playlist', 'a track that is gone cannot be moved');
select is(pg_temp.swapped('g', 'x'), '14 abxcdh', 'a track takes the place of another');
select is(pg_temp.swapped('g', 'x'), '14 abxcdh', 'swapping again changes nothing');
select throws_ok($$ select pg_temp.swapped('g', 'y') $$, 'PT409', 'the track is not in the playlist', 'a track that is gone cannot be swapped');
select throws_ok($$ select pg_temp.swapped('a', 'x') $$, 'PT409', 'duplicate track: ' || pg_temp.uri('x'), 'nor by one that is there already');
select is(pg_temp.swapped('h', 'h'), '14 abxcdh', 'a track may be swapped by itself');
select is(pg_temp.replaced('xyz'), '15 xyz', 'a list replaces another');
select is(pg_temp.replaced('xyz'), '15 xyz', 'the same list changes nothing');
select is(pg_temp.replaced('zyx', 15), '16 zyx', 'also if the list still has the version that is named');
select throws_ok($$ select pg_temp.replaced('abc', 15) $$, 'PT409', 'the playlist has changed', 'a list that has changed since is not replaced');
select is(pg_temp.replaced('zyx', 15), '16 zyx', 'unless that was done before');
select is(pg_temp.stored(), '16 zyx', 'the returned tracks and version are the stored ones');
select is(pg_temp.replaced(''), '17 ', 'an empty list removes all');
select is(pg_temp.stored(), '17 ', 'and leaves none');

-- The version: the date follows it, and it is no write of the playlist.
reset role;
update public.playlists set updated_at = '2026-01-01Z' where id = pg_temp.mine();
delete from private.request_buckets;
create temp table seen as select p.updated_at, p.version from public.playlists p where p.id = pg_temp.mine();
grant select on seen to authenticated;
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select pg_temp.added('');
select ok((select p.updated_at = s.updated_at from public.playlists p, seen s where p.id = pg_temp.mine()), 'an edit that changes nothing leaves the date');
select pg_temp.added('a');
select ok((select p.updated_at > s.updated_at from public.playlists p, seen s where p.id = pg_temp.mine()), 'a change moves it');
update public.playlists set name = 'Renamed' where id = pg_temp.mine();
select is((select p.version - s.version from public.playlists p, seen s where p.id = pg_temp.mine()), 1, 'a new name is no change of the list');
select throws_ok('update public.playlists set version = 0', '42501', null, 'users do not write the version');
reset role;
select results_eq(
  'select kind, taken::int from private.request_buckets order by kind', $$ values ('edit', 2), ('playlist', 1) $$,
  'an edit counts as an edit only, a new name as a write only'
);
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select pg_temp.replaced('');

-- The date of a track, and what is known of it.
select public.add_tracks(
  pg_temp.mine(),
  '[{"track_uri": "spotify:track:4uLU6hMCjMI75M1A2tKUQC", "title": "Whisky"}, {"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaaa"}]'
);
reset role;
update public.playlist_tracks set added_at = '2026-01-01Z' where playlist_id = pg_temp.mine();
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select results_eq(
  $$ select right(track_uri, 1), title, added_at from unnest((public.move_track(pg_temp.mine(), pg_temp.uri('a'), null, 'spotify:track:4uLU6hMCjMI75M1A2tKUQC')).tracks) $$,
  $$ values ('a', null, '2026-01-01Z'::timestamptz), ('C', 'Whisky', '2026-01-01Z') $$,
  'moving keeps what is known of a track and when it was added'
);
select results_eq(
  $$ select right(track_uri, 1), added_at from unnest((public.replace_tracks(pg_temp.mine(), pg_temp.tracks('bac'))).tracks) $$,
  $$ values ('b', now()), ('a', '2026-01-01Z'), ('c', now()) $$,
  'replacing keeps the date of the tracks that stay'
);
select results_eq(
  $$ select right(track_uri, 1), title, added_at from unnest((public.replace_track(pg_temp.mine(), pg_temp.uri('a'), pg_temp.tracks('a') -> 0 || '{"title": "A"}')).tracks) $$,
  $$ values ('b', null, now()), ('a', 'A', '2026-01-01Z'), ('c', null, now()) $$,
  'a track that is swapped by itself gets the new texts'
);

-- Conflicts.
create temp table before as select pg_temp.stored() as list;
select throws_ok($$ select pg_temp.added('dad') $$, 'PT409', 'duplicate track: ' || pg_temp.uri('d'), 'a track twice in a request is a conflict');
select throws_ok($$ select pg_temp.replaced('xx') $$, 'PT409', 'duplicate track: ' || pg_temp.uri('x'), 'also when replacing');
select throws_ok(format('select public.add_tracks(pg_temp.mine(), pg_temp.numbered(%s))', n), 'PT409', 'a playlist holds at most 100 tracks', n || ' more are a conflict')
from (values (98), (101)) v (n);
select throws_ok($$ select public.replace_tracks(pg_temp.mine(), pg_temp.numbered(101)) $$, 'PT409', 'a playlist holds at most 100 tracks', 'also when replacing');
select is(pg_temp.stored(), (select list from before), 'and nothing was changed');
select lives_ok($$ select public.add_tracks(pg_temp.mine(), pg_temp.numbered(97), pg_temp.uri('b')) $$, '100 are not');
select is((select array_agg("position"::int order by "position") from public.playlist_tracks), array(select generate_series(1, 100)), 'they are numbered 1 to 100');
select lives_ok($$ select pg_temp.moved('c', 'b') $$, 'a full playlist can be reordered');
select lives_ok($$ select public.replace_tracks(pg_temp.mine(), pg_temp.numbered(100)) $$, 'and replaced');
select lives_ok($$ select public.add_tracks(pg_temp.mine(), pg_temp.numbered(100)) $$, 'and adding what it holds is no conflict');
select lives_ok($$ select public.remove_tracks(pg_temp.mine(), array(select t ->> 'track_uri' from jsonb_array_elements(pg_temp.numbered(100)) t)) $$, 'and emptied at once');
select pg_temp.replaced('abc');
drop table before;
create temp table before as select pg_temp.stored() as list;

-- Nonsense.
select throws_ok(format('select public.add_tracks(pg_temp.mine(), %L)', n.tracks), 'PT422', n.message, n.message)
from (values
  (null, 'tracks must be an array'),
  ('{}', 'tracks must be an array'),
  ('null', 'tracks must be an array'),
  ('"spotify:track:aaaaaaaaaaaaaaaaaaaaaa"', 'tracks must be an array'),
  ('["x"]', 'tracks[0] must be an object'),
  ('[{"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaaa"}, null]', 'tracks[1] must be an object'),
  ('[{"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaaa", "position": 3}]', 'tracks[0] has the unknown key "position"'),
  ('[{"track_uri": "spotify:track:aaaaaaaaaaaaaaaaaaaaaa", "is_deleted": true}]', 'tracks[0] has the unknown key "is_deleted"'),
  ('[{}]', 'tracks[0].track_uri must be spotify:track: followed by 22 letters or digits')
) n (tracks, message);
select throws_ok(n.call, 'PT422', n.message, n.message)
from (values
  ('select public.remove_tracks(pg_temp.mine(), null)', 'track_uris must be an array of at most 100 URIs'),
  ($$ select public.remove_tracks(pg_temp.mine(), array_fill('x'::text, array[101])) $$, 'track_uris must be an array of at most 100 URIs'),
  ($$ select public.replace_track(pg_temp.mine(), pg_temp.uri('a'), null) $$, 'track must be an object'),
  ($$ select public.replace_track(pg_temp.mine(), pg_temp.uri('a'), '{"track_uri": 7}') $$, 'track.track_uri must be spotify:track: followed by 22 letters or digits')
) n (call, message);
select throws_ok('select pg_temp.moved(null)', 'PT409', 'the track is not in the playlist', 'no track is no track of the playlist');
select is(pg_temp.stored(), (select list from before), 'no nonsense changed anything');

-- Whose playlist it is.
create temp table calls (name text, call text);
grant select on calls to authenticated;
insert into calls values
  ('add_tracks', 'select public.add_tracks(%L, ''[]'')'), ('remove_tracks', 'select public.remove_tracks(%L, ''{}'')'),
  ('move_track', 'select public.move_track(%L, ''a'')'), ('replace_track', 'select public.replace_track(%L, ''a'', pg_temp.tracks(''a'') -> 0)'),
  ('replace_tracks', 'select public.replace_tracks(%L, pg_temp.tracks(''a''))');
select throws_ok(format(c.call, p.id), 'PT404', 'playlist not found', p.why || ' is not found: ' || c.name)
from calls c, (values
  ('b1000000-0000-0000-0000-000000000001', 'another user''s playlist'), ('a2000000-0000-0000-0000-000000000002', 'a deleted playlist'),
  ('c1000000-0000-0000-0000-000000000001', 'an unknown one'), (null, 'null')
) p (id, why);
reset role;
select is_empty($$ select 1 from public.playlist_tracks where playlist_id::text ~ '^(b1|a2)0000' $$, 'and none of them was touched');
select pg_temp.act_as('authenticated');
select throws_ok(format(call, pg_temp.mine()), 'PT404', 'playlist not found', 'a token without a user finds nothing: ' || name) from calls;
reset role;
select pg_temp.act_as('anon');
select throws_ok('select pg_temp.replaced('''')', '42501', null, 'anon may not call them');
reset role;

select finish();
rollback;
