-- account_export: everything that is stored about the caller, as one document.
--
-- Definer, because users may not read schema auth or spotify_tokens; it reads the rows of auth.uid() only, and no token is
-- in the document. One statement reads everything, so the document is consistent. It uses indexes, and the rows of an
-- account are bounded: sessions and exports expire, and a playlist has at most a hundred tracks and twenty versions.
-- plpgsql, because later migrations add tables that it reads.

create function public.account_export() returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (select jsonb_build_object(
    'exported_at', now(),
    'account', (
      select jsonb_build_object(
        'id', u.id, 'email', u.email, 'phone', u.phone, 'created_at', u.created_at, 'last_sign_in_at', u.last_sign_in_at,
        'user_metadata', u.raw_user_meta_data
      )
      from auth.users u where u.id = p.user_id
    ),
    'identities', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'provider', i.provider, 'identity_data', i.identity_data, 'created_at', i.created_at, 'last_sign_in_at', i.last_sign_in_at
      ) order by i.created_at, i.provider), '[]')
      from auth.identities i where i.user_id = p.user_id
    ),
    'sessions', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'created_at', s.created_at, 'updated_at', s.updated_at, 'user_agent', s.user_agent, 'ip', host(s.ip)
      ) order by s.created_at), '[]')
      from auth.sessions s where s.user_id = p.user_id
    ),
    'profile', to_jsonb(p) - 'user_id',
    'playlists', (
      select coalesce(jsonb_agg(to_jsonb(l) - 'owner_id' || jsonb_build_object('share_id', (
        select s.share_id from public.shared_playlists s where s.playlist_id = l.id
      ), 'tracks', (
        select coalesce(jsonb_agg(to_jsonb(t) - 'playlist_id' order by t.position), '[]')
        from public.playlist_tracks t where t.playlist_id = l.id
      ), 'versions', (
        select coalesce(jsonb_agg(to_jsonb(v) - 'playlist_id' order by v.version), '[]')
        from public.playlist_versions v where v.playlist_id = l.id
      )) order by l.created_at, l.id), '[]')
      from public.playlists l where l.owner_id = p.user_id
    ),
    'generations', (
      select coalesce(jsonb_agg(to_jsonb(a) - 'user_id' order by a.created_at, a.id), '[]')
      from public.ai_sessions a where a.user_id = p.user_id
    ),
    'spotify', (
      select to_jsonb(k) - 'user_id' - 'access_token' - 'refresh_token'
      from public.spotify_tokens k where k.user_id = p.user_id
    ),
    'spotify_exports', (
      select coalesce(jsonb_agg(to_jsonb(e) - 'user_id' order by e.created_at), '[]')
      from public.spotify_exports e where e.user_id = p.user_id
    ),
    'spotify_copies', (
      select coalesce(jsonb_agg(to_jsonb(c) - 'user_id' order by c.created_at), '[]')
      from public.spotify_copies c where c.user_id = p.user_id
    ),
    'requests', (
      select coalesce(jsonb_agg(to_jsonb(b) - 'user_id' order by b.kind, b.period), '[]')
      from private.request_buckets b where b.user_id = p.user_id
    )
  )
  from public.profiles p
  where p.user_id = (select auth.uid()));
end
$$;
comment on function public.account_export() is
  'All that is stored about the caller: {exported_at, account, identities, sessions, profile, playlists, generations, spotify, '
  'spotify_exports, spotify_copies, requests}; null where there is no profile. No token is in it.';
grant execute on function public.account_export() to authenticated;
