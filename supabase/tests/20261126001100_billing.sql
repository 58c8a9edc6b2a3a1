-- Billing: the profile of a Stripe customer, and a plan that is written only if nothing was written since the read.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the functions' and the users' roles too.
grant usage on schema extensions to fn_billing, fn_ai;
grant execute on all functions in schema extensions to anon, authenticated, service_role, fn_billing, fn_ai;

select plan(72);

create function pg_temp.sign_up(p_id uuid) returns void language sql
as $$ insert into auth.users (id, email) values (p_id, p_id || '@example.test') $$;
create function pg_temp.act_as(p_role text, p_user_id uuid default null) returns void language sql
as $$
  select set_config('request.jwt.claims', jsonb_build_object('role', p_role, 'sub', p_user_id)::text, true);
  select set_config('role', p_role, true);
$$;
-- The users a, b, c… sort after all others that this database may have.
create function pg_temp.id(p_user text) returns uuid language sql
as $$ select ('ffffffff-ffff-ffff-ffff-' || repeat(p_user, 12))::uuid $$;
create function pg_temp.profile(p_user text) returns jsonb language sql
as $$ select public.billing_profile(pg_temp.id(p_user)) $$;
create function pg_temp.synced(p_user text) returns timestamptz language sql
as $$ select (pg_temp.profile(p_user) ->> 'plan_synced_at')::timestamptz $$;
-- The plan and the customer of a profile, without the time.
create function pg_temp.state(p_user text) returns text language sql
as $$ select pg_temp.profile(p_user) ->> 'plan' || ' ' || coalesce(pg_temp.profile(p_user) ->> 'stripe_customer_id', 'nobody') $$;
create function pg_temp.write(p_user text, p_seen timestamptz, p_customer text, p_plan public.plan_type) returns text language sql
as $$ select public.set_billing_plan(pg_temp.id(p_user), p_seen, p_customer, p_plan, false, null) ->> 'outcome' $$;
-- The reads, by the user's letter or a name.
create function pg_temp.remember(p_name text, p_at timestamptz) returns void language sql
as $$ select set_config('seen.' || p_name, p_at::text, true) $$;
create function pg_temp.seen(p_name text) returns timestamptz language sql
as $$ select nullif(current_setting('seen.' || p_name), '')::timestamptz $$;
create function pg_temp.period(p_user text) returns text language sql
as $$ select concat_ws(' ', p -> 'plan_renews', p ->> 'plan_period_ends_at') from pg_temp.profile(p_user) p $$;
create function pg_temp.page(p_after uuid, p_limit int) returns text language sql
as $$ select string_agg(right(page.entry ->> 'user_id', 1), ' ' order by page.place) from jsonb_array_elements(public.billing_profiles(p_after, p_limit)) with ordinality page (entry, place) $$;

grant execute on all functions in schema pg_temp to authenticated, fn_billing;

select pg_temp.sign_up(pg_temp.id(u)) from unnest(array['c', 'a', 'e', 'b']) u;

select col_type_is('public', 'profiles', 'plan_synced_at', 'timestamp with time zone', 'plan_synced_at is a time');
select col_is_null('public', 'profiles', 'plan_synced_at', 'plan_synced_at may be null');
select is((select plan_synced_at from public.profiles where user_id = pg_temp.id('a')), null, 'plan_synced_at is null for a new profile');

