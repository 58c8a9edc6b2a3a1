-- Scheduled jobs: delete expired rows, create the partitions of the coming months, bound the catalogue memory.
--
-- pg_cron exists on hosted Supabase, not on every PostgreSQL. Without it the schema works for the months that the
-- migration created; the notice names what to run instead. The last statement may be repeated.

create function private.forget_expired() returns void
language plpgsql security definer set search_path = '' set lock_timeout = '5s'
as $$
begin
  -- Accounts first: deleting them may take long, and the locks on buckets below are held until the end.
  delete from auth.users u
  where u.is_anonymous
    and greatest(u.created_at, u.last_sign_in_at) < now() - private.ai_quota_window()
    and not exists (select from auth.sessions s where s.user_id = u.id and s.updated_at >= now() - private.ai_quota_window());
  -- Buckets before playlists, in the order in which writers of playlists lock them.
  delete from private.request_buckets b where b.refills_at < now();
  delete from public.playlists p where p.is_deleted and p.deleted_at < now() - interval '720 hours';
  delete from private.former_usage f where f.created_at < now() - private.ai_quota_window();
  delete from public.spotify_exports e where e.created_at < now() - private.spotify_export_ttl() and e.held_until <= now();
end
$$;
comment on function private.forget_expired() is
  'Deletes expired rows: playlists 30 days after their deletion, buckets whose period is over, requests to export '
  'after a day, usage of former accounts after 30 days, and anonymous accounts that were not used for 30 days.';

do $$
begin
  create extension if not exists pg_cron with schema pg_catalog;
  perform cron.schedule('delete_old_ai_sessions', '0 3 * * *',
    $job$delete from public.ai_sessions where created_at < now() - interval '30 days';$job$);
  perform cron.schedule('forget_expired', '15 3 * * *', $job$select private.forget_expired();$job$);
  perform cron.schedule('maintain_ai_sessions_partitions', '30 3 * * *',
    $job$select private.ensure_ai_sessions_partitions(), private.drop_empty_ai_sessions_partitions();$job$);
  perform cron.schedule('trim_catalogue_memory', '*/10 * * * *', $job$select private.trim_catalogue_memory();$job$);
exception
  -- pg_cron is not installed or not preloaded, uses another database, or the role may not create extensions.
  when feature_not_supported or undefined_object or plpgsql_error or insufficient_privilege then
  raise notice 'pg_cron is not available (%): run daily private.ensure_ai_sessions_partitions(), '
    'private.drop_empty_ai_sessions_partitions(), private.forget_expired(), delete the ai_sessions older than 30 days, and '
    'run every ten minutes private.trim_catalogue_memory()', sqlerrm;
end
$$;
