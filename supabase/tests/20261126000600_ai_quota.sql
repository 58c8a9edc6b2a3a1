-- The quota: what counts, until when, and what usage reports. The present is a fixed moment here.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the users' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role;

select plan(130);

savepoint part;
create function pg_temp.sign_up(p_id uuid) returns void language sql
as $$ insert into auth.users (id, email) values (p_id, p_id || '@example.test') $$;

select pg_temp.sign_up('a0000000-0000-0000-0000-000000000001');
select pg_temp.sign_up('b0000000-0000-0000-0000-000000000002');
create table public.ai_sessions_rest partition of public.ai_sessions default;
create function pg_temp.add(
  p_created_at timestamptz, p_status public.ai_status_enum default 'succeeded', p_settled_at timestamptz default null
) returns void language sql
as $$
  insert into public.ai_sessions (user_id, prompt, status, cost, created_at, settled_at)
  values ('a0000000-0000-0000-0000-000000000001', 'jazz', p_status, 0, p_created_at, p_settled_at)
$$;
create function pg_temp.quota(p_at timestamptz default '2020-06-30T12:00:00Z') returns jsonb language sql
as $$ select private.ai_quota('a0000000-0000-0000-0000-000000000001', p_at) $$;

select is(private.ai_quota_limit('free'), 3, 'a free user has 3 generations');
select is(private.ai_quota_limit('pro'), 50, 'a pro user has 50');
select is(private.ai_quota('c0000000-0000-0000-0000-000000000003', now()), null, 'without a profile there is no quota');
select is(pg_temp.quota(), '{"plan": "free", "used": 0, "limit": 3, "remaining": 3, "next_free_at": null}', 'a new user has used nothing');

select pg_temp.add('2020-06-10T08:00:00.5Z');
select is(
  pg_temp.quota(), '{"plan": "free", "used": 1, "limit": 3, "remaining": 2, "next_free_at": "2020-07-10T08:00:00.500000Z"}',
  'a success counts for 30 days'
);
select pg_temp.add('2020-06-20T08:00:00Z');
select is(pg_temp.quota() ->> 'next_free_at', '2020-07-10T08:00:00.500000Z', 'while something remains, next_free_at is when the oldest success is forgotten');
select pg_temp.add('2020-06-01T00:00:00Z');
select is(
  pg_temp.quota(), '{"plan": "free", "used": 3, "limit": 3, "remaining": 0, "next_free_at": "2020-07-01T00:00:00.000000Z"}',
  'when nothing remains, next_free_at is when the oldest success is forgotten'
);
set local timezone = 'America/New_York';
select is(pg_temp.quota() ->> 'next_free_at', '2020-07-01T00:00:00.000000Z', 'next_free_at is in UTC, regardless of the session''s time zone');
set local timezone = 'UTC';
select is(pg_temp.quota('2020-06-30T23:59:59.999999Z') ->> 'used', '3', 'a success counts until that moment');
select is(pg_temp.quota('2020-07-01T00:00:00Z') ->> 'used', '2', 'a success does not count from that moment on');
select is(pg_temp.quota('2020-08-01T00:00:00Z') ->> 'used', '0', 'all successes are forgotten in the end');

select pg_temp.add('2020-06-30T11:59:59.000001Z', 'failed');
select is(pg_temp.quota() ->> 'used', '3', 'a failure does not count');
select pg_temp.add('2020-06-30T11:59:58Z', 'timeout', '2020-06-30T11:59:59Z');
select is(pg_temp.quota() ->> 'used', '3', 'a settled timeout does not count');
select pg_temp.add('2020-06-30T11:58:30.000001Z', 'timeout');
select is(pg_temp.quota() ->> 'used', '4', 'a reservation counts');
select is(pg_temp.quota() ->> 'remaining', '0', 'what remains is never negative');
select is(pg_temp.quota() ->> 'next_free_at', '2020-07-01T00:00:00.000000Z', 'next_free_at is when used falls below the limit, and not when the first success is forgotten');
select is(pg_temp.quota('2020-06-30T12:00:00.000001Z') ->> 'used', '3', 'a reservation counts for 90 seconds');

