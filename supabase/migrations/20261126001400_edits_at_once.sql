-- Edits at once: a few of one user's, so that the others' connections stay free.
--
-- Writers of one playlist wait for each other, each with a connection of the pool that all users share. So no more than
-- three of a user's edits are in the database at a time, and none waits for a lock longer than two seconds; what is more
-- is refused at once with 503 `too_many_at_once`, and can be repeated.

set local lock_timeout = '5s';

create function private.edits_at_once() returns int
language sql immutable parallel safe set search_path = ''
as $$ select 3 $$;
comment on function private.edits_at_once() is 'How many edits of a user are in the database at a time.';

create function private.refuse_crowd() returns void
language sql set search_path = ''
as $$ select private.refuse(503, 'too_many_at_once', 'too many edits at once', 1) $$;
comment on function private.refuse_crowd() is 'Refuses an edit (503) that would wait for too many others.';

create function private.enter_edit(p_user_id uuid) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  for v_place in 1..private.edits_at_once() loop
    if pg_try_advisory_xact_lock(hashtextextended(format('edit %s %s', p_user_id, v_place), 0)) then
      return;
    end if;
  end loop;
  perform private.refuse_crowd();
end
$$;
comment on function private.enter_edit(uuid) is 'Takes one of the places for edits of a user until the transaction ends; 503 without one.';

create or replace function private.lock_own_tracks(p_playlist_id uuid) returns public.playlist_tracks[]
language plpgsql volatile set search_path = ''
as $$
declare
  v_user_id uuid := auth.uid();
  v_tracks public.playlist_tracks[];
  v_is_there boolean;
begin
  perform private.refuse_edit(private.seconds_until_refill(v_user_id, 'edit', clock_timestamp()));
  perform private.enter_edit(v_user_id);
  begin
    perform from public.profiles p where p.user_id = v_user_id for key share;
    perform from public.playlists p
    where p.id = p_playlist_id and p.owner_id = (select auth.uid()) and p.is_deleted = false
    for no key update;
    v_is_there := found;
  exception when lock_not_available then
    perform private.refuse_crowd();
  end;
  if not v_is_there then
    raise exception using errcode = 'PT404', message = 'playlist not found';
  end if;
  v_tracks := array(select t from public.playlist_tracks t where t.playlist_id = p_playlist_id order by t.position);
  perform private.refuse_edit(private.count_request(v_user_id, 'edit'));
  return v_tracks;
end
$$;
comment on function private.lock_own_tracks(uuid) is
  'Locks the caller''s live playlist, counts the edit and returns the tracks in order; PT404 for a playlist of another user, '
  'a deleted or an unknown one; 429 for an edit too many, 503 where too many run at once.';

create or replace function private.lock_own_profile() returns trigger
language plpgsql security definer set search_path = '' set lock_timeout = '2s'
as $$
begin
  perform from public.profiles p where p.user_id = auth.uid() for no key update;
  return null;
exception when lock_not_available then
  perform private.refuse_crowd();
  return null;
end
$$;
comment on function private.lock_own_profile() is
  'Trigger: the caller''s profile is locked before the rows of the statement; 503 where that takes two seconds.';

alter function public.add_tracks(uuid, jsonb, int) set lock_timeout = '2s';
alter function public.remove_track(uuid, int) set lock_timeout = '2s';
alter function public.move_track(uuid, int, int) set lock_timeout = '2s';
alter function public.replace_tracks(uuid, jsonb) set lock_timeout = '2s';

revoke all on function private.edits_at_once(), private.refuse_crowd(), private.enter_edit(uuid)
  from public, anon, authenticated, service_role;
