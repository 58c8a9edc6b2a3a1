-- A profile for every account, made by the database at sign-up.
--
-- The metadata comes from the client or from an identity provider: it may be huge, empty or of any shape, and none
-- of this may fail a sign-up. So the name is made to fit, and should anything else go wrong, the account is created
-- with a neutral name; should even that fail, without a profile, and the log says so.

create function private.sign_up_name(p_metadata jsonb, p_email text) returns text
language sql immutable set search_path = ''
as $$
  select coalesce(
    (
      select nullif(private.clean_text(p_metadata ->> k.key, 64), '')
      from unnest(array['username', 'name', 'full_name', 'user_name', 'preferred_username']) with ordinality as k (key, rank)
      where jsonb_typeof(p_metadata -> k.key) = 'string'
        and private.clean_text(p_metadata ->> k.key, 64) <> ''
      order by k.rank
      limit 1
    ),
    nullif(private.clean_text(split_part(p_email, '@', 1), 64), ''),
    'Listener'
  )
$$;
comment on function private.sign_up_name(jsonb, text) is
  'First usable name in the metadata, else the e-mail''s local part, else ''Listener''.';

create function private.create_profile() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  begin
    insert into public.profiles (user_id, username)
    values (new.id, private.sign_up_name(new.raw_user_meta_data::jsonb, new.email))
    on conflict (user_id) do nothing;
  exception when others then
    insert into public.profiles (user_id, username) values (new.id, 'Listener') on conflict (user_id) do nothing;
  end;
  return null;
exception when others then
  raise warning 'no profile for account %: % (%)', new.id, sqlerrm, sqlstate;
  return null;
end
$$;
comment on function private.create_profile() is 'Trigger: gives a new account its profile; never fails a sign-up.';

revoke all on function private.sign_up_name(jsonb, text), private.create_profile()
  from public, anon, authenticated, service_role;

create trigger create_profile after insert on auth.users
  for each row execute function private.create_profile();

-- Accounts that are older than this migration.
insert into public.profiles (user_id, username)
select u.id, private.sign_up_name(u.raw_user_meta_data::jsonb, u.email)
from auth.users u
on conflict (user_id) do nothing;
