-- Profiles: owners read theirs and change their username, nothing else.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the users' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role;

select plan(50);

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

select enum_has_labels('public', 'plan_type', array['free', 'pro']);
select col_is_pk('public', 'profiles', 'user_id', 'the user id is the key of a profile');
select fk_ok('public', 'profiles', 'user_id', 'auth', 'users', 'id');
select col_is_unique('public', 'profiles', 'stripe_customer_id', 'a Stripe customer belongs to one user');
select policies_are('public', 'profiles', array['Profiles are owner-read-write']);

select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select results_eq('select user_id from public.profiles', $$ values ('a0000000-0000-0000-0000-000000000001'::uuid) $$, 'a user sees only their own profile');
select lives_ok($$ update public.profiles set username = E'  Ana\u00a0' $$, 'a user may change the username');
select is((select username from public.profiles), 'Ana', 'the username is stored trimmed');
select ok((select updated_at > created_at from public.profiles), 'updated_at increases with an update');
select is((select plan from public.profiles), 'free', 'a new profile is on the free plan');
select throws_ok($$ update public.profiles set plan = 'pro' $$, '42501', null, 'a user cannot make themselves pro');
select throws_ok($$ update public.profiles set stripe_customer_id = 'cus_1' $$, '42501', null, 'a user cannot take a Stripe customer');
select throws_ok($$ update public.profiles set updated_at = now() $$, '42501', null, 'a user cannot set updated_at');
select throws_ok('delete from public.profiles', '42501', null, 'a user cannot delete a profile');
select throws_ok(
  $$ insert into public.profiles (user_id, username) values ('c0000000-0000-0000-0000-000000000003', 'x') $$, '42501', null,
  'a user cannot insert a profile'
);
select is_empty(
  $$ update public.profiles set username = 'x' where user_id = 'b0000000-0000-0000-0000-000000000002' returning 1 $$,
  'another user''s username cannot be changed'
);
select throws_ok($$ update public.profiles set username = '   ' $$, '23514', null, 'a username of spaces is refused');
select throws_ok($$ update public.profiles set username = repeat('x', 65) $$, '23514', null, 'a username of 65 characters is refused');
select lives_ok($$ update public.profiles set username = repeat('ż', 64) $$, 'a username of 64 characters is accepted');
select throws_ok($$ update public.profiles set username = E'a\nb' $$, '23514', null, 'a username with a line break is refused');

reset role;
select pg_temp.act_as('anon');
select throws_ok('select * from public.profiles', '42501', null, 'anon has no access');
reset role;
select pg_temp.act_as('service_role');
select throws_ok('select * from public.profiles', '42501', null, 'service_role has no access');
reset role;

delete from auth.users where id = 'a0000000-0000-0000-0000-000000000001';
select is_empty($$ select 1 from public.profiles where user_id = 'a0000000-0000-0000-0000-000000000001' $$, 'the profile is deleted with its account');
select isnt_empty($$ select 1 from public.profiles where user_id = 'b0000000-0000-0000-0000-000000000002' $$, 'the profiles of other users stay');
rollback to savepoint part;

-- A profile is created at sign-up with a usable name, and never makes the sign-up fail.
create function pg_temp.name_after_sign_up(p_email text, p_metadata jsonb) returns text language plpgsql
as $$
declare
  v_id uuid := gen_random_uuid();
begin
  insert into auth.users (id, email, raw_user_meta_data) values (v_id, p_email, p_metadata);
  return (select p.username from public.profiles p where p.user_id = v_id);
end
$$;

