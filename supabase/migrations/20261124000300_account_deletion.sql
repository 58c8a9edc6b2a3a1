-- Deleting an account: first nothing new can be paid for, then Stripe is told, then everything is deleted.
--
-- Stripe and this database cannot be changed in one step. So the deletion is written down before Stripe is told: from then
-- on the profile gets no other Stripe customer, so that nobody can begin to pay behind the cancellation, and whatever
-- fails in between is completed by asking for the deletion once more. Only such an account can be deleted.
--
-- What the account is deleted from is auth.users; all other rows go with it by their foreign keys, the profile before
-- what hangs on it. So whoever writes several of those rows locks the profile first, and none waits for a deletion that
-- waits for them: exports did not.

set local lock_timeout = '5s';

alter table public.profiles add column deletion_started_at timestamptz;
comment on column public.profiles.deletion_started_at is
  'Since when the account is being deleted, null for not; from then on it gets no other Stripe customer.';

create function private.digits(p_phone text) returns text
language sql immutable strict parallel safe set search_path = ''
as $$ select regexp_replace(regexp_replace(p_phone, '[^0-9]', '', 'g'), '^00', '') $$;
comment on function private.digits(text) is
  'The digits of a phone number in international form, without the + or 00 before the country code.';

create function public.begin_account_deletion(p_user_id uuid, p_confirmation text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_email text;
  v_phone text;
  v_customer text;
  v_kind text;
  v_is_confirmed boolean;
begin
  select nullif(private.trim_space(u.email), ''), nullif(private.digits(u.phone), '') into v_email, v_phone
  from auth.users u
  where u.id = p_user_id;
  if not found then
    return jsonb_build_object('outcome', 'no_account');
  elsif v_email is not null then
    v_kind := 'email';
    v_is_confirmed := lower(normalize(private.trim_space(p_confirmation))) = lower(normalize(v_email));
  elsif v_phone is not null then
    v_kind := 'phone';
    v_is_confirmed := private.digits(p_confirmation) = v_phone;
  else
    v_kind := 'id';
    v_is_confirmed := lower(private.trim_space(p_confirmation)) = p_user_id::text;
  end if;
  if v_is_confirmed is not true then
    return jsonb_build_object('outcome', 'not_confirmed', 'confirm_with', v_kind);
  end if;
  update public.profiles p
  set deletion_started_at = coalesce(p.deletion_started_at, clock_timestamp())
  where p.user_id = p_user_id
  returning p.stripe_customer_id into v_customer;
  return jsonb_build_object('outcome', 'begun', 'stripe_customer_id', v_customer);
end
$$;
comment on function public.begin_account_deletion(uuid, text) is
  'Begins to delete the account, or goes on: {outcome: begun, stripe_customer_id} | {outcome: not_confirmed, confirm_with: '
  'email | phone | id} | {outcome: no_account}. An account is confirmed with its e-mail address, in any case; without one '
  'with its phone number, in international form; without either with its id. Server only.';

create function public.delete_account(p_user_id uuid) returns text
language plpgsql security definer set search_path = ''
as $$
begin
  delete from auth.users u
  where u.id = p_user_id
    and not exists (select from public.profiles p where p.user_id = u.id and p.deletion_started_at is null);
  if found then
    return 'deleted';
  elsif exists (select from auth.users u where u.id = p_user_id) then
    return 'not_begun';
  end if;
  return 'no_account';
end
$$;
comment on function public.delete_account(uuid) is
  'Deletes the account and every row of it, once its deletion has begun: deleted | not_begun | no_account. Server only.';

create or replace function public.set_stripe_customer(p_user_id uuid, p_seen_customer_id text, p_stripe_customer_id text)
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
  'Gives a profile its Stripe customer, in place of the one that was seen (null for none), and answers the one that '
  'counts: of many at once the first. Null where there is no profile, or one that is being deleted. Server only.';

-- As before, but for the customer, which has to stay the one that the deletion has begun with.
create or replace function public.set_billing_plan(
  p_user_id uuid, p_seen_synced_at timestamptz, p_stripe_customer_id text, p_plan public.plan_type
) returns text
language plpgsql security definer set search_path = ''
as $$
begin
  update public.profiles p
  set plan = p_plan,
    stripe_customer_id = p_stripe_customer_id,
    plan_synced_at = private.next_plan_sync(p.plan_synced_at)
  where p.user_id = p_user_id and p.plan_synced_at is not distinct from p_seen_synced_at
    and (p.deletion_started_at is null or p.stripe_customer_id is not distinct from p_stripe_customer_id);
  if found then
    return 'written';
  elsif exists (
    select from public.profiles p
    where p.user_id = p_user_id
      and (p.deletion_started_at is null or p.stripe_customer_id is not distinct from p_stripe_customer_id)
  ) then
    return 'conflict';
  end if;
  return 'no_profile';
exception
  -- The customer has become another profile's since it was read.
  when unique_violation then
    return 'conflict';
end
$$;
comment on function public.set_billing_plan(uuid, timestamptz, text, public.plan_type) is
  'Writes what Stripe says, if nothing was written since p_seen_synced_at was read: written | conflict | no_profile, which '
  'it is also where the profile is being deleted and has another customer. Server only.';

-- As before, but for the lock: forgetting an old key and remembering a new one are two rows of the profile's.
create or replace function public.begin_spotify_export(p_user_id uuid, p_idempotency_key uuid, p_request jsonb) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_export public.spotify_exports;
  v_now timestamptz;
begin
  perform from public.profiles p where p.user_id = p_user_id for key share;
  if not found then
    return jsonb_build_object('outcome', 'no_profile');
  end if;
  delete from public.spotify_exports e
  where e.user_id = p_user_id and e.created_at < clock_timestamp() - private.spotify_export_ttl();

  insert into public.spotify_exports (user_id, idempotency_key, request, held_until)
  values (p_user_id, p_idempotency_key, p_request, '-infinity')
  on conflict (user_id, idempotency_key) do nothing;
  -- The clock is read behind the lock: who waited for it must not take over what was finished meanwhile.
  select * into v_export
  from public.spotify_exports e
  where e.user_id = p_user_id and e.idempotency_key = p_idempotency_key
  for update;
  v_now := clock_timestamp();

  if v_export.request <> p_request then
    return jsonb_build_object('outcome', 'key_reused');
  elsif v_export.result is not null then
    return jsonb_build_object('outcome', 'finished', 'result', v_export.result);
  elsif v_export.held_until > v_now then
    return jsonb_build_object(
      'outcome', 'in_progress', 'retry_after_seconds', private.seconds_until(v_export.held_until, v_now)
    );
  end if;
  update public.spotify_exports e
  set held_until = v_now + private.spotify_export_hold()
  where e.user_id = p_user_id and e.idempotency_key = p_idempotency_key;
  return jsonb_build_object('outcome', 'held', 'spotify_playlist_id', v_export.spotify_playlist_id);
end
$$;

revoke all on function public.begin_account_deletion(uuid, text), public.delete_account(uuid)
  from public, anon, authenticated, service_role;
grant execute on function public.begin_account_deletion(uuid, text), public.delete_account(uuid)
  to fn_account, service_role;
