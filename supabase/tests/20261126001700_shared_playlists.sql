-- Shared playlists: read by everyone who has the link, until it is revoked; and copies of playlists.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the users' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role;

select plan(41);

create function pg_temp.act_as(p_role text, p_user_id uuid default null) returns void language sql
as $$
  select set_config('request.jwt.claims', jsonb_build_object('role', p_role, 'sub', p_user_id)::text, true);
  select set_config('role', p_role, true);
$$;
insert into auth.users (id, email) values
  ('a0000000-0000-0000-0000-000000000001', 'ann@example.test'), ('b0000000-0000-0000-0000-000000000002', 'bob@example.test');
insert into public.playlists (id, owner_id, name, description) values
  ('a1000000-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000001', 'Deszcz', 'For the window seat.'),
  ('a1000000-0000-0000-0000-000000000002', 'a0000000-0000-0000-0000-000000000001', 'Hers alone', null),
  ('b1000000-0000-0000-0000-000000000001', 'b0000000-0000-0000-0000-000000000002', 'Deszcz', null);
insert into public.playlist_tracks (playlist_id, position, track_uri, title, artist, album, duration_ms, explicit, version, image_url, why) values
  ('a1000000-0000-0000-0000-000000000001', 1, 'spotify:track:' || repeat('a', 22), 'Whisky', 'Dżem', 'Cegła', 335000, false, 'live', 'https://i.scdn.co/image/a', 'For Ann.'),
  ('a1000000-0000-0000-0000-000000000001', 2, 'spotify:track:' || repeat('b', 22), null, null, null, null, null, null, null, null);
-- What the owner and everyone else see is compared across roles.
create temp table seen (name text primary key, share_id uuid) on commit drop;
create temp table copied (what text primary key, id uuid) on commit drop;
grant all on seen, copied to anon, authenticated;
create function pg_temp.share(p_name text, p_playlist uuid default 'a1000000-0000-0000-0000-000000000001') returns void language sql
as $$ insert into seen values (p_name, public.share_playlist(p_playlist)) $$;
create function pg_temp.shared(p_name text) returns jsonb language sql
as $$ select public.shared_playlist((select s.share_id from seen s where s.name = p_name)) $$;
create function pg_temp.edits() returns int language sql
as $$ select coalesce(sum(b.taken), 0)::int from private.request_buckets b where b.kind = 'edit' $$;
grant execute on all functions in schema pg_temp to anon, authenticated;

select policies_are('public', 'shared_playlists', array['Shares accessible through playlist owner']);
select volatility_is('public', 'shared_playlist', 'stable', 'reading a shared playlist changes nothing');

-- Sharing.
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select lives_ok($$ select pg_temp.share('first') $$, 'an owner shares a playlist');
select pg_temp.share('again');
select is((select count(distinct share_id)::int from seen), 1, 'a repeat returns the same link');
select is(
  (select array_agg(s.share_id) from public.shared_playlists s), (select array[share_id] from seen where name = 'first'),
  'which the owner reads'
);
select isnt((select share_id from seen where name = 'first'), 'a1000000-0000-0000-0000-000000000001', 'and which is not the playlist''s id');
reset role;
select is(pg_temp.edits(), 2, 'sharing counts as an edit');
select pg_temp.act_as('authenticated', 'b0000000-0000-0000-0000-000000000002');
select is((select count(*)::int from public.shared_playlists), 0, 'other users do not read links');
select throws_ok($$ select pg_temp.share('of another') $$, 'PT404', 'playlist not found', 'nor share what is not theirs');
select throws_ok(
  $$ select public.unshare_playlist('a1000000-0000-0000-0000-000000000001') $$, 'PT404', 'playlist not found', 'nor revoke'
);

-- Reading.
reset role;
create temp table shown on commit drop as
select jsonb_build_object('name', 'Deszcz', 'description', 'For the window seat.', 'tracks', jsonb_agg(private.shown_track(t) order by t.position))
  as playlist
from public.playlist_tracks t where t.playlist_id = 'a1000000-0000-0000-0000-000000000001';
grant select on shown to anon;
select pg_temp.act_as('anon');
select is(
  pg_temp.shared('first'),
  (select playlist from shown),
  'everyone reads name, description and tracks in order, and nothing else'
);
select throws_ok(
  format('select public.shared_playlist(%L)', id), 'PT404', 'shared playlist not found', id || ' is no link'
)
from unnest(array['00000000-0000-0000-0000-000000000000', 'a1000000-0000-0000-0000-000000000001', 'a1000000-0000-0000-0000-000000000002']) id;
select throws_ok('select public.shared_playlist(null)', 'PT404', null, 'nor is none');
select throws_ok(format('select %s', call), '42501', null, 'anonymous users may not call ' || call)
from unnest(array[
  'public.share_playlist(null)', 'public.unshare_playlist(null)', 'public.duplicate_playlist(null)', 'public.duplicate_shared_playlist(null)'
]) call;
select throws_ok('select * from public.shared_playlists', '42501', null, 'nor read the links');
select pg_temp.act_as('authenticated', 'b0000000-0000-0000-0000-000000000002');
select is(pg_temp.shared('first') ->> 'name', 'Deszcz', 'as do other users');

