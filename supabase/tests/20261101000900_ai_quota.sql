-- The quota: what counts, until when, and what is said about it. The present is a fixed moment here.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the users' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role;

select plan(25);
create function pg_temp.sign_up(p_id uuid) returns void language sql
as $$ insert into auth.users (id, email) values (p_id, p_id || '@example.test') $$;

select pg_temp.sign_up('a0000000-0000-0000-0000-000000000001');
select pg_temp.sign_up('b0000000-0000-0000-0000-000000000002');
create table public.ai_sessions_rest partition of public.ai_sessions default;
create function pg_temp.add(p_created_at timestamptz, p_status public.ai_status_enum default 'succeeded') returns void language sql
as $$
  insert into public.ai_sessions (user_id, prompt, status, cost, created_at)
  values ('a0000000-0000-0000-0000-000000000001', 'jazz', p_status, 0, p_created_at)
$$;
create function pg_temp.quota(p_at timestamptz default '2020-06-30T12:00:00Z') returns jsonb language sql
as $$ select private.ai_quota('a0000000-0000-0000-0000-000000000001', p_at) $$;

select is(private.ai_quota_limit('free'), 3, 'a free user has 3 generations');
select is(private.ai_quota_limit('pro'), 50, 'a pro user has 50');
select is(private.ai_quota('c0000000-0000-0000-0000-000000000003', now()), null, 'without a profile there is no quota');
select is(pg_temp.quota(), '{"plan": "free", "used": 0, "limit": 3, "remaining": 3, "next_free_at": null}', 'at first nothing is used');

select pg_temp.add('2020-06-10T08:00:00.5Z');
select is(
  pg_temp.quota(), '{"plan": "free", "used": 1, "limit": 3, "remaining": 2, "next_free_at": "2020-07-10T08:00:00.500000Z"}',
  'a success is used, and forgotten after 30 days'
);
select pg_temp.add('2020-06-20T08:00:00Z');
select is(pg_temp.quota() ->> 'next_free_at', '2020-07-10T08:00:00.500000Z', 'while something remains, the oldest one is forgotten next');
select pg_temp.add('2020-06-01T00:00:00Z');
select is(
  pg_temp.quota(), '{"plan": "free", "used": 3, "limit": 3, "remaining": 0, "next_free_at": "2020-07-01T00:00:00.000000Z"}',
  'when nothing remains, the next is possible when the oldest is forgotten'
);
set local timezone = 'America/New_York';
select is(pg_temp.quota() ->> 'next_free_at', '2020-07-01T00:00:00.000000Z', 'in UTC, whatever the session''s time zone');
set local timezone = 'UTC';
select is(pg_temp.quota('2020-06-30T23:59:59.999999Z') ->> 'used', '3', 'until that moment it counts');
select is(pg_temp.quota('2020-07-01T00:00:00Z') ->> 'used', '2', 'from that moment it does not');
select is(pg_temp.quota('2020-08-01T00:00:00Z') ->> 'used', '0', 'in the end all are forgotten');

select pg_temp.add('2020-06-30T11:59:59.000001Z', 'failed');
select is(pg_temp.quota() ->> 'used', '3', 'a failure does not count');
select pg_temp.add('2020-06-30T11:59:58Z', 'timeout');
select is(pg_temp.quota() ->> 'used', '3', 'a settled timeout does not count');
select pg_temp.add('2020-06-30T11:58:30.000001Z', 'timeout');
select is(pg_temp.quota() ->> 'used', '4', 'a reservation counts');
select is(pg_temp.quota() ->> 'remaining', '0', 'what remains is never negative');
select is(pg_temp.quota() ->> 'next_free_at', '2020-07-01T00:00:00.000000Z', 'the next is possible when enough are gone, not when the first is');
select is(pg_temp.quota('2020-06-30T12:00:00.000001Z') ->> 'used', '3', 'a reservation counts for 90 seconds');

delete from public.ai_sessions where created_at = '2020-06-01T00:00:00Z';
select is(pg_temp.quota() ->> 'next_free_at', '2020-06-30T12:00:00.000001Z', 'a reservation frees its slot by itself');

update public.profiles set plan = 'pro' where user_id = 'a0000000-0000-0000-0000-000000000001';
select is(pg_temp.quota() ->> 'remaining', '47', 'a pro user has 50');
select pg_temp.add('2020-06-21T00:00:00Z'::timestamptz + make_interval(hours => n)) from generate_series(1, 47) n;
select is(pg_temp.quota() ->> 'remaining', '0', 'and no more');
update public.profiles set plan = 'free' where user_id = 'a0000000-0000-0000-0000-000000000001';
select is(pg_temp.quota() -> 'used', '50', 'after a downgrade more may be used than the limit is');
select is(
  pg_temp.quota('2020-06-30T12:00:00.000001Z') ->> 'next_free_at', '2020-07-22T21:00:00.000000Z',
  'then the next is possible when used falls below the limit'
);
select is(private.ai_quota('b0000000-0000-0000-0000-000000000002', '2020-06-30T12:00:00Z') ->> 'used', '0', 'others are not charged');

select is(private.seconds_until('2020-01-01T00:00:01.1Z', '2020-01-01T00:00:00Z'), 2, 'seconds to wait are rounded up');
select is(private.seconds_until('2020-01-01T00:00:00Z', '2020-01-01T00:00:00Z'), 1, 'and at least one');

select finish();
rollback;
