-- Spotify links: when an account was linked and under which name, and how its access token is replaced.
--
-- Linking begins the six months after which Spotify forgets a refresh token; replacing the access token does not. So
-- storing (a new link) sets created_at, and replacing is a function of its own.
--
-- Of many requests that find the token used up, one is told to replace it and holds that right for a minute, which is
-- longer than it can take; the others are told to wait. Where two replaced the same refresh token, Spotify could refuse
-- the second one while the first has not stored its new one yet, and the link would be given up.
-- What it got is only stored if the refresh token is still the one that it was got with: an answer that comes late never
-- overwrites a newer link. In the same way a link is given up only for its own token.

set local lock_timeout = '5s';

alter table public.spotify_tokens
  add column display_name text,
  add column refreshing_until timestamptz,
  -- Not valid, which means unchecked for the rows of before: they have no name.
  add constraint spotify_tokens_display_name_length check (char_length(display_name) between 1 and 200) not valid;
comment on column public.spotify_tokens.created_at is 'When the account was linked, the last time.';
comment on column public.spotify_tokens.display_name is 'The account''s public name on Spotify, in clear: it is shown without decrypting anything.';
comment on column public.spotify_tokens.refreshing_until is 'Until then somebody replaces the access token.';

create function private.spotify_link_ttl() returns interval
language sql immutable parallel safe set search_path = ''
as $$ select interval '6 months' $$;
comment on function private.spotify_link_ttl() is 'How long Spotify accepts a refresh token, from the user''s agreement on.';

drop function public.store_spotify_tokens(uuid, text, text, text, timestamptz);
drop function public.get_spotify_tokens(uuid, text, text);

create function public.store_spotify_tokens(
  p_user_id uuid, p_secret text, p_access_token text, p_refresh_token text, p_expires_at timestamptz,
  p_display_name text default null
) returns void
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.use_spotify_secrets(p_secret, null);
  insert into public.spotify_tokens as t (user_id, access_token, refresh_token, expires_at, display_name)
  values (
    p_user_id,
    private.encrypt_spotify_token(p_user_id, 'access_token', p_access_token),
    private.encrypt_spotify_token(p_user_id, 'refresh_token', p_refresh_token),
    p_expires_at,
    nullif(private.clean_text(p_display_name, 200), '')
  )
  on conflict (user_id) do update
    set access_token = excluded.access_token, refresh_token = excluded.refresh_token, expires_at = excluded.expires_at,
      display_name = excluded.display_name, created_at = clock_timestamp(), refreshing_until = null;
end
$$;
comment on function public.store_spotify_tokens(uuid, text, text, text, timestamptz, text) is
  'Links an account, anew where there was a link, with its tokens encrypted with p_secret (at least 32 characters). Server only.';

create function public.get_spotify_tokens(
  p_user_id uuid, p_secret text, p_other_secret text default null, p_refused_access_token text default null
) returns table (access_token text, refresh_token text, expires_at timestamptz, state text)
language plpgsql security definer set search_path = ''
as $$
declare
  v_link public.spotify_tokens;
  v_access_token text;
  v_refresh_token text;
  v_now timestamptz := clock_timestamp();
  v_state text := 'fresh';
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
    v_state := case when found then 'refresh' else 'wait' end;
  end if;
  return query select v_access_token, v_refresh_token, v_link.expires_at, v_state;
end
$$;
comment on function public.get_spotify_tokens(uuid, text, text, text) is
  'A user''s tokens in clear, or no row; PT503 when neither secret opens them. state: fresh (good for a minute at least), '
  'refresh (used up, or the one that Spotify refused: the caller is to replace it), wait (somebody else is doing that). Server only.';

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
  'Replaces the tokens if the refresh token is still the one that was seen; a null refresh token keeps it. Whether it did. Server only.';

create function public.release_spotify_refresh(p_user_id uuid) returns void
language sql security definer set search_path = ''
as $$ update public.spotify_tokens t set refreshing_until = null where t.user_id = p_user_id $$;
comment on function public.release_spotify_refresh(uuid) is
  'Gives the right to replace the token back after a failure, so that nobody waits for it. Server only.';

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
  'Deletes a link whose refresh token Spotify no longer accepts, if it is still that one. Whether it did. Server only.';

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

revoke all on function
  private.spotify_link_ttl(), public.store_spotify_tokens(uuid, text, text, text, timestamptz, text),
  public.get_spotify_tokens(uuid, text, text, text),
  public.refresh_spotify_tokens(uuid, text, text, text, text, timestamptz, text),
  public.release_spotify_refresh(uuid), public.expire_spotify_link(uuid, text, text, text), public.spotify_link(uuid)
  from public, anon, authenticated, service_role;
grant execute on function
  public.store_spotify_tokens(uuid, text, text, text, timestamptz, text),
  public.get_spotify_tokens(uuid, text, text, text),
  public.refresh_spotify_tokens(uuid, text, text, text, text, timestamptz, text),
  public.release_spotify_refresh(uuid), public.expire_spotify_link(uuid, text, text, text), public.spotify_link(uuid)
  to service_role, fn_spotify;
