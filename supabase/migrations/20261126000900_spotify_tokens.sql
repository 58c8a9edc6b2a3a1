-- Spotify tokens: encrypted per user and column, reached by functions of the server only.
--
-- The secret comes with every call from the function's environment and stays in the setting app.spotify_secret until the
-- transaction ends: any role that can query could read a setting of the database, and hosted Supabase refuses to set one.
-- The key is derived per user and column, so a ciphertext that is copied elsewhere does not decrypt. The secret is random
-- and long, so stretching it would cost time and add nothing: s2k-count is the smallest allowed.
--
-- While a secret is replaced, a function has two: it writes with the first and reads with either, so no token is ever
-- unreadable. supabase/README.md describes the steps.
--
-- Linking starts the six months after which Spotify forgets a refresh token; replacing the access token does not. So
-- storing (a new link) sets created_at, and replacing is a separate function.
--
-- Of many requests that find the token expired, one is told to replace it and has a minute for that, which is longer than
-- it can take; the others are told to wait. If two replaced the same refresh token, Spotify could refuse the second while
-- the first has not stored its new one, and the link would be given up. A new token is stored only if the refresh token
-- is still the one that it was obtained with, so a late response never overwrites a newer link. In the same way a link is
-- given up only for its own token.
--
-- The owner's policy exists without a grant: users must neither read nor overwrite ciphertext.

create type public.spotify_token_state as enum ('fresh', 'refresh', 'wait');

create table public.spotify_tokens (
  user_id uuid not null,
  access_token bytea not null,
  refresh_token bytea not null,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  display_name text,
  refreshing_until timestamptz,
  account_id text,
  constraint spotify_tokens_user_idx primary key (user_id),
  constraint spotify_tokens_user_id_fkey foreign key (user_id) references public.profiles (user_id) on delete cascade,
  constraint spotify_tokens_display_name_length check (char_length(display_name) between 1 and 200),
  constraint spotify_tokens_account_id_length check (char_length(account_id) between 1 and 200)
);

comment on table public.spotify_tokens is 'OAuth tokens of linked Spotify accounts, encrypted with pgp_sym_encrypt.';
comment on column public.spotify_tokens.expires_at is 'When the access token expires; the link lasts longer.';
comment on column public.spotify_tokens.created_at is 'When the account was last linked.';
comment on column public.spotify_tokens.display_name is 'The account''s public name on Spotify, not encrypted, so that it can be shown without the secret.';
comment on column public.spotify_tokens.refreshing_until is 'Until then one request is replacing the access token.';
comment on column public.spotify_tokens.account_id is 'The Spotify account''s id, which never changes; null where Spotify did not return it.';

create trigger set_updated_at before update on public.spotify_tokens
  for each row execute function private.set_updated_at();

alter table public.spotify_tokens enable row level security;
create policy "Owner access via RPC" on public.spotify_tokens to authenticated
  using (user_id = (select auth.uid()))
  with check (user_id = (select auth.uid()));

create function private.spotify_link_ttl() returns interval
language sql immutable parallel safe set search_path = ''
as $$ select interval '6 months' $$;
comment on function private.spotify_link_ttl() is 'How long Spotify accepts a refresh token, from the user''s agreement on.';

create function private.use_spotify_secrets(p_secret text, p_other_secret text) returns void
language plpgsql set search_path = ''
as $$
begin
  if p_secret is null or char_length(p_secret) < 32 or char_length(p_other_secret) < 32 then
    raise exception using errcode = 'PT503', message = 'the Spotify secret is missing or shorter than 32 characters';
  end if;
  perform
    set_config('app.spotify_secret', p_secret, true),
    set_config('app.spotify_other_secret', coalesce(p_other_secret, ''), true);
end
$$;
comment on function private.use_spotify_secrets(text, text) is
  'Sets app.spotify_secret, and app.spotify_other_secret where there is one, for this transaction; refuses short ones.';

