-- Spotify tokens: unreadable without the secret, bound to their row, inaccessible to users.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the users' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role;
-- For this transaction: assertions run as the function's role too.
grant usage on schema extensions to fn_spotify;
grant execute on all functions in schema extensions to fn_spotify;

select plan(86);

savepoint part;
create function pg_temp.sign_up(p_id uuid) returns void language sql
as $$ insert into auth.users (id, email) values (p_id, p_id || '@example.test') $$;
create function pg_temp.act_as(p_role text, p_user_id uuid default null) returns void language sql
as $$
  select set_config('request.jwt.claims', jsonb_build_object('role', p_role, 'sub', p_user_id)::text, true);
  select set_config('role', p_role, true);
$$;

delete from public.spotify_tokens;
select pg_temp.sign_up('a0000000-0000-0000-0000-000000000001');
select pg_temp.sign_up('b0000000-0000-0000-0000-000000000002');
create function pg_temp.secret() returns text language sql as $$ select repeat('s3cret', 8) $$;
grant execute on function pg_temp.secret() to service_role;

select col_is_pk('public', 'spotify_tokens', 'user_id', 'a user has one link');
select has_index('public', 'spotify_tokens', 'spotify_tokens_user_idx', array['user_id'], 'the primary key has the index''s name');
select policies_are('public', 'spotify_tokens', array['Owner access via RPC']);

select pg_temp.act_as('service_role');
select lives_ok(
  $$ select public.store_spotify_tokens('a0000000-0000-0000-0000-000000000001', pg_temp.secret(), 'access-1', 'refresh-1', '2030-01-01Z') $$,
  'the server stores tokens'
);
select results_eq(
  $$ select access_token, refresh_token, expires_at from public.get_spotify_tokens('a0000000-0000-0000-0000-000000000001', pg_temp.secret()) $$,
  $$ values ('access-1', 'refresh-1', '2030-01-01Z'::timestamptz) $$, 'and reads them'
);
select lives_ok(
  $$ select public.store_spotify_tokens('a0000000-0000-0000-0000-000000000001', pg_temp.secret(), 'access-2', 'refresh-2', '2031-01-01Z') $$,
  'the server may store tokens again'
);
select results_eq(
  $$ select access_token, refresh_token, expires_at from public.get_spotify_tokens('a0000000-0000-0000-0000-000000000001', pg_temp.secret()) $$,
  $$ values ('access-2', 'refresh-2', '2031-01-01Z'::timestamptz) $$, 'and reads the new ones'
);
select is_empty(
  $$ select * from public.get_spotify_tokens('b0000000-0000-0000-0000-000000000002', pg_temp.secret()) $$, 'a user without a link has no tokens'
);
select throws_ok(
  $$ select * from public.get_spotify_tokens('a0000000-0000-0000-0000-000000000001', repeat('wr0ng!', 8)) $$, 'PT503', 'the stored Spotify tokens cannot be read', 'a wrong secret opens nothing'
);
select throws_ok(format('select * from public.get_spotify_tokens(%L, %L)', 'a0000000-0000-0000-0000-000000000001', s.secret), 'PT503', null, s.why)
from (values (null, 'a missing secret is a configuration error'), ('', 'as is an empty one'), (repeat('x', 31), 'as is a short one')) s (secret, why);
select throws_ok(
  $$ select public.store_spotify_tokens('a0000000-0000-0000-0000-000000000001', 'short', 'a', 'r', now()) $$, 'PT503', null, 'nothing is stored with a short one'
);
select throws_ok(
  $$ select public.store_spotify_tokens('a0000000-0000-0000-0000-000000000001', pg_temp.secret(), 'a', null, now()) $$, '23502', null, 'both tokens are needed'
);
select throws_ok(
  $$ select public.store_spotify_tokens('c0000000-0000-0000-0000-000000000003', pg_temp.secret(), 'a', 'r', now()) $$, '23503', null, 'a user is needed'
);
select throws_ok('select * from public.spotify_tokens', '42501', null, 'the server has no access to the table');
reset role;