delete from public.ai_sessions where created_at = '2020-06-01T00:00:00Z';
select is(pg_temp.quota() ->> 'next_free_at', '2020-06-30T12:00:00.000001Z', 'an expired reservation frees its slot');

update public.profiles set plan = 'pro' where user_id = 'a0000000-0000-0000-0000-000000000001';
select is(pg_temp.quota() ->> 'remaining', '47', 'a pro user has 50');
select pg_temp.add('2020-06-21T00:00:00Z'::timestamptz + make_interval(hours => n)) from generate_series(1, 47) n;
select is(pg_temp.quota() ->> 'remaining', '0', 'a pro user has no more than 50');
update public.profiles set plan = 'free' where user_id = 'a0000000-0000-0000-0000-000000000001';
select is(pg_temp.quota() -> 'used', '50', 'after a downgrade used may exceed the limit');
select is(
  pg_temp.quota('2020-06-30T12:00:00.000001Z') ->> 'next_free_at', '2020-07-22T21:00:00.000000Z',
  'after a downgrade next_free_at is when used falls below the limit'
);
select is(private.ai_quota('b0000000-0000-0000-0000-000000000002', '2020-06-30T12:00:00Z') ->> 'used', '0', 'other users are not charged');

select is(private.seconds_until('2020-01-01T00:00:01.1Z', '2020-01-01T00:00:00Z'), 2, 'seconds to wait are rounded up');
select is(private.seconds_until('2020-01-01T00:00:00Z', '2020-01-01T00:00:00Z'), 1, 'the time to wait is at least one second');
-- 30 days are 720 hours, also if clocks skip or repeat an hour.
create function pg_temp.refusal_in(p_zone text, p_at timestamptz) returns jsonb language plpgsql
as $$
declare
  v_refusal jsonb;
begin
  delete from public.ai_sessions;
  perform pg_temp.add(p_at - interval '720 hours' + n * interval '1 microsecond') from generate_series(0, 3) n;
  perform set_config('TimeZone', p_zone, true);
  v_refusal := private.ai_no_room('a0000000-0000-0000-0000-000000000001', false, p_at);
  perform set_config('TimeZone', 'UTC', true);
  return v_refusal;
end
$$;
select is(
  pg_temp.refusal_in(zone, at::timestamptz),
  jsonb_build_object('outcome', 'quota_exceeded', 'retry_after_seconds', 1, 'quota', jsonb_build_object(
    'plan', 'free', 'used', 3, 'limit', 3, 'remaining', 0, 'next_free_at', replace(at, '00Z', '00.000001Z')
  )),
  format('at %s the generation of 720 hours before is forgotten, in %s', at, zone)
)
from unnest(array['2010-04-10T00:30:00Z', '2010-11-20T00:30:00Z']) at,
  unnest(array['UTC', 'Europe/Warsaw', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'Pacific/Kiritimati']) zone;

-- What one account can use in a day (docs/scale.md): a new user tries as often as possible, every 15 minutes.
create function pg_temp.generations_in_a_day(p_plan public.plan_type, p_status public.ai_status_enum, p_cost numeric) returns int
language plpgsql as $$
declare
  v_user_id uuid := gen_random_uuid();
  v_session_id uuid;
  v_made int := 0;
begin
  perform pg_temp.sign_up(v_user_id);
  update public.profiles set plan = p_plan where user_id = v_user_id;
  for v_step in 1..96 loop
    loop
      v_session_id := gen_random_uuid();
      exit when public.ai_reserve(v_session_id, v_user_id, 'anything', false) ->> 'outcome' <> 'reserved';
      perform public.ai_settle(v_session_id, v_user_id, p_status, p_cost);
      v_made := v_made + 1;
    end loop;
    update public.ai_sessions s set created_at = s.created_at - interval '15 minutes' where s.user_id = v_user_id;
  end loop;
  return v_made;
