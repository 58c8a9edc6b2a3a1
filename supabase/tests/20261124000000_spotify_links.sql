-- Spotify links: linking anew begins anew, replacing a token does not; one at a time replaces it, and never an other's.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the function's role too.
grant usage on schema extensions to fn_spotify;
grant execute on all functions in schema extensions to fn_spotify;

select plan(33);
create function pg_temp.id() returns uuid language sql as $$ select 'aaaaaaaa-0000-0000-0000-000000000000'::uuid $$;
create function pg_temp.secret() returns text language sql as $$ select repeat('s3cret', 8) $$;
create function pg_temp.state(p_refused text default null) returns text language sql
as $$ select state from public.get_spotify_tokens(pg_temp.id(), pg_temp.secret(), null, p_refused) $$;
grant execute on function pg_temp.id(), pg_temp.secret(), pg_temp.state(text) to fn_spotify;
delete from public.spotify_tokens;
insert into auth.users (id, email) values (pg_temp.id(), 'a@example.test');

set local role fn_spotify;
select is(public.spotify_link(pg_temp.id()), '{"linked": false}', 'who has not linked is not linked');
select lives_ok($$ select public.store_spotify_tokens(pg_temp.id(), pg_temp.secret(), 'a1', 'r1', now() + interval '1 hour', E' Żółw\n ') $$, 'linking');
select is(public.spotify_link(pg_temp.id()) - 'linked_at' - 'expires_at', '{"linked": true, "display_name": "Żółw"}', 'the name is cleaned and shown');
select is(pg_temp.state(), 'fresh', 'a token with an hour left is fresh');
reset role;
update public.spotify_tokens set created_at = '2026-08-31 12:00Z';
set local role fn_spotify;
select is(
  public.spotify_link(pg_temp.id()) - 'display_name' - 'linked', '{"linked_at": "2026-08-31T12:00:00Z", "expires_at": "2027-02-28T12:00:00Z"}',
  'a link lasts six months'
);

-- One replaces.
select is(pg_temp.state('a1'), 'refresh', 'a token that Spotify refused is to be replaced');
select is(pg_temp.state('a1'), 'wait', 'by one at a time');
select is(pg_temp.state('a0'), 'fresh', 'a refused token that is not the stored one says nothing of it');
select lives_ok('select public.release_spotify_refresh(pg_temp.id())', 'who fails gives the right back');
select is(pg_temp.state('a1'), 'refresh', 'to the next');
select is(public.refresh_spotify_tokens(pg_temp.id(), pg_temp.secret(), 'r0', 'a2', null, now()), false, 'what was got with another refresh token is not stored');
select is(public.refresh_spotify_tokens(pg_temp.id(), pg_temp.secret(), 'r1', 'a2', null, now() + interval '59 seconds'), true, 'what was got with this one is');
select results_eq(
  'select access_token, refresh_token, state from public.get_spotify_tokens(pg_temp.id(), pg_temp.secret())',
  $$ values ('a2', 'r1', 'refresh') $$, 'the refresh token is kept where none came, and under a minute is used up'
);
select is(pg_temp.state(), 'wait', 'for one at a time, too');
select is(public.refresh_spotify_tokens(pg_temp.id(), pg_temp.secret(), 'r1', 'a3', 'r2', now() + interval '61 seconds'), true, 'another refresh token');
select results_eq(
  'select access_token, refresh_token, state from public.get_spotify_tokens(pg_temp.id(), pg_temp.secret())',
  $$ values ('a3', 'r2', 'fresh') $$, 'is stored, and over a minute is fresh'
);
select is(public.refresh_spotify_tokens(pg_temp.id(), pg_temp.secret(), 'r1', 'a4', null, now()), false, 'the one before is another by now');
reset role;
select is((select created_at from public.spotify_tokens), '2026-08-31 12:00Z'::timestamptz, 'none of this is linking');
update public.spotify_tokens set refreshing_until = clock_timestamp() - interval '1 second', expires_at = now();
set local role fn_spotify;
select is(pg_temp.state(), 'refresh', 'who died does not keep the right');

reset role;
select cmp_ok(
  (select refreshing_until from public.spotify_tokens), '>', clock_timestamp() + interval '50 seconds',
  'who is alive, however slow Spotify and the database are, keeps it'
);
set local role fn_spotify;

-- With two secrets.
select is(public.refresh_spotify_tokens(pg_temp.id(), repeat('n3w!', 8), 'r2', 'a5', null, now() + interval '1 hour', pg_temp.secret()), true, 'the token is compared under either secret');
select results_eq(
  $$ select access_token, refresh_token from public.get_spotify_tokens(pg_temp.id(), repeat('n3w!', 8)) $$, $$ values ('a5', 'r2') $$, 'and stored under the first'
);
select throws_ok($$ select public.refresh_spotify_tokens(pg_temp.id(), pg_temp.secret(), 'r2', 'a6', null, now()) $$, 'PT503', null, 'under the old one alone it cannot be');

-- Ends.
select is(public.expire_spotify_link(pg_temp.id(), repeat('n3w!', 8), 'r1'), false, 'a link is not given up for another''s token');
select is(public.expire_spotify_link(pg_temp.id(), repeat('n3w!', 8), 'r2'), true, 'for its own it is');
select is(public.expire_spotify_link(pg_temp.id(), repeat('n3w!', 8), 'r2'), false, 'once');
select is(public.refresh_spotify_tokens(pg_temp.id(), pg_temp.secret(), 'r2', 'a', null, now()), false, 'what comes behind that links nothing');
select is_empty('select * from public.get_spotify_tokens(pg_temp.id(), pg_temp.secret())', 'who is not linked has no tokens');

-- Anew.
select public.store_spotify_tokens(pg_temp.id(), pg_temp.secret(), 'a1', 'r1', now() + interval '1 hour', 'One');
reset role;
update public.spotify_tokens set created_at = '2026-01-01Z', refreshing_until = now() + interval '1 hour';
set local role fn_spotify;
select lives_ok($$ select public.store_spotify_tokens(pg_temp.id(), pg_temp.secret(), 'b1', 's1', now()) $$, 'linking again');
select is(public.spotify_link(pg_temp.id()) -> 'display_name', 'null', 'takes the name of before away');
select is(pg_temp.state(), 'refresh', 'and whoever was replacing the token of before');
reset role;
select cmp_ok((select created_at from public.spotify_tokens), '>=', now(), 'and begins the six months anew');
select is((select count(*)::int from pg_proc where proname in ('get_spotify_tokens', 'store_spotify_tokens')), 2, 'one function of each name: the API could not choose');

select finish();
rollback;