select ok((select updated_at > created_at from public.spotify_tokens), 'storing again changes updated_at and not created_at');
select is(
  (select count(*)::int from public.spotify_tokens t
   where position('access-2'::bytea in t.access_token) > 0 or position('refresh-2'::bytea in t.refresh_token) > 0), 0,
  'no token is stored in clear'
);
insert into public.spotify_tokens (user_id, access_token, refresh_token, expires_at)
select 'b0000000-0000-0000-0000-000000000002', t.access_token, t.refresh_token, t.expires_at from public.spotify_tokens t;
select pg_temp.act_as('service_role');
select throws_ok(
  $$ select * from public.get_spotify_tokens('b0000000-0000-0000-0000-000000000002', pg_temp.secret()) $$, 'PT503', 'the stored Spotify tokens cannot be read',
  'a ciphertext moved to another row does not decrypt'
);
select is(public.delete_spotify_tokens('b0000000-0000-0000-0000-000000000002'), true, 'the server deletes a link');
select is(public.delete_spotify_tokens('b0000000-0000-0000-0000-000000000002'), false, 'deleting a missing link returns false');
reset role;
select is((select count(*)::int from public.spotify_tokens), 1, 'the links of other users stay');

select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select throws_ok('select * from public.spotify_tokens', '42501', null, 'the owner cannot read the ciphertext');
select throws_ok('delete from public.spotify_tokens', '42501', null, 'the owner cannot delete the ciphertext');
select throws_ok($$ select public.store_spotify_tokens('a0000000-0000-0000-0000-000000000001', repeat('x', 40), 'a', 'r', now()) $$, '42501', null, 'the owner cannot call the server''s functions');
select throws_ok($$ select * from public.get_spotify_tokens('a0000000-0000-0000-0000-000000000001', repeat('x', 40)) $$, '42501', null, 'the owner cannot call any of the server''s functions');
reset role;
select pg_temp.act_as('anon');
select throws_ok('select * from public.spotify_tokens', '42501', null, 'anon has no access');
reset role;

delete from auth.users where id = 'a0000000-0000-0000-0000-000000000001';
select is((select count(*)::int from public.spotify_tokens), 0, 'tokens are deleted with the account');
rollback to savepoint part;

-- Unreadable tokens raise one error; changing the secret keeps every token readable.
savepoint part;
create function pg_temp.id(p_n int) returns uuid language sql as $$ select (repeat(p_n::text, 8) || '-0000-0000-0000-000000000000')::uuid $$;
create function pg_temp.old() returns text language sql as $$ select repeat('0ld!', 8) $$;
create function pg_temp.new() returns text language sql as $$ select repeat('n3w!', 8) $$;
grant execute on function pg_temp.id(int), pg_temp.old(), pg_temp.new() to fn_spotify;
create function pg_temp.unreadable(p_n int, p_what text) returns text language sql
as $$
  select throws_ok(
    format('select * from public.get_spotify_tokens(%L, pg_temp.old(), pg_temp.new())', pg_temp.id(p_n)),
    'PT503', 'the stored Spotify tokens cannot be read', p_what
  )
$$;
grant execute on function pg_temp.unreadable(int, text) to fn_spotify;
delete from public.spotify_tokens;
insert into auth.users (id, email) select pg_temp.id(n), n || '@example.test' from generate_series(1, 5) n;

