-- Profiles: one row per account, with its plan and its Stripe customer, created by the database at sign-up.
--
-- The policy lets owners read and write their row; the column grants restrict writing to the username. Otherwise an owner
-- could set plan to pro or take another customer's id.

create type public.plan_type as enum ('free', 'pro');

create table public.profiles (
  user_id uuid not null,
  username text not null,
  plan public.plan_type not null default 'free',
  stripe_customer_id text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  plan_synced_at timestamptz,
  deletion_started_at timestamptz,
  plan_period_ends_at timestamptz,
  plan_renews boolean not null default false,
  constraint profiles_pkey primary key (user_id),
  constraint profiles_user_id_fkey foreign key (user_id) references auth.users (id) on delete cascade,
  constraint profiles_stripe_customer_id_key unique (stripe_customer_id),
  constraint profiles_username_length check (char_length(username) between 1 and 64),
  constraint profiles_username_one_line check (username !~ '[\u0001-\u001f\u007f-\u009f\u2028\u2029]')
);

comment on table public.profiles is
  'One row per account in auth.users. Its row lock (for no key update) serialises everything that is counted per user.';
comment on column public.profiles.username is 'Displayed name, 1 to 64 characters, trimmed. Not unique.';
comment on column public.profiles.plan is 'The plan that the user pays for; written by billing only.';
comment on column public.profiles.stripe_customer_id is 'Stripe''s customer id (cus_…), set at the first checkout; null before.';
comment on column public.profiles.plan_synced_at is
  'When plan and stripe_customer_id were last synchronised with Stripe, null for never. Strictly increases with every such write.';
comment on column public.profiles.plan_period_ends_at is
  'When the period that the user pays for ends; null for a free plan, and while a payment is overdue.';
comment on column public.profiles.plan_renews is
  'Whether another period follows plan_period_ends_at; false for a free plan and for one that was cancelled.';
comment on column public.profiles.deletion_started_at is
  'When the deletion of the account began, null otherwise. From then on the profile gets no other Stripe customer.';

-- Definer, because the helper is in private.
create function private.trim_username() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  new.username := private.trim_space(new.username);
  return new;
end
$$;
comment on function private.trim_username() is 'Trigger: the username is stored trimmed.';

create trigger trim_username before insert or update of username on public.profiles
  for each row execute function private.trim_username();
create trigger set_updated_at before update on public.profiles
  for each row execute function private.set_updated_at();

alter table public.profiles enable row level security;
create policy "Profiles are owner-read-write" on public.profiles to authenticated
  using (user_id = (select auth.uid()))
  with check (user_id = (select auth.uid()));
grant select, update (username) on table public.profiles to authenticated;

-- Read from auth.users and not from the token, which still says so for a while after the user has given an address.
create function private.is_anonymous(p_user_id uuid) returns boolean
language sql stable set search_path = ''
as $$ select exists (select from auth.users u where u.id = p_user_id and u.is_anonymous) $$;
comment on function private.is_anonymous(uuid) is 'Whether a user signed in without an address and has not given one since.';

-- The metadata comes from the client or from an identity provider: it may be huge, empty or of any shape, and must not
-- fail a sign-up. The name is cleaned and cut; if it still cannot be stored, the profile gets a neutral name; if that fails
-- too, the account is created without a profile, and the log names the error.
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
  exception when data_exception or integrity_constraint_violation or program_limit_exceeded or plpgsql_error then
    insert into public.profiles (user_id, username) values (new.id, 'Listener') on conflict (user_id) do nothing;
  end;
  return null;
exception
  -- Violations of later constraints, errors of triggers, missing rights, and lock timeouts.
  when data_exception or integrity_constraint_violation or program_limit_exceeded or plpgsql_error
    or syntax_error_or_access_rule_violation or object_not_in_prerequisite_state then
  raise warning 'no profile for account %: % (%)', new.id, sqlerrm, sqlstate;
  return null;
end
$$;
comment on function private.create_profile() is 'Trigger: gives a new account its profile; never fails a sign-up.';

create trigger create_profile after insert on auth.users
  for each row execute function private.create_profile();

-- Profiles for accounts that are older than this migration.
insert into public.profiles (user_id, username)
select u.id, private.sign_up_name(u.raw_user_meta_data::jsonb, u.email)
from auth.users u
on conflict (user_id) do nothing;
