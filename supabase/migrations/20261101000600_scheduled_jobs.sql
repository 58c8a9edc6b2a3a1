-- Scheduled jobs: delete AI sessions after 30 days, keep the partitions ahead of time.
--
-- pg_cron exists on hosted Supabase, not on every PostgreSQL. Where it is missing or not preloaded the schema works all
-- the same, with the months that the migration created; the notice names what to run instead.

do $$
begin
  create extension if not exists pg_cron with schema pg_catalog;
  perform cron.schedule('delete_old_ai_sessions', '0 3 * * *',
    $job$delete from public.ai_sessions where created_at < now() - interval '30 days';$job$);
  perform cron.schedule('maintain_ai_sessions_partitions', '30 3 * * *',
    $job$select private.ensure_ai_sessions_partitions(), private.drop_empty_ai_sessions_partitions();$job$);
exception when others then
  raise notice 'pg_cron is not available (%): run daily private.ensure_ai_sessions_partitions(), '
    'private.drop_empty_ai_sessions_partitions(), and delete the ai_sessions older than 30 days', sqlerrm;
end
$$;