-- Reads.
select pg_temp.act_as('fn_billing');
select is(
  pg_temp.profile('a'),
  jsonb_build_object(
    'user_id', pg_temp.id('a'), 'plan', 'free', 'plan_renews', false, 'plan_period_ends_at', null, 'stripe_customer_id', null, 'plan_synced_at', null
  ),
  'a profile is read by its user, with exactly these members'
);
reset role;
update public.profiles set stripe_customer_id = 'cus_pgtap_b', plan = 'pro' where user_id = pg_temp.id('b');
select pg_temp.act_as('fn_billing');
select is(
  public.billing_profile(p_stripe_customer_id => 'cus_pgtap_b'),
  jsonb_build_object(
    'user_id', pg_temp.id('b'), 'plan', 'pro', 'plan_renews', false, 'plan_period_ends_at', null, 'stripe_customer_id', 'cus_pgtap_b', 'plan_synced_at', null
  ),
  'a profile is read by its customer'
);
select is(public.billing_profile(pg_temp.id('a'), 'cus_pgtap_b') ->> 'user_id', pg_temp.id('b')::text, 'the customer takes precedence over the user');
select is(public.billing_profile(pg_temp.id('a'), 'cus_pgtap_x') ->> 'user_id', pg_temp.id('a')::text, 'the user''s profile is returned if no profile has the customer');
select is(public.billing_profile(pg_temp.id('d'), 'cus_pgtap_x'), null, 'an unknown customer and user return null');
select is(public.billing_profile(), null, 'without arguments no profile is returned, although many have no customer');

-- The plan.
select is(pg_temp.write('a', null, 'cus_pgtap_a', 'pro'), 'written', 'the first write succeeds after a read of null');
select is(pg_temp.state('a'), 'pro cus_pgtap_a', 'the plan and the customer are written');
select ok(pg_temp.synced('a') between now() and clock_timestamp(), 'the time of the write is stored');
select is(pg_temp.state('b'), 'pro cus_pgtap_b', 'no other profile changes');
select pg_temp.remember('first', pg_temp.synced('a'));
select is(pg_temp.write('a', null, 'cus_pgtap_y', 'free'), 'conflict', 'a write after a read of null is outdated');
select is(pg_temp.write('a', pg_temp.seen('first') - interval '1 microsecond', 'cus_pgtap_y', 'free'), 'conflict', 'a write after an earlier read is outdated');
select is(pg_temp.write('a', pg_temp.seen('first') + interval '1 microsecond', 'cus_pgtap_y', 'free'), 'conflict', 'a write that names a later time is outdated');
select is(pg_temp.state('a'), 'pro cus_pgtap_a', 'an outdated write changes nothing');
select is(pg_temp.synced('a'), pg_temp.seen('first'), 'an outdated write does not change the time');
select is(pg_temp.write('a', (pg_temp.profile('a') ->> 'plan_synced_at')::timestamptz, 'cus_pgtap_a', 'pro'), 'written', 'the time of the read is compared to the microsecond');
select cmp_ok(pg_temp.synced('a'), '>', pg_temp.seen('first'), 'writing the same plan again changes the time');
select is(pg_temp.write('a', pg_temp.seen('first'), 'cus_pgtap_a', 'free'), 'conflict', 'writing the same plan makes an earlier read outdated');
select is(pg_temp.write('a', pg_temp.synced('a'), 'cus_pgtap_a', 'free'), 'written', 'a write after a later read succeeds');
select is(pg_temp.state('a'), 'free cus_pgtap_a', 'a cancellation is written');
select is(pg_temp.write('a', pg_temp.synced('a'), null, 'free'), 'written', 'a customer that Stripe no longer has can be removed');
select is(pg_temp.state('a'), 'free nobody', 'the removed customer is null');
select is(pg_temp.write('d', null, 'cus_pgtap_d', 'pro'), 'no_profile', 'an account without a profile has no plan');
select throws_ok($$ select pg_temp.write('a', pg_temp.synced('a'), 'cus_pgtap_a', null) $$, '23502', null, 'a null plan is refused');

