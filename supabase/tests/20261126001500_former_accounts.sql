-- Former accounts: the quota goes on, and nothing else is known of who it was.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;

select plan(33);
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

-- One mailbox, however it is written.
select is(private.normal_address(email), expected, format('%s is %s', email, expected))
from (values
  ('Ana@Example.test', 'ana@example.test'), (' ana+1@example.test ', 'ana@example.test'), ('a.n.a@example.test', 'a.n.a@example.test'),
  ('A.n.a+x+y@gmail.com', 'ana@gmail.com'), ('ana@GoogleMail.com', 'ana@gmail.com'), ('+ana@example.test', '+ana@example.test'),
  (U&'an\0301a@example.test', U&'a\0144a@example.test'), (U&'\FF41na@example.test', 'ana@example.test')
) v(email, expected);
select is(private.address_hash('Ana+1@example.test', null), private.address_hash('ana@example.test', '48123'), 'the hash is the mailbox''s');
select isnt(private.address_hash('ana@example.test', null), private.address_hash('bo@example.test', null), 'each has its own');
select is(private.address_hash(null, '+48 123'), private.address_hash('', '0048123'), 'without an address it is the phone number''s');
select is(private.address_hash(null, null), null, 'without either there is none');
select is(octet_length(private.address_hash('ana@example.test', null)), 32, 'it is an HMAC-SHA-256');
select isnt(private.address_hash('ana@example.test', null), extensions.digest('email:ana@example.test', 'sha256'), 'which takes the key');
select throws_ok($$ insert into private.address_key (key) values ('x') $$, '23505', null, 'there is one key');

-- Signing up again.
select pg_temp.sign_up(pg_temp.id(1), 'ana@example.test');
select pg_temp.generate(1, interval '1 hour'), pg_temp.generate(1, interval '700 hours'), pg_temp.generate(1, interval '2 hours', 'failed', 0.2);
select is(pg_temp.delete(1), 'deleted', 'an account is deleted');
select pg_temp.sign_up(pg_temp.id(2), 'ANA+again@example.test');
select is(pg_temp.used(2), 2, 'whoever signs up again goes on with what was used');
select is((select sum(cost) from public.ai_sessions where user_id = pg_temp.id(2)), 0.2020, 'and with what it cost');
select is((select count(*)::int from public.ai_sessions where prompt = 'rain'), 0, 'no wish is kept');
select pg_temp.sign_up(pg_temp.id(3), 'bo@example.test');
select is(pg_temp.used(3), 0, 'others begin with nothing used');
select is(pg_temp.delete(2), 'deleted', 'and once more');
select pg_temp.sign_up(pg_temp.id(4), 'ana@example.test');
select is(pg_temp.used(4), 2, 'nothing is counted twice');

-- Another address.
select pg_temp.generate(4, interval '3 hours');
update auth.users set email = 'eve@example.test' where id = pg_temp.id(4);
select pg_temp.sign_up(pg_temp.id(5), 'ana@example.test');
select is(pg_temp.used(5), 3, 'an address that was given up keeps what it had used');
select is(pg_temp.used(4), 3, 'as does who gave it up');
update auth.users set email = 'ana+2@example.test' where id = pg_temp.id(3);
select is(pg_temp.used(3), 3, 'who takes it goes on from there');

-- 30 days.
update private.former_usage set created_at = created_at - interval '30 hours';
select private.forget_expired();
select is((select count(*)::int from private.former_usage where created_at < now() - interval '720 hours'), 0, 'what is older than 30 days is forgotten');
select cmp_ok((select count(*)::int from private.former_usage), '>', 0, 'and nothing else');

-- Auth's log.
create schema if not exists auth;
create table if not exists auth.audit_log_entries (id uuid, payload json);
insert into auth.audit_log_entries (id, payload) values
  (gen_random_uuid(), json_build_object('actor_id', pg_temp.id(5))), (gen_random_uuid(), json_build_object('traits', json_build_object('user_email', 'ANA@example.test'))),
  (gen_random_uuid(), json_build_object('actor_id', pg_temp.id(3)));
select is(pg_temp.delete(5), 'deleted', 'an account that Auth has written about is deleted');
select is(
  (select count(*)::int from auth.audit_log_entries where payload::text ilike '%' || pg_temp.id(5) || '%' or payload::text ilike '%ana@example.test%'), 0,
  'with what Auth has written'
);
select is((select count(*)::int from auth.audit_log_entries where payload::text like '%' || pg_temp.id(3) || '%'), 1, 'about it and nobody else');
create function pg_temp.refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
create trigger refuse before delete on auth.audit_log_entries for each row execute function pg_temp.refuse();
select is(pg_temp.delete(3), 'deleted_but_logged', 'a log that cannot be cleaned keeps no account');
select is((select count(*)::int from auth.users where id = pg_temp.id(3)), 0, 'which is gone');

-- A sign-up never fails for it.
alter table private.former_usage rename to former_usage_away;
select lives_ok($$ select pg_temp.sign_up(pg_temp.id(6), 'ana@example.test') $$, 'a sign-up succeeds whatever is wrong with the usage');

select finish();
rollback;