select is(pg_temp.name_after_sign_up('a1@x.test', '{"username": " ana "}'), 'ana', 'the username in the metadata is used, trimmed');
select is(pg_temp.name_after_sign_up('a2@x.test', '{"name": "Ana"}'), 'Ana', 'the name in the metadata is used');
select is(pg_temp.name_after_sign_up('a3@x.test', '{"full_name": "Ana Łoś"}'), 'Ana Łoś', 'the full name in the metadata is used');
select is(pg_temp.name_after_sign_up('a4@x.test', '{"user_name": "ana"}'), 'ana', 'the user name in the metadata is used');
select is(pg_temp.name_after_sign_up('a5@x.test', '{"username": " ", "name": "Ana"}'), 'Ana', 'a blank name is skipped');
select is(pg_temp.name_after_sign_up('a6@x.test', '{"username": {"a": 1}, "name": ["b"]}'), 'a6', 'a name that is not a string is skipped');
select is(pg_temp.name_after_sign_up('a7@x.test', '{}'), 'a7', 'without a name the e-mail''s local part is used');
select is(pg_temp.name_after_sign_up('a8@x.test', null), 'a8', 'without metadata the local part is used');
select is(pg_temp.name_after_sign_up('a9@x.test', 'null'), 'a9', 'with a JSON null as metadata the local part is used');
select is(pg_temp.name_after_sign_up('a10@x.test', '[1]'), 'a10', 'with an array as metadata the local part is used');
select is(pg_temp.name_after_sign_up('a11@x.test', '"text"'), 'a11', 'with a string as metadata the local part is used');
select is(pg_temp.name_after_sign_up('a12@x.test', '7'), 'a12', 'with a number as metadata the local part is used');
select is(pg_temp.name_after_sign_up(null, null), 'Listener', 'a phone or anonymous account gets a neutral name');
select is(pg_temp.name_after_sign_up('', '{"name": ""}'), 'Listener', 'an account with only empty strings gets a neutral name');
select is(pg_temp.name_after_sign_up('@x.test', null), 'Listener', 'an e-mail without a local part gets a neutral name');
select is(
  pg_temp.name_after_sign_up('a13@x.test', jsonb_build_object('name', repeat('ż', 5000000))), repeat('ż', 64), 'a huge name is cut'
);
select is(pg_temp.name_after_sign_up(repeat('x', 200) || '@x.test', null), repeat('x', 64), 'a long local part is cut');
select is(pg_temp.name_after_sign_up('a14@x.test', '{"name": "A\nB\u0007"}'), 'A B', 'control characters are removed');
select is(
  pg_temp.name_after_sign_up('a18@x.test', jsonb_build_object('username', $$'); update public.profiles set plan = 'pro'; --$$)),
  $$'); update public.profiles set plan = 'pro'; --$$, 'SQL in a name is stored as text'
);
select is(
  pg_temp.name_after_sign_up('a19@x.test', format('{"username": %s, "x": [1]}', repeat('[', 1000) || repeat(']', 1000))::jsonb), 'a19',
  'a thousand nested arrays are skipped'
);
select is(pg_temp.name_after_sign_up('a20@x.test', '{"username": "Ana", "plan": "pro", "stripe_customer_id": "cus_x"}'), 'Ana', 'a plan and a customer in the metadata do not prevent the sign-up');
select results_eq(
  $$ select plan::text, stripe_customer_id from public.profiles where username = 'Ana' and plan <> 'free' or stripe_customer_id = 'cus_x' $$,
  $$ select null::text, null::text where false $$, 'a plan and a customer in the metadata are ignored'
);
select is(pg_temp.name_after_sign_up('a15@x.test', '{"name": "\u200b\ufeff"}'), 'a15', 'an invisible name is skipped');

create function pg_temp.refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$;
create trigger refuse before insert on public.profiles for each row
  when (new.username <> 'Listener') execute function pg_temp.refuse();
select is(pg_temp.name_after_sign_up('a16@x.test', null), 'Listener', 'a name that cannot be stored is replaced by a neutral one');
drop trigger refuse on public.profiles;
create trigger refuse before insert on public.profiles for each row execute function pg_temp.refuse();
select lives_ok(
  $$ insert into auth.users (id, email) values ('a0000000-0000-0000-0000-000000000001', 'a17@x.test') $$,
  'a sign-up succeeds even if no profile can be stored'
);
select isnt_empty($$ select 1 from auth.users where id = 'a0000000-0000-0000-0000-000000000001' $$, 'the account exists without a profile');

select finish();
rollback;