end
$$;
select is(pg_temp.generations_in_a_day(user_plan::public.plan_type, status::public.ai_status_enum, cost), most, format('%s: %s', user_plan, what))
from (values
  ('free', 'failed', 0.0005, 30, 'a day of failures is 30 attempts'),
  ('pro', 'failed', 0.0005, 30, 'a day of failures is 30 attempts'),
  ('free', 'failed', 0.173, 2, 'a day of the most expensive attempts ends after the one that reaches the cap of 0.25'),
  ('pro', 'failed', 0.173, 6, 'a day of the most expensive attempts ends after the one that reaches the cap of 1.00'),
  ('free', 'succeeded', 0.0005, 3, 'a day of successes is the quota')
) v (user_plan, status, cost, most, what);
rollback to savepoint part;

-- Usage: the caller's own numbers, which the refusals use.
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

select volatility_is('public', 'usage', 'stable', 'usage may be called by GET');
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select is(
  public.usage(),
  '{"plan": "free", "renews": false, "period_ends_at": null, "playlists": {"used": 0, "limit": 50}, "ai": {"used": 0, "limit": 3, "remaining": 3, "next_free_at": null}}',
  'a new user has used nothing'
);
insert into public.playlists (owner_id, name)
select 'a0000000-0000-0000-0000-000000000001', n from unnest(array['one', 'two', 'three']) n;
update public.playlists set is_deleted = true where name = 'two';
select is(public.usage() -> 'playlists', '{"used": 2, "limit": 50}', 'live playlists are counted');
reset role;

