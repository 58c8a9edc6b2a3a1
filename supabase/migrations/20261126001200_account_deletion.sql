-- Deleting an account: first new payments are prevented, then Stripe's customer is deleted, then everything here.
--
-- Stripe and this database cannot change in one step. So the deletion is recorded before Stripe is called: from then on the
-- profile gets no other Stripe customer, so no payment can begin after the cancellation, and a repeated request completes
-- what failed in between. Only an account whose deletion has begun can be deleted.
--
-- The row in auth.users is deleted; all other rows go with it by their foreign keys, the profile before the rows that
-- reference it. So every function that writes several of those rows locks the profile first, and no deletion and writer
-- wait for each other.
--
-- The quota outlives the account, or deleting it and signing up again would return the quota. What remains is a keyed hash
-- of the address with when it generated and what that cost: never the address, the id or a prompt. An account with the
-- same address continues from there. A row is deleted when it no longer counts, at most 30 days after the generation.
-- The key is created here, once; it never leaves the database, and no API role may read it.

create type public.account_deletion_outcome as enum ('deleted', 'deleted_but_logged', 'not_begun', 'no_account');

create table private.address_key (
  is_only boolean not null default true,
  key bytea not null,
  constraint address_key_pkey primary key (is_only),
  constraint address_key_is_only check (is_only)
);
comment on table private.address_key is 'The random key of private.address_hash, in one row.';
insert into private.address_key (key) values (extensions.gen_random_bytes(32));

create table private.former_usage (
  address_hash bytea not null,
  created_at timestamptz not null,
  status public.ai_status_enum not null,
  cost numeric(10, 4) not null,
  settled_at timestamptz,
  constraint former_usage_pkey primary key (address_hash, created_at)
);
create index former_usage_created_at_idx on private.former_usage (created_at);
comment on table private.former_usage is
  'What an address had used before its account was deleted or got another address: generations of the last 30 days, under a keyed hash.';
comment on column private.former_usage.settled_at is 'As in ai_sessions: a reservation keeps its slot in the next account until it expires.';

create function private.normal_address(p_email text) returns text
language sql immutable parallel safe set search_path = ''
as $$
  select case
    when a.domain in ('gmail.com', 'googlemail.com') then replace(a.mailbox, '.', '') || '@gmail.com'
    else a.mailbox || '@' || a.domain
  end
  from (
    select
      regexp_replace(w.whole, '^.*@', '') as domain,
      coalesce(nullif(split_part(regexp_replace(w.whole, '@[^@]*$', ''), '+', 1), ''), regexp_replace(w.whole, '@[^@]*$', '')) as mailbox
    from (select lower(normalize(private.trim_space(p_email), nfkc)) as whole) w
  ) a
$$;
comment on function private.normal_address(text) is
  'The mailbox of an address: lower case, Unicode NFKC, without the part after a plus, for Gmail without dots.';

create function private.address_hash(p_email text, p_phone text) returns bytea
language sql stable set search_path = ''
as $$
  select extensions.hmac(convert_to(a.address, 'UTF8'), k.key, 'sha256')
  from private.address_key k,
    (select coalesce('email:' || private.normal_address(nullif(private.trim_space(p_email), '')), 'phone:' || nullif(private.digits(p_phone), '')) as address) a
  where a.address is not null
$$;
comment on function private.address_hash(text, text) is 'HMAC-SHA-256 of an account''s address, or else of its phone number; no row without either.';

create function private.remember_usage(p_user_id uuid, p_hash bytea) returns void
language sql volatile set search_path = ''
as $$
  insert into private.former_usage (address_hash, created_at, status, cost, settled_at)
  select p_hash, s.created_at, s.status, s.cost, s.settled_at
  from public.ai_sessions s
  where p_hash is not null and s.user_id = p_user_id and s.created_at > clock_timestamp() - private.ai_quota_window()
  on conflict on constraint former_usage_pkey do nothing
$$;
comment on function private.remember_usage(uuid, bytea) is 'Stores when a user generated and what it cost, under the hash of their address.';

create function private.continue_usage(p_user_id uuid, p_hash bytea) returns void
language sql volatile set search_path = ''
as $$
  insert into public.ai_sessions (user_id, prompt, status, cost, created_at, settled_at)
  select p_user_id, '(an earlier account)', f.status, f.cost, f.created_at, f.settled_at
  from private.former_usage f
  where f.address_hash = p_hash
    and f.created_at > clock_timestamp() - private.ai_quota_window()
    and not exists (select from public.ai_sessions s where s.user_id = p_user_id and s.created_at = f.created_at)
