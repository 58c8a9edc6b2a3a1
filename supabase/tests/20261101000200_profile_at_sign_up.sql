-- A profile at sign-up: named sensibly, and never in the way of the sign-up.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the users' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role;

select plan(22);

create function pg_temp.name_after_sign_up(p_email text, p_metadata jsonb) returns text language plpgsql
as $$
declare
  v_id uuid := gen_random_uuid();
begin
  insert into auth.users (id, email, raw_user_meta_data) values (v_id, p_email, p_metadata);
  return (select p.username from public.profiles p where p.user_id = v_id);
end
$$;

select is(pg_temp.name_after_sign_up('a1@x.test', '{"username": " ana "}'), 'ana', 'the username in the metadata is taken, trimmed');
select is(pg_temp.name_after_sign_up('a2@x.test', '{"name": "Ana"}'), 'Ana', 'or the name');
select is(pg_temp.name_after_sign_up('a3@x.test', '{"full_name": "Ana Łoś"}'), 'Ana Łoś', 'or the full name');
select is(pg_temp.name_after_sign_up('a4@x.test', '{"user_name": "ana"}'), 'ana', 'or the user name');
select is(pg_temp.name_after_sign_up('a5@x.test', '{"username": " ", "name": "Ana"}'), 'Ana', 'a blank one is passed over');
select is(pg_temp.name_after_sign_up('a6@x.test', '{"username": {"a": 1}, "name": ["b"]}'), 'a6', 'what is not a string is passed over');
select is(pg_temp.name_after_sign_up('a7@x.test', '{}'), 'a7', 'without a name the e-mail''s local part is taken');
select is(pg_temp.name_after_sign_up('a8@x.test', null), 'a8', 'also without metadata');
select is(pg_temp.name_after_sign_up('a9@x.test', 'null'), 'a9', 'also with a JSON null');
select is(pg_temp.name_after_sign_up('a10@x.test', '[1]'), 'a10', 'also with an array');
select is(pg_temp.name_after_sign_up('a11@x.test', '"text"'), 'a11', 'also with a string');
select is(pg_temp.name_after_sign_up('a12@x.test', '7'), 'a12', 'also with a number');
select is(pg_temp.name_after_sign_up(null, null), 'Listener', 'a phone or anonymous account gets a neutral name');
select is(pg_temp.name_after_sign_up('', '{"name": ""}'), 'Listener', 'as does one with nothing but empty strings');
select is(pg_temp.name_after_sign_up('@x.test', null), 'Listener', 'as does an e-mail without a local part');
select is(
  pg_temp.name_after_sign_up('a13@x.test', jsonb_build_object('name', repeat('ż', 5000000))), repeat('ż', 64), 'a huge name is cut'
);
select is(pg_temp.name_after_sign_up(repeat('x', 200) || '@x.test', null), repeat('x', 64), 'a long local part is cut');
select is(pg_temp.name_after_sign_up('a14@x.test', '{"name": "A\nB\u0007"}'), 'A B', 'control characters are removed');
select is(pg_temp.name_after_sign_up('a15@x.test', '{"name": "\u200b\ufeff"}'), 'a15', 'an invisible name is passed over');

create function pg_temp.refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$;
create trigger refuse before insert on public.profiles for each row
  when (new.username <> 'Listener') execute function pg_temp.refuse();
select is(pg_temp.name_after_sign_up('a16@x.test', null), 'Listener', 'a name that cannot be stored gives way to a neutral one');
drop trigger refuse on public.profiles;
create trigger refuse before insert on public.profiles for each row execute function pg_temp.refuse();
select lives_ok(
  $$ insert into auth.users (id, email) values ('a0000000-0000-0000-0000-000000000001', 'a17@x.test') $$,
  'a sign-up succeeds even when no profile can be stored'
);
select isnt_empty($$ select 1 from auth.users where id = 'a0000000-0000-0000-0000-000000000001' $$, 'and the account is there');

select finish();
rollback;
