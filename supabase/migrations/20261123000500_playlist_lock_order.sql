-- Playlists: the owner's profile is locked before any playlist.
--
-- An update locks its row before the row's triggers run, so prepare_playlist came too late: one who restored two
-- playlists held the first and the profile, one who renamed the second held that and waited for the profile, and each
-- waited for the other. A trigger of the statement runs before any row is locked; users change only their own playlists,
-- so their profile is the one. Functions of the server lock the profile themselves.

set local lock_timeout = '5s';

create function private.lock_own_profile() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform from public.profiles p where p.user_id = auth.uid() for no key update;
  return null;
end
$$;
comment on function private.lock_own_profile() is 'Trigger: the caller''s profile is locked before the rows of the statement.';
revoke all on function private.lock_own_profile() from public, anon, authenticated, service_role;

create trigger lock_own_profile before update on public.playlists
  for each statement execute function private.lock_own_profile();
