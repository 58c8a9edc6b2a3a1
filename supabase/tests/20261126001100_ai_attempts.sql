-- Attempts: few at once, few a minute, few a day, and the day's cost by plan.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;

select plan(19);
insert into auth.users (id, email) values
  ('a0000000-0000-0000-0000-000000000001', 'ana@example.test'), ('b0000000-0000-0000-0000-000000000002', 'bo@example.test');
update public.profiles set plan = 'pro' where user_id = 'b0000000-0000-0000-0000-000000000002';
create table public.ai_sessions_rest partition of public.ai_sessions default;

-- Bo, who is on Pro, asks, unless it is said otherwise.
create function pg_temp.id(p_number int) returns uuid language sql as $$ select ('10000000-0000-0000-0000-' || lpad(p_number::text, 12, '0'))::uuid $$;
create function pg_temp.reserve(p_number int, p_user_id uuid default 'b0000000-0000-0000-0000-000000000002') returns jsonb language sql
as $$ select public.ai_reserve(pg_temp.id(p_number), p_user_id, 'jazz', false) $$;
create function pg_temp.outcome(p_number int) returns text language sql as $$ select pg_temp.reserve(p_number) ->> 'outcome' $$;
create function pg_temp.settle(p_number int, p_status public.ai_status_enum, p_cost numeric default 0, p_user_id uuid default 'b0000000-0000-0000-0000-000000000002')
returns void language sql as $$ select public.ai_settle(pg_temp.id(p_number), p_user_id, p_status, p_cost) $$;
create function pg_temp.age(p_by interval) returns void language sql as $$ update public.ai_sessions set created_at = created_at - p_by $$;

-- At once.
select is(pg_temp.outcome(n), 'reserved', format('attempt %s of three runs', n)) from generate_series(1, 3) n;
select is(pg_temp.reserve(4) - 'retry_after_seconds', '{"outcome": "too_many_attempts"}', 'a fourth is refused, also on Pro');
select ok((pg_temp.reserve(4) ->> 'retry_after_seconds')::int between 85 and 90, 'until a reservation ends by itself');
select pg_temp.settle(1, 'succeeded');
select is(pg_temp.outcome(4), 'reserved', 'one that has ended makes room');

-- A minute.
select pg_temp.settle(n, 'failed') from generate_series(2, 4) n;
select is(pg_temp.outcome(5), 'reserved', 'after three failures a fourth attempt runs');
select is(pg_temp.outcome(6), 'reserved', 'and a fifth');
select is(pg_temp.reserve(7) - 'retry_after_seconds', '{"outcome": "too_many_attempts"}', 'a sixth within the minute is refused while two still run');
select ok((pg_temp.reserve(7) ->> 'retry_after_seconds')::int between 55 and 60, 'for a minute at most');

-- A day.
delete from public.ai_sessions;
select pg_temp.reserve(n), pg_temp.settle(n, 'failed'), pg_temp.age(interval '47 minutes') from generate_series(100, 128) n;
select is(pg_temp.outcome(129), 'reserved', 'the thirtieth attempt of a day that does not succeed runs');
select pg_temp.settle(129, 'timeout'), pg_temp.age(interval '47 minutes');
select is(pg_temp.outcome(130), 'too_many_attempts', 'the next is refused');
select ok((pg_temp.reserve(130) ->> 'retry_after_seconds')::int between 1700 and 1800, 'until the first is a day old');
select pg_temp.age(interval '30 minutes');
select is(pg_temp.outcome(130), 'reserved', 'from then on one runs again');

-- The day's cost.
delete from public.ai_sessions;
select pg_temp.reserve(201), pg_temp.settle(201, 'succeeded', 0.4), pg_temp.age(interval '1 hour');
select pg_temp.reserve(202), pg_temp.settle(202, 'succeeded', 0.5999), pg_temp.age(interval '1 hour');
select is(pg_temp.outcome(203), 'reserved', 'below a dollar Pro goes on');
select pg_temp.settle(203, 'failed', 0.0001);
select is(pg_temp.reserve(204) - 'retry_after_seconds', '{"outcome": "too_many_attempts"}', 'at a dollar it does not, whatever came of it');
select ok((pg_temp.reserve(204) ->> 'retry_after_seconds')::int between 79100 and 79200, 'until the first of it is a day old');
select pg_temp.reserve(301, 'a0000000-0000-0000-0000-000000000001'), pg_temp.settle(301, 'failed', 0.2499, 'a0000000-0000-0000-0000-000000000001');
select is(pg_temp.reserve(302, 'a0000000-0000-0000-0000-000000000001') ->> 'outcome', 'reserved', 'free goes on below a quarter');
select pg_temp.settle(302, 'failed', 0.0001, 'a0000000-0000-0000-0000-000000000001');
select is(pg_temp.reserve(303, 'a0000000-0000-0000-0000-000000000001') ->> 'outcome', 'too_many_attempts', 'and not at it');

select finish();
rollback;