select public.ai_reserve('10000000-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000001', 'jazz', false);
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select is(public.usage() #> '{ai,used}', '1', 'a running generation is counted');
select ok((public.usage() #>> '{ai,next_free_at}')::timestamptz < now() + interval '2 minutes', 'a running generation counts until it expires');
reset role;
select public.ai_settle('10000000-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000001', 'succeeded', 0);
update public.profiles set plan = 'pro' where user_id = 'a0000000-0000-0000-0000-000000000001';
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select is(
  public.usage() #- '{ai,next_free_at}',
  '{"plan": "pro", "renews": false, "period_ends_at": null, "playlists": {"used": 2, "limit": 50}, "ai": {"used": 1, "limit": 50, "remaining": 49}}', 'a success counts under the plan''s limit'
);
select ok((public.usage() #>> '{ai,next_free_at}')::timestamptz > now() + interval '29 days', 'a success counts for 30 days');
reset role;

select pg_temp.act_as('authenticated', 'b0000000-0000-0000-0000-000000000002');
select is(public.usage() #> '{ai,used}', '0', 'other users are not charged');
reset role;
select pg_temp.act_as('authenticated', 'c0000000-0000-0000-0000-000000000003');
select throws_ok('select public.usage()', 'PT404', 'profile not found', 'a deleted user has no usage');
reset role;
select pg_temp.act_as('anon');
select throws_ok('select public.usage()', '42501', null, 'anon may not call usage');
reset role;
rollback to savepoint part;

-- Anonymous users: one generation in all, which counts once they have an address.
savepoint part;
create table public.ai_sessions_rest partition of public.ai_sessions default;
create function pg_temp.anonymous() returns uuid language sql as $$ select 'a0000000-0000-0000-0000-000000000009'::uuid $$;
create function pg_temp.reserve(p_number int) returns jsonb language sql
as $$ select public.ai_reserve(('10000000-0000-0000-0000-00000000000' || p_number)::uuid, pg_temp.anonymous(), 'jazz', true) $$;
create function pg_temp.settle(p_number int, p_status public.ai_status_enum, p_cost numeric default 0) returns void language sql
as $$ select public.ai_settle(('10000000-0000-0000-0000-00000000000' || p_number)::uuid, pg_temp.anonymous(), p_status, p_cost) $$;
insert into auth.users (id, is_anonymous) values (pg_temp.anonymous(), true);
select is(
  pg_temp.reserve(1), '{"outcome": "reserved", "quota": {"plan": "free", "used": 1, "limit": 1, "remaining": 0, "next_free_at": null}}', 'the first is made'
);
select is(pg_temp.reserve(2) ->> 'outcome', 'account_required', 'no second one beside it');
select pg_temp.settle(1, 'failed', 0.0499);
select is(pg_temp.reserve(1) ->> 'outcome', 'reserved', 'one that failed may be repeated, below a fifth of what the attempts of a day may cost');
select pg_temp.settle(1, 'failed', 0.0001);
select is(pg_temp.reserve(1) ->> 'outcome', 'too_many_attempts', 'and not at it');
update public.ai_sessions set cost = 0;
select pg_temp.reserve(1);
select pg_temp.settle(1, 'succeeded');
select is(
  pg_temp.reserve(2), '{"outcome": "account_required", "quota": {"plan": "free", "used": 1, "limit": 1, "remaining": 0, "next_free_at": null}}', 'nor after it'
);
select is(pg_temp.reserve(1) ->> 'outcome', 'finished', 'a repeat returns the delivered tracks');
update public.ai_sessions set created_at = created_at - interval '31 days';
update public.profiles set created_at = created_at - interval '31 days' where user_id = pg_temp.anonymous();
select is(pg_temp.reserve(2) ->> 'outcome', 'account_required', 'a second generation is refused even after the first is forgotten');
delete from public.ai_sessions;
select is(pg_temp.reserve(2) ->> 'outcome', 'account_required', 'a second generation is refused even if the first has expired');
update auth.users set email = 'ann@example.test', is_anonymous = false where id = pg_temp.anonymous();
insert into public.ai_sessions (user_id, prompt, status, cost) values (pg_temp.anonymous(), 'the first', 'succeeded', 0);
select is(pg_temp.reserve(2) #> '{quota,limit}', '3', 'with an address the plan''s quota applies');
select is(private.ai_quota(pg_temp.anonymous(), clock_timestamp()) -> 'used', '2', 'with an address the earlier generation counts');
rollback to savepoint part;

-- Reserving: one slot for each id, and a name for every refusal.
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
create table public.ai_sessions_rest partition of public.ai_sessions default;

-- Sessions are numbered; Ana is the caller by default.
create function pg_temp.id(p_number int) returns uuid language sql as $$ select ('10000000-0000-0000-0000-' || lpad(p_number::text, 12, '0'))::uuid $$;
create function pg_temp.reserve(
  p_number int, p_prompt text default 'jazz', p_save boolean default false, p_user_id uuid default 'a0000000-0000-0000-0000-000000000001',
  p_request text default '{"target_count":20}'
) returns jsonb language sql as $$ select public.ai_reserve(pg_temp.id(p_number), p_user_id, p_prompt, p_save, null, p_request) $$;
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
  'a reservation is stored as an unsettled timeout'
);
select cmp_ok((select created_at from public.ai_sessions where id = pg_temp.id(1)), '>', now(), 'a reservation has the time of the clock instead of the transaction''s');
select is(
  (pg_temp.reserve(2) #>> '{quota,next_free_at}')::timestamptz,
  (select created_at + interval '90 seconds' from public.ai_sessions where id = pg_temp.id(1)),
  'the first reservation frees its slot after 90 seconds'
);
select is(pg_temp.reserve(3) ->> 'outcome', 'reserved', 'a free user has three slots');
select is(pg_temp.reserve(4) - 'quota' - 'retry_after_seconds', '{"outcome": "quota_exceeded"}', 'a free user has no fourth slot');
select is(pg_temp.reserve(4) #> '{quota,remaining}', '0', 'the refusal shows the quota');
select cmp_ok((pg_temp.reserve(4) ->> 'retry_after_seconds')::int, '<=', 90, 'with live reservations the time to wait is short');
select is(
  pg_temp.reserve(5, p_user_id => 'b0000000-0000-0000-0000-000000000002') ->> 'outcome', 'reserved', 'another user has their own slots'
);
select pg_temp.settle(n, 'succeeded') from generate_series(1, 3) n;
select cmp_ok((pg_temp.reserve(4) ->> 'retry_after_seconds')::int, '>', 29 * 86400, 'with successes the time to wait is 30 days');
select pg_temp.age(1, interval '720 hours');
select is(pg_temp.reserve(4) ->> 'outcome', 'reserved', 'after 30 days a success is forgotten');

-- Freed slots.
select pg_temp.forget_everything();
select pg_temp.reserve(n) from generate_series(11, 13) n;
select pg_temp.settle(11, 'failed');
select is(pg_temp.reserve(14) ->> 'outcome', 'reserved', 'a failure frees the slot at once');
select pg_temp.settle(12, 'timeout');
select pg_temp.age(11, interval '1 minute'), pg_temp.age(12, interval '1 minute');
select is(pg_temp.reserve(15) ->> 'outcome', 'reserved', 'a settled timeout frees the slot at once');
select is(pg_temp.reserve(16) ->> 'outcome', 'quota_exceeded', 'each settlement frees one slot');
select pg_temp.age(13, interval '89 seconds');
select is(pg_temp.reserve(16) ->> 'outcome', 'quota_exceeded', 'an unsettled reservation holds its slot for 89 seconds');
select pg_temp.age(13, interval '1 second');
select is(pg_temp.reserve(16) ->> 'outcome', 'reserved', 'an unsettled reservation does not hold its slot for 90 seconds');

-- A repeated id.
select pg_temp.forget_everything();
select pg_temp.reserve(21);
select is(pg_temp.reserve(21) - 'retry_after_seconds', '{"outcome": "in_progress"}', 'a running session is in progress');
select ok((pg_temp.reserve(21) ->> 'retry_after_seconds')::int between 1 and 90, 'a session is in progress for 90 seconds at most');
select is(pg_temp.reserve(21, 'rock'), '{"outcome": "key_reused"}', 'its id cannot be used for another prompt');
select is(pg_temp.reserve(21, p_request => '{"target_count":21}'), '{"outcome": "key_reused"}', 'nor for another request with this prompt');
select is(pg_temp.reserve(21, p_user_id => 'b0000000-0000-0000-0000-000000000002'), '{"outcome": "key_reused"}', 'nor by another user');
select is((select count(*)::int from public.ai_sessions), 1, 'none of these calls is counted');
select pg_temp.settle(21, 'succeeded');
select is(
  pg_temp.reserve(21) #- '{quota,next_free_at}', '{"outcome": "finished", "quota": {"plan": "free", "used": 1, "limit": 3, "remaining": 2}}',
  'a session that succeeded is finished'
);
select is(pg_temp.reserve(21, 'rock'), '{"outcome": "key_reused"}', 'its id cannot be used for another prompt');
select is(pg_temp.reserve(21, p_request => '{"target_count":21}'), '{"outcome": "key_reused"}', 'nor for another request with this prompt');
select is(pg_temp.reserve(21, p_user_id => 'b0000000-0000-0000-0000-000000000002'), '{"outcome": "key_reused"}', 'nor by another user');
select pg_temp.reserve(n) from generate_series(22, 23) n;
select is(pg_temp.reserve(21) ->> 'outcome', 'finished', 'a session is finished also if the quota is used up');
select is(pg_temp.reserve(22) ->> 'outcome', 'in_progress', 'a session is finished also while another is in progress');
select pg_temp.settle(22, 'failed');
select is(pg_temp.reserve(22) ->> 'outcome', 'reserved', 'a failed session is a new attempt');
select is((select count(*)::int from public.ai_sessions where id = pg_temp.id(22)), 2, 'a new attempt is a separate row');
select pg_temp.settle(22, 'timeout');
select is(pg_temp.reserve(22, 'rock') ->> 'outcome', 'reserved', 'a session that timed out is a new attempt, also with another prompt');
select pg_temp.age(22, interval '90 seconds');
select is(pg_temp.reserve(22) ->> 'outcome', 'reserved', 'a session whose worker died is a new attempt');
select pg_temp.settle(22, 'failed');
select is(pg_temp.reserve(22, p_user_id => 'b0000000-0000-0000-0000-000000000002'), '{"outcome": "key_reused"}', 'another user''s failed session is not a new attempt');

-- A clock that stepped back: the last attempt is in the future.
select pg_temp.forget_everything();
select pg_temp.reserve(29), pg_temp.settle(29, 'failed'), pg_temp.age(29, interval '-10 seconds');
select pg_temp.reserve(29);
select ok(
  (select max(created_at) filter (where status = 'timeout') > max(created_at) filter (where status = 'failed')
   from public.ai_sessions where id = pg_temp.id(29)),
  'a new attempt is later than the last one, even if the clock stepped back'
);

-- A saved playlist outlives its session.
select pg_temp.forget_everything();
insert into public.playlists (id, owner_id, name) values (pg_temp.id(31), 'a0000000-0000-0000-0000-000000000001', 'Saved');
select is(pg_temp.reserve(31) ->> 'outcome', 'finished', 'the id of the user''s playlist is finished');
select is(pg_temp.reserve(31, p_user_id => 'b0000000-0000-0000-0000-000000000002'), '{"outcome": "key_reused"}', 'the id of another user''s playlist is refused');

-- The limit of attempts.
select pg_temp.reserve(n), pg_temp.settle(n, case when n % 2 = 0 then 'failed' else 'timeout' end::public.ai_status_enum) from generate_series(41, 44) n;
select is(pg_temp.reserve(45) ->> 'outcome', 'reserved', 'four failures and timeouts within a minute are allowed');
select is(pg_temp.reserve(46) ->> 'outcome', 'too_many_attempts', 'a running attempt counts from its start');
select pg_temp.settle(45, 'succeeded');
select is(pg_temp.reserve(47) ->> 'outcome', 'reserved', 'a success does not count as an attempt');
select pg_temp.settle(47, 'failed');
select is(pg_temp.reserve(48) - 'retry_after_seconds', '{"outcome": "too_many_attempts"}', 'the fifth failure prevents the next attempt');
select ok((pg_temp.reserve(48) ->> 'retry_after_seconds')::int between 1 and 60, 'the time to wait is a minute at most');
select is(pg_temp.reserve(47) ->> 'outcome', 'too_many_attempts', 'the id of a failure is refused, too');
select is(pg_temp.reserve(45) ->> 'outcome', 'finished', 'a repeat still returns its outcome');
select is(pg_temp.reserve(49, p_user_id => 'b0000000-0000-0000-0000-000000000002') ->> 'outcome', 'reserved', 'other users are not affected');
select pg_temp.age(41, interval '1 minute');
select is(pg_temp.reserve(48) ->> 'outcome', 'reserved', 'the failures are forgotten after a minute');

-- The limit of playlists.
select pg_temp.forget_everything();
insert into public.playlists (owner_id, name) select 'a0000000-0000-0000-0000-000000000001', 'Playlist ' || n from generate_series(2, 50) n;
select is(pg_temp.reserve(51, p_save => true) - 'quota', '{"outcome": "playlist_limit"}', 'with 50 playlists a generation to save is refused');
select is(pg_temp.reserve(51, p_save => false) ->> 'outcome', 'reserved', 'with 50 playlists a generation without saving is reserved');
select is(pg_temp.reserve(52, p_user_id => 'c0000000-0000-0000-0000-000000000003'), '{"outcome": "no_profile"}', 'without a profile nothing is reserved');

select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select throws_ok(
  $$ select public.ai_reserve(gen_random_uuid(), 'a0000000-0000-0000-0000-000000000001', 'jazz', false) $$, '42501', null, 'users may not reserve by themselves'
);
reset role;
rollback to savepoint part;

-- Attempts: limits at once, in a minute and in a day, and the day's cost by plan.
insert into auth.users (id, email) values
  ('a0000000-0000-0000-0000-000000000001', 'ana@example.test'), ('b0000000-0000-0000-0000-000000000002', 'bo@example.test');
update public.profiles set plan = 'pro' where user_id = 'b0000000-0000-0000-0000-000000000002';
create table public.ai_sessions_rest partition of public.ai_sessions default;

-- Bo, a Pro user, is the caller by default.
create function pg_temp.id(p_number int) returns uuid language sql as $$ select ('10000000-0000-0000-0000-' || lpad(p_number::text, 12, '0'))::uuid $$;
create function pg_temp.reserve(p_number int, p_user_id uuid default 'b0000000-0000-0000-0000-000000000002') returns jsonb language sql
as $$ select public.ai_reserve(pg_temp.id(p_number), p_user_id, 'jazz', false) $$;
create function pg_temp.outcome(p_number int) returns text language sql as $$ select pg_temp.reserve(p_number) ->> 'outcome' $$;
create function pg_temp.settle(p_number int, p_status public.ai_status_enum, p_cost numeric default 0, p_user_id uuid default 'b0000000-0000-0000-0000-000000000002')
returns void language sql as $$ select public.ai_settle(pg_temp.id(p_number), p_user_id, p_status, p_cost) $$;
create function pg_temp.age(p_by interval) returns void language sql as $$ update public.ai_sessions set created_at = created_at - p_by $$;

-- At once.
select is(pg_temp.outcome(n), 'reserved', format('attempt %s of three runs', n)) from generate_series(1, 3) n;
select is(pg_temp.reserve(4) - 'retry_after_seconds', '{"outcome": "too_many_attempts"}', 'a fourth concurrent attempt is refused, also on Pro');
select ok((pg_temp.reserve(4) ->> 'retry_after_seconds')::int between 85 and 90, 'a concurrent attempt counts until its reservation expires');
select pg_temp.settle(1, 'succeeded');
select is(pg_temp.outcome(4), 'reserved', 'an attempt that ended no longer counts');

-- In a minute.
select pg_temp.settle(n, 'failed') from generate_series(2, 4) n;
select is(pg_temp.outcome(5), 'reserved', 'after three failures a fourth attempt runs');
select is(pg_temp.outcome(6), 'reserved', 'a fifth attempt runs');
select is(pg_temp.reserve(7) - 'retry_after_seconds', '{"outcome": "too_many_attempts"}', 'a sixth within the minute is refused while two still run');
select ok((pg_temp.reserve(7) ->> 'retry_after_seconds')::int between 55 and 60, 'the time to wait is a minute at most');

-- In a day.
delete from public.ai_sessions;
select pg_temp.reserve(n), pg_temp.settle(n, 'failed'), pg_temp.age(interval '47 minutes') from generate_series(100, 128) n;
select is(pg_temp.outcome(129), 'reserved', 'the thirtieth attempt of a day that does not succeed runs');
select pg_temp.settle(129, 'timeout'), pg_temp.age(interval '47 minutes');
select is(pg_temp.outcome(130), 'too_many_attempts', 'the next attempt of the day is refused');
select ok((pg_temp.reserve(130) ->> 'retry_after_seconds')::int between 1700 and 1800, 'the time to wait ends when the first attempt is a day old');
select pg_temp.age(interval '30 minutes');
select is(pg_temp.outcome(130), 'reserved', 'after that an attempt runs again');

-- The day's cost.
delete from public.ai_sessions;
select pg_temp.reserve(201), pg_temp.settle(201, 'succeeded', 0.4), pg_temp.age(interval '1 hour');
select pg_temp.reserve(202), pg_temp.settle(202, 'succeeded', 0.5999), pg_temp.age(interval '1 hour');
select is(pg_temp.outcome(203), 'reserved', 'below a dollar an attempt on Pro runs');
select pg_temp.settle(203, 'failed', 0.0001);
select is(pg_temp.reserve(204) - 'retry_after_seconds', '{"outcome": "too_many_attempts"}', 'at a dollar an attempt on Pro is refused, even after successes');
select ok((pg_temp.reserve(204) ->> 'retry_after_seconds')::int between 79100 and 79200, 'the time to wait ends when the first cost is a day old');
select pg_temp.reserve(301, 'a0000000-0000-0000-0000-000000000001'), pg_temp.settle(301, 'failed', 0.2499, 'a0000000-0000-0000-0000-000000000001');
select is(pg_temp.reserve(302, 'a0000000-0000-0000-0000-000000000001') ->> 'outcome', 'reserved', 'below a quarter of a dollar a free attempt runs');
select pg_temp.settle(302, 'failed', 0.0001, 'a0000000-0000-0000-0000-000000000001');
select is(pg_temp.reserve(303, 'a0000000-0000-0000-0000-000000000001') ->> 'outcome', 'too_many_attempts', 'at a quarter of a dollar a free attempt is refused');

select finish();
rollback;
