-- Account deletion: confirmed by what identifies the account, recorded before it is executed, and complete.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the functions' and the users' roles too.
grant usage on schema extensions to fn_account, fn_billing, fn_ai;
grant execute on all functions in schema extensions to anon, authenticated, service_role, fn_account, fn_billing, fn_ai;

select plan(117);

savepoint part;
create function pg_temp.act_as(p_role text, p_user_id uuid default null) returns void language sql
as $$
  select set_config('request.jwt.claims', jsonb_build_object('role', p_role, 'sub', p_user_id)::text, true);
  select set_config('role', p_role, true);
$$;
-- The users: a, b, c… All ids of a user begin alike.
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
    pg_temp.id(p_user), (public.billing_profile(pg_temp.id(p_user)) ->> 'plan_synced_at')::timestamptz, p_customer, p_plan, false, null
  ) ->> 'outcome'
$$;
create function pg_temp.save(p_user text, p_number int) returns jsonb language sql
as $$
  select public.save_generated_playlist(
    pg_temp.id(p_user, p_number), pg_temp.id(p_user), 0.001, 'Rain', null,
    jsonb_build_array(jsonb_build_object('track_uri', 'spotify:track:' || repeat('a', 22)))
  )
$$;
-- The owner's actions, where the role does not matter.
create function pg_temp.profile(p_user text) returns jsonb language sql
as $$ select to_jsonb(p) from public.profiles p where p.user_id = pg_temp.id(p_user) $$;
create function pg_temp.since(p_user text) returns timestamptz language sql
as $$ select (pg_temp.profile(p_user) ->> 'deletion_started_at')::timestamptz $$;
create function pg_temp.accounts(p_users text) returns int language sql
as $$ select count(*)::int from auth.users u where u.id in (select pg_temp.id(a) from string_to_table(p_users, null) a) $$;
-- The number of rows of each table that belong to the user.
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

-- A user with rows in every table: a live and a deleted playlist, three tracks, a saved and a running generation.
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
  insert into public.shared_playlists (playlist_id) values (pg_temp.id(p_user, 2));
  perform public.ai_reserve(pg_temp.id(p_user, 3), pg_temp.id(p_user), 'snow', true);
  perform public.store_spotify_tokens(pg_temp.id(p_user), repeat('s', 32), 'access', 'refresh', now());
  perform public.begin_spotify_export(pg_temp.id(p_user), pg_temp.id(p_user, 4), jsonb_build_object('playlist_id', pg_temp.id(p_user, 1)));
  perform public.record_spotify_export(pg_temp.id(p_user), pg_temp.id(p_user, 4), 'copy');
end
$$;

select pg_temp.settle_in(u) from unnest(array['a', 'b']) u;
select pg_temp.sign_up(u) from unnest(array['c', 'd']) u;
-- An account with a phone number, an anonymous one, and Auth's other spellings.
select pg_temp.sign_up_without_address('4', null, '48123456789'), pg_temp.sign_up_without_address('3', null, null),
  pg_temp.sign_up_without_address('f', '', ''), pg_temp.sign_up_without_address('5', null, '+1 (202) 555-0134');

select col_type_is('public', 'profiles', 'deletion_started_at', 'timestamp with time zone', 'deletion_started_at is a time');
select col_is_null('public', 'profiles', 'deletion_started_at', 'deletion_started_at may be null');
select is(pg_temp.since('a'), null, 'deletion_started_at is null for a new profile');
select is(
  pg_temp.rows_of('a'),
  '{"profiles": 1, "playlists": 2, "playlist_tracks": 3, "ai_sessions": 2, "spotify_tokens": 1, "spotify_exports": 1, "shared_playlists": 1, "spotify_copies": 1, "playlist_versions": 1}',
  'user a has rows in every table'
);
select is(pg_temp.rows_of('b'), pg_temp.rows_of('a'), 'user b has as many rows as user a');

