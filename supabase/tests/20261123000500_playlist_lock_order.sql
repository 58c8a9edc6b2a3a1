-- Playlists: the owner's profile is locked before any playlist. That it prevents deadlocks is shown by the races in
-- tests/database; here, that it is there and harms nobody.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the users' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role;

select plan(5);
create function pg_temp.sign_up(p_id uuid) returns void language sql
as $$ insert into auth.users (id, email) values (p_id, p_id || '@example.test') $$;
create function pg_temp.act_as(p_role text, p_user_id uuid default null) returns void language sql
as $$
  select set_config('request.jwt.claims', jsonb_build_object('role', p_role, 'sub', p_user_id)::text, true);
  select set_config('role', p_role, true);
$$;
select pg_temp.sign_up('a0000000-0000-0000-0000-000000000001');
insert into public.playlists (id, owner_id, name)
values ('aaaaaaaa-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000001', 'One');

select trigger_is('public', 'playlists', 'lock_own_profile', 'private', 'lock_own_profile');
select is(
  (select t.tgtype & 3 from pg_trigger t where t.tgname = 'lock_own_profile'), 2,
  'it runs before the statement, and not for each row'
);
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select lives_ok($$ update public.playlists set name = 'Renamed' $$, 'the owner updates');
select results_eq('select name from public.playlists', array['Renamed'], 'what was meant');
reset role;
select lives_ok($$ update public.playlists set description = 'd' where name = 'Renamed' $$, 'so does somebody without a profile');

select finish();
rollback;