set local role fn_spotify;
select public.store_spotify_tokens(pg_temp.id(n), pg_temp.old(), 'access-' || n, 'refresh-' || n, '2030-01-01Z') from generate_series(1, 4) n;
select results_eq(
  'select access_token, refresh_token from public.get_spotify_tokens(pg_temp.id(1), pg_temp.new(), pg_temp.old())',
  $$ values ('access-1', 'refresh-1') $$, 'a function with both secrets reads what the second one wrote'
);
select results_eq(
  'select access_token, refresh_token from public.get_spotify_tokens(pg_temp.id(1), pg_temp.old(), pg_temp.new())',
  $$ values ('access-1', 'refresh-1') $$, 'and what the first one wrote'
);
select throws_ok(
  'select * from public.get_spotify_tokens(pg_temp.id(1), pg_temp.new())', 'PT503', 'the stored Spotify tokens cannot be read', 'a wrong secret alone decrypts no token'
);
select throws_ok(
  $$ select * from public.get_spotify_tokens(pg_temp.id(1), pg_temp.old(), 'short') $$, 'PT503', 'the Spotify secret is missing or shorter than 32 characters', 'a short second one is a mistake'
);
select is(public.store_spotify_tokens(pg_temp.id(5), pg_temp.new(), 'żeton', 'ünïcödé 🎵', '2030-01-01Z') is null, false, 'tokens can be stored with the new secret');
select is(
  public.rotate_spotify_tokens(pg_temp.new(), pg_temp.old(), null, 2),
  jsonb_build_object('rotated', 2, 'current', 0, 'unreadable', '[]'::jsonb, 'last_user_id', pg_temp.id(2)), 'a first batch is encrypted anew'
);
select is(
  public.rotate_spotify_tokens(pg_temp.new(), pg_temp.old()),
  jsonb_build_object('rotated', 2, 'current', 3, 'unreadable', '[]'::jsonb, 'last_user_id', pg_temp.id(5)), 'beginning again does the rest'
);
select is(
  public.rotate_spotify_tokens(pg_temp.new(), pg_temp.old(), pg_temp.id(5)) -> 'last_user_id', 'null', 'after the last one there is nothing'
);
select results_eq(
  'select t.access_token, t.refresh_token from generate_series(1, 5) n, public.get_spotify_tokens(pg_temp.id(n), pg_temp.new()) t order by n',
  $$ values ('access-1', 'refresh-1'), ('access-2', 'refresh-2'), ('access-3', 'refresh-3'), ('access-4', 'refresh-4'), ('żeton', 'ünïcödé 🎵') $$,
  'the new secret alone decrypts every token'
);
select throws_ok('select * from public.get_spotify_tokens(pg_temp.id(1), pg_temp.old())', 'PT503', null, 'the old secret alone decrypts no token');
select throws_ok($$ select public.rotate_spotify_tokens('short', pg_temp.old()) $$, 'PT503', null, 'a short secret is refused');
reset role;
select is((select bool_and(created_at = updated_at) from public.spotify_tokens where user_id = pg_temp.id(5)), true, 'tokens under the new secret are not changed');

