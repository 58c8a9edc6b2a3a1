-- Account deletion: confirmed by what identifies the account, begun before it is done, and complete.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the functions' and the users' roles too.
grant usage on schema extensions to fn_account, fn_billing, fn_ai;
grant execute on all functions in schema extensions to anon, authenticated, service_role, fn_account, fn_billing, fn_ai;

select plan(85);
create function pg_temp.act_as(p_role text, p_user_id uuid default null) returns void language sql
as $$
  select set_config('request.jwt.claims', jsonb_build_object('role', p_role, 'sub', p_user_id)::text, true);
  select set_config('role', p_role, true);
$$;
-- The people: a, b, c… All ids of a person begin alike.
create function pg_temp.id(p_user text, p_number int default 0) returns uuid language sql
as $$ select (repeat(p_user, 8) || '-0000-0000-0000-' || lpad(p_number::text, 12, '0'))::uuid $$;
create function pg_temp.sign_up(p_user text) returns void language sql
as $$ insert into auth.users (id, email) values (pg_temp.id(p_user), 'Zoë.' || p_user || '@Example.test') $$;
create function pg_temp.sign_up_without_address(p_user text, p_email text, p_phone text) returns void language sql
as $$ insert into auth.users (id, email, phone) values (pg_temp.id(p_user), p_email, p_phone) $$;
create function pg_temp.begin_deletion(p_user text, p_email text) returns jsonb language sql
as $$ select public.begin_account_deletion(pg_temp.id(p_user), p_email) $$;
create function pg_temp.delete_account(p_user text) returns text language sql
as $$ select public.delete_account(pg_temp.id(p_user)) $$;
create function pg_temp.set_customer(p_user text, p_seen text, p_customer text) returns text language sql
as $$ select public.set_stripe_customer(pg_temp.id(p_user), p_seen, p_customer) $$;
create function pg_temp.set_plan(p_user text, p_customer text, p_plan public.plan_type) returns text language sql
as $$
  select public.set_billing_plan(
    pg_temp.id(p_user), (public.billing_profile(pg_temp.id(p_user)) ->> 'plan_synced_at')::timestamptz, p_customer, p_plan
  )
$$;
create function pg_temp.save(p_user text, p_number int) returns jsonb language sql
as $$
  select public.save_generated_playlist(
    pg_temp.id(p_user, p_number), pg_temp.id(p_user), 0.001, 'Rain', null,
    jsonb_build_array(jsonb_build_object('track_uri', 'spotify:track:' || repeat('a', 22)))
  )
$$;
-- The owner's side, where a role is not needed.
create function pg_temp.profile(p_user text) returns jsonb language sql
as $$ select to_jsonb(p) from public.profiles p where p.user_id = pg_temp.id(p_user) $$;
create function pg_temp.since(p_user text) returns timestamptz language sql
as $$ select (pg_temp.profile(p_user) ->> 'deletion_started_at')::timestamptz $$;
create function pg_temp.accounts(p_users text) returns int language sql
as $$ select count(*)::int from auth.users u where u.id in (select pg_temp.id(a) from string_to_table(p_users, null) a) $$;
-- How many rows of each table name the person, or what is theirs.
create function pg_temp.rows_of(p_user text) returns jsonb language plpgsql
as $$
declare
  v_table text;
  v_count int;
  v_counts jsonb := '{}';
begin
  for v_table in
    select c.relname from pg_catalog.pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
  loop
    execute format('select count(*) from public.%I t where to_jsonb(t)::text like $1', v_table)
      into v_count using '%"' || repeat(p_user, 8) || '-0000-0000-0000-%';
    v_counts := v_counts || jsonb_build_object(v_table, v_count);
  end loop;
  return v_counts;
end
$$;
grant execute on all functions in schema pg_temp to authenticated, service_role, fn_account, fn_billing, fn_ai;

