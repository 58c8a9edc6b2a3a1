-- Spotify tokens: unreadable without the secret, useless in another row, out of the users' reach.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the users' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role;

select plan(28);
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

select col_is_pk('public', 'spotify_tokens', 'user_id', 'one link per user');
select has_index('public', 'spotify_tokens', 'spotify_tokens_user_idx', array['user_id'], 'the key has the index''s name');
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
  'stores them again'
);
select results_eq(
  $$ select access_token, refresh_token, expires_at from public.get_spotify_tokens('a0000000-0000-0000-0000-000000000001', pg_temp.secret()) $$,
  $$ values ('access-2', 'refresh-2', '2031-01-01Z'::timestamptz) $$, 'and reads the new ones'
);
select is_empty(
  $$ select * from public.get_spotify_tokens('b0000000-0000-0000-0000-000000000002', pg_temp.secret()) $$, 'who is not linked has no tokens'
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
select throws_ok('select * from public.spotify_tokens', '42501', null, 'the server does not reach the table itself');
reset role;

select ok((select updated_at > created_at from public.spotify_tokens), 'updated_at moves, created_at does not');
select is(
  (select count(*)::int from public.spotify_tokens t
   where position('access-2'::bytea in t.access_token) > 0 or position('refresh-2'::bytea in t.refresh_token) > 0), 0,
  'nothing is stored in clear'
);
insert into public.spotify_tokens (user_id, access_token, refresh_token, expires_at)
select 'b0000000-0000-0000-0000-000000000002', t.access_token, t.refresh_token, t.expires_at from public.spotify_tokens t;
select pg_temp.act_as('service_role');
select throws_ok(
  $$ select * from public.get_spotify_tokens('b0000000-0000-0000-0000-000000000002', pg_temp.secret()) $$, 'PT503', 'the stored Spotify tokens cannot be read',
  'a ciphertext moved to another row does not decrypt'
);
select is(public.delete_spotify_tokens('b0000000-0000-0000-0000-000000000002'), true, 'the server deletes a link');
select is(public.delete_spotify_tokens('b0000000-0000-0000-0000-000000000002'), false, 'and says when there was none');
reset role;
select is((select count(*)::int from public.spotify_tokens), 1, 'the others'' stay');

select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select throws_ok('select * from public.spotify_tokens', '42501', null, 'the owner cannot read the ciphertext');
select throws_ok('delete from public.spotify_tokens', '42501', null, 'nor delete it');
select throws_ok($$ select public.store_spotify_tokens('a0000000-0000-0000-0000-000000000001', repeat('x', 40), 'a', 'r', now()) $$, '42501', null, 'nor call the server''s functions');
select throws_ok($$ select * from public.get_spotify_tokens('a0000000-0000-0000-0000-000000000001', repeat('x', 40)) $$, '42501', null, 'none of them');
reset role;
select pg_temp.act_as('anon');
select throws_ok('select * from public.spotify_tokens', '42501', null, 'anon has no access');
reset role;

delete from auth.users where id = 'a0000000-0000-0000-0000-000000000001';
select is((select count(*)::int from public.spotify_tokens), 0, 'tokens go with the account');

select finish();
rollback;
