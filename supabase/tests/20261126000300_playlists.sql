-- Playlists: only for the owner, at most 50 live ones, unique names among them.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the users' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role;

select plan(71);

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
insert into public.playlists (id, owner_id, name)
values ('b1000000-0000-0000-0000-000000000001', 'b0000000-0000-0000-0000-000000000002', 'Bob''s');

select has_index('public', 'playlists', 'playlists_owner_name_idx', array['owner_id', 'lower(name)'], 'names are unique per owner');
select index_is_unique('public', 'playlists', 'playlists_owner_name_idx');
select has_index('public', 'playlists', 'playlists_owner_idx', array['owner_id'], 'there is a full index on the owner');
select policies_are('public', 'playlists', array['Playlists are owner-read-write']);
select is(
  (select t.tgdeferrable and t.tginitdeferred from pg_trigger t where t.tgname = 'check_playlists_limit'), true, 'the limit is checked at commit'
);

select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select lives_ok(
  $$ insert into public.playlists (owner_id, name, description) values ('a0000000-0000-0000-0000-000000000001', '  Jazz ', 'Late') $$,
  'a user may create a playlist'
);
select results_eq('select name, is_deleted from public.playlists', $$ values ('Jazz', false) $$, 'a user sees only the created playlist, with its name trimmed');
select throws_ok(
  $$ insert into public.playlists (owner_id, name) values ('b0000000-0000-0000-0000-000000000002', 'x') $$, '42501', null,
  'users cannot create a playlist for another user'
);
select throws_ok(
  $$ insert into public.playlists (id, owner_id, name) values (gen_random_uuid(), 'a0000000-0000-0000-0000-000000000001', 'x') $$,
  '42501', null, 'users cannot choose a playlist''s id'
);
select throws_ok('update public.playlists set owner_id = gen_random_uuid()', '42501', null, 'users cannot give a playlist away');
select throws_ok('update public.playlists set created_at = now()', '42501', null, 'users cannot set created_at');
select throws_ok('delete from public.playlists', '42501', null, 'users cannot delete a row');
select is_empty(
  $$ update public.playlists set name = 'x' where id = 'b1000000-0000-0000-0000-000000000001' returning 1 $$, 'users cannot rename another user''s playlist'
);

select throws_ok(
  $$ insert into public.playlists (owner_id, name) values ('a0000000-0000-0000-0000-000000000001', 'jAZZ') $$, '23505', null,
  'a name is in use regardless of its case'
);
select throws_like(
  $$ insert into public.playlists (owner_id, name) values ('a0000000-0000-0000-0000-000000000001', 'JAZZ ') $$, '%playlists_owner_name_idx%',
  'the error of a name in use names the index'
);
select lives_ok(
  $$ insert into public.playlists (owner_id, name) values ('a0000000-0000-0000-0000-000000000001', 'Bob''s') $$,
  'the names of other users are free'
);
select lives_ok($$ update public.playlists set is_deleted = true where name = 'Jazz' $$, 'a user may delete a playlist');
select lives_ok(
  $$ insert into public.playlists (owner_id, name) values ('a0000000-0000-0000-0000-000000000001', 'jazz') $$, 'a deleted playlist''s name is free'
);
select throws_ok($$ update public.playlists set is_deleted = false where name = 'Jazz' $$, '23505', null, 'restoring a playlist whose name is in use is refused');
select lives_ok($$ update public.playlists set name = 'Jazz 2' where name = 'Jazz' $$, 'a deleted playlist may be renamed');
select lives_ok($$ update public.playlists set is_deleted = false where name = 'Jazz 2' $$, 'a renamed playlist can be restored');

select throws_ok(format('update public.playlists set name = %L where name = %L', n.name, 'jazz'), '23514', null, n.why)
from (values
  ('', 'an empty name is refused'), (E' \u00a0\u3000', 'a name of spaces is refused'), (repeat('x', 101), 'a name of 101 characters is refused'),
  (E'a\nb', 'a name has one line'), (E'a\u0007b', 'a name has no control characters'), (E'a\u2028b', 'a name with a line separator is refused')
) n (name, why);
select throws_ok('update public.playlists set name = null', '23502', null, 'a name is required');
select lives_ok($$ update public.playlists set name = repeat('ż', 100) where name = 'jazz' $$, 'a name of 100 characters is accepted');
select lives_ok($$ update public.playlists set name = '  ' || repeat('x', 100) || '  ' where name = repeat('ż', 100) $$, 'a name of 100 characters after trimming is accepted');
select throws_ok($$ update public.playlists set description = repeat('x', 301) $$, '23514', null, 'a description of 301 characters is refused');
select lives_ok($$ update public.playlists set description = repeat('ż', 300) $$, 'a description of 300 characters is accepted');
select lives_ok($$ update public.playlists set description = null $$, 'a description can be removed');
select ok((select bool_and(updated_at > created_at) from public.playlists where name = 'Jazz 2'), 'updated_at increases with every change');

