-- Spotify exports: one copy for each key, completed by repeats, held by one request at a time.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the functions' and the users' roles too.
grant usage on schema extensions to fn_spotify;
grant execute on all functions in schema extensions to anon, authenticated, service_role, fn_spotify;
-- For this transaction: assertions run as the functions' role too.

select plan(60);

savepoint part;
create function pg_temp.sign_up(p_id uuid) returns void language sql
as $$ insert into auth.users (id, email) values (p_id, p_id || '@example.test') $$;
create function pg_temp.act_as(p_role text, p_user_id uuid default null) returns void language sql
as $$
  select set_config('request.jwt.claims', jsonb_build_object('role', p_role, 'sub', p_user_id)::text, true);
  select set_config('role', p_role, true);
$$;
create function pg_temp.begin_export(p_user text, p_request jsonb default '{"playlist_id": "p"}') returns jsonb language sql
as $$ select public.begin_spotify_export((repeat(p_user, 8) || '-0000-0000-0000-000000000000')::uuid, 'e0000000-0000-0000-0000-000000000001', p_request) $$;
grant execute on function pg_temp.begin_export(text, jsonb) to fn_spotify;

delete from public.spotify_exports;
select pg_temp.sign_up('aaaaaaaa-0000-0000-0000-000000000000');
select pg_temp.sign_up('bbbbbbbb-0000-0000-0000-000000000000');

select col_is_pk('public', 'spotify_exports', array['user_id', 'idempotency_key'], 'one export a key and user');
select policies_are('public', 'spotify_exports', array['Spotify exports owner']);

select pg_temp.act_as('fn_spotify');
select is(pg_temp.begin_export('a'), '{"outcome": "held", "spotify_playlist_id": null}', 'the first request holds the export');
select is(pg_temp.begin_export('a') ->> 'outcome', 'in_progress', 'a second at the same time does not');
select ok((pg_temp.begin_export('a') ->> 'retry_after_seconds')::int between 1 and 90, 'and is told when to come back');
select is(pg_temp.begin_export('a', '{"playlist_id": "q"}'), '{"outcome": "key_reused"}', 'another request under the key is refused');
select is(pg_temp.begin_export('b') ->> 'outcome', 'held', 'another user''s key is another key');

select lives_ok($$ select public.release_spotify_export('aaaaaaaa-0000-0000-0000-000000000000', 'e0000000-0000-0000-0000-000000000001') $$, 'one that failed before anything was created lets go');
select is(pg_temp.begin_export('a', '{"playlist_id": "q"}') ->> 'outcome', 'held', 'and its key is free for anything');
select is(public.record_spotify_export('aaaaaaaa-0000-0000-0000-000000000000', 'e0000000-0000-0000-0000-000000000001', 'copy1'), 'copy1', 'the copy is written down');
select is(public.record_spotify_export('aaaaaaaa-0000-0000-0000-000000000000', 'e0000000-0000-0000-0000-000000000001', 'copy2'), 'copy1', 'the first copy counts');
select is(public.record_spotify_export('aaaaaaaa-0000-0000-0000-000000000000', 'e0000000-0000-0000-0000-000000000009', 'copy1'), null, 'an export that is not there has none');
select lives_ok($$ select public.release_spotify_export('aaaaaaaa-0000-0000-0000-000000000000', 'e0000000-0000-0000-0000-000000000001') $$, 'a failure after that releases it');
select is(pg_temp.begin_export('a', '{"playlist_id": "q"}'), '{"outcome": "held", "spotify_playlist_id": "copy1"}', 'and its repeat completes the copy');
reset role;
update public.spotify_exports set held_until = clock_timestamp() - interval '1 second' where spotify_playlist_id = 'copy1';
select pg_temp.act_as('fn_spotify');
select is(pg_temp.begin_export('a', '{"playlist_id": "q"}') ->> 'spotify_playlist_id', 'copy1', 'so does one after a request that died');
select lives_ok($$ select public.finish_spotify_export('aaaaaaaa-0000-0000-0000-000000000000', 'e0000000-0000-0000-0000-000000000001', '{"exported": 3}') $$, 'the response is kept');
select is(pg_temp.begin_export('a', '{"playlist_id": "q"}'), '{"outcome": "finished", "result": {"exported": 3}}', 'a repeat gets it');
select is(pg_temp.begin_export('a', '{"playlist_id": "r"}') ->> 'outcome', 'key_reused', 'for the same request only');
reset role;
update public.spotify_exports set created_at = clock_timestamp() - interval '1 day 1 second' where result is not null;
select pg_temp.act_as('fn_spotify');
select is(pg_temp.begin_export('a', '{"playlist_id": "r"}') ->> 'outcome', 'held', 'after a day the key is forgotten');
select is(pg_temp.begin_export('c'), '{"outcome": "no_profile"}', 'an account without a profile exports nothing');
select throws_ok('select * from public.spotify_exports', '42501', null, 'the functions do not reach the table itself');
reset role;
select throws_ok(
  $$ insert into public.spotify_exports (user_id, idempotency_key, request, spotify_playlist_id, held_until) values ('aaaaaaaa-0000-0000-0000-000000000000', gen_random_uuid(), '{}', 'a/../b', now()) $$,
  '23514', null, 'a playlist''s id cannot change the URL that it stands in'
);

