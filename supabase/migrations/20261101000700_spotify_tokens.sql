-- Spotify tokens: encrypted per user, reached by three functions of the server alone.
--
-- The secret comes with every call from the function's environment and lives in the setting app.spotify_secret until
-- the transaction ends: a setting of the database could be read by anyone who can query, and hosted Supabase refuses to
-- set one. The key is derived per user, so a ciphertext copied to another row does not decrypt. The secret is random
-- and long, so stretching it would cost time and add nothing: s2k-count is the smallest allowed.
--
-- The owner's policy stands, but without any grant: a user has no business with ciphertext, and could otherwise
-- overwrite it.

create table public.spotify_tokens (
  user_id uuid not null,
  access_token bytea not null,
  refresh_token bytea not null,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint spotify_tokens_user_idx primary key (user_id),
  constraint spotify_tokens_user_id_fkey foreign key (user_id) references public.profiles (user_id) on delete cascade
);

comment on table public.spotify_tokens is 'OAuth tokens of linked Spotify accounts, encrypted with pgp_sym_encrypt.';
comment on column public.spotify_tokens.expires_at is 'End of the access token''s life, not of the link.';
comment on column public.spotify_tokens.created_at is 'When the account was linked.';

create trigger set_updated_at before update on public.spotify_tokens
  for each row execute function private.set_updated_at();

alter table public.spotify_tokens enable row level security;
create policy "Owner access via RPC" on public.spotify_tokens to authenticated
  using (user_id = (select auth.uid()))
  with check (user_id = (select auth.uid()));

revoke all on table public.spotify_tokens from public, anon, authenticated, service_role;

create function private.use_spotify_secret(p_secret text) returns void
language plpgsql set search_path = ''
as $$
begin
  if char_length(p_secret) >= 32 then
    perform set_config('app.spotify_secret', p_secret, true);
  else
    raise exception using errcode = 'PT503', message = 'the Spotify secret is missing or shorter than 32 characters';
  end if;
end
$$;
comment on function private.use_spotify_secret(text) is 'Sets app.spotify_secret for this transaction; refuses a short one.';

create function private.spotify_key(p_user_id uuid) returns text
language sql stable strict set search_path = ''
as $$ select encode(extensions.hmac(p_user_id::text, current_setting('app.spotify_secret'), 'sha256'), 'hex') $$;
comment on function private.spotify_key(uuid) is 'The user''s own key, derived from app.spotify_secret.';

create function private.encrypt_spotify_token(p_user_id uuid, p_token text) returns bytea
language sql volatile strict set search_path = ''
as $$ select extensions.pgp_sym_encrypt(p_token, private.spotify_key(p_user_id), 'cipher-algo=aes256, s2k-count=1024') $$;
comment on function private.encrypt_spotify_token(uuid, text) is 'Encrypts one token with the user''s own key.';

create function public.store_spotify_tokens(
  p_user_id uuid, p_secret text, p_access_token text, p_refresh_token text, p_expires_at timestamptz
) returns void
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.use_spotify_secret(p_secret);
  insert into public.spotify_tokens as t (user_id, access_token, refresh_token, expires_at)
  values (
    p_user_id,
    private.encrypt_spotify_token(p_user_id, p_access_token),
    private.encrypt_spotify_token(p_user_id, p_refresh_token),
    p_expires_at
  )
  on conflict (user_id) do update
    set access_token = excluded.access_token, refresh_token = excluded.refresh_token, expires_at = excluded.expires_at;
end
$$;
comment on function public.store_spotify_tokens(uuid, text, text, text, timestamptz) is
  'Stores or replaces a user''s tokens, encrypted with p_secret (at least 32 characters). Server only.';

create function public.get_spotify_tokens(p_user_id uuid, p_secret text)
returns table (access_token text, refresh_token text, expires_at timestamptz)
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.use_spotify_secret(p_secret);
  return query
    select
      extensions.pgp_sym_decrypt(t.access_token, private.spotify_key(t.user_id)),
      extensions.pgp_sym_decrypt(t.refresh_token, private.spotify_key(t.user_id)),
      t.expires_at
    from public.spotify_tokens t
    where t.user_id = p_user_id;
end
$$;
comment on function public.get_spotify_tokens(uuid, text) is
  'A user''s tokens in clear, or no row; fails (39000) when p_secret is not the one they were stored with. Server only.';

create function public.delete_spotify_tokens(p_user_id uuid) returns boolean
language plpgsql security definer set search_path = ''
as $$
begin
  delete from public.spotify_tokens t where t.user_id = p_user_id;
  return found;
end
$$;
comment on function public.delete_spotify_tokens(uuid) is 'Unlinks Spotify; answers whether there was a link. Server only.';

revoke all on function
  private.use_spotify_secret(text), private.spotify_key(uuid), private.encrypt_spotify_token(uuid, text),
  public.store_spotify_tokens(uuid, text, text, text, timestamptz),
  public.get_spotify_tokens(uuid, text), public.delete_spotify_tokens(uuid)
  from public, anon, authenticated, service_role;
grant execute on function
  public.store_spotify_tokens(uuid, text, text, text, timestamptz),
  public.get_spotify_tokens(uuid, text), public.delete_spotify_tokens(uuid)
  to service_role;
