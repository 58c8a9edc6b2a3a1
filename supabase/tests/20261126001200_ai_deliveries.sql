-- Deliveries: what was sent is charged and kept, whatever happens to the request afterwards.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;

select plan(45);
insert into auth.users (id, email) values
  ('a0000000-0000-0000-0000-000000000001', 'ana@example.test'), ('b0000000-0000-0000-0000-000000000002', 'bo@example.test');
update public.profiles set plan = 'pro';
create table public.ai_sessions_rest partition of public.ai_sessions default;

-- Ana generates, unless it is said otherwise.
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

-- A worker that is killed in the middle.
select pg_temp.reserve(1);
select is(pg_temp.deliver(1, 5), 'delivered', 'the first tracks are charged before they are sent');
select is((pg_temp.session(1)).status::text, 'succeeded', 'from then on the session has succeeded');
select is((pg_temp.session(1)).cost, 0.0004, 'with what it has cost so far');
select is(pg_temp.deliver(1, 10, 0.0006), 'delivered', 'more tracks follow');
select is(pg_temp.deliver(1, 5, 0.0004), 'delivered', 'an earlier call that comes late');
select is(jsonb_array_length((pg_temp.session(1)).delivered -> 'tracks'), 10, 'takes nothing away');
select is((pg_temp.session(1)).cost, 0.0006, 'and lowers no cost');
select is(pg_temp.used(), 1, 'one generation is charged');
select is(pg_temp.reserve(1) ->> 'outcome', 'in_progress', 'a repeat waits while it may still run');
select is(pg_temp.reserve(1, 'rock'), '{"outcome": "key_reused"}', 'and another request does not get it');
select pg_temp.age(1, interval '90 seconds');
select is(pg_temp.reserve(1) ->> 'outcome', 'finished', 'after 90 seconds it is over');
select is(pg_temp.reserve(1) #>> '{delivered,tracks,9,title}', 'Song 10', 'and the repeat has its tracks');
select is(pg_temp.reserve(1) #> '{delivered,tracks,0,score}', null, 'as a playlist would have them');
select is(pg_temp.reserve(1) #> '{delivered,is_complete}', null, 'and nothing of the ledger');
select is(pg_temp.used(), 1, 'it stays charged');
select is(pg_temp.deliver(1, 11), 'expired', 'nothing more may be sent then');
select is(pg_temp.save(1, 10), 'saved', 'the repeat may save it');
select is((pg_temp.session(1)).delivered, null, 'what is saved is kept once');
select is((select count(*)::int from public.playlist_tracks where playlist_id = pg_temp.id(1)), 10, 'with all its tracks');
select is(pg_temp.save(1, 10), 'saved', 'saving again changes nothing');
select is(pg_temp.used(), 1, 'and charges nothing');
select is(
  (pg_temp.reserve(1) -> 'delivered') #- '{tracks}', '{"is_saved": true, "name": "Rain", "description": "d", "summary": "d", "stop_reason": "completed"}',
  'a repeat then has the playlist'
);
select is(
  pg_temp.reserve(1) #> '{delivered,tracks,9}',
  '{"track_uri": "spotify:track:0000000000000000000010", "title": "Song 10"}',
  'with its tracks in order'
);
update public.playlists set is_deleted = true where id = pg_temp.id(1);
select is(pg_temp.reserve(1) - 'quota', '{"outcome": "finished"}', 'and nothing once it is deleted');

-- A client that leaves, or a failure afterwards.
select pg_temp.reserve(2), pg_temp.deliver(2, 5);
select is(pg_temp.settle(2, 'failed'), 'expired', 'what was charged does not become a failure');
select is(pg_temp.settle(2, 'timeout'), 'expired', 'nor a timeout');
select is((pg_temp.session(2)).cost, 0.001, 'the cost is recorded all the same');
select is(pg_temp.settle(2, 'succeeded', jsonb_build_object('name', 'Rain', 'tracks', pg_temp.tracks(7))), 'settled', 'it is completed, however late');
select is((pg_temp.reserve(2) -> 'delivered') - 'tracks', '{"name": "Rain"}', 'a repeat then has all of it at once');
select is(jsonb_array_length(pg_temp.reserve(2) #> '{delivered,tracks}'), 7, 'every track');
select is(pg_temp.deliver(2, 20), 'expired', 'and nothing is added any more');
select is(pg_temp.settle(2, 'succeeded', jsonb_build_object('name', 'Other', 'tracks', '[]'::jsonb)), 'settled', 'a repeated settling');
select is(pg_temp.reserve(2) #>> '{delivered,name}', 'Rain', 'changes nothing');

-- At the limit of playlists.
insert into public.playlists (owner_id, name) select 'a0000000-0000-0000-0000-000000000001', 'Playlist ' || n from generate_series(1, 50) n;
select pg_temp.reserve(3), pg_temp.deliver(3, 5);
select is(pg_temp.save(3, 6), 'playlist_limit', 'an account that was filled meanwhile has no room');
select is((pg_temp.session(3)).status::text, 'succeeded', 'it is charged all the same');
select is(pg_temp.settle(3, 'succeeded', jsonb_build_object('name', 'Rain', 'tracks', pg_temp.tracks(6))), 'settled', 'and delivered unsaved');
update public.playlists set is_deleted = true where name = 'Playlist 1';
select is(pg_temp.save(3, 6), 'saved', 'once there is room it can be saved');
select pg_temp.settle(3, 'succeeded', jsonb_build_object('name', 'Rain', 'tracks', pg_temp.tracks(6)));
select is((pg_temp.session(3)).delivered, null, 'and a settling that comes late keeps it once');

-- How many run.
delete from public.ai_sessions;
select pg_temp.reserve(n), pg_temp.deliver(n, 5) from generate_series(11, 13) n;
select is(pg_temp.reserve(14) ->> 'outcome', 'too_many_attempts', 'three that were charged and still run are three at once');
select pg_temp.settle(11, 'succeeded', jsonb_build_object('tracks', pg_temp.tracks(5)));
select is(pg_temp.reserve(14) ->> 'outcome', 'reserved', 'one that is complete makes room');

-- What is not the caller's, or nothing.
select is(pg_temp.deliver(14, 5, 0, 'b0000000-0000-0000-0000-000000000002'), 'unknown', 'nobody charges another user');
select is(pg_temp.deliver(99, 5), 'unknown', 'nor what was not reserved');
select throws_ok($$ select public.ai_deliver(pg_temp.id(14), 'a0000000-0000-0000-0000-000000000001', 0, '[{"track_uri": "x"}]') $$, 'PT422', null, 'what is no track is refused');
select pg_temp.age(14, interval '90 seconds');
select is(pg_temp.deliver(14, 5), 'expired', 'an expired reservation is not charged');
select is((pg_temp.session(14)).status::text, 'timeout', 'and stays what it was');

select finish();
rollback;
