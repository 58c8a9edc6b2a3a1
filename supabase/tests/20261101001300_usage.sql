-- Usage: the caller's own numbers, and the ones by which they are refused.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the users' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role;

select plan(10);
create function pg_temp.sign_up(p_id uuid) returns void language sql
as $$ insert into auth.users (id, email) values (p_id, p_id || '@example.test') $$;
create function pg_temp.act_as(p_role text, p_user_id uuid default null) returns void language sql
as $$
  select set_config('request.jwt.claims', jsonb_build_object('role', p_role, 'sub', p_user_id)::text, true);
  select set_config('role', p_role, true);
$$;

select pg_temp.sign_up('a0000000-0000-0000-0000-000000000001');
select pg_temp.sign_up('b0000000-0000-0000-0000-000000000002');

select volatility_is('public', 'usage', 'stable', 'it may be called by GET');
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select is(
  public.usage(),
  '{"plan": "free", "playlists": {"used": 0, "limit": 50}, "ai": {"used": 0, "limit": 3, "remaining": 3, "next_free_at": null}}',
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
select ok((public.usage() #>> '{ai,next_free_at}')::timestamptz < now() + interval '2 minutes', 'until it expires');
reset role;
select public.ai_settle('10000000-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000001', 'succeeded', 0);
update public.profiles set plan = 'pro' where user_id = 'a0000000-0000-0000-0000-000000000001';
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select is(
  public.usage() #- '{ai,next_free_at}',
  '{"plan": "pro", "playlists": {"used": 2, "limit": 50}, "ai": {"used": 1, "limit": 50, "remaining": 49}}', 'a success too, under the plan''s limit'
);
select ok((public.usage() #>> '{ai,next_free_at}')::timestamptz > now() + interval '29 days', 'for 30 days');
reset role;

select pg_temp.act_as('authenticated', 'b0000000-0000-0000-0000-000000000002');
select is(public.usage() #> '{ai,used}', '0', 'others are not charged');
reset role;
select pg_temp.act_as('authenticated', 'c0000000-0000-0000-0000-000000000003');
select throws_ok('select public.usage()', 'PT404', 'profile not found', 'a user who is gone has no usage');
reset role;
select pg_temp.act_as('anon');
select throws_ok('select public.usage()', '42501', null, 'anon may not ask');
reset role;

select finish();
rollback;