-- The limit. Three live playlists exist.
insert into public.playlists (owner_id, name)
select 'a0000000-0000-0000-0000-000000000001', 'Playlist ' || n from generate_series(4, 50) n;
select lives_ok('set constraints all immediate', '50 live playlists are allowed');
select throws_ok(
  $$ insert into public.playlists (owner_id, name) values ('a0000000-0000-0000-0000-000000000001', 'One too many') $$, 'PT409', null,
  'the 51st playlist is a conflict'
);
select throws_like(
  $$ insert into public.playlists (owner_id, name) values ('a0000000-0000-0000-0000-000000000001', 'One too many') $$, '%playlist limit%',
  'the conflict''s message states the limit'
);
update public.playlists set is_deleted = true where name = 'Playlist 50';
select lives_ok(
  $$ insert into public.playlists (owner_id, name) values ('a0000000-0000-0000-0000-000000000001', 'Instead') $$, 'a deleted playlist does not count'
);
select throws_ok(
  $$ update public.playlists set is_deleted = false where name = 'Playlist 50' $$, 'PT409', null, 'restoring beyond the limit is refused'
);
select lives_ok($$ update public.playlists set name = 'Renamed' where name = 'Instead' $$, 'renaming at the limit is allowed');
set constraints all deferred;
insert into public.playlists (owner_id, name) values ('a0000000-0000-0000-0000-000000000001', 'For a moment');
update public.playlists set is_deleted = true where name = 'Renamed';
select lives_ok('set constraints all immediate', 'within a transaction the limit may be exceeded');
reset role;
select is(private.live_playlist_count('a0000000-0000-0000-0000-000000000001'), 50, 'only live playlists are counted');

select pg_temp.act_as('anon');
select throws_ok('select * from public.playlists', '42501', null, 'anon has no access');
reset role;
select pg_temp.act_as('service_role');
select throws_ok('select * from public.playlists', '42501', null, 'service_role has no access');
reset role;

delete from auth.users where id = 'a0000000-0000-0000-0000-000000000001';
select is_empty($$ select 1 from public.playlists where owner_id = 'a0000000-0000-0000-0000-000000000001' $$, 'playlists are deleted with the account');
rollback to savepoint part;

-- The trigger locks the owner's profile before any playlist. The races in tests/database show that this prevents deadlocks;
-- these tests show that it exists and blocks no other write.
savepoint part;
create function pg_temp.sign_up(p_id uuid) returns void language sql
as $$ insert into auth.users (id, email) values (p_id, p_id || '@example.test') $$;
create function pg_temp.act_as(p_role text, p_user_id uuid default null) returns void language sql
as $$
  select set_config('request.jwt.claims', jsonb_build_object('role', p_role, 'sub', p_user_id)::text, true);
  select set_config('role', p_role, true);
$$;
select pg_temp.sign_up('a0000000-0000-0000-0000-000000000001');
insert into public.playlists (id, owner_id, name)
values ('aaaaaaaa-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000001', 'One');

select trigger_is('public', 'playlists', 'lock_own_profile', 'private', 'lock_own_profile');
select is(
  (select t.tgtype & 3 from pg_trigger t where t.tgname = 'lock_own_profile'), 2,
  'the trigger runs before the statement instead of for each row'
);
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select lives_ok($$ update public.playlists set name = 'Renamed' $$, 'the owner may rename a playlist');
select results_eq('select name from public.playlists', array['Renamed'], 'the update is stored');
reset role;
select lives_ok($$ update public.playlists set description = 'd' where name = 'Renamed' $$, 'a user without a profile may update a playlist');
rollback to savepoint part;

-- Limits: a hundred playlists including deleted ones, 30 days, 200 characters.
insert into auth.users (id, email) values
  ('a0000000-0000-0000-0000-000000000001', 'ana@example.test'), ('b0000000-0000-0000-0000-000000000002', 'bo@example.test');
create function pg_temp.make(p_name text, p_owner uuid default 'a0000000-0000-0000-0000-000000000001') returns void language sql
as $$ insert into public.playlists (owner_id, name) values (p_owner, p_name) $$;
create function pg_temp.names(p_owner uuid default 'a0000000-0000-0000-0000-000000000001') returns text language sql
as $$ select string_agg(p.name, ',' order by p.name) from public.playlists p where p.owner_id = p_owner and p.name like 'x%' $$;