-- Manipulated rows.
update public.spotify_tokens t set access_token = o.access_token from public.spotify_tokens o where t.user_id = pg_temp.id(1) and o.user_id = pg_temp.id(2);
update public.spotify_tokens t set access_token = t.refresh_token, refresh_token = t.access_token where t.user_id = pg_temp.id(2);
update public.spotify_tokens t set refresh_token = substr(t.refresh_token, 1, length(t.refresh_token) - 5) where t.user_id = pg_temp.id(3);
update public.spotify_tokens t set access_token = '' where t.user_id = pg_temp.id(4);
set local role fn_spotify;
select pg_temp.unreadable(1, 'another user''s ciphertext is unreadable');
select pg_temp.unreadable(2, 'exchanged columns are unreadable');
select pg_temp.unreadable(3, 'a truncated ciphertext is unreadable');
select pg_temp.unreadable(4, 'an empty ciphertext is unreadable');
select is(
  public.rotate_spotify_tokens(repeat('3rd!', 8), pg_temp.new()),
  jsonb_build_object('rotated', 1, 'current', 0, 'unreadable', jsonb_build_array(pg_temp.id(1), pg_temp.id(2), pg_temp.id(3), pg_temp.id(4)), 'last_user_id', pg_temp.id(5)),
  'unreadable rows are listed and do not stop the re-encryption'
);
select lives_ok($$ select public.store_spotify_tokens(pg_temp.id(1), repeat('3rd!', 8), 'a', 'r', now()) $$, 'linking again replaces an unreadable row');
select results_eq($$ select refresh_token from public.get_spotify_tokens(pg_temp.id(1), repeat('3rd!', 8)) $$, array['r'], 'the replaced row stays readable');
select throws_ok('select * from public.spotify_tokens', '42501', null, 'the function''s role has no access to the table');
reset role;
-- Every bit of a ciphertext matters: a change makes it unreadable or changes nothing.
update public.spotify_tokens set refresh_token = private.encrypt_spotify_token(user_id, 'refresh_token', 'one token') where user_id = pg_temp.id(1);
select is_empty(
  $$
    select bit from public.spotify_tokens t, generate_series(0, 8 * length(t.refresh_token) - 1) bit
    where t.user_id = pg_temp.id(1)
      and coalesce(private.decrypt_spotify_token(t.user_id, 'refresh_token', set_bit(t.refresh_token, bit, 1 - get_bit(t.refresh_token, bit)), 'app.spotify_secret'), 'one token') <> 'one token'
  $$,
  'no flipped bit gives another token'
);
select is_empty(
  $$
    select n from public.spotify_tokens t, generate_series(0, length(t.refresh_token) - 1) n
    where t.user_id = pg_temp.id(1) and private.decrypt_spotify_token(t.user_id, 'refresh_token', substr(t.refresh_token, 1, n), 'app.spotify_secret') is not null
  $$,
  'no truncated ciphertext gives another token'
);
select is((select count(*)::int from pg_proc where proname in ('get_spotify_tokens', 'store_spotify_tokens', 'rotate_spotify_tokens')), 3, 'no function is overloaded, because the API could not choose');
select function_privs_are('public', 'rotate_spotify_tokens', array['text', 'text', 'uuid', 'integer'], 'fn_spotify', array['EXECUTE']);
select function_privs_are('public', 'rotate_spotify_tokens', array['text', 'text', 'uuid', 'integer'], 'authenticated', array[]::text[]);
rollback to savepoint part;

-- Linking again starts the six months again, replacing a token does not; one request at a time replaces it, and only its own.
create function pg_temp.id() returns uuid language sql as $$ select 'aaaaaaaa-0000-0000-0000-000000000000'::uuid $$;
create function pg_temp.secret() returns text language sql as $$ select repeat('s3cret', 8) $$;
create function pg_temp.state(p_refused text default null) returns text language sql
as $$ select state from public.get_spotify_tokens(pg_temp.id(), pg_temp.secret(), null, p_refused) $$;
grant execute on function pg_temp.id(), pg_temp.secret(), pg_temp.state(text) to fn_spotify;
delete from public.spotify_tokens;
insert into auth.users (id, email) values (pg_temp.id(), 'a@example.test');

set local role fn_spotify;
select is(public.spotify_link(pg_temp.id()), '{"linked": false}', 'a user without a link is not linked');
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