-- The confirmation: the address, without one the phone number, without either the id.
select pg_temp.act_as('fn_account');
select is(pg_temp.begin_deletion('a', 'zoë.b@example.test'), '{"outcome": "not_confirmed", "confirm_with": "email"}', 'another account''s address confirms nothing');
select is(pg_temp.begin_deletion('a', ''), '{"outcome": "not_confirmed", "confirm_with": "email"}', 'an empty text confirms nothing');
select is(pg_temp.begin_deletion('a', null), '{"outcome": "not_confirmed", "confirm_with": "email"}', 'null confirms nothing');
select is(pg_temp.begin_deletion('a', 'zoë.a@example.tes_'), '{"outcome": "not_confirmed", "confirm_with": "email"}', 'an address is not a pattern');
select is(pg_temp.begin_deletion('a', 'zoë.a@ example.test'), '{"outcome": "not_confirmed", "confirm_with": "email"}', 'white space within an address makes it another one');
select is(pg_temp.begin_deletion('e', 'zoë.e@example.test'), '{"outcome": "no_account"}', 'a missing account cannot be confirmed');
select is(pg_temp.begin_deletion('e', null), '{"outcome": "no_account"}', 'an empty text does not confirm an account without an address');
select is(public.begin_account_deletion(null, null), '{"outcome": "no_account"}', 'null does not confirm an account without an address');
select is(pg_temp.delete_account('a'), 'not_begun', 'an unconfirmed deletion is not executed');
select is(pg_temp.delete_account('e'), 'no_account', 'a missing account cannot be deleted');
select is(public.delete_account(null), 'no_account', 'null deletes no account');
select is(pg_temp.begin_deletion('4', answer), '{"outcome": "not_confirmed", "confirm_with": "phone"}', 'another number: ' || coalesce(answer, 'null'))
from unnest(array['48123456788', '123456789', '4812345678', '', '+', '00', 'ff@example.test', pg_temp.id('4')::text, null]) answer;
select is(pg_temp.begin_deletion('3', answer), '{"outcome": "not_confirmed", "confirm_with": "id"}', 'another id: ' || coalesce(answer, 'null'))
from unnest(array['', 'null', '48123456789', pg_temp.id('f')::text, pg_temp.id('3')::text || '0', null]) answer;
reset role;
select is(pg_temp.since(u), null, 'the deletion has not begun: ' || u) from unnest(array['4', '3']) u;
select is(pg_temp.since('a'), null, 'no wrong confirmation starts the deletion');
select is((pg_temp.rows_of('a') ->> 'profiles')::int + pg_temp.accounts('a'), 2, 'no wrong confirmation deletes a row');

-- The start.
select pg_temp.act_as('fn_account');
select is(
  pg_temp.begin_deletion('a', E'\u00a0 zOË.a@eXAMPLE.tEST\n'),
  '{"outcome": "begun", "stripe_customer_id": "cus_pgtap_a"}',
  'the address confirms in any case and with white space around it, and Stripe''s customer is returned'
);
select is(pg_temp.begin_deletion('4', answer) ->> 'outcome', 'begun', 'a user without an address confirms with the phone number: ' || answer)
from unnest(array['48123456789', '+48 123 456 789', '0048-123.456.789', E'\u00a0(+48) 123\u202f456\u202f789\n']) answer;
select is(pg_temp.begin_deletion('5', '1 202 555 0134') ->> 'outcome', 'begun', 'a phone number confirms in any form');
select is(pg_temp.begin_deletion('3', pg_temp.id('3')::text) ->> 'outcome', 'begun', 'an account without an address and a number is confirmed by its id');
select is(pg_temp.begin_deletion('f', ' ' || upper(pg_temp.id('f')::text) || E'\n') ->> 'outcome', 'begun', 'the id confirms in any case, and an empty address does not count');
select is(pg_temp.begin_deletion('a', E'Zoe\u0308.a@example.test') ->> 'outcome', 'begun', 'an accent may be a separate character');
select is(pg_temp.begin_deletion('c', 'Zoë.c@Example.test'), '{"outcome": "begun", "stripe_customer_id": null}', 'without a customer null is returned');
reset role;
select ok(pg_temp.since('a') between now() and clock_timestamp(), 'the time of the start is stored');
select is(pg_temp.since('b'), null, 'no other user''s deletion starts');
select set_config('pgtap.since', pg_temp.since('a')::text, true);
select pg_temp.act_as('fn_account');
select is(
  pg_temp.begin_deletion('a', 'zoë.a@example.test'), '{"outcome": "begun", "stripe_customer_id": "cus_pgtap_a"}',
  'a repeated start returns the customer again'
);
select is(pg_temp.begin_deletion('a', 'zoë.b@example.test'), '{"outcome": "not_confirmed", "confirm_with": "email"}', 'a repeated start needs the confirmation again');
reset role;
select is(pg_temp.since('a'), current_setting('pgtap.since')::timestamptz, 'the time of the first start is kept');
select is(pg_temp.rows_of('a'), pg_temp.rows_of('b'), 'the start deletes no rows');