create function private.encrypt_spotify_token(p_user_id uuid, p_column text, p_token text) returns bytea
language sql volatile strict set search_path = ''
as $$
  select extensions.pgp_sym_encrypt(
    p_token,
    encode(extensions.hmac(p_user_id || '/' || p_column, current_setting('app.spotify_secret'), 'sha256'), 'hex'),
    'cipher-algo=aes256, s2k-count=1024'
  )
$$;
comment on function private.encrypt_spotify_token(uuid, text, text) is
  'Encrypts one token with app.spotify_secret for its user and column.';

create function private.decrypt_spotify_token(p_user_id uuid, p_column text, p_ciphertext bytea, p_setting text) returns text
language plpgsql stable set search_path = ''
as $$
begin
  return extensions.pgp_sym_decrypt(
    p_ciphertext,
    encode(extensions.hmac(p_user_id || '/' || p_column, nullif(current_setting(p_setting, true), ''), 'sha256'), 'hex')
  );
exception
  -- A wrong key, damaged data, and bytes that by chance decrypt to invalid text.
  when external_routine_invocation_exception or data_exception then
  return null;
end
$$;
comment on function private.decrypt_spotify_token(uuid, text, bytea, text) is
  'One token, or null where it does not decrypt: another secret, another row or column, or damaged.';

create function private.open_spotify_token(p_user_id uuid, p_column text, p_ciphertext bytea) returns text
language plpgsql stable set search_path = ''
as $$
declare
  v_token text := coalesce(
    private.decrypt_spotify_token(p_user_id, p_column, p_ciphertext, 'app.spotify_secret'),
    private.decrypt_spotify_token(p_user_id, p_column, p_ciphertext, 'app.spotify_other_secret')
  );
begin
  if v_token is null then
    raise exception using
      errcode = 'PT503',
      message = 'the stored Spotify tokens cannot be read',
      hint = 'The functions hold another secret than the one that they were stored with, or the row is damaged. '
        'With the right secret, or after linking again, they can.';
  end if;
  return v_token;
end
$$;
comment on function private.open_spotify_token(uuid, text, bytea) is 'One token, decrypted with either secret; PT503 where neither fits.';

-- An export under an Idempotency-Key remembers its copy, and a copy in one Spotify account cannot be filled from another.
-- So linking forgets the copies and the unfinished exports in other accounts; linking the same account again forgets nothing. Where
-- Spotify did not return an id, nothing is forgotten here: the function sees that the copy cannot be filled (403, 404)
-- and creates another.
create function public.store_spotify_tokens(
  p_user_id uuid, p_secret text, p_access_token text, p_refresh_token text, p_expires_at timestamptz,
  p_display_name text default null, p_account_id text default null
) returns void
language plpgsql security definer set search_path = ''
as $$
declare
  v_account_id text := nullif(private.clean_text(p_account_id, 200), '');
begin
  perform private.use_spotify_secrets(p_secret, null);
  perform from public.profiles p where p.user_id = p_user_id for key share;
  insert into public.spotify_tokens as t (user_id, access_token, refresh_token, expires_at, display_name, account_id)
  values (
    p_user_id,
    private.encrypt_spotify_token(p_user_id, 'access_token', p_access_token),
    private.encrypt_spotify_token(p_user_id, 'refresh_token', p_refresh_token),
    p_expires_at,
    nullif(private.clean_text(p_display_name, 200), ''),
    v_account_id
  )
  on conflict (user_id) do update
    set access_token = excluded.access_token, refresh_token = excluded.refresh_token, expires_at = excluded.expires_at,
      display_name = excluded.display_name, account_id = excluded.account_id, created_at = clock_timestamp(),
      refreshing_until = null;
  -- An export that a request is working on is left to that request.
  delete from public.spotify_exports e
  where e.user_id = p_user_id and e.result is null and e.spotify_account_id <> v_account_id
    and e.held_until <= clock_timestamp();
  delete from public.spotify_copies c where c.user_id = p_user_id and c.spotify_account_id <> v_account_id;
end
$$;
comment on function public.store_spotify_tokens(uuid, text, text, text, timestamptz, text, text) is
  'Links an account, anew where there was a link, with its tokens encrypted with p_secret (at least 32 characters), and '
  'forgets the copies and the unfinished exports in other accounts. Server only.';