-- One request replaces a token.
select is(pg_temp.state('a1'), 'refresh', 'a token that Spotify refused is to be replaced');
select is(pg_temp.state('a1'), 'wait', 'only one request at a time replaces a token');
select is(pg_temp.state('a0'), 'fresh', 'a refused token other than the stored one has no effect');
select lives_ok('select public.release_spotify_refresh(pg_temp.id())', 'a failed request releases the refresh');
select is(pg_temp.state('a1'), 'refresh', 'the next request replaces the token after a release');
select is(public.refresh_spotify_tokens(pg_temp.id(), pg_temp.secret(), 'r0', 'a2', null, now()), false, 'a token that was obtained with another refresh token is not stored');
select is(public.refresh_spotify_tokens(pg_temp.id(), pg_temp.secret(), 'r1', 'a2', null, now() + interval '59 seconds'), true, 'a token that was obtained with the stored refresh token is stored');
select results_eq(
  'select access_token, refresh_token, state::text from public.get_spotify_tokens(pg_temp.id(), pg_temp.secret())',
  $$ values ('a2', 'r1', 'refresh') $$, 'the refresh token is kept where none came, and under a minute is used up'
);
select is(pg_temp.state(), 'wait', 'only one request at a time replaces an expired token');
select is(public.refresh_spotify_tokens(pg_temp.id(), pg_temp.secret(), 'r1', 'a3', 'r2', clock_timestamp() + interval '75 seconds'), true, 'another refresh token is stored');
select results_eq(
  'select access_token, refresh_token, state::text from public.get_spotify_tokens(pg_temp.id(), pg_temp.secret())',
  $$ values ('a3', 'r2', 'fresh') $$, 'is stored, and over a minute is fresh'
);
select is(public.refresh_spotify_tokens(pg_temp.id(), pg_temp.secret(), 'r1', 'a4', null, now()), false, 'the previous refresh token is outdated');
reset role;
select is((select created_at from public.spotify_tokens), '2026-08-31 12:00Z'::timestamptz, 'replacing a token does not change the time of linking');
update public.spotify_tokens set refreshing_until = clock_timestamp() - interval '1 second', expires_at = now();
set local role fn_spotify;
select is(pg_temp.state(), 'refresh', 'a request that died does not block the replacement');

reset role;
select cmp_ok(
  (select refreshing_until from public.spotify_tokens), '>', clock_timestamp() + interval '50 seconds',
  'a running request keeps the replacement, even if Spotify and the database are slow'
);
set local role fn_spotify;

-- Two secrets.
select is(public.refresh_spotify_tokens(pg_temp.id(), repeat('n3w!', 8), 'r2', 'a5', null, now() + interval '1 hour', pg_temp.secret()), true, 'the refresh token is compared under either secret');
select results_eq(
  $$ select access_token, refresh_token from public.get_spotify_tokens(pg_temp.id(), repeat('n3w!', 8)) $$, $$ values ('a5', 'r2') $$, 'and stored under the first'
);
select throws_ok($$ select public.refresh_spotify_tokens(pg_temp.id(), pg_temp.secret(), 'r2', 'a6', null, now()) $$, 'PT503', null, 'the refresh token cannot be compared under the old secret alone');

-- The end of a link.
select is(public.expire_spotify_link(pg_temp.id(), repeat('n3w!', 8), 'r1'), false, 'a link does not end for another''s token');
select is(public.expire_spotify_link(pg_temp.id(), repeat('n3w!', 8), 'r2'), true, 'a link ends for its own token');
select is(public.expire_spotify_link(pg_temp.id(), repeat('n3w!', 8), 'r2'), false, 'once');
select is(public.refresh_spotify_tokens(pg_temp.id(), pg_temp.secret(), 'r2', 'a', null, now()), false, 'a later replacement does not create a link');
select is_empty('select * from public.get_spotify_tokens(pg_temp.id(), pg_temp.secret())', 'a user without a link has no tokens');

-- Linking again.
select public.store_spotify_tokens(pg_temp.id(), pg_temp.secret(), 'a1', 'r1', now() + interval '1 hour', 'One');
reset role;
update public.spotify_tokens set created_at = '2026-01-01Z', refreshing_until = now() + interval '1 hour';
set local role fn_spotify;
select lives_ok($$ select public.store_spotify_tokens(pg_temp.id(), pg_temp.secret(), 'b1', 's1', now()) $$, 'an account can be linked again');
select is(public.spotify_link(pg_temp.id()) -> 'display_name', 'null', 'linking again removes the previous name');
select is(pg_temp.state(), 'refresh', 'a replacement of the previous link has no effect');
reset role;
select cmp_ok((select created_at from public.spotify_tokens), '>=', now(), 'linking again starts the six months again');
select is((select count(*)::int from pg_proc where proname in ('get_spotify_tokens', 'store_spotify_tokens')), 2, 'no function is overloaded, because the API could not choose');

select finish();
rollback;
