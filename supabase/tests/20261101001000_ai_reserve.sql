-- Reserving: one slot per id, and every refusal by its name.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the users' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role;

select plan(47);
create function pg_temp.sign_up(p_id uuid) returns void language sql
as $$ insert into auth.users (id, email) values (p_id, p_id || '@example.test') $$;
create function pg_temp.act_as(p_role text, p_user_id uuid default null) returns void language sql
as $$
  select set_config('request.jwt.claims', jsonb_build_object('role', p_role, 'sub', p_user_id)::text, true);
  select set_config('role', p_role, true);
$$;

select pg_temp.sign_up('a0000000-0000-0000-0000-000000000001');
select pg_temp.sign_up('b0000000-0000-0000-0000-000000000002');
create table public.ai_sessions_rest partition of public.ai_sessions default;

-- Sessions are numbered; Ana asks, unless it is said otherwise.
create function pg_temp.id(p_number int) returns uuid language sql as $$ select ('10000000-0000-0000-0000-' || lpad(p_number::text, 12, '0'))::uuid $$;
create function pg_temp.reserve(
  p_number int, p_prompt text default 'jazz', p_save boolean default false, p_user_id uuid default 'a0000000-0000-0000-0000-000000000001'
) returns jsonb language sql as $$ select public.ai_reserve(pg_temp.id(p_number), p_user_id, p_prompt, p_save) $$;
create function pg_temp.settle(p_number int, p_status public.ai_status_enum, p_user_id uuid default 'a0000000-0000-0000-0000-000000000001')
returns void language sql as $$ select public.ai_settle(pg_temp.id(p_number), p_user_id, p_status, 0) $$;
create function pg_temp.age(p_number int, p_by interval) returns void language sql
as $$ update public.ai_sessions set created_at = created_at - p_by where id = pg_temp.id(p_number) $$;
create function pg_temp.forget_everything() returns void language sql as $$ delete from public.ai_sessions $$;

