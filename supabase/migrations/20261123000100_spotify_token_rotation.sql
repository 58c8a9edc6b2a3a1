-- Spotify tokens: one clear error for what cannot be read, and a secret that can be changed while the functions run.
--
-- The key is now derived per user and column: a ciphertext opens in the place that it was made for and nowhere else.
-- (Nothing had stored tokens before; what a test stored has to be linked again.)
--
-- While a secret is changed, a function holds two: it writes with the first and reads with either, so there is no moment
-- at which a token is unreadable. supabase/README.md tells the order of the steps.

set local lock_timeout = '5s';

drop function public.get_spotify_tokens(uuid, text);
drop function public.store_spotify_tokens(uuid, text, text, text, timestamptz);
drop function private.encrypt_spotify_token(uuid, text);
drop function private.spotify_key(uuid);
drop function private.use_spotify_secret(text);

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
  'Encrypts one token with app.spotify_secret for its place: the user and the column.';

create function private.decrypt_spotify_token(p_user_id uuid, p_column text, p_ciphertext bytea, p_setting text) returns text
language plpgsql stable set search_path = ''
as $$
begin
  return extensions.pgp_sym_decrypt(
    p_ciphertext,
    encode(extensions.hmac(p_user_id || '/' || p_column, nullif(current_setting(p_setting, true), ''), 'sha256'), 'hex')
  );
exception when others then
  return null;
end
$$;
comment on function private.decrypt_spotify_token(uuid, text, bytea, text) is
  'One token, or null where it does not open: another secret, another place, or damaged.';

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
comment on function private.open_spotify_token(uuid, text, bytea) is 'One token, opened with either secret; PT503 where neither does.';

create function public.store_spotify_tokens(
  p_user_id uuid, p_secret text, p_access_token text, p_refresh_token text, p_expires_at timestamptz
) returns void
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.use_spotify_secrets(p_secret, null);
  insert into public.spotify_tokens as t (user_id, access_token, refresh_token, expires_at)
  values (
    p_user_id,
    private.encrypt_spotify_token(p_user_id, 'access_token', p_access_token),
    private.encrypt_spotify_token(p_user_id, 'refresh_token', p_refresh_token),
    p_expires_at
  )
  on conflict (user_id) do update
    set access_token = excluded.access_token, refresh_token = excluded.refresh_token, expires_at = excluded.expires_at;
end
$$;
comment on function public.store_spotify_tokens(uuid, text, text, text, timestamptz) is
  'Stores or replaces a user''s tokens, encrypted with p_secret (at least 32 characters). Server only.';

create function public.get_spotify_tokens(p_user_id uuid, p_secret text, p_other_secret text default null)
returns table (access_token text, refresh_token text, expires_at timestamptz)
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.use_spotify_secrets(p_secret, p_other_secret);
  return query
    select
      private.open_spotify_token(t.user_id, 'access_token', t.access_token),
      private.open_spotify_token(t.user_id, 'refresh_token', t.refresh_token),
      t.expires_at
    from public.spotify_tokens t
    where t.user_id = p_user_id;
end
$$;
comment on function public.get_spotify_tokens(uuid, text, text) is
  'A user''s tokens in clear, or no row; PT503 when neither secret opens them. Server only.';

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
      -- From the row as it is by now, and not as it was read: somebody may have linked again meanwhile.
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
  'Encrypts stored tokens anew, in batches by user id. {rotated, current, unreadable: [user_id], last_user_id}: begin '
  'again after last_user_id until it is null. Can be broken off and repeated. Server only.';

revoke all on function
  private.use_spotify_secrets(text, text), private.encrypt_spotify_token(uuid, text, text),
  private.decrypt_spotify_token(uuid, text, bytea, text), private.open_spotify_token(uuid, text, bytea),
  public.store_spotify_tokens(uuid, text, text, text, timestamptz), public.get_spotify_tokens(uuid, text, text),
  public.rotate_spotify_tokens(text, text, uuid, int)
  from public, anon, authenticated, service_role;
grant execute on function
  public.store_spotify_tokens(uuid, text, text, text, timestamptz), public.get_spotify_tokens(uuid, text, text),
  public.rotate_spotify_tokens(text, text, uuid, int)
  to service_role, fn_spotify;
