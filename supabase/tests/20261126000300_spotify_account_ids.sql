-- Spotify account ids: what was begun for another account is forgotten, and a copy that cannot be filled is replaced.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the functions' role too.
grant usage on schema extensions to fn_spotify;
grant execute on all functions in schema extensions to anon, authenticated, service_role, fn_spotify;

select plan(13);
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
select is(pg_temp.begin_export(2), '{"outcome": "finished", "result": {"exported": 3}}', 'what is finished stays the answer');
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

select * from finish();
rollback;