-- The period.
select is(
  public.set_billing_plan(pg_temp.id('a'), pg_temp.synced('a'), 'cus_pgtap_a', 'pro', true, 1798156800) ->> 'outcome', 'written', 'a plan comes with its period'
);
select is(pg_temp.period('a'), 'true 1798156800', 'the period is read as it was written');
reset role;
select pg_temp.act_as('authenticated', pg_temp.id('a'));
select is(
  public.usage() - 'playlists' - 'ai', '{"plan": "pro", "renews": true, "period_ends_at": "2026-12-25T00:00:00+00:00"}', 'its owner sees until when it is paid for'
) from set_config('timezone', 'UTC', true);
reset role;
select pg_temp.act_as('fn_billing');
select is(
  public.set_billing_plan(pg_temp.id('a'), pg_temp.seen('first'), 'cus_pgtap_a', 'pro', false, 1798156801) ->> 'outcome', 'conflict', 'an outdated period is not written'
);
select is(pg_temp.period('a'), 'true 1798156800', 'a refused period changes nothing');
select pg_temp.write('a', pg_temp.synced('a'), null, 'free');

-- What a write returns.
select pg_temp.remember('returned', (public.set_billing_plan(pg_temp.id('a'), pg_temp.synced('a'), 'cus_pgtap_a', 'pro', true, 1798156800) #>> '{profile,plan_synced_at}')::timestamptz);
select is(
  public.set_billing_plan(pg_temp.id('a'), pg_temp.seen('first'), 'cus_pgtap_y', 'free', false, null),
  jsonb_build_object('outcome', 'conflict', 'profile', pg_temp.profile('a')), 'a conflict returns the profile as it is'
);
select is(pg_temp.write('a', pg_temp.seen('returned'), null, 'free'), 'written', 'a write may name the time that the last write returned');
select is(pg_temp.write('a', pg_temp.seen('returned'), 'cus_pgtap_a', 'pro'), 'conflict', 'the time that a write returned is outdated after the next write');
select is(
  public.set_billing_plan(pg_temp.id('d'), null, 'cus_pgtap_d', 'pro', true, null), '{"outcome": "no_profile", "profile": null}', 'a missing profile is null'
);

-- A customer of another profile.
select pg_temp.remember('alone', pg_temp.synced('a'));
select is(pg_temp.write('a', pg_temp.seen('alone'), 'cus_pgtap_b', 'pro'), 'conflict', 'a customer that another profile has taken is not taken');
select is(pg_temp.state('a') || ', ' || pg_temp.state('b'), 'free nobody, pro cus_pgtap_b', 'neither profile changes');
select is(pg_temp.synced('a'), pg_temp.seen('alone'), 'the time does not change');

-- The clock.
reset role;
update public.profiles set plan_synced_at = '2999-01-01' where user_id = pg_temp.id('a');
select pg_temp.act_as('fn_billing');
select is(pg_temp.write('a', '2999-01-01', 'cus_pgtap_a', 'free'), 'written', 'a time in the future is valid');
select is(pg_temp.synced('a'), '2999-01-01 00:00:00.000001'::timestamptz, 'the next time increases even if the clock stepped back');
select is(public.set_stripe_customer(pg_temp.id('a'), 'cus_pgtap_a', 'cus_pgtap_z'), 'cus_pgtap_z', 'the time of a customer''s write increases even if the clock stepped back');
select is(pg_temp.synced('a'), '2999-01-01 00:00:00.000002'::timestamptz, 'the time increases by a microsecond');

-- The customer.
select is(public.set_stripe_customer(pg_temp.id('c'), null, 'cus_pgtap_1'), 'cus_pgtap_1', 'the first customer is stored');
select is(pg_temp.state('c'), 'free cus_pgtap_1', 'storing a customer keeps the plan');
select pg_temp.remember('customer', pg_temp.synced('c'));
select isnt(pg_temp.seen('customer'), null, 'storing a customer is a write');
select is(public.set_stripe_customer(pg_temp.id('c'), null, 'cus_pgtap_2'), 'cus_pgtap_1', 'a second customer is refused, and the first is returned');
select is(public.set_stripe_customer(pg_temp.id('c'), 'cus_pgtap_9', 'cus_pgtap_2'), 'cus_pgtap_1', 'replacing a customer that is not stored is refused');
select is(pg_temp.synced('c'), pg_temp.seen('customer'), 'a refused customer is not a write');
select is(public.set_stripe_customer(pg_temp.id('c'), 'cus_pgtap_1', 'cus_pgtap_2'), 'cus_pgtap_2', 'the customer of the read is replaced');
select cmp_ok(pg_temp.synced('c'), '>', pg_temp.seen('customer'), 'replacing a customer is a write');
select is(pg_temp.write('c', pg_temp.seen('customer'), 'cus_pgtap_1', 'pro'), 'conflict', 'a plan of the previous customer is outdated');
select is(pg_temp.state('c'), 'free cus_pgtap_2', 'an outdated plan is not written to the new customer');
select throws_ok($$ select public.set_stripe_customer(pg_temp.id('c'), 'cus_pgtap_2', 'cus_pgtap_b') $$, '23505', null, 'a customer of another profile is refused');
select is(public.set_stripe_customer(pg_temp.id('d'), null, 'cus_pgtap_3'), null, 'an account without a profile has no customer');

-- The owner.
reset role;
select pg_temp.remember('before', (select updated_at from public.profiles where user_id = pg_temp.id('c')));
select pg_temp.remember('synced', (select plan_synced_at from public.profiles where user_id = pg_temp.id('c')));
select pg_temp.act_as('authenticated', pg_temp.id('c'));
select is((select plan_synced_at from public.profiles), pg_temp.seen('synced'), 'owners may read when their plan was synced');
select lives_ok($$ update public.profiles set username = 'Renamed' $$, 'owners may change their username');
select cmp_ok((select updated_at from public.profiles), '>', pg_temp.seen('before'), 'changing the username changes updated_at');
select is((select plan_synced_at from public.profiles), pg_temp.seen('synced'), 'changing the username does not change plan_synced_at');
select throws_ok('update public.profiles set plan_synced_at = now()', '42501', null, 'owners may not write plan_synced_at');
select throws_ok('select public.billing_profile(auth.uid())', '42501', null, 'owners may not call billing''s functions');
reset role;
select pg_temp.act_as('fn_billing');
select is(pg_temp.write('c', pg_temp.seen('synced'), 'cus_pgtap_2', 'free'), 'written', 'changing the username does not prevent a cancellation');

-- Pages.
select is(pg_temp.page('ffffffff-ffff-ffff-ffff-000000000000', 10), 'a b c e', 'profiles are ordered by user');
select is(pg_temp.page('ffffffff-ffff-ffff-ffff-000000000000', 2), 'a b', 'a page has the requested size');
select is(pg_temp.page(pg_temp.id('b'), 2), 'c e', 'the next page starts after the last user');
select is(public.billing_profiles(pg_temp.id('e')), '[]', 'the page after the last user is empty');
select is(pg_temp.page(pg_temp.id('a'), 0), 'b', 'a page has at least one profile');
select is(public.billing_profiles(pg_temp.id('b'), 1), jsonb_build_array(pg_temp.profile('c')), 'a page''s profiles equal single reads');
reset role;
select pg_temp.sign_up(('ffffffff-ffff-ffff-eeee-' || lpad(n::text, 12, '0'))::uuid) from generate_series(0, 1000) n;
select pg_temp.sign_up('00000000-0000-0000-0000-000000000001');
select pg_temp.act_as('fn_billing');
select is(jsonb_array_length(public.billing_profiles(p_limit => 100000)), 1000, 'a page has at most a thousand profiles');
select is(public.billing_profiles() -> 0 ->> 'user_id', '00000000-0000-0000-0000-000000000001', 'the first page starts at the beginning');

-- Rights.
select throws_ok('select * from public.profiles', '42501', null, 'billing''s role has no access to the table');
reset role;
select pg_temp.act_as('fn_ai');
select throws_ok($$ select public.set_billing_plan('ffffffff-ffff-ffff-ffff-cccccccccccc', null, null, 'pro', true, null) $$, '42501', null, 'no other role may execute billing''s functions');
reset role;

select finish();
rollback;
