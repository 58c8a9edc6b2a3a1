-- Nothing is granted by default, and what is granted is exactly this.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the users' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role;

select plan(37);

savepoint part;
-- The whole schema, whatever migration an object came from.
select results_eq(
  $$
    select (p.pronamespace::regnamespace || '.' || p.proname) collate "default", a.grantee::regrole::text
    from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace) and a.grantee <> p.proowner
      and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
    order by p.proname::text collate "C", 2
  $$,
  $$
    values
      ('public.account_export', 'authenticated'),
      ('public.add_tracks', 'authenticated'),
      ('public.ai_deliver', 'fn_ai'),
      ('public.ai_deliver', 'service_role'),
      ('public.ai_reserve', 'fn_ai'),
      ('public.ai_reserve', 'service_role'),
      ('public.ai_settle', 'fn_ai'),
      ('public.ai_settle', 'service_role'),
      ('public.begin_account_deletion', 'fn_account'),
      ('public.begin_account_deletion', 'service_role'),
      ('public.begin_spotify_export', 'fn_spotify'),
      ('public.begin_spotify_export', 'service_role'),
      ('public.billing_profile', 'fn_billing'),
      ('public.billing_profile', 'service_role'),
      ('public.billing_profiles', 'fn_billing'),
      ('public.billing_profiles', 'service_role'),
      ('public.delete_account', 'fn_account'),
      ('public.delete_account', 'service_role'),
      ('public.delete_spotify_tokens', 'fn_spotify'),
      ('public.delete_spotify_tokens', 'service_role'),
      ('public.duplicate_playlist', 'authenticated'),
      ('public.duplicate_shared_playlist', 'authenticated'),
      ('public.expire_spotify_link', 'fn_spotify'),
      ('public.expire_spotify_link', 'service_role'),
      ('public.finish_spotify_export', 'fn_spotify'),
      ('public.finish_spotify_export', 'service_role'),
      ('public.get_spotify_tokens', 'fn_spotify'),
      ('public.get_spotify_tokens', 'service_role'),
      ('public.move_track', 'authenticated'),
      ('public.recall_songs', 'fn_ai'),
      ('public.recall_songs', 'fn_spotify'),
      ('public.recall_songs', 'service_role'),
      ('public.record_spotify_export', 'fn_spotify'),
      ('public.record_spotify_export', 'service_role'),
      ('public.refresh_spotify_tokens', 'fn_spotify'),
      ('public.refresh_spotify_tokens', 'service_role'),
      ('public.release_spotify_export', 'fn_spotify'),
      ('public.release_spotify_export', 'service_role'),
      ('public.release_spotify_refresh', 'fn_spotify'),
      ('public.release_spotify_refresh', 'service_role'),
      ('public.remember_songs', 'fn_ai'),
      ('public.remember_songs', 'service_role'),
      ('public.remove_tracks', 'authenticated'),
      ('public.replace_track', 'authenticated'),
      ('public.replace_tracks', 'authenticated'),
      ('public.restore_version', 'authenticated'),
      ('public.rotate_spotify_tokens', 'fn_spotify'),
      ('public.rotate_spotify_tokens', 'service_role'),
      ('public.save_generated_playlist', 'fn_ai'),
      ('public.save_generated_playlist', 'service_role'),
      ('public.set_billing_plan', 'fn_billing'),
      ('public.set_billing_plan', 'service_role'),
      ('public.set_stripe_customer', 'fn_billing'),
      ('public.set_stripe_customer', 'service_role'),
      ('public.share_playlist', 'authenticated'),
      ('public.shared_playlist', 'anon'),
      ('public.shared_playlist', 'authenticated'),
      ('public.spotify_link', 'fn_spotify'),
      ('public.spotify_link', 'service_role'),
      ('public.store_spotify_tokens', 'fn_spotify'),
      ('public.store_spotify_tokens', 'service_role'),
      ('public.take_request', 'fn_billing'),
      ('public.take_request', 'fn_spotify'),
      ('public.take_request', 'service_role'),
      ('public.unshare_playlist', 'authenticated'),
      ('public.usage', 'authenticated')
  $$,
  'each function may be executed by the roles that were named, and by no other'
);
select results_eq(
  $$
    select c.relname::text collate "default", a.grantee::regrole::text, a.privilege_type
    from pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') and a.grantee <> c.relowner
    order by c.relname::text collate "C", 2, 3
  $$,
  $$
    values
      ('ai_sessions', 'authenticated', 'SELECT'),
      ('playlist_tracks', 'authenticated', 'SELECT'),
      ('playlist_versions', 'authenticated', 'SELECT'),
      ('playlists', 'authenticated', 'SELECT'),
      ('profiles', 'authenticated', 'SELECT'),
      ('shared_playlists', 'authenticated', 'SELECT'),
      ('spotify_copies', 'authenticated', 'SELECT')
  $$,
  'on whole tables users may only read, and service_role has no rights'
);
select is_empty(
  $$ select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relrowsecurity $$,
  'every table has row-level security'
);
select is_empty(
  $$
    select p.oid::regprocedure from pg_proc p
    where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
      and not coalesce('search_path=""' = any (p.proconfig), false)
      and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
  $$,
  'every function has an empty search_path'
);
select is_empty(
  $$
    select c.oid::regclass::text from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and obj_description(c.oid, 'pg_class') is null
    union all
    select p.oid::regprocedure::text from pg_proc p
    where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace) and obj_description(p.oid, 'pg_proc') is null
  $$,
  'every table and every function has a comment'
);
select is_empty(
  $$ select a.grantee::regrole from pg_namespace n, aclexplode(n.nspacl) a where n.nspname = 'private' and a.grantee <> n.nspowner $$,
  'no other role may use schema private'
);