-- The time of a deletion.
select pg_temp.make('x1'), pg_temp.make('x2'), pg_temp.make('x3');
select is((select deleted_at from public.playlists where name = 'x1'), null, 'a live playlist has no time of deletion');
update public.playlists set is_deleted = true where name = 'x2';
create temp table moments as select deleted_at from public.playlists where name = 'x2';
select isnt((select deleted_at from moments), null, 'a deletion stores its time');
update public.playlists set name = 'x2 renamed' where name = 'x2';
update public.playlists set is_deleted = true where name = 'x2 renamed';
select is((select deleted_at from public.playlists where name = 'x2 renamed'), (select deleted_at from moments), 'neither renaming nor deleting again changes the time of the deletion');
update public.playlists set is_deleted = false where name = 'x2 renamed';
select is((select deleted_at from public.playlists where name = 'x2 renamed'), null, 'restoring clears the time of the deletion');

-- A hundred rows.
update public.playlists set is_deleted = true where name in ('x3', 'x1');
update public.playlists set deleted_at = deleted_at - interval '1 hour' where name = 'x3';
select pg_temp.make('x' || n) from generate_series(10, 58) n;
update public.playlists set is_deleted = true where name ~ '^x[1-5][0-9]$';
select is((select count(*)::int from public.playlists), 52, 'live and deleted playlists are kept');
select pg_temp.make('y' || n) from generate_series(1, 48) n;
select is((select count(*)::int from public.playlists), 100, 'at most a hundred playlists of a user are kept');
select pg_temp.make('bo''s', 'b0000000-0000-0000-0000-000000000002');
select is((select count(*)::int from public.playlists), 101, 'the limit is separate for each user');
update public.playlists set is_deleted = true where name = 'bo''s';
update public.playlists set deleted_at = deleted_at - interval '2 hours' where name = 'bo''s';
select pg_temp.make('y49');
select is((select count(*)::int from public.playlists where owner_id = 'a0000000-0000-0000-0000-000000000001'), 100, 'a new playlist beyond the limit replaces a deleted one');
select is((select count(*)::int from public.playlists where name = 'x3'), 0, 'the playlist that was deleted first is removed');
select is((select count(*)::int from public.playlists where name = 'x1'), 1, 'later deleted playlists stay');
select is((select count(*)::int from public.playlists where not is_deleted and owner_id = 'a0000000-0000-0000-0000-000000000001'), 50, 'no live playlist is removed');

set constraints all deferred;
select throws_ok(
  $$ insert into public.playlists (owner_id, name) select 'b0000000-0000-0000-0000-000000000002', 'z' || n from generate_series(1, 101) n $$,
  'PT409', 'playlist limit reached: at most 50', 'more playlists than can be kept are refused before they are counted at commit'
);

-- Creating and deleting repeatedly.
do $$
begin
  for n in 1..120 loop
    update public.playlists set is_deleted = true where name = 'y1' or name like 'z%';
    insert into public.playlists (owner_id, name) values ('a0000000-0000-0000-0000-000000000001', 'z' || n);
  end loop;
end
$$;
select is((select count(*)::int from public.playlists where owner_id = 'a0000000-0000-0000-0000-000000000001'), 100, 'creating and deleting keeps at most a hundred playlists');
select is((select count(*)::int from public.playlists where name = 'bo''s'), 1, 'the playlists of other users stay');

-- 30 days.
update public.playlists set deleted_at = now() - interval '719 hours' where name = 'z119';
update public.playlists set deleted_at = now() - interval '721 hours' where name = 'z118';
insert into private.request_buckets values
  ('a0000000-0000-0000-0000-000000000001', 'search', '1 minute', 1, now() - interval '1 second'),
  ('a0000000-0000-0000-0000-000000000001', 'export', '1 hour', 1, now() + interval '1 second');
select private.forget_expired();
select is((select count(*)::int from public.playlists where name = 'z118'), 0, 'a playlist is removed 30 days after its deletion');
select is((select count(*)::int from public.playlists where name = 'z119'), 1, 'a playlist is not removed before 30 days');
select results_eq($$ select kind from private.request_buckets $$, $$ values ('export') $$, 'a bucket is removed after its period');

-- Texts.
select throws_ok(
  format($$ select private.check_track(jsonb_build_object('track_uri', 'spotify:track:aaaaaaaaaaaaaaaaaaaaaa', %L, repeat('ż', 201)), 'x') $$, member),
  'PT422', null, member || ' of 201 characters is refused'
)
from unnest(array['title', 'artist', 'album']) member;
select lives_ok(
  $$ select private.check_track(jsonb_build_object('track_uri', 'spotify:track:aaaaaaaaaaaaaaaaaaaaaa', 'title', repeat('ż', 200)), 'x') $$, 'a text of 200 characters is accepted'
);

select finish();
rollback;