select pg_temp.act_as('authenticated', 'aaaaaaaa-0000-0000-0000-000000000000');
select throws_ok('select * from public.spotify_exports', '42501', null, 'users do not reach it');
select throws_ok($$ select public.begin_spotify_export('aaaaaaaa-0000-0000-0000-000000000000', gen_random_uuid(), '{}') $$, '42501', null, 'nor its functions');
reset role;
select is((select count(*)::int from public.spotify_exports), 2, 'one row each');
delete from auth.users where id = 'aaaaaaaa-0000-0000-0000-000000000000';
select is((select count(*)::int from public.spotify_exports), 1, 'exports go with the account');
rollback to savepoint part;

-- Spotify account ids: what was begun for another account is forgotten, and a copy that cannot be filled is replaced.
create function pg_temp.link(p_account_id text) returns void language sql
as $$
  select public.store_spotify_tokens(
    'aaaaaaaa-0000-0000-0000-000000000000', repeat('s', 32), 'access', 'refresh', now() + interval '1 hour', 'Ann', p_account_id
  )
$$;
create function pg_temp.key(p_key int) returns uuid language sql
as $$ select ('e0000000-0000-0000-0000-00000000000' || p_key)::uuid $$;
create function pg_temp.begin_export(p_key int) returns jsonb language sql
as $$ select public.begin_spotify_export('aaaaaaaa-0000-0000-0000-000000000000', pg_temp.key(p_key), '{}') $$;
create function pg_temp.record(p_key int, p_id text, p_instead_of text default null) returns text language sql
as $$ select public.record_spotify_export('aaaaaaaa-0000-0000-0000-000000000000', pg_temp.key(p_key), p_id, p_instead_of) $$;
create function pg_temp.release(p_key int) returns void language sql
as $$ select public.release_spotify_export('aaaaaaaa-0000-0000-0000-000000000000', pg_temp.key(p_key)) $$;
grant execute on all functions in schema pg_temp to fn_spotify;

insert into auth.users (id, email) values ('aaaaaaaa-0000-0000-0000-000000000000', 'a@example.test');
delete from public.spotify_exports;
select set_config('role', 'fn_spotify', true);

-- One that is begun, one that is finished, one that a request works on.
select pg_temp.link('ann');
select pg_temp.begin_export(1), pg_temp.record(1, 'one'), pg_temp.release(1);
select pg_temp.begin_export(2), pg_temp.record(2, 'two');
select public.finish_spotify_export('aaaaaaaa-0000-0000-0000-000000000000', pg_temp.key(2), '{"exported": 3}');
select pg_temp.begin_export(3), pg_temp.record(3, 'three');

select pg_temp.link('ann');
select is(pg_temp.begin_export(1), '{"outcome": "held", "spotify_playlist_id": "one"}', 'linking the same account again keeps what was begun');
select pg_temp.release(1);
select public.delete_spotify_tokens('aaaaaaaa-0000-0000-0000-000000000000');
select pg_temp.link('ann');
select is(pg_temp.begin_export(1) ->> 'spotify_playlist_id', 'one', 'also after it was unlinked');
select pg_temp.release(1);
select pg_temp.link(null);
select is(pg_temp.begin_export(1) ->> 'spotify_playlist_id', 'one', 'an account whose id is not known forgets nothing');
select pg_temp.release(1);
select pg_temp.link('bob');
select is(pg_temp.begin_export(1), '{"outcome": "held", "spotify_playlist_id": null}', 'another account forgets what was begun');
select is(pg_temp.begin_export(2), '{"outcome": "finished", "result": {"exported": 3}}', 'a finished export keeps its response');
select is(pg_temp.record(3, 'other'), 'three', 'what a request works on is left to it');

select is(pg_temp.record(1, 'new'), 'new', 'a copy in the other account is written down');
select is(pg_temp.record(1, 'newer', 'gone'), 'new', 'the first one counts');
select is(pg_temp.record(1, 'newer', 'new'), 'newer', 'unless it is the one that is to be replaced');
select is(pg_temp.record(1, 'newer', 'new'), 'newer', 'which can be repeated');
select is(pg_temp.record(1, 'newest', 'new'), 'newer', 'and is done once');
select pg_temp.release(1), pg_temp.link('ann');
select is(pg_temp.begin_export(1) ->> 'spotify_playlist_id', null, 'a copy is of the account that was linked when it was made');
reset role;
select throws_ok(
  $$ update public.spotify_tokens set account_id = '' $$, '23514', null, 'an account''s id is not empty'
);

-- The copy of a playlist is remembered with it, as long as the account is linked.
create function pg_temp.act_as(p_role text, p_user_id uuid default null) returns void language sql
as $$
  select set_config('request.jwt.claims', jsonb_build_object('role', p_role, 'sub', p_user_id)::text, true);
  select set_config('role', p_role, true);