-- What comes later, from the role that runs the migrations.
select set_config('role', nspowner::regrole::text, true) from pg_namespace where nspname = 'private';
create table public.newcomer (id int);
create function public.newcomer() returns int language sql as 'select 1';
create function private.newcomer() returns int language sql as 'select 1';
create sequence public.newcomers;
reset role;
select is(has_table_privilege(r, 'public.newcomer', 'select, insert, update, delete'), false, 'a new table is closed to ' || r)
from unnest(array['anon', 'authenticated', 'service_role']) r;
select is(has_function_privilege(r, 'public.newcomer()', 'execute'), false, 'a new function is closed to ' || r)
from unnest(array['anon', 'authenticated', 'service_role']) r;
select is(has_sequence_privilege('authenticated', 'public.newcomers', 'usage'), false, 'a new sequence is closed to users');
select is(has_function_privilege('authenticated', 'private.newcomer()', 'execute'), false, 'a new helper is closed to users');

-- Helpers.
select has_extension('extensions', 'pgcrypto', 'pgcrypto is in schema extensions');
select is(private.trim_space(E' \t\u00a0\u2003\ufeffa b\u200b\u3000\n'), 'a b', 'white space of every kind is trimmed at both ends');
select is(private.clean_text(E'  one\r\n\ttwo\u0007\u2028three ', 100), 'one two three', 'control characters become one space');
select is(private.clean_text('zażółć gęślą', 6), 'zażółć', 'a cut counts characters, not bytes');
select is(private.clean_text('abc def', 4), 'abc', 'a cut leaves no trailing space');
select is(private.clean_text(repeat('x', 10000000), 5), 'xxxxx', 'a huge text is cut');
select is(private.clean_text(null, 5), '', 'null becomes empty');
select is(private.clean_text(E'\u0001\u0085 ', 5), '', 'nothing visible becomes empty');

create table public.clock (id int, updated_at timestamptz not null default now());
create trigger set_updated_at before update on public.clock for each row execute function private.set_updated_at();
insert into public.clock values (1, now() - interval '1 day');
update public.clock set id = 2;
select cmp_ok((select updated_at from public.clock), '>=', now(), 'an update sets updated_at to the present');
update public.clock set updated_at = now() - interval '1 year';
select cmp_ok((select updated_at from public.clock), '>=', now(), 'updated_at cannot be set back');
truncate public.clock;
insert into public.clock values (1, '2999-01-01');
update public.clock set id = 2;
select is((select updated_at from public.clock), '2999-01-01 00:00:00.000001'::timestamptz, 'updated_at increases even when the clock stepped back');
rollback to savepoint part;

-- Function roles: none can log in, inherits or bypasses anything; each executes its own functions only.
create function pg_temp.roles() returns setof name language sql
as $$ select unnest(array['fn_ai', 'fn_spotify', 'fn_billing', 'fn_account']::name[]) $$;

select has_role(r, format('there is %s', r)) from pg_temp.roles() r;
select is_empty(
  $$
    select r.rolname from pg_roles r
    where r.rolname in (select * from pg_temp.roles())
      and (r.rolcanlogin or r.rolinherit or r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication)
  $$,
  'none can do more than be changed to'
);
select is_empty(
  $$
    select m.roleid::regrole from pg_auth_members m
    where m.member::regrole::name in (select * from pg_temp.roles())
  $$,
  'none is a member of another role'
);
select set_eq(
  $$ select m.roleid::regrole::name from pg_auth_members m where m.member = 'authenticator'::regrole and m.roleid::regrole::name ~ '^fn_' $$,
  'select * from pg_temp.roles()', 'the API may change to each'
);
select is_empty(
  $$
    select r, c.oid::regclass from pg_temp.roles() r, pg_class c
    where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and c.relkind in ('r', 'p', 'v', 'm', 'f')
      and (has_table_privilege(r, c.oid, 'select, insert, update, delete, truncate, references, trigger')
        or has_any_column_privilege(r, c.oid, 'select, insert, update, references'))
  $$,
  'none has a right on a table'
);
select is_empty($$ select r from pg_temp.roles() r where has_schema_privilege(r, 'private', 'usage') $$, 'none may use schema private');
select is_empty($$ select r from pg_temp.roles() r where not has_schema_privilege(r, 'public', 'usage') $$, 'each may use schema public');
select ok(
  not has_function_privilege('fn_ai', 'public.delete_spotify_tokens(uuid)', 'execute')
  and not has_function_privilege('fn_spotify', 'public.ai_reserve(uuid, uuid, text, boolean, uuid)', 'execute'),
  'none may do another''s work'
);
select ok(
  not has_function_privilege('fn_ai', 'public.usage()', 'execute') and not has_function_privilege('fn_ai', 'public.add_tracks(uuid, jsonb, text, text)', 'execute'),
  'nor a user''s'
);

select finish();
rollback;
