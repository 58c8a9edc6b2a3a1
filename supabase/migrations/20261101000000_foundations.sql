-- Foundations: nothing is granted by default, helpers live out of the API's reach, pgcrypto is at hand.
--
-- Every table, function and sequence created from here on by the migration role starts with no rights for
-- anybody else; each migration grants what is needed, by name. Rights to execute that PUBLIC gets by default
-- can only be taken away in the global form (without `in schema`): a default per schema can add to the global
-- one, never subtract from it.
--
-- service_role is treated like the users' roles: it gets no rights on tables. Hosted Supabase does not need them
-- (the dashboard works as postgres, Auth as supabase_auth_admin, cascades as the tables' owner), and so a leaked
-- secret key reaches the listed functions and nothing else.

create schema if not exists extensions;
create extension if not exists pgcrypto with schema extensions;

create schema private;
comment on schema private is
  'Helpers of the functions and triggers in public. Not exposed by the API; no role but the owner may use it.';
revoke all on schema private from public;

alter default privileges revoke execute on functions from public;
alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public revoke all on functions from anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role;

create function private.trim_space(p_text text) returns text
language sql immutable strict parallel safe set search_path = ''
as $$
  select btrim(p_text, E' \t\n\u000b\f\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007'
    || E'\u2008\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u3000\ufeff')
$$;
comment on function private.trim_space(text) is
  'Removes white space of every kind, the invisible kinds of Unicode included, from both ends.';

-- Text that no person typed into our forms (an identity provider's, a language model's) is made to fit, not refused.
-- The first cut bounds the work on a text of any size.
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

-- clock_timestamp() and not now(), and at least a microsecond later than before: whoever compares updated_at to
-- detect a concurrent write must see every write, also two in one transaction, also after the clock stepped back.
create function private.set_updated_at() returns trigger
language plpgsql set search_path = ''
as $$
begin
  new.updated_at := greatest(clock_timestamp(), old.updated_at + interval '1 microsecond');
  return new;
end
$$;
comment on function private.set_updated_at() is 'Trigger: updated_at strictly increases at every update.';

revoke all on all functions in schema private from public, anon, authenticated, service_role;