create function public.get_spotify_tokens(
  p_user_id uuid, p_secret text, p_other_secret text default null, p_refused_access_token text default null
) returns table (access_token text, refresh_token text, expires_at timestamptz, state public.spotify_token_state)
language plpgsql security definer set search_path = ''
as $$
declare
  v_link public.spotify_tokens;
  v_access_token text;
  v_refresh_token text;
  v_now timestamptz := clock_timestamp();
  v_state public.spotify_token_state := 'fresh'::public.spotify_token_state;
begin
  perform private.use_spotify_secrets(p_secret, p_other_secret);
  select * into v_link from public.spotify_tokens t where t.user_id = p_user_id;
  if not found then
    return;
  end if;
  v_access_token := private.open_spotify_token(p_user_id, 'access_token', v_link.access_token);
  v_refresh_token := private.open_spotify_token(p_user_id, 'refresh_token', v_link.refresh_token);
  if v_link.expires_at <= v_now + interval '1 minute' or v_access_token = p_refused_access_token then
    update public.spotify_tokens t
    set refreshing_until = v_now + interval '1 minute'
    where t.user_id = p_user_id and t.refresh_token = v_link.refresh_token and t.access_token = v_link.access_token
      and (t.refreshing_until is null or t.refreshing_until <= v_now);
    v_state := case when found then 'refresh' else 'wait' end::public.spotify_token_state;
  end if;
  return query select v_access_token, v_refresh_token, v_link.expires_at, v_state;
end
$$;
comment on function public.get_spotify_tokens(uuid, text, text, text) is
  'A user''s decrypted tokens, or no row; PT503 when neither secret opens them. state: fresh (valid for at least a minute), '
  'refresh (expired, or the one that Spotify refused: the caller must replace it), wait (another request is replacing it). '
  'Server only.';

create function public.refresh_spotify_tokens(
  p_user_id uuid, p_secret text, p_seen_refresh_token text, p_access_token text, p_refresh_token text,
  p_expires_at timestamptz, p_other_secret text default null
) returns boolean
language plpgsql security definer set search_path = ''
as $$
declare
  v_stored text;
begin
  perform private.use_spotify_secrets(p_secret, p_other_secret);
  select private.open_spotify_token(t.user_id, 'refresh_token', t.refresh_token) into v_stored
  from public.spotify_tokens t
  where t.user_id = p_user_id
  for update;
  if v_stored is distinct from p_seen_refresh_token then
    return false;
  end if;
  update public.spotify_tokens t
  set
    access_token = private.encrypt_spotify_token(p_user_id, 'access_token', p_access_token),
    refresh_token = private.encrypt_spotify_token(p_user_id, 'refresh_token', coalesce(p_refresh_token, v_stored)),
    expires_at = p_expires_at,
    refreshing_until = null
  where t.user_id = p_user_id;
  return found;
end
$$;
comment on function public.refresh_spotify_tokens(uuid, text, text, text, text, timestamptz, text) is
  'Replaces the tokens if the refresh token is still the one that was seen; a null refresh token keeps it. Returns whether it did. Server only.';

create function public.release_spotify_refresh(p_user_id uuid) returns void
language sql security definer set search_path = ''
as $$ update public.spotify_tokens t set refreshing_until = null where t.user_id = p_user_id $$;
comment on function public.release_spotify_refresh(uuid) is
  'Allows the next request to replace the token, after a failure. Server only.';

create function public.expire_spotify_link(
  p_user_id uuid, p_secret text, p_seen_refresh_token text, p_other_secret text default null
) returns boolean
language plpgsql security definer set search_path = ''
as $$
declare
  v_stored text;
begin
  perform private.use_spotify_secrets(p_secret, p_other_secret);
  select private.open_spotify_token(t.user_id, 'refresh_token', t.refresh_token) into v_stored
  from public.spotify_tokens t
  where t.user_id = p_user_id
  for update;
  if v_stored is distinct from p_seen_refresh_token then
    return false;
  end if;
  delete from public.spotify_tokens t where t.user_id = p_user_id;
  return found;
