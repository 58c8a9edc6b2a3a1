-- usage: what the caller has used of their plan, in the numbers by which they are refused.
--
-- Definer, because the counting functions are in private; it answers for auth.uid() only.

create function public.usage() returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_user_id uuid := auth.uid();
  v_quota jsonb := private.ai_quota(v_user_id, clock_timestamp());
begin
  if v_quota is null then
    raise exception using errcode = 'PT404', message = 'profile not found';
  end if;
  return jsonb_build_object(
    'plan', v_quota -> 'plan',
    'playlists', jsonb_build_object('used', private.live_playlist_count(v_user_id), 'limit', private.playlist_limit()),
    'ai', v_quota - 'plan'
  );
end
$$;
comment on function public.usage() is
  'The caller''s {plan, playlists: {used, limit}, ai: {used, limit, remaining, next_free_at}}.';

revoke all on function public.usage() from public, anon, authenticated, service_role;
grant execute on function public.usage() to authenticated;