-- Reserving.
select is(
  pg_temp.reserve(1) #- '{quota,next_free_at}', '{"outcome": "reserved", "quota": {"plan": "free", "used": 1, "limit": 3, "remaining": 2}}',
  'a slot is reserved and already counted in the quota'
);
select results_eq(
  $$ select user_id, prompt, status::text, cost from public.ai_sessions where id = pg_temp.id(1) $$,
  $$ values ('a0000000-0000-0000-0000-000000000001'::uuid, 'jazz', 'timeout', 0::numeric(10, 4)) $$,
  'as a session that has timed out unless it is settled'
);
select cmp_ok((select created_at from public.ai_sessions where id = pg_temp.id(1)), '>', now(), 'at the time of the clock, not of the transaction''s start');
select is(
  (pg_temp.reserve(2) #>> '{quota,next_free_at}')::timestamptz,
  (select created_at + interval '90 seconds' from public.ai_sessions where id = pg_temp.id(1)),
  'the first reservation frees its slot after 90 seconds'
);
select is(pg_temp.reserve(3) ->> 'outcome', 'reserved', 'a free user has three slots');
select is(pg_temp.reserve(4) - 'quota' - 'retry_after_seconds', '{"outcome": "quota_exceeded"}', 'and not a fourth');
select is(pg_temp.reserve(4) #> '{quota,remaining}', '0', 'the refusal shows the quota');
select cmp_ok((pg_temp.reserve(4) ->> 'retry_after_seconds')::int, '<=', 90, 'while reservations live, waiting is short');
select is(
  pg_temp.reserve(5, p_user_id => 'b0000000-0000-0000-0000-000000000002') ->> 'outcome', 'reserved', 'another user has their own slots'
);
select pg_temp.settle(n, 'succeeded') from generate_series(1, 3) n;
select cmp_ok((pg_temp.reserve(4) ->> 'retry_after_seconds')::int, '>', 29 * 86400, 'after successes it is 30 days');
select pg_temp.age(1, interval '720 hours');
select is(pg_temp.reserve(4) ->> 'outcome', 'reserved', 'after 30 days a success is forgotten');

-- What frees a slot.
select pg_temp.forget_everything();
select pg_temp.reserve(n) from generate_series(11, 13) n;
select pg_temp.settle(11, 'failed');
select is(pg_temp.reserve(14) ->> 'outcome', 'reserved', 'a failure frees the slot at once');
select pg_temp.settle(12, 'timeout');
select pg_temp.age(11, interval '1 minute'), pg_temp.age(12, interval '1 minute');
select is(pg_temp.reserve(15) ->> 'outcome', 'reserved', 'as does a settled timeout');
select is(pg_temp.reserve(16) ->> 'outcome', 'quota_exceeded', 'each only one');
select pg_temp.age(13, interval '89 seconds');
select is(pg_temp.reserve(16) ->> 'outcome', 'quota_exceeded', 'a reservation that nobody settles holds for 89 seconds');
select pg_temp.age(13, interval '1 second');
select is(pg_temp.reserve(16) ->> 'outcome', 'reserved', 'and not for 90');

-- The same id again.
select pg_temp.forget_everything();
select pg_temp.reserve(21);
select is(pg_temp.reserve(21) - 'retry_after_seconds', '{"outcome": "in_progress"}', 'a running session is in progress');
select ok((pg_temp.reserve(21) ->> 'retry_after_seconds')::int between 1 and 90, 'for 90 seconds at most');
select is(pg_temp.reserve(21, 'rock'), '{"outcome": "key_reused"}', 'its id cannot be used for another prompt');
select is(pg_temp.reserve(21, p_user_id => 'b0000000-0000-0000-0000-000000000002'), '{"outcome": "key_reused"}', 'nor by another user');
select is((select count(*)::int from public.ai_sessions), 1, 'none of these is counted');
select pg_temp.settle(21, 'succeeded');
select is(
  pg_temp.reserve(21) #- '{quota,next_free_at}', '{"outcome": "finished", "quota": {"plan": "free", "used": 1, "limit": 3, "remaining": 2}}',
  'a session that succeeded is finished'
);
select is(pg_temp.reserve(21, 'rock'), '{"outcome": "key_reused"}', 'its id cannot be used for another prompt');
select is(pg_temp.reserve(21, p_user_id => 'b0000000-0000-0000-0000-000000000002'), '{"outcome": "key_reused"}', 'nor by another user');
select pg_temp.reserve(n) from generate_series(22, 23) n;
select is(pg_temp.reserve(21) ->> 'outcome', 'finished', 'it is finished also when the quota is used up');
select is(pg_temp.reserve(22) ->> 'outcome', 'in_progress', 'as another is in progress');
select pg_temp.settle(22, 'failed');
select is(pg_temp.reserve(22) ->> 'outcome', 'reserved', 'a failed session is a new attempt');
select is((select count(*)::int from public.ai_sessions where id = pg_temp.id(22)), 2, 'in a row of its own');
select pg_temp.settle(22, 'timeout');
select is(pg_temp.reserve(22, 'rock') ->> 'outcome', 'reserved', 'so is one that timed out, also with another prompt');
select pg_temp.age(22, interval '90 seconds');
select is(pg_temp.reserve(22) ->> 'outcome', 'reserved', 'and one whose worker died');
select pg_temp.settle(22, 'failed');
select is(pg_temp.reserve(22, p_user_id => 'b0000000-0000-0000-0000-000000000002'), '{"outcome": "key_reused"}', 'but not for another user');

-- A clock that stepped back: the last attempt seems to lie ahead.
select pg_temp.forget_everything();
select pg_temp.reserve(29), pg_temp.settle(29, 'failed'), pg_temp.age(29, interval '-10 seconds');
select pg_temp.reserve(29);
select ok(
  (select max(created_at) filter (where status = 'timeout') > max(created_at) filter (where status = 'failed')
   from public.ai_sessions where id = pg_temp.id(29)),
  'a new attempt is later than the last one, even when the clock is not'
);

-- A saved playlist outlives its session.
select pg_temp.forget_everything();
insert into public.playlists (id, owner_id, name) values (pg_temp.id(31), 'a0000000-0000-0000-0000-000000000001', 'Saved');
select is(pg_temp.reserve(31) ->> 'outcome', 'finished', 'the id of one''s own playlist is finished');
select is(pg_temp.reserve(31, p_user_id => 'b0000000-0000-0000-0000-000000000002'), '{"outcome": "key_reused"}', 'another user''s is taken');

-- Too many attempts.
select pg_temp.reserve(n), pg_temp.settle(n, case when n % 2 = 0 then 'failed' else 'timeout' end::public.ai_status_enum) from generate_series(41, 44) n;
select is(pg_temp.reserve(45) ->> 'outcome', 'reserved', 'four failures and timeouts within a minute are allowed');
select is(pg_temp.reserve(46) ->> 'outcome', 'too_many_attempts', 'what runs counts as it starts');
select pg_temp.settle(45, 'succeeded');
select is(pg_temp.reserve(47) ->> 'outcome', 'reserved', 'what succeeded does not');
select pg_temp.settle(47, 'failed');
select is(pg_temp.reserve(48) - 'retry_after_seconds', '{"outcome": "too_many_attempts"}', 'the fifth failure bars the next attempt');
select ok((pg_temp.reserve(48) ->> 'retry_after_seconds')::int between 1 and 60, 'for a minute at most');
select is(pg_temp.reserve(47) ->> 'outcome', 'too_many_attempts', 'also under the id of a failure');
select is(pg_temp.reserve(45) ->> 'outcome', 'finished', 'a replay is answered all the same');
select is(pg_temp.reserve(49, p_user_id => 'b0000000-0000-0000-0000-000000000002') ->> 'outcome', 'reserved', 'others are not barred');
select pg_temp.age(41, interval '1 minute');
select is(pg_temp.reserve(48) ->> 'outcome', 'reserved', 'a minute later it is forgotten');

-- No room for the playlist.
select pg_temp.forget_everything();
insert into public.playlists (owner_id, name) select 'a0000000-0000-0000-0000-000000000001', 'Playlist ' || n from generate_series(2, 50) n;
select is(pg_temp.reserve(51, p_save => true) - 'quota', '{"outcome": "playlist_limit"}', 'with 50 playlists nothing is generated to be saved');
select is(pg_temp.reserve(51, p_save => false) ->> 'outcome', 'reserved', 'but to be looked at');
select is(pg_temp.reserve(52, p_user_id => 'c0000000-0000-0000-0000-000000000003'), '{"outcome": "no_profile"}', 'without a profile nothing is reserved');

select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select throws_ok(
  $$ select public.ai_reserve(gen_random_uuid(), 'a0000000-0000-0000-0000-000000000001', 'jazz', false) $$, '42501', null, 'users may not reserve by themselves'
);
reset role;

select finish();
rollback;