-- Somebody with something in every table: a live and a deleted playlist, three tracks, a saved and a running generation.
create function pg_temp.settle_in(p_user text) returns void language plpgsql
as $$
begin
  perform pg_temp.sign_up(p_user);
  update public.profiles set stripe_customer_id = 'cus_pgtap_' || p_user where user_id = pg_temp.id(p_user);
  insert into public.playlists (id, owner_id, name) values (pg_temp.id(p_user, 1), pg_temp.id(p_user), 'By hand');
  insert into public.playlist_tracks (playlist_id, position, track_uri)
  values (pg_temp.id(p_user, 1), 1, 'spotify:track:' || repeat('b', 22)), (pg_temp.id(p_user, 1), 2, 'spotify:track:' || repeat('c', 22));
  update public.playlists set is_deleted = true where id = pg_temp.id(p_user, 1);
  perform public.ai_reserve(pg_temp.id(p_user, 2), pg_temp.id(p_user), 'rain', true);
  perform pg_temp.save(p_user, 2);
  perform public.ai_reserve(pg_temp.id(p_user, 3), pg_temp.id(p_user), 'snow', true);
  perform public.store_spotify_tokens(pg_temp.id(p_user), repeat('s', 32), 'access', 'refresh', now());
  perform public.begin_spotify_export(pg_temp.id(p_user), pg_temp.id(p_user, 4), '{}');
end
$$;

select pg_temp.settle_in(u) from unnest(array['a', 'b']) u;
select pg_temp.sign_up(u) from unnest(array['c', 'd']) u;
-- By phone, anonymous, and what Auth writes in other ways.
select pg_temp.sign_up_without_address('4', null, '48123456789'), pg_temp.sign_up_without_address('3', null, null),
  pg_temp.sign_up_without_address('f', '', ''), pg_temp.sign_up_without_address('5', null, '+1 (202) 555-0134');

select col_type_is('public', 'profiles', 'deletion_started_at', 'timestamp with time zone', 'since when an account is being deleted');
select col_is_null('public', 'profiles', 'deletion_started_at', 'it may be never');
select is(pg_temp.since('a'), null, 'and is never for a new one');
select is(
  pg_temp.rows_of('a'),
  '{"profiles": 1, "playlists": 2, "playlist_tracks": 3, "ai_sessions": 2, "spotify_tokens": 1, "spotify_exports": 1}',
  'somebody has something in every table'
);
select is(pg_temp.rows_of('b'), pg_temp.rows_of('a'), 'and somebody else as much');

-- The confirmation: the address, without one the phone number, without either the id.
select pg_temp.act_as('fn_account');
select is(pg_temp.begin_deletion('a', 'zoë.b@example.test'), '{"outcome": "not_confirmed", "confirm_with": "email"}', 'another account''s address confirms nothing');
select is(pg_temp.begin_deletion('a', ''), '{"outcome": "not_confirmed", "confirm_with": "email"}', 'nothing is no address');
select is(pg_temp.begin_deletion('a', null), '{"outcome": "not_confirmed", "confirm_with": "email"}', 'nor is null');
select is(pg_temp.begin_deletion('a', 'zoë.a@example.tes_'), '{"outcome": "not_confirmed", "confirm_with": "email"}', 'an address is not a pattern');
select is(pg_temp.begin_deletion('a', 'zoë.a@ example.test'), '{"outcome": "not_confirmed", "confirm_with": "email"}', 'white space within is another address');
select is(pg_temp.begin_deletion('e', 'zoë.e@example.test'), '{"outcome": "no_account"}', 'nobody has no account to delete');
select is(pg_temp.begin_deletion('e', null), '{"outcome": "no_account"}', 'not without an address either');
select is(public.begin_account_deletion(null, null), '{"outcome": "no_account"}', 'nor has null');
select is(pg_temp.delete_account('a'), 'not_begun', 'a deletion that was not confirmed is not done');
select is(pg_temp.delete_account('e'), 'no_account', 'nobody has no account to delete, here either');
select is(public.delete_account(null), 'no_account', 'nor has null, here either');
select is(pg_temp.begin_deletion('4', answer), '{"outcome": "not_confirmed", "confirm_with": "phone"}', 'another number: ' || coalesce(answer, 'null'))
from unnest(array['48123456788', '123456789', '4812345678', '', '+', '00', 'ff@example.test', pg_temp.id('4')::text, null]) answer;
select is(pg_temp.begin_deletion('3', answer), '{"outcome": "not_confirmed", "confirm_with": "id"}', 'another id: ' || coalesce(answer, 'null'))
from unnest(array['', 'null', '48123456789', pg_temp.id('f')::text, pg_temp.id('3')::text || '0', null]) answer;
reset role;
select is(pg_temp.since(u), null, 'the deletion has not begun: ' || u) from unnest(array['4', '3']) u;
select is(pg_temp.since('a'), null, 'none of it begins the deletion');
select is((pg_temp.rows_of('a') ->> 'profiles')::int + pg_temp.accounts('a'), 2, 'and nothing is deleted');

