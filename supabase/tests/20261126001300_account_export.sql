-- The export of an account: all data of the user, none of other users, and no token.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the users' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role;

select plan(16);

create function pg_temp.act_as(p_role text, p_user_id uuid default null) returns void language sql
as $$
  select set_config('request.jwt.claims', jsonb_build_object('role', p_role, 'sub', p_user_id)::text, true);
  select set_config('role', p_role, true);
$$;
insert into auth.users (id, email) values
  ('a0000000-0000-0000-0000-000000000001', 'ann@example.test'), ('b0000000-0000-0000-0000-000000000002', 'bob@example.test');
insert into auth.sessions (id, user_id, user_agent) values
  ('1a000000-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000001', 'browser of ann'),
  ('1b000000-0000-0000-0000-000000000002', 'b0000000-0000-0000-0000-000000000002', 'browser of bob');
insert into auth.identities (id, user_id, provider, provider_id, identity_data) values
  ('2a000000-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000001', 'google', '1', '{"sub": "ann at google"}'),
  ('2b000000-0000-0000-0000-000000000002', 'b0000000-0000-0000-0000-000000000002', 'google', '2', '{"sub": "bob at google"}');
insert into public.playlists (id, owner_id, name, is_deleted) values
  ('c0000000-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000001', 'kept', false),
  ('c0000000-0000-0000-0000-000000000002', 'a0000000-0000-0000-0000-000000000001', 'gone', false),
  ('c0000000-0000-0000-0000-000000000003', 'b0000000-0000-0000-0000-000000000002', 'of bob', false);
insert into public.playlist_tracks (playlist_id, position, track_uri, title)
select p, n, 'spotify:track:' || repeat(n::text, 22), 'track ' || n
from unnest(array['c0000000-0000-0000-0000-000000000001', 'c0000000-0000-0000-0000-000000000002']::uuid[]) p, generate_series(1, 2) n;
update public.playlists set is_deleted = true where name = 'gone';
insert into public.shared_playlists (playlist_id, share_id) values
  ('c0000000-0000-0000-0000-000000000001', '5a000000-0000-0000-0000-000000000001'),
  ('c0000000-0000-0000-0000-000000000003', '5b000000-0000-0000-0000-000000000003');
select public.ai_reserve('10000000-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000001', 'quiet jazz', false);
select public.ai_reserve('10000000-0000-0000-0000-000000000002', 'b0000000-0000-0000-0000-000000000002', 'loud jazz', false);
select public.store_spotify_tokens(
  'a0000000-0000-0000-0000-000000000001', repeat('s', 32), 'access', 'refresh', now() + interval '1 hour', 'Ann', 'ann-at-spotify'
);
select public.begin_spotify_export('a0000000-0000-0000-0000-000000000001', 'e0000000-0000-0000-0000-000000000001', '{"name": "kept"}');

select public.take_request('a0000000-0000-0000-0000-000000000001', 'search');
select public.take_request('b0000000-0000-0000-0000-000000000002', 'export');

select volatility_is('public', 'account_export', 'stable', 'the export changes nothing');
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
create temp table exported as select public.account_export() as document;
select is(
  (select array_agg(k order by k) from exported, jsonb_object_keys(document) k),
  array['account', 'exported_at', 'generations', 'identities', 'playlists', 'profile', 'requests', 'sessions', 'spotify', 'spotify_copies', 'spotify_exports'],
  'every kind of data is listed, even if empty'
);
select is(document #>> '{account,email}', 'ann@example.test', 'the account') from exported;
select is(document #>> '{profile,plan}', 'free', 'the plan') from exported;
select is(
  (select jsonb_agg(l -> 'name') from exported, jsonb_array_elements(document -> 'playlists') l),
  '["kept", "gone"]', 'the export contains every playlist, including deleted ones'
);
select is(
  (select jsonb_agg(l -> 'share_id') from exported, jsonb_array_elements(document -> 'playlists') l),
  '["5a000000-0000-0000-0000-000000000001", null]', 'the export contains a playlist''s link'
);
select is(
  (select jsonb_agg(t -> 'title') from exported, jsonb_array_elements(document #> '{playlists,1,tracks}') t),
  '["track 1", "track 2"]', 'the export contains the tracks in order'
);
select is(document #>> '{generations,0,prompt}', 'quiet jazz', 'what was asked for') from exported;
select is(jsonb_array_length(document -> 'generations'), 1, 'by the caller alone') from exported;
select is(
  document #>> '{sessions,0,user_agent}' || ', ' || (document #>> '{identities,0,identity_data,sub}'),
  'browser of ann, ann at google', 'the export contains the user''s sign-ins'
) from exported;
select is(document #>> '{spotify,display_name}', 'Ann', 'the link') from exported;
select is(document #>> '{spotify_exports,0,request,name}', 'kept', 'and the exports') from exported;
select is(
  (select array_agg(distinct r ->> 'kind') from exported, jsonb_array_elements(document -> 'requests') r),
  array['search'], 'the counters of the user''s requests'
);
select ok(
  document::text !~ 'access_token|refresh_token|bob|loud', 'no token is in it, and nothing of others'
) from exported;
reset role;
select pg_temp.act_as('authenticated', 'd0000000-0000-0000-0000-000000000004');
select is(public.account_export(), null, 'a user without a profile gets null');
reset role;
select pg_temp.act_as('anon');
select throws_ok('select public.account_export()', '42501', null, 'anon may not export');

select finish();
rollback;