-- Billing during the deletion.
select pg_temp.act_as('fn_billing');
select is(pg_temp.set_customer('a', 'cus_pgtap_a', 'cus_pgtap_y'), null, 'a profile being deleted gets no other customer');
select is(pg_temp.set_customer('c', null, 'cus_pgtap_y'), null, 'a profile being deleted gets no first customer');
select is(pg_temp.set_customer('a', 'cus_pgtap_z', 'cus_pgtap_y'), null, 'a profile being deleted does not return its customer');
select is(public.billing_profile(pg_temp.id('a')) - 'user_id', '{"plan": "free", "plan_renews": false, "plan_period_ends_at": null, "stripe_customer_id": "cus_pgtap_a", "plan_synced_at": null}', 'the profile is unchanged');
select is(public.billing_profile(pg_temp.id('c')) - 'user_id', '{"plan": "free", "plan_renews": false, "plan_period_ends_at": null, "stripe_customer_id": null, "plan_synced_at": null}', 'the other profile is unchanged');
select is(pg_temp.set_customer('b', 'cus_pgtap_b', 'cus_pgtap_b2'), 'cus_pgtap_b2', 'another profile gets a customer');
select is(pg_temp.set_plan('a', 'cus_pgtap_a', 'pro'), 'written', 'the plan of the customer is still written');
select is(pg_temp.set_plan('a', 'cus_pgtap_a', 'free'), 'written', 'the plan of the customer is written again');
select is(public.set_billing_plan(pg_temp.id('a'), null, 'cus_pgtap_a', 'pro', true, null) ->> 'outcome', 'conflict', 'an outdated plan is refused');
select is(pg_temp.set_plan('a', 'cus_pgtap_y', 'pro'), 'no_profile', 'a plan with another customer is refused');
select is(pg_temp.set_plan('a', null, 'free'), 'no_profile', 'a plan without the customer is refused');
select is(pg_temp.set_plan('c', 'cus_pgtap_y', 'pro'), 'no_profile', 'a plan with a first customer is refused');
select is(pg_temp.set_plan('c', null, 'free'), 'written', 'a plan without a customer is written to a profile without one');
select is(
  (public.billing_profile(pg_temp.id('a')) ->> 'stripe_customer_id') || ' ' || (public.billing_profile(pg_temp.id('c')) ->> 'plan'),
  'cus_pgtap_a free', 'nothing else is written'
);
reset role;

-- The owner.
select pg_temp.act_as('authenticated', pg_temp.id('a'));
select is((select deletion_started_at from public.profiles), current_setting('pgtap.since')::timestamptz, 'owners may read that their account is being deleted');
select throws_ok('update public.profiles set deletion_started_at = null', '42501', null, 'owners may not cancel the deletion');
select throws_ok('select public.begin_account_deletion(auth.uid(), $$zoë.a@example.test$$)', '42501', null, 'owners may not start the deletion directly');
select throws_ok('select public.delete_account(auth.uid())', '42501', null, 'owners may not delete the account directly');
reset role;

-- The end.
select pg_temp.act_as('fn_account');
select is(pg_temp.delete_account('b'), 'not_begun', 'another account''s start does not count');
select is(pg_temp.delete_account('a'), 'deleted', 'a started deletion can be executed');
select is(pg_temp.delete_account('a'), 'no_account', 'a started deletion is executed');
select is(pg_temp.begin_deletion('a', 'zoë.a@example.test'), '{"outcome": "no_account"}', 'a deleted account cannot be deleted again');
reset role;
select is(
  pg_temp.rows_of('a'),
  '{"profiles": 0, "playlists": 0, "playlist_tracks": 0, "ai_sessions": 0, "spotify_tokens": 0, "spotify_exports": 0, "shared_playlists": 0, "spotify_copies": 0, "playlist_versions": 0}',
  'no row of the account is left in any table'
);
select is(pg_temp.accounts('a'), 0, 'the account is deleted');
select is(
  pg_temp.rows_of('b'),
  '{"profiles": 1, "playlists": 2, "playlist_tracks": 3, "ai_sessions": 2, "spotify_tokens": 1, "spotify_exports": 1, "shared_playlists": 1, "spotify_copies": 1, "playlist_versions": 1}',
  'all rows of other users stay'
);
select is(pg_temp.accounts('bcd'), 3, 'the accounts of other users stay, also one whose deletion has started');