$$;
comment on function private.continue_usage(uuid, bytea) is 'Charges a user what their address had used before.';

-- A trigger on Auth's table must never make Auth's statement fail.
create function private.follow_address() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  if tg_op = 'UPDATE' then
    perform private.remember_usage(new.id, private.address_hash(old.email, old.phone));
  end if;
  perform private.continue_usage(new.id, private.address_hash(new.email, new.phone));
  return null;
exception
  -- A missing profile, a missing partition, or a failed migration.
  when data_exception or integrity_constraint_violation or syntax_error_or_access_rule_violation
    or object_not_in_prerequisite_state or plpgsql_error then
  raise warning 'the usage of account % does not follow its address: % (%)', new.id, sqlerrm, sqlstate;
  return null;
end
$$;
comment on function private.follow_address() is 'Trigger: an account continues with the usage of its address; a changed address keeps what was used under it.';
-- Triggers run in the order of their names: create_profile comes first, and sessions reference the profile.
create trigger follow_address after insert on auth.users
  for each row execute function private.follow_address();
create trigger follow_changed_address after update of email, phone on auth.users
  for each row when (old.email is distinct from new.email or old.phone is distinct from new.phone)
  execute function private.follow_address();

-- Auth's log and its unfinished sign-ins also name the account. If they cannot be cleaned, the account is deleted anyway,
-- and the outcome says so. An address is sought with its quotation marks: ana@x.org must not remove the entries of joana@x.org.
create function private.forget_in_auth(p_user_id uuid, p_email text, p_phone text) returns boolean
language plpgsql volatile set search_path = ''
as $$
begin
  if to_regclass('auth.audit_log_entries') is not null then
    execute $statement$
      delete from auth.audit_log_entries e
      where strpos(lower(e.payload::text), $1::text) > 0 or strpos(lower(e.payload::text), to_json(lower($2))::text) > 0
        or strpos(e.payload::text, to_json($3)::text) > 0
    $statement$ using p_user_id, nullif(p_email, ''), nullif(p_phone, '');
  end if;
  if to_regclass('auth.flow_state') is not null then
    execute 'delete from auth.flow_state f where f.user_id::text = $1::text' using p_user_id;
  end if;
  return true;
exception
  -- Missing rights, changed columns in a later version of Auth, and timeouts of locks and statements.
  when syntax_error_or_access_rule_violation or data_exception or integrity_constraint_violation
    or object_not_in_prerequisite_state or plpgsql_error or query_canceled then
  raise warning 'what Auth wrote about a deleted account stays: % (%)', sqlerrm, sqlstate;
  return false;
end
$$;
comment on function private.forget_in_auth(uuid, text, text) is
  'Deletes an account''s entries in Auth''s log and unfinished sign-ins; returns false where that is not possible.';

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
  'Begins to delete the account, or continues: {outcome: begun, stripe_customer_id} | {outcome: not_confirmed, confirm_with: '
  'email | phone | id} | {outcome: no_account}. An account is confirmed with its e-mail address, in any case; without one '
  'with its phone number, in international form; without either with its id. Server only.';

create function public.delete_account(p_user_id uuid) returns public.account_deletion_outcome
language plpgsql security definer set search_path = ''
as $$
declare
  v_email text;
  v_phone text;
begin
  perform from public.profiles p where p.user_id = p_user_id and p.deletion_started_at is not null for update;
  if found then
    perform private.remember_usage(p_user_id, private.address_hash(u.email, u.phone)) from auth.users u where u.id = p_user_id;
  end if;
  delete from auth.users u
  where u.id = p_user_id
    and not exists (select from public.profiles p where p.user_id = u.id and p.deletion_started_at is null)
  returning u.email, u.phone into v_email, v_phone;
  if found then
    return case when private.forget_in_auth(p_user_id, v_email, v_phone) then 'deleted' else 'deleted_but_logged' end::public.account_deletion_outcome;
  elsif exists (select from auth.users u where u.id = p_user_id) then
    return 'not_begun'::public.account_deletion_outcome;
  end if;
  return 'no_account'::public.account_deletion_outcome;
end
$$;
comment on function public.delete_account(uuid) is
  'Deletes the account and every row of it, once its deletion has begun: deleted | deleted_but_logged | not_begun | '
  'no_account. deleted_but_logged: Auth''s log could not be cleaned. Server only.';

grant execute on function public.begin_account_deletion(uuid, text), public.delete_account(uuid) to fn_account, service_role;