-- Copies.
select lives_ok(
  $$ insert into copied select 'shared', public.duplicate_shared_playlist(share_id) from seen where name = 'first' $$,
  'another user copies a shared playlist'
);
select results_eq(
  $$ select p.owner_id, p.name, p.description from public.playlists p join copied c on c.id = p.id $$,
  $$ values ('b0000000-0000-0000-0000-000000000002'::uuid, 'Deszcz (2)', 'For the window seat.') $$, 'under a free name'
);
select results_eq(
  $$ select t.position::int, t.title, t.image_url, t.why, t.added_at from public.playlist_tracks t join copied c on c.id = t.playlist_id order by t.position $$,
  $$ values (1, 'Whisky', 'https://i.scdn.co/image/a', null, now()), (2, null, null, null, now()) $$,
  'with all its tracks, added now, without what the link does not show'
);
select is((select count(*)::int from public.shared_playlists), 0, 'a copy is not shared');
select throws_ok(
  $$ select public.duplicate_playlist('a1000000-0000-0000-0000-000000000001') $$, 'PT404', 'playlist not found',
  'another user''s playlist is not copied by its own id'
);
select throws_ok(
  $$ select public.duplicate_shared_playlist('a1000000-0000-0000-0000-000000000001') $$, 'PT404', 'shared playlist not found', 'nor by a wrong link'
);
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
insert into copied select 'own', public.duplicate_playlist('a1000000-0000-0000-0000-000000000001');
select results_eq(
  $$ select p.name, t.why from copied c join public.playlists p on p.id = c.id join public.playlist_tracks t on t.playlist_id = p.id and t.position = 1 where c.what = 'own' $$,
  $$ values ('Deszcz (2)', 'For Ann.') $$, 'one''s own playlist is copied with the reasons'
);
update public.playlists set is_deleted = true where id = (select id from copied where what = 'own');
select throws_ok(
  $$ select public.duplicate_playlist((select id from copied where what = 'own')) $$, 'PT404', 'playlist not found', 'a deleted one is not'
);
reset role;
select is(
  (select sum(b.taken)::int from private.request_buckets b where b.kind = 'playlist' and b.user_id = 'b0000000-0000-0000-0000-000000000002'), 1,
  'a copy counts as a playlist''s write'
);
insert into public.playlists (owner_id, name) select 'b0000000-0000-0000-0000-000000000002', 'more ' || n from generate_series(1, 48) n;
select pg_temp.act_as('authenticated', 'b0000000-0000-0000-0000-000000000002');
select throws_ok(
  $$
    set constraints all immediate;
    select public.duplicate_shared_playlist(share_id) from seen where name = 'first'
  $$,
  'PT409', 'playlist limit reached: at most 50', 'the limit of playlists holds for copies'
);

-- The end of a link.
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
update public.playlists set is_deleted = true where id = 'a1000000-0000-0000-0000-000000000001';
select throws_ok($$ select pg_temp.shared('first') $$, 'PT404', 'shared playlist not found', 'a deleted playlist is not shared');
select throws_ok(
  $$ select public.duplicate_shared_playlist(share_id) from seen where name = 'first' $$, 'PT404', null, 'nor copied by its link'
);
select throws_ok($$ select pg_temp.share('deleted') $$, 'PT404', 'playlist not found', 'nor can it be shared');
update public.playlists set is_deleted = false where id = 'a1000000-0000-0000-0000-000000000001';
select is(pg_temp.shared('first') ->> 'name', 'Deszcz', 'a restored one has its link again');
select lives_ok($$ select public.unshare_playlist('a1000000-0000-0000-0000-000000000001') $$, 'an owner revokes a link');
select lives_ok($$ select public.unshare_playlist('a1000000-0000-0000-0000-000000000001') $$, 'also twice');
select throws_ok($$ select pg_temp.shared('first') $$, 'PT404', 'shared playlist not found', 'a revoked link leads nowhere');
select pg_temp.share('second');
select is(pg_temp.shared('second') ->> 'name', 'Deszcz', 'the playlist gets another link');
select throws_ok($$ select pg_temp.shared('first') $$, 'PT404', null, 'and the first stays revoked');
reset role;
delete from public.playlists where id = 'a1000000-0000-0000-0000-000000000001';
select is((select count(*)::int from public.shared_playlists), 0, 'a link goes with its playlist');

select * from finish();
rollback;