end
$$;
comment on function public.expire_spotify_link(uuid, text, text, text) is
  'Deletes a link whose refresh token Spotify no longer accepts, if it is still that one, and returns whether it did. Server only.';

create function public.delete_spotify_tokens(p_user_id uuid) returns boolean
language plpgsql security definer set search_path = ''
as $$
declare
  v_was_linked boolean;
begin
  perform from public.profiles p where p.user_id = p_user_id for key share;
  -- Deletes the tokens before the copies, in the order of locks of store_spotify_tokens.
  delete from public.spotify_tokens t where t.user_id = p_user_id;
  v_was_linked := found;
  delete from public.spotify_copies c where c.user_id = p_user_id;
  return v_was_linked;
end
$$;
comment on function public.delete_spotify_tokens(uuid) is
  'Unlinks Spotify, forgets which copies there are, and returns whether there was a link. Server only.';

create function public.spotify_link(p_user_id uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(
    (
      select jsonb_build_object(
        'linked', true,
        'display_name', t.display_name,
        'linked_at', to_char(t.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'expires_at', to_char((t.created_at at time zone 'UTC') + private.spotify_link_ttl(), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
      )
      from public.spotify_tokens t
      where t.user_id = p_user_id
    ),
    '{"linked": false}'
  )
$$;
comment on function public.spotify_link(uuid) is
  '{linked, display_name?, linked_at?, expires_at?} of a user''s Spotify link; decrypts nothing. Server only.';

create function public.rotate_spotify_tokens(
  p_new_secret text, p_old_secret text, p_after uuid default null, p_limit int default 1000
) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_row public.spotify_tokens;
  v_rotated int := 0;
  v_current int := 0;
  v_unreadable uuid[] := array[]::uuid[];
begin
  perform private.use_spotify_secrets(p_new_secret, p_old_secret);
  for v_row in
    select * from public.spotify_tokens t
    where p_after is null or t.user_id > p_after
    order by t.user_id
    limit least(greatest(p_limit, 1), 10000)
  loop
    if private.decrypt_spotify_token(v_row.user_id, 'access_token', v_row.access_token, 'app.spotify_secret') is not null
      and private.decrypt_spotify_token(v_row.user_id, 'refresh_token', v_row.refresh_token, 'app.spotify_secret') is not null then
      v_current := v_current + 1;
      continue;
    end if;
    begin
      -- Reads the current row again: the user may have linked again meanwhile.
      update public.spotify_tokens t
      set
        access_token = private.encrypt_spotify_token(
          t.user_id, 'access_token', private.open_spotify_token(t.user_id, 'access_token', t.access_token)),
        refresh_token = private.encrypt_spotify_token(
          t.user_id, 'refresh_token', private.open_spotify_token(t.user_id, 'refresh_token', t.refresh_token))
      where t.user_id = v_row.user_id;
      v_rotated := v_rotated + 1;
    exception when sqlstate 'PT503' then
      v_unreadable := v_unreadable || v_row.user_id;
    end;
  end loop;
  return jsonb_build_object(
    'rotated', v_rotated, 'current', v_current, 'unreadable', to_jsonb(v_unreadable), 'last_user_id', v_row.user_id
  );
end
$$;
comment on function public.rotate_spotify_tokens(text, text, uuid, int) is
  'Re-encrypts stored tokens in batches by user id. {rotated, current, unreadable: [user_id], last_user_id}: pass '
  'last_user_id as p_after until it is null. May be interrupted and repeated. Server only.';

grant execute on function
  public.store_spotify_tokens(uuid, text, text, text, timestamptz, text, text),
  public.get_spotify_tokens(uuid, text, text, text),
  public.refresh_spotify_tokens(uuid, text, text, text, text, timestamptz, text),
  public.release_spotify_refresh(uuid), public.expire_spotify_link(uuid, text, text, text),
  public.delete_spotify_tokens(uuid), public.spotify_link(uuid), public.rotate_spotify_tokens(text, text, uuid, int)
  to fn_spotify, service_role;
