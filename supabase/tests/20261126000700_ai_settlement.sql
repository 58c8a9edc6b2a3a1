-- Settlement: in time or refused, once, and never free after a delivery.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the users' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role;

select plan(90);

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

-- Sessions are numbered; Ana is the caller by default.
create function pg_temp.id(p_number int) returns uuid language sql as $$ select ('10000000-0000-0000-0000-' || lpad(p_number::text, 12, '0'))::uuid $$;
create function pg_temp.reserve(p_number int) returns text language sql
as $$ select public.ai_reserve(pg_temp.id(p_number), 'a0000000-0000-0000-0000-000000000001', 'jazz', false) ->> 'outcome' $$;
create function pg_temp.settle(
  p_number int, p_status public.ai_status_enum, p_cost numeric default 0, p_user_id uuid default 'a0000000-0000-0000-0000-000000000001'
) returns jsonb language sql as $$ select public.ai_settle(pg_temp.id(p_number), p_user_id, p_status, p_cost) $$;
create function pg_temp.answer(p_number int, p_status public.ai_status_enum, p_cost numeric default 0) returns text language sql
as $$ select concat_ws(' ', a ->> 'outcome', a ->> 'status', a #>> '{quota,used}') from pg_temp.settle(p_number, p_status, p_cost) a $$;
create function pg_temp.stored(p_number int) returns text language sql
as $$ select string_agg(concat_ws(' ', s.status, s.cost), ', ' order by s.created_at) from public.ai_sessions s where s.id = pg_temp.id(p_number) $$;
create function pg_temp.age(p_number int, p_by interval) returns void language sql
as $$ update public.ai_sessions set created_at = created_at - p_by where id = pg_temp.id(p_number) $$;

-- In time.
select pg_temp.reserve(1);
select is(
  pg_temp.settle(1, 'succeeded', 0.0012) #- '{quota,next_free_at}',
  '{"outcome": "settled", "status": "succeeded", "quota": {"plan": "free", "used": 1, "limit": 3, "remaining": 2}}',
  'a success is settled and counted'
);
select is(pg_temp.stored(1), 'succeeded 0.0012', 'a success is stored with its cost');
select is(pg_temp.answer(1, 'succeeded', 0.0012), 'settled succeeded 1', 'a repeated settlement returns the same');
select is(pg_temp.stored(1), 'succeeded 0.0012', 'a repeated settlement changes nothing');
select is(pg_temp.answer(1, 'failed'), 'expired succeeded 1', 'a success cannot be undone');
select is(pg_temp.answer(1, 'timeout'), 'expired succeeded 1', 'a success cannot become a timeout');
select is(pg_temp.stored(1), 'succeeded 0.0012', 'the cost of a success is kept');

select pg_temp.reserve(2);
select is(pg_temp.answer(2, 'failed', 0.0001), 'settled failed 1', 'a failure is settled and not counted');
select is(pg_temp.stored(2), 'failed 0.0001', 'a failure is stored with its cost');
select is(pg_temp.answer(2, 'failed'), 'settled failed 1', 'a repeated settlement of a failure returns the same');
select is(pg_temp.answer(2, 'succeeded'), 'expired failed 1', 'a failure cannot become a success');
select is(pg_temp.stored(2), 'failed 0.0001', 'the cost of a failure is kept');

select pg_temp.reserve(3);
create temporary table reserved as select created_at, settled_at from public.ai_sessions where id = pg_temp.id(3);
select is(settled_at, null, 'a reservation is not settled') from reserved;
select is(pg_temp.answer(3, 'timeout', 0.0002), 'settled timeout 1', 'a timeout is settled and not counted');
select is(pg_temp.stored(3), 'timeout 0.0002', 'a timeout is stored with its cost');
create temporary table settled as select created_at, settled_at from public.ai_sessions where id = pg_temp.id(3);
select ok(s.created_at = r.created_at and s.settled_at > s.created_at, 'its start stays, and its end is stored') from settled s, reserved r;
select is(pg_temp.answer(3, 'timeout'), 'settled timeout 1', 'a repeated settlement of a timeout returns the same');
select is((select a.settled_at from public.ai_sessions a where a.id = pg_temp.id(3)), s.settled_at, 'and keeps the first end') from settled s;
select is(pg_temp.answer(3, 'succeeded'), 'expired timeout 1', 'a timeout cannot become a success');

-- Too late.
select pg_temp.reserve(4);
select pg_temp.age(4, interval '90 seconds');
select is(pg_temp.answer(4, 'succeeded', 0.0030), 'expired timeout 1', 'after 90 seconds a success is too late');
select is(pg_temp.stored(4), 'timeout 0.0030', 'the cost of a late success is recorded');
select is(pg_temp.answer(4, 'failed', 0.0040), 'expired timeout 1', 'after 90 seconds a failure is too late');
select is(pg_temp.stored(4), 'timeout 0.0040', 'the cost of a late failure is recorded');
select is(pg_temp.answer(4, 'timeout'), 'settled timeout 1', 'an expired reservation is already a timeout');
select pg_temp.reserve(5);
select pg_temp.age(5, interval '89 seconds');
select is(pg_temp.answer(5, 'succeeded'), 'settled succeeded 2', 'after 89 seconds a success is in time');

-- Several attempts.
select pg_temp.reserve(6), pg_temp.settle(6, 'failed', 0.0001);
select pg_temp.reserve(6), pg_temp.settle(6, 'timeout', 0.0002);
select is(pg_temp.reserve(6), 'reserved', 'a third attempt starts');
select is(pg_temp.answer(6, 'succeeded', 0.0003), 'settled succeeded 3', 'the latest attempt is settled');
select is(pg_temp.stored(6), 'failed 0.0001, timeout 0.0002, succeeded 0.0003', 'earlier attempts stay unchanged');

-- Unknown sessions.
select is(
  pg_temp.settle(7, 'succeeded') - 'quota', '{"outcome": "unknown", "status": null}', 'a session that was never reserved is unknown'
);
select is(
  pg_temp.settle(1, 'failed', p_user_id => 'b0000000-0000-0000-0000-000000000002') - 'quota', '{"outcome": "unknown", "status": null}',
  'another user''s session is unknown'
);
select is(
  pg_temp.settle(1, 'failed', p_user_id => 'c0000000-0000-0000-0000-000000000003'), '{"outcome": "unknown", "status": null, "quota": null}',
  'a deleted user''s session is unknown'
);
select is(pg_temp.stored(1), 'succeeded 0.0012', 'no unknown session is changed');

-- The cost.
delete from public.ai_sessions;
select pg_temp.reserve(8);
select throws_ok(format('select pg_temp.settle(8, %L, %L)', 'failed', c.cost), 'PT422', null, c.why)
from (values (null, 'a cost is needed'), ('-0.01', 'a negative cost is refused'), ('NaN', 'as is what is no number'), ('1000000', 'and what is absurd')) c (cost, why);
select throws_ok('select pg_temp.settle(8, null)', 'PT422', null, 'a settlement needs a status');
select is(pg_temp.stored(8), 'timeout 0.0000', 'a refused settlement changes nothing');
select pg_temp.settle(8, 'failed', 0.00011);
select is(pg_temp.stored(8), 'failed 0.0002', 'a cost is rounded up');

-- A success whose caller no longer waits.
delete from public.ai_sessions;
select pg_temp.reserve(9);
update public.ai_sessions set created_at = created_at - interval '10 seconds';
create function pg_temp.settle_within(p_max_age_ms int) returns text language sql
as $$
  select concat_ws(' ', a ->> 'outcome', a ->> 'status', a #>> '{quota,used}')
  from public.ai_settle(pg_temp.id(9), 'a0000000-0000-0000-0000-000000000001', 'succeeded', 0.5, p_max_age_ms) a
$$;
select is(pg_temp.settle_within(9000), 'expired failed 0', 'a success that comes too late for its caller counts as failed');
select is(pg_temp.stored(9), 'failed 0.5000', 'the cost of a late success is recorded');
update public.ai_sessions set status = 'timeout', settled_at = null;
select is(pg_temp.settle_within(20000), 'settled succeeded 1', 'a success in time is settled');
select is(pg_temp.settle_within(9000), 'settled succeeded 1', 'a success stays one, however late the repeat');

select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select throws_ok(
  $$ select public.ai_settle(gen_random_uuid(), 'a0000000-0000-0000-0000-000000000001', 'failed', 0) $$, '42501', null, 'users may not settle by themselves'
);
reset role;
select pg_temp.act_as('service_role');
select is(
  public.ai_settle(gen_random_uuid(), 'a0000000-0000-0000-0000-000000000001', 'failed', 0) ->> 'outcome', 'unknown', 'the server may'
);
reset role;
rollback to savepoint part;

-- Deliveries: delivered tracks are charged and kept, whatever happens to the request afterwards.
insert into auth.users (id, email) values
  ('a0000000-0000-0000-0000-000000000001', 'ana@example.test'), ('b0000000-0000-0000-0000-000000000002', 'bo@example.test');
update public.profiles set plan = 'pro';
create table public.ai_sessions_rest partition of public.ai_sessions default;

-- Ana generates unless stated otherwise.
create function pg_temp.id(p_number int) returns uuid language sql as $$ select ('10000000-0000-0000-0000-' || lpad(p_number::text, 12, '0'))::uuid $$;
create function pg_temp.reserve(p_number int, p_prompt text default 'jazz') returns jsonb language sql
as $$ select public.ai_reserve(pg_temp.id(p_number), 'a0000000-0000-0000-0000-000000000001', p_prompt, false) $$;
create function pg_temp.tracks(p_count int) returns jsonb language sql
as $$
  select jsonb_agg(jsonb_build_object('index', n - 1, 'track_uri', 'spotify:track:' || lpad(n::text, 22, '0'), 'title', 'Song ' || n, 'score', 1) order by n)
  from generate_series(1, p_count) n
$$;
create function pg_temp.deliver(p_number int, p_count int, p_cost numeric default 0.0004, p_user_id uuid default 'a0000000-0000-0000-0000-000000000001')
returns text language sql as $$ select public.ai_deliver(pg_temp.id(p_number), p_user_id, p_cost, pg_temp.tracks(p_count)) ->> 'outcome' $$;
create function pg_temp.settle(p_number int, p_status public.ai_status_enum, p_result jsonb default null) returns text language sql
as $$ select public.ai_settle(pg_temp.id(p_number), 'a0000000-0000-0000-0000-000000000001', p_status, 0.001, 1, p_result) ->> 'outcome' $$;
create function pg_temp.save(p_number int, p_count int) returns text language sql
as $$ select public.save_generated_playlist(pg_temp.id(p_number), 'a0000000-0000-0000-0000-000000000001', 0.001, 'Rain', 'd', pg_temp.tracks(p_count)) ->> 'outcome' $$;
create function pg_temp.age(p_number int, p_by interval) returns void language sql
as $$ update public.ai_sessions set created_at = created_at - p_by where id = pg_temp.id(p_number) $$;
create function pg_temp.session(p_number int) returns public.ai_sessions language sql
as $$ select s from public.ai_sessions s where s.id = pg_temp.id(p_number) $$;
create function pg_temp.used() returns int language sql
as $$ select (private.ai_quota('a0000000-0000-0000-0000-000000000001', clock_timestamp()) ->> 'used')::int $$;

-- A worker that is killed during a generation.
select pg_temp.reserve(1);
select is(pg_temp.deliver(1, 5), 'delivered', 'the first tracks are charged before they are sent');
select is((pg_temp.session(1)).status::text, 'succeeded', 'a charged session has succeeded');
select is((pg_temp.session(1)).cost, 0.0004, 'a charged session has its cost so far');
select is(pg_temp.deliver(1, 10, 0.0006), 'delivered', 'more tracks are delivered');
select is(pg_temp.deliver(1, 5, 0.0004), 'delivered', 'an earlier call that arrives late is accepted');
select is(jsonb_array_length((pg_temp.session(1)).delivered -> 'tracks'), 10, 'a late call removes no tracks');
select is((pg_temp.session(1)).cost, 0.0006, 'a late call does not lower the cost');
select is(pg_temp.used(), 1, 'one generation is charged');
select is(pg_temp.reserve(1) ->> 'outcome', 'in_progress', 'a repeat waits while the generation may be running');
select is(pg_temp.reserve(1, 'rock'), '{"outcome": "key_reused"}', 'another prompt does not get the tracks');
select pg_temp.age(1, interval '90 seconds');
select is(pg_temp.reserve(1) ->> 'outcome', 'finished', 'a charged generation is finished after 90 seconds');
select is(pg_temp.reserve(1) #>> '{delivered,tracks,9,title}', 'Song 10', 'the repeat gets the tracks');
select is(pg_temp.reserve(1) #> '{delivered,tracks,0,score}', null, 'the tracks have the form of a playlist''s');
select is(pg_temp.reserve(1) #> '{delivered,is_complete}', null, 'the repeat gets no internal members');
select is(pg_temp.used(), 1, 'the generation stays charged');
select is(pg_temp.deliver(1, 11), 'expired', 'no more tracks may be delivered after 90 seconds');
select is(pg_temp.save(1, 10), 'saved', 'the repeat may save the tracks');
select is((pg_temp.session(1)).delivered, null, 'a saved playlist replaces the stored tracks');
select is((select count(*)::int from public.playlist_tracks where playlist_id = pg_temp.id(1)), 10, 'the saved playlist has all tracks');
select is(pg_temp.save(1, 10), 'saved', 'saving again changes nothing');
select is(pg_temp.used(), 1, 'saving again charges nothing');
select is(
  (pg_temp.reserve(1) -> 'delivered') - array['tracks', 'playlist_id'], '{"is_saved": true, "name": "Rain", "version": 1, "description": "d", "summary": "d", "stop_reason": "completed"}',
  'a repeat returns the saved playlist'
);
select is(
  pg_temp.reserve(1) #> '{delivered,tracks,9}',
  '{"track_uri": "spotify:track:0000000000000000000010", "title": "Song 10"}',
  'a repeat returns the saved tracks in order'
);
update public.playlists set is_deleted = true where id = pg_temp.id(1);
select is(pg_temp.reserve(1) - 'quota', '{"outcome": "finished"}', 'a repeat returns nothing once the playlist is deleted');

-- A client that disconnects, or a failure after the delivery.
select pg_temp.reserve(2), pg_temp.deliver(2, 5);
select is(pg_temp.settle(2, 'failed'), 'expired', 'a charged generation does not become a failure');
select is(pg_temp.settle(2, 'timeout'), 'expired', 'a charged generation does not become a timeout');
select is((pg_temp.session(2)).cost, 0.001, 'the cost is recorded in any case');
select is(pg_temp.settle(2, 'succeeded', jsonb_build_object('name', 'Rain', 'tracks', pg_temp.tracks(7))), 'settled', 'a charged generation is completed, however late');
select is((pg_temp.reserve(2) -> 'delivered') - 'tracks', '{"name": "Rain"}', 'a repeat returns the complete generation at once');
select is(jsonb_array_length(pg_temp.reserve(2) #> '{delivered,tracks}'), 7, 'a repeat returns every track');
select is(pg_temp.deliver(2, 20), 'expired', 'no tracks are added to a complete generation');
select is(pg_temp.settle(2, 'succeeded', jsonb_build_object('name', 'Other', 'tracks', '[]'::jsonb)), 'settled', 'a repeated settlement of a complete generation returns the same');
select is(pg_temp.reserve(2) #>> '{delivered,name}', 'Rain', 'a repeated settlement of a complete generation changes nothing');

-- At the limit of playlists.
insert into public.playlists (owner_id, name) select 'a0000000-0000-0000-0000-000000000001', 'Playlist ' || n from generate_series(1, 50) n;
select pg_temp.reserve(3), pg_temp.deliver(3, 5);
select is(pg_temp.save(3, 6), 'playlist_limit', 'saving to an account at its limit is refused');
select is((pg_temp.session(3)).status::text, 'succeeded', 'the generation is charged at the limit');
select is(pg_temp.settle(3, 'succeeded', jsonb_build_object('name', 'Rain', 'tracks', pg_temp.tracks(6))), 'settled', 'the generation is delivered unsaved at the limit');
update public.playlists set is_deleted = true where name = 'Playlist 1';
select is(pg_temp.save(3, 6), 'saved', 'the generation can be saved once the account is below the limit');
select pg_temp.settle(3, 'succeeded', jsonb_build_object('name', 'Rain', 'tracks', pg_temp.tracks(6)));
select is((pg_temp.session(3)).delivered, null, 'a late settlement keeps the playlist once');

-- Concurrent generations.
delete from public.ai_sessions;
select pg_temp.reserve(n), pg_temp.deliver(n, 5) from generate_series(11, 13) n;
select is(pg_temp.reserve(14) ->> 'outcome', 'too_many_attempts', 'three charged generations that are running count as running');
select pg_temp.settle(11, 'succeeded', jsonb_build_object('tracks', pg_temp.tracks(5)));
select is(pg_temp.reserve(14) ->> 'outcome', 'reserved', 'a complete generation no longer counts as running');

-- Sessions of others, and invalid calls.
select is(pg_temp.deliver(14, 5, 0, 'b0000000-0000-0000-0000-000000000002'), 'unknown', 'a user cannot be charged for another''s session');
select is(pg_temp.deliver(99, 5), 'unknown', 'a session without a reservation cannot be charged');
select throws_ok($$ select public.ai_deliver(pg_temp.id(14), 'a0000000-0000-0000-0000-000000000001', 0, '[{"track_uri": "x"}]') $$, 'PT422', null, 'a malformed track is refused');
select pg_temp.age(14, interval '90 seconds');
select is(pg_temp.deliver(14, 5), 'expired', 'an expired reservation is not charged');
select is((pg_temp.session(14)).status::text, 'timeout', 'an expired reservation stays unchanged');

select finish();
rollback;
