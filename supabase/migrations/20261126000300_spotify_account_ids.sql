-- Spotify account ids: a copy that an export began in one Spotify account is not completed in another.
--
-- An export under an Idempotency-Key remembers its copy, so that a repeat fills the copy that is there. Once the user
-- links another Spotify account, that copy can no longer be filled: what was begun for another account is forgotten when
-- the link is stored. Unlinking and linking the same account again forgets nothing. Where Spotify did not tell an
-- account's id, nothing is forgotten here either: the function then notices that the copy cannot be filled (403, 404),
-- creates another one and writes that one down in place of the one that it saw.

set local lock_timeout = '5s';

alter table public.spotify_tokens
  add column account_id text,
  -- Not valid, which means unchecked for the rows of before: they have no id.
  add constraint spotify_tokens_account_id_length check (char_length(account_id) between 1 and 200) not valid;
comment on column public.spotify_tokens.account_id is 'The Spotify account''s id, which never changes; null where Spotify did not tell it.';

alter table public.spotify_exports add column spotify_account_id text;
comment on column public.spotify_exports.spotify_account_id is 'The Spotify account that was linked when the copy was created, where its id is known.';

drop function public.store_spotify_tokens(uuid, text, text, text, timestamptz, text);
drop function public.record_spotify_export(uuid, uuid, text);

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
  -- An export that a request works on right now is left to that request.
  delete from public.spotify_exports e
  where e.user_id = p_user_id and e.result is null and e.spotify_account_id <> v_account_id
    and e.held_until <= clock_timestamp();
end
$$;
comment on function public.store_spotify_tokens(uuid, text, text, text, timestamptz, text, text) is
  'Links an account, anew where there was a link, with its tokens encrypted with p_secret (at least 32 characters), and '
  'forgets the unfinished exports into other accounts. Server only.';

create function public.record_spotify_export(
  p_user_id uuid, p_idempotency_key uuid, p_spotify_playlist_id text, p_instead_of text default null
) returns text
language sql security definer set search_path = ''
as $$
  update public.spotify_exports e
  set
    spotify_playlist_id = coalesce(nullif(e.spotify_playlist_id, p_instead_of), p_spotify_playlist_id),
    spotify_account_id = (select t.account_id from public.spotify_tokens t where t.user_id = p_user_id)
  where e.user_id = p_user_id and e.idempotency_key = p_idempotency_key
  returning e.spotify_playlist_id
$$;
comment on function public.record_spotify_export(uuid, uuid, text, text) is
  'Writes down the copy''s id, in place of p_instead_of where that one is remembered, and returns the one that counts: the '
  'first otherwise. Null where the export is forgotten. Server only.';

revoke all on function
  public.store_spotify_tokens(uuid, text, text, text, timestamptz, text, text),
  public.record_spotify_export(uuid, uuid, text, text)
  from public, anon, authenticated, service_role;
grant execute on function
  public.store_spotify_tokens(uuid, text, text, text, timestamptz, text, text),
  public.record_spotify_export(uuid, uuid, text, text)
  to fn_spotify, service_role;
