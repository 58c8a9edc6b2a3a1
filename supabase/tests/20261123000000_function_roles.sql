-- Function roles: nobody logs in as one, none inherits or bypasses anything, each does its own work and no other.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;

select plan(12);
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
  and not has_function_privilege('fn_spotify', 'public.ai_reserve(uuid, uuid, text, boolean)', 'execute'),
  'none may do another''s work'
);
select ok(
  not has_function_privilege('fn_ai', 'public.usage()', 'execute') and not has_function_privilege('fn_ai', 'public.add_tracks(uuid, jsonb, int)', 'execute'),
  'nor a user''s'
);

select finish();
rollback;