-- The beginning.
select pg_temp.act_as('fn_account');
select is(
  pg_temp.begin_deletion('a', E'\u00a0 zOË.a@eXAMPLE.tEST\n'),
  '{"outcome": "begun", "stripe_customer_id": "cus_pgtap_a"}',
  'the address counts in any case and without the white space around it, and Stripe''s customer is told'
);
select is(pg_temp.begin_deletion('4', answer) ->> 'outcome', 'begun', 'who has no address confirms with the phone number: ' || answer)
from unnest(array['48123456789', '+48 123 456 789', '0048-123.456.789', E'\u00a0(+48) 123\u202f456\u202f789\n']) answer;
select is(pg_temp.begin_deletion('5', '1 202 555 0134') ->> 'outcome', 'begun', 'however the number is stored');
select is(pg_temp.begin_deletion('3', pg_temp.id('3')::text) ->> 'outcome', 'begun', 'who has neither confirms with the id');
select is(pg_temp.begin_deletion('f', ' ' || upper(pg_temp.id('f')::text) || E'\n') ->> 'outcome', 'begun', 'in any case, and an empty address is none');
select is(pg_temp.begin_deletion('a', E'Zoe\u0308.a@example.test') ->> 'outcome', 'begun', 'an accent may be typed as a character of its own');
select is(pg_temp.begin_deletion('c', 'Zoë.c@Example.test'), '{"outcome": "begun", "stripe_customer_id": null}', 'a customer, if there is one');
reset role;
select ok(pg_temp.since('a') between now() and clock_timestamp(), 'since when is written down');
select is(pg_temp.since('b'), null, 'for nobody else');
select set_config('pgtap.since', pg_temp.since('a')::text, true);
select pg_temp.act_as('fn_account');
select is(
  pg_temp.begin_deletion('a', 'zoë.a@example.test'), '{"outcome": "begun", "stripe_customer_id": "cus_pgtap_a"}',
  'who asks again goes on, and is told the customer again'
);
select is(pg_temp.begin_deletion('a', 'zoë.b@example.test'), '{"outcome": "not_confirmed", "confirm_with": "email"}', 'and confirms again');
reset role;
select is(pg_temp.since('a'), current_setting('pgtap.since')::timestamptz, 'it has begun the first time');
select is(pg_temp.rows_of('a'), pg_temp.rows_of('b'), 'and nothing is deleted by beginning');

-- Billing, meanwhile.
select pg_temp.act_as('fn_billing');
select is(pg_temp.set_customer('a', 'cus_pgtap_a', 'cus_pgtap_y'), null, 'who is being deleted gets no other customer');
select is(pg_temp.set_customer('c', null, 'cus_pgtap_y'), null, 'nor a first one');
select is(pg_temp.set_customer('a', 'cus_pgtap_z', 'cus_pgtap_y'), null, 'nor is told of the one that there is');
select is(public.billing_profile(pg_temp.id('a')) - 'user_id', '{"plan": "free", "stripe_customer_id": "cus_pgtap_a", "plan_synced_at": null}', 'the profile is as it was');
select is(public.billing_profile(pg_temp.id('c')) - 'user_id', '{"plan": "free", "stripe_customer_id": null, "plan_synced_at": null}', 'and so is that of the other one');
select is(pg_temp.set_customer('b', 'cus_pgtap_b', 'cus_pgtap_b2'), 'cus_pgtap_b2', 'who is not being deleted gets one');
select is(pg_temp.set_plan('a', 'cus_pgtap_a', 'pro'), 'written', 'what Stripe says of the customer is still written');
select is(pg_temp.set_plan('a', 'cus_pgtap_a', 'free'), 'written', 'as often as it says something');
select is(public.set_billing_plan(pg_temp.id('a'), null, 'cus_pgtap_a', 'pro'), 'conflict', 'and comes too late where it has not seen the last');
select is(pg_temp.set_plan('a', 'cus_pgtap_y', 'pro'), 'no_profile', 'another customer does not come with a plan either');
select is(pg_temp.set_plan('a', null, 'free'), 'no_profile', 'nor goes the one that has to be deleted');
select is(pg_temp.set_plan('c', 'cus_pgtap_y', 'pro'), 'no_profile', 'nor comes a first one');
select is(pg_temp.set_plan('c', null, 'free'), 'written', 'none stays none');
select is(
  (public.billing_profile(pg_temp.id('a')) ->> 'stripe_customer_id') || ' ' || (public.billing_profile(pg_temp.id('c')) ->> 'plan'),
  'cus_pgtap_a free', 'and nothing else is written'
);
reset role;

