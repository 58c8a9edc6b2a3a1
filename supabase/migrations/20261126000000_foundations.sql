-- Foundations: nothing is granted by default, helpers are not exposed by the API, each group of functions has a role.
--
-- Every table, function and sequence that the migration role creates from here on starts without rights for any other
-- role; each migration grants what is needed, by name. PUBLIC's right to execute functions can only be revoked in the
-- global form (without `in schema`): default privileges of a schema add to the global ones and never subtract.
--
-- service_role has no rights on tables, like the users' roles. Hosted Supabase does not need them (the dashboard works
-- as postgres, Auth as supabase_auth_admin, cascades as the tables' owner). A leaked secret key therefore reaches the
-- granted functions and nothing else.
--
-- Error codes: PostgREST returns PT404, PT409, PT422 and PT503 as HTTP 404, 409, 422 and 503. Functions whose comment
-- says "Server only" are granted to a function role and to service_role, never to users.

create schema if not exists extensions;
create extension if not exists pgcrypto with schema extensions;

create schema private;
comment on schema private is
  'Helpers of the functions and triggers in public. The API does not expose it; only the owner may use it.';
revoke all on schema private from public;

alter default privileges revoke execute on functions from public;
alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public revoke all on functions from anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role;

-- A function acts as its role with a JWT whose `role` claim names it; PostgREST, as authenticator, changes to that role.
-- A leaked token of one function opens its group's RPCs and no other data. Without such a token the functions use the
-- secret key, so service_role may execute the same RPCs. Roles belong to the cluster, so they may exist already.
do $$
declare
  v_role text;
begin
  foreach v_role in array array['fn_ai', 'fn_spotify', 'fn_billing', 'fn_account'] loop
    if not exists (select from pg_catalog.pg_roles r where r.rolname = v_role) then
      execute format('create role %I nologin noinherit', v_role);
    end if;
  end loop;
end
$$;
grant fn_ai, fn_spotify, fn_billing, fn_account to authenticator;
grant usage on schema public to fn_ai, fn_spotify, fn_billing, fn_account;

create function private.trim_space(p_text text) returns text
language sql immutable strict parallel safe set search_path = ''
as $$
  select btrim(p_text, E' \t\n\u000b\f\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007'
    || E'\u2008\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u3000\ufeff')
$$;
comment on function private.trim_space(text) is
  'Removes white space of every kind, the invisible kinds of Unicode included, from both ends.';

-- Texts from identity providers and language models are cleaned and cut instead of being refused. The first cut bounds the
-- work on a text of any size.
create function private.clean_text(p_text text, p_max_characters int) returns text
language sql immutable parallel safe set search_path = ''
as $$
  select private.trim_space(left(private.trim_space(
    regexp_replace(left(coalesce(p_text, ''), 20 * p_max_characters), '[\u0001-\u0020\u007f-\u009f\u2028\u2029]+', ' ', 'g')
  ), p_max_characters))
$$;
comment on function private.clean_text(text, int) is
  'One line without control characters or double spaces, trimmed and cut to at most the given number of characters; '
  'empty for null.';

create function private.digits(p_phone text) returns text
language sql immutable strict parallel safe set search_path = ''
as $$ select regexp_replace(regexp_replace(p_phone, '[^0-9]', '', 'g'), '^00', '') $$;
comment on function private.digits(text) is
  'The digits of a phone number in international form, without the + or 00 before the country code.';

create function private.seconds_until(p_moment timestamptz, p_at timestamptz) returns int
language sql stable parallel safe set search_path = ''
as $$ select greatest(1, ceil(extract(epoch from p_moment - p_at)))::int $$;
comment on function private.seconds_until(timestamptz, timestamptz) is 'A value for Retry-After: whole seconds, at least 1.';

-- clock_timestamp() and not now(), and at least a microsecond later than before: a client that compares updated_at to
-- detect concurrent writes must see every write, including two in one transaction and writes after the clock stepped back.
create function private.set_updated_at() returns trigger
language plpgsql set search_path = ''
as $$
begin
  new.updated_at := greatest(clock_timestamp(), old.updated_at + interval '1 microsecond');
  return new;
end
$$;
comment on function private.set_updated_at() is 'Trigger: updated_at strictly increases with every update.';

-- PostgREST's own form of an error, because SQLSTATEs such as PT429 cannot carry Retry-After.
create function private.refuse(p_status int, p_code text, p_message text, p_wait int) returns void
language plpgsql immutable set search_path = ''
as $$
begin
  raise sqlstate 'PGRST' using
    message = jsonb_build_object('code', p_code, 'message', p_message, 'details', null, 'hint', null)::text,
    detail = jsonb_build_object('status', p_status, 'headers', jsonb_build_object('Retry-After', p_wait::text))::text;
end
$$;
comment on function private.refuse(int, text, text, int) is
  'Refuses a request to the data API with a status, a code and Retry-After.';