-- A generation that was running.
select pg_temp.act_as('fn_ai');
select is(public.ai_settle(pg_temp.id('a', 3), pg_temp.id('a'), 'succeeded', 0.001), '{"outcome": "unknown", "status": null, "quota": null}', 'a generation that was running is settled as unknown');
select is(pg_temp.save('a', 3), '{"outcome": "unknown", "quota": null}', 'the playlist of a running generation is not saved');
select is(public.ai_reserve(pg_temp.id('a', 5), pg_temp.id('a'), 'late', true), '{"outcome": "no_profile"}', 'no generation starts after the deletion');
reset role;

-- An account without a profile, which has no customer.
delete from public.profiles where user_id = pg_temp.id('d');
select pg_temp.act_as('service_role');
select is(pg_temp.begin_deletion('d', 'zoë.d@example.test'), '{"outcome": "begun", "stripe_customer_id": null}', 'a deletion starts without a profile');
select is(pg_temp.delete_account('d'), 'deleted', 'a deletion is executed without a profile');
reset role;
select is(pg_temp.accounts('d'), 0, 'the account without a profile is deleted');

-- Rights.
select pg_temp.act_as('fn_account');
select throws_ok('select * from public.profiles', '42501', null, 'the function''s role has no access to tables');
reset role;
select pg_temp.act_as('fn_billing');
select throws_ok($$ select pg_temp.delete_account('c') $$, '42501', null, 'no other role may delete accounts');
reset role;
rollback to savepoint part;

-- Former accounts: the quota continues, and nothing else is stored about them.
create table public.ai_sessions_rest partition of public.ai_sessions default;
create function pg_temp.sign_up(p_id uuid, p_email text) returns void language sql
as $$ insert into auth.users (id, email) values (p_id, p_email) $$;
create function pg_temp.id(p_number int) returns uuid language sql as $$ select ('a0000000-0000-0000-0000-' || lpad(p_number::text, 12, '0'))::uuid $$;
create function pg_temp.used(p_number int) returns int language sql
as $$ select (private.ai_quota(pg_temp.id(p_number), clock_timestamp()) ->> 'used')::int $$;
create function pg_temp.delete(p_number int) returns text language sql
as $$
  update public.profiles set deletion_started_at = now() where user_id = pg_temp.id(p_number);
  select public.delete_account(pg_temp.id(p_number));
$$;
create function pg_temp.generate(p_number int, p_ago interval, p_status public.ai_status_enum default 'succeeded', p_cost numeric default 0.001)
returns void language sql
as $$ insert into public.ai_sessions (user_id, prompt, status, cost, created_at) values (pg_temp.id(p_number), 'rain', p_status, p_cost, date_trunc('second', clock_timestamp()) - p_ago) $$;

-- One mailbox in different spellings.
select is(private.normal_address(email), expected, format('%s is %s', email, expected))
from (values
  ('Ana@Example.test', 'ana@example.test'), (' ana+1@example.test ', 'ana@example.test'), ('a.n.a@example.test', 'a.n.a@example.test'),
  ('A.n.a+x+y@gmail.com', 'ana@gmail.com'), ('ana@GoogleMail.com', 'ana@gmail.com'), ('+ana@example.test', '+ana@example.test'),
  (U&'an\0301a@example.test', U&'a\0144a@example.test'), (U&'\FF41na@example.test', 'ana@example.test')
) v(email, expected);
select is(private.address_hash('Ana+1@example.test', null), private.address_hash('ana@example.test', '48123'), 'spellings of a mailbox have the same hash');
select isnt(private.address_hash('ana@example.test', null), private.address_hash('bo@example.test', null), 'different mailboxes have different hashes');
select is(private.address_hash(null, '+48 123'), private.address_hash('', '0048123'), 'without an address the hash is of the phone number');
select is(private.address_hash(null, null), null, 'without an address and a number there is no hash');
select is(octet_length(private.address_hash('ana@example.test', null)), 32, 'it is an HMAC-SHA-256');
select isnt(private.address_hash('ana@example.test', null), extensions.digest('email:ana@example.test', 'sha256'), 'the hash depends on the key');
select throws_ok($$ insert into private.address_key (key) values ('x') $$, '23505', null, 'there is one key');