$$;
create function pg_temp.playlist(p_number int) returns uuid language sql
as $$ select ('b0000000-0000-0000-0000-00000000000' || p_number)::uuid $$;
create function pg_temp.export(p_key int, p_playlist int) returns jsonb language sql
as $$
  select public.begin_spotify_export(
    'aaaaaaaa-0000-0000-0000-000000000000', pg_temp.key(p_key), jsonb_build_object('playlist_id', pg_temp.playlist(p_playlist))
  )
$$;
create function pg_temp.copies() returns text language sql
as $$ select string_agg(right(c.playlist_id::text, 1) || c.spotify_playlist_id, ' ' order by c.playlist_id) from public.spotify_copies c $$;
create function pg_temp.finish(p_key int) returns void language sql
as $$ select public.finish_spotify_export('aaaaaaaa-0000-0000-0000-000000000000', pg_temp.key(p_key), '{}') $$;
grant execute on all functions in schema pg_temp to fn_spotify, authenticated;
insert into public.playlists (id, owner_id, name)
select pg_temp.playlist(n), 'aaaaaaaa-0000-0000-0000-000000000000', n::text from generate_series(1, 2) n;
insert into auth.users (id, email) values ('bbbbbbbb-0000-0000-0000-000000000000', 'b@example.test');
delete from public.spotify_exports;

select set_config('role', 'fn_spotify', true);
select pg_temp.link('ann');
select is(pg_temp.export(1, 1), '{"outcome": "held", "spotify_playlist_id": null}', 'a playlist has no copy at first');
select is(pg_temp.export(2, 1) ->> 'outcome', 'in_progress', 'it is exported by one request at a time, whatever the key');
select ok((pg_temp.export(2, 1) ->> 'retry_after_seconds')::int between 1 and 90, 'and the other is told when to come back');
select is(pg_temp.export(3, 2) ->> 'outcome', 'held', 'another playlist is exported beside it');
select pg_temp.record(1, 'one'), pg_temp.finish(1), pg_temp.release(3);
select is(pg_temp.export(2, 1), '{"outcome": "held", "spotify_playlist_id": "one"}', 'another key fills the copy that there is');
select is(pg_temp.record(2, 'uno', 'one'), 'uno', 'a copy that is gone is replaced');
select pg_temp.finish(2);
select is(pg_temp.export(4, 1) ->> 'spotify_playlist_id', 'uno', 'with the playlist, too');
select pg_temp.release(4);
select is(pg_temp.export(3, 2) ->> 'spotify_playlist_id', null, 'and with no other');
select pg_temp.record(3, 'two'), pg_temp.finish(3);

reset role;
select pg_temp.act_as('authenticated', 'aaaaaaaa-0000-0000-0000-000000000000');
select is(pg_temp.copies(), '1uno 2two', 'owners read them');
select throws_ok($$ delete from public.spotify_copies $$, '42501', null, 'and do not write them');
reset role;
select pg_temp.act_as('authenticated', 'bbbbbbbb-0000-0000-0000-000000000000');
select is(pg_temp.copies(), null, 'no other user reads them');
reset role;
update public.spotify_tokens set account_id = 'bob';
select set_config('role', 'fn_spotify', true);
select is(pg_temp.export(5, 1) ->> 'spotify_playlist_id', null, 'a copy in another account than the linked one does not count');
select pg_temp.release(5), pg_temp.link('ann');
reset role;
select is(pg_temp.copies(), '1uno 2two', 'linking the same account again keeps them');
select pg_temp.link(null);
select is(pg_temp.copies(), '1uno 2two', 'an account whose id is not known forgets none');
delete from public.playlists where id = pg_temp.playlist(2);
select is(pg_temp.copies(), '1uno', 'a playlist that is gone has none');
select pg_temp.link('bob');
select is(pg_temp.copies(), null, 'another account forgets them');
select pg_temp.link('ann'), pg_temp.export(6, 1), pg_temp.record(6, 'again'), pg_temp.finish(6);
create function pg_temp.export_anew(p_key int) returns text language sql
as $$
  select public.begin_spotify_export(
    'aaaaaaaa-0000-0000-0000-000000000000', pg_temp.key(p_key), jsonb_build_object('playlist_id', pg_temp.playlist(1), 'new_copy', true)
  ) ->> 'spotify_playlist_id'
$$;
select is(pg_temp.export_anew(7), null, 'a new copy is made where it is asked for');
select is(pg_temp.record(7, 'fresh'), 'fresh', 'it is written down');
select pg_temp.release(7);
select is(pg_temp.export_anew(7), 'fresh', 'its repeat completes it');
select pg_temp.finish(7);
select is(pg_temp.export(8, 1) ->> 'spotify_playlist_id', 'fresh', 'and it takes the place of the one before');
select public.delete_spotify_tokens('aaaaaaaa-0000-0000-0000-000000000000');
select is(pg_temp.copies(), null, 'so does unlinking');

select finish();
rollback;
