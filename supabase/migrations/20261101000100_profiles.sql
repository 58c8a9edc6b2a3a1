-- Profiles: one row per account, its plan and its Stripe customer.
--
-- The policy lets owners read and write their row; the column grants decide what of it: only the username.
-- Otherwise an owner could make themselves pro, or take over another customer's id.

create type public.plan_type as enum ('free', 'pro');

create table public.profiles (
  user_id uuid not null,
  username text not null,
  plan public.plan_type not null default 'free',
  stripe_customer_id text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint profiles_pkey primary key (user_id),
  constraint profiles_user_id_fkey foreign key (user_id) references auth.users (id) on delete cascade,
  constraint profiles_stripe_customer_id_key unique (stripe_customer_id),
  constraint profiles_username_length check (char_length(username) between 1 and 64),
  constraint profiles_username_one_line check (username !~ '[\u0001-\u001f\u007f-\u009f\u2028\u2029]')
);

comment on table public.profiles is
  'One row per account in auth.users. Its row lock (for no key update) orders everything that is counted per user.';
comment on column public.profiles.username is 'Shown name, 1 to 64 characters, trimmed. Not unique.';
comment on column public.profiles.plan is 'What the user pays for; written by billing alone.';
comment on column public.profiles.stripe_customer_id is 'Stripe''s cus_…, set at the first checkout; null before.';

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
revoke all on function private.trim_username() from public, anon, authenticated, service_role;

create trigger trim_username before insert or update of username on public.profiles
  for each row execute function private.trim_username();
create trigger set_updated_at before update on public.profiles
  for each row execute function private.set_updated_at();

alter table public.profiles enable row level security;
create policy "Profiles are owner-read-write" on public.profiles to authenticated
  using (user_id = (select auth.uid()))
  with check (user_id = (select auth.uid()));

revoke all on table public.profiles from public, anon, authenticated, service_role;
grant select, update (username) on table public.profiles to authenticated;