-- Signing up again.
select pg_temp.sign_up(pg_temp.id(1), 'ana@example.test');
select pg_temp.generate(1, interval '1 hour'), pg_temp.generate(1, interval '700 hours'), pg_temp.generate(1, interval '2 hours', 'failed', 0.2);
select is(pg_temp.delete(1), 'deleted', 'an account is deleted');
select pg_temp.sign_up(pg_temp.id(2), 'ANA+again@example.test');
select is(pg_temp.used(2), 2, 'a new account with the address continues with its usage');
select is((select sum(cost) from public.ai_sessions where user_id = pg_temp.id(2)), 0.2020, 'a new account with the address continues with its cost');
select is((select count(*)::int from public.ai_sessions where prompt = 'rain'), 0, 'no prompt is kept');
select pg_temp.sign_up(pg_temp.id(3), 'bo@example.test');
select is(pg_temp.used(3), 0, 'other accounts start without usage');
select is(pg_temp.delete(2), 'deleted', 'usage continues after a second deletion');
select pg_temp.sign_up(pg_temp.id(4), 'ana@example.test');
select is(pg_temp.used(4), 2, 'usage is not counted twice');

-- Another address.
select pg_temp.generate(4, interval '3 hours');
update auth.users set email = 'eve@example.test' where id = pg_temp.id(4);
select pg_temp.sign_up(pg_temp.id(5), 'ana@example.test');
select is(pg_temp.used(5), 3, 'an address that was given up keeps its usage');
select is(pg_temp.used(4), 3, 'the account that gave an address up keeps its usage');
update auth.users set email = 'ana+2@example.test' where id = pg_temp.id(3);
select is(pg_temp.used(3), 3, 'the account that takes the address continues with its usage');

-- 30 days.
update private.former_usage set created_at = created_at - interval '30 hours';
select private.forget_expired();
select is((select count(*)::int from private.former_usage where created_at < now() - interval '720 hours'), 0, 'usage older than 30 days is forgotten');
select cmp_ok((select count(*)::int from private.former_usage), '>', 0, 'newer usage is kept');

-- Auth's log.
create schema if not exists auth;
create table if not exists auth.audit_log_entries (id uuid, payload json);
delete from auth.audit_log_entries;
update auth.users set phone = '48123456' where id = pg_temp.id(5);
insert into auth.audit_log_entries (id, payload)
select gen_random_uuid(), json_build_object(key, value)
from (values
  ('actor_id', pg_temp.id(5)::text), ('user_email', 'ANA@example.test'), ('user_phone', '48123456'),
  ('actor_id', pg_temp.id(3)::text), ('user_email', 'joana@example.test'), ('user_email', 'ana@example.tests'), ('user_phone', '481234567')
) v (key, value);
select is(pg_temp.delete(5), 'deleted', 'an account in Auth''s log is deleted');
select results_eq(
  $$
    select e.about
    from auth.audit_log_entries l
    cross join lateral (select coalesce(l.payload ->> 'actor_id', l.payload ->> 'user_email', l.payload ->> 'user_phone')) e (about)
    order by e.about collate "C"
  $$,
  array['481234567', pg_temp.id(3)::text, 'ana@example.tests', 'joana@example.test'],
  'Auth''s entries about the account are deleted, and those about other accounts stay'
);
create function pg_temp.refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
create trigger refuse before delete on auth.audit_log_entries for each row execute function pg_temp.refuse();
select is(pg_temp.delete(3), 'deleted_but_logged', 'a log that cannot be cleaned does not prevent the deletion');
select is((select count(*)::int from auth.users where id = pg_temp.id(3)), 0, 'the account is deleted although its log is not cleaned');

-- A failure of the usage does not fail a sign-up.
alter table private.former_usage rename to former_usage_away;
select lives_ok($$ select pg_temp.sign_up(pg_temp.id(6), 'ana@example.test') $$, 'a sign-up succeeds even if the usage cannot be stored');

select finish();
rollback;
