-- Billing: the plan and the Stripe customer of a profile, written by billing only, and never from an outdated read.
--
-- Stripe's events arrive twice, late and in any order, so each is only a signal to read Stripe's current state and write
-- it here. Reading there and writing here are two steps: A reads, B reads a later state and writes it, A writes what it
-- read. So every write names the state that it was decided on, and fails where another write came between. The last
-- successful write is therefore based on the newest read.
--
-- That state has its own column, plan_synced_at: with updated_at, an owner who keeps changing their name would prevent
-- every cancellation. It changes at every write, also of the same plan, because every write makes earlier reads outdated.
--
-- While an account is being deleted it keeps the customer that the deletion began with.

create function private.next_plan_sync(p_last timestamptz) returns timestamptz
language sql volatile set search_path = ''
as $$ select greatest(clock_timestamp(), p_last + interval '1 microsecond') $$;
comment on function private.next_plan_sync(timestamptz) is 'The current time, always later than the last one, also after the clock stepped back.';

create function private.seen_by_billing(p_profile public.profiles) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'user_id', p_profile.user_id,
    'plan', p_profile.plan,
    'plan_renews', p_profile.plan_renews,
    'plan_period_ends_at', extract(epoch from p_profile.plan_period_ends_at)::bigint,
    'stripe_customer_id', p_profile.stripe_customer_id,
    'plan_synced_at', p_profile.plan_synced_at
  )
  where p_profile.user_id is not null
$$;
comment on function private.seen_by_billing(public.profiles) is 'The columns of a profile that billing reads; null for none. plan_period_ends_at is in Unix seconds, as Stripe has it.';

create function public.billing_profile(p_user_id uuid default null, p_stripe_customer_id text default null) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_profile public.profiles;
begin
  select * into v_profile from public.profiles p where p.stripe_customer_id = p_stripe_customer_id;
  if not found then
    select * into v_profile from public.profiles p where p.user_id = p_user_id;
  end if;
  return private.seen_by_billing(v_profile);
end
$$;
comment on function public.billing_profile(uuid, text) is
  'The profile of the Stripe customer and, where no profile has it, of the user: {user_id, plan, plan_renews, '
  'plan_period_ends_at (in Unix seconds), stripe_customer_id, plan_synced_at}, or null. Server only.';

create function public.billing_profiles(p_after uuid default null, p_limit int default 1000) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(private.seen_by_billing(page) order by page.user_id), '[]')
  from (
    select * from public.profiles p
    where p_after is null or p.user_id > p_after
    order by p.user_id
    limit least(greatest(p_limit, 1), 1000)
  ) page
$$;
comment on function public.billing_profiles(uuid, int) is
  'All profiles as billing_profile returns them, ordered by user_id, a page of at most 1000 after p_after. Server only.';

create function public.set_billing_plan(
  p_user_id uuid, p_seen_synced_at timestamptz, p_stripe_customer_id text, p_plan public.plan_type, p_renews boolean,
  p_period_ends_at bigint
) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_profile public.profiles;
begin
  update public.profiles p
  set plan = p_plan,
    plan_renews = p_renews,
    plan_period_ends_at = to_timestamp(p_period_ends_at),
    stripe_customer_id = p_stripe_customer_id,
    plan_synced_at = private.next_plan_sync(p.plan_synced_at)
  where p.user_id = p_user_id and p.plan_synced_at is not distinct from p_seen_synced_at
    and (p.deletion_started_at is null or p.stripe_customer_id is not distinct from p_stripe_customer_id)
  returning * into v_profile;
  if found then
    return jsonb_build_object('outcome', 'written', 'profile', private.seen_by_billing(v_profile));
  end if;
  select * into v_profile from public.profiles p
  where p.user_id = p_user_id
    and (p.deletion_started_at is null or p.stripe_customer_id is not distinct from p_stripe_customer_id);
  return jsonb_build_object('outcome', case when found then 'conflict' else 'no_profile' end, 'profile', private.seen_by_billing(v_profile));
exception
  -- Another profile has taken the customer since it was read.
  when unique_violation then
    return jsonb_build_object('outcome', 'conflict', 'profile', null);
end
$$;
comment on function public.set_billing_plan(uuid, timestamptz, text, public.plan_type, boolean, bigint) is
  'Writes Stripe''s state, if nothing was written since p_seen_synced_at was read. Returns {outcome: written | conflict | '
  'no_profile, profile}; the profile is as billing_profile returns it, after the write or the conflict, so that the next '
  'write can name its time. The outcome is also no_profile where the profile is being deleted and has another customer; '
  'the profile is null where another profile has the customer. Server only.';

create function public.set_stripe_customer(p_user_id uuid, p_seen_customer_id text, p_stripe_customer_id text)
returns text
language plpgsql security definer set search_path = ''
as $$
declare
  v_customer text;
begin
  update public.profiles p
  set stripe_customer_id = p_stripe_customer_id,
    plan_synced_at = private.next_plan_sync(p.plan_synced_at)
  where p.user_id = p_user_id
    and p.stripe_customer_id is not distinct from p_seen_customer_id
    and p.deletion_started_at is null;
  select p.stripe_customer_id into v_customer
  from public.profiles p
  where p.user_id = p_user_id and p.deletion_started_at is null;
  return v_customer;
end
$$;
comment on function public.set_stripe_customer(uuid, text, text) is
  'Gives a profile its Stripe customer, replacing the one that was seen (null for none), and returns the '
  'stored one: of many concurrent calls the first. Null where there is no profile, or one that is being deleted. Server only.';

grant execute on function
  public.billing_profile(uuid, text), public.billing_profiles(uuid, int),
  public.set_billing_plan(uuid, timestamptz, text, public.plan_type, boolean, bigint), public.set_stripe_customer(uuid, text, text)
  to fn_billing, service_role;