-- The owner.
select pg_temp.act_as('authenticated', pg_temp.id('a'));
select is((select deletion_started_at from public.profiles), current_setting('pgtap.since')::timestamptz, 'owners may read that they are being deleted');
select throws_ok('update public.profiles set deletion_started_at = null', '42501', null, 'owners may not take it back');
select throws_ok('select public.begin_account_deletion(auth.uid(), $$zoë.a@example.test$$)', '42501', null, 'owners do not begin it past the function');
select throws_ok('select public.delete_account(auth.uid())', '42501', null, 'nor do they delete');
reset role;

-- The end.
select pg_temp.act_as('fn_account');
select is(pg_temp.delete_account('b'), 'not_begun', 'another one''s beginning is not one''s own');
select is(pg_temp.delete_account('a'), 'deleted', 'what has begun can be done');
select is(pg_temp.delete_account('a'), 'no_account', 'and is done');
select is(pg_temp.begin_deletion('a', 'zoë.a@example.test'), '{"outcome": "no_account"}', 'it cannot begin again');
reset role;
select is(
  pg_temp.rows_of('a'),
  '{"profiles": 0, "playlists": 0, "playlist_tracks": 0, "ai_sessions": 0, "spotify_tokens": 0, "spotify_exports": 0}',
  'nothing of the account is left in any table'
);
select is(pg_temp.accounts('a'), 0, 'nor is the account');
select is(
  pg_temp.rows_of('b'),
  '{"profiles": 1, "playlists": 2, "playlist_tracks": 3, "ai_sessions": 2, "spotify_tokens": 1, "spotify_exports": 1}',
  'all of everybody else is'
);
select is(pg_temp.accounts('bcd'), 3, 'so are their accounts, that of one whose deletion has begun too');

-- What was running.
select pg_temp.act_as('fn_ai');
select is(public.ai_settle(pg_temp.id('a', 3), pg_temp.id('a'), 'succeeded', 0.001), '{"outcome": "unknown", "status": null, "quota": null}', 'a generation that was running is settled as unknown');
select is(pg_temp.save('a', 3), '{"outcome": "unknown", "quota": null}', 'and its playlist is not saved');
select is(public.ai_reserve(pg_temp.id('a', 5), pg_temp.id('a'), 'late', true), '{"outcome": "no_profile"}', 'none begins any more');
reset role;

-- An account without a profile: there is nothing to begin with, and nothing that Stripe has.
delete from public.profiles where user_id = pg_temp.id('d');
select pg_temp.act_as('service_role');
select is(pg_temp.begin_deletion('d', 'zoë.d@example.test'), '{"outcome": "begun", "stripe_customer_id": null}', 'a deletion begins without a profile');
select is(pg_temp.delete_account('d'), 'deleted', 'and is done');
reset role;
select is(pg_temp.accounts('d'), 0, 'the account is gone');

-- Who may.
select pg_temp.act_as('fn_account');
select throws_ok('select * from public.profiles', '42501', null, 'the function reaches no table itself');
reset role;
select pg_temp.act_as('fn_billing');
select throws_ok($$ select pg_temp.delete_account('c') $$, '42501', null, 'no other function''s role deletes accounts');
reset role;

select finish();
rollback;
