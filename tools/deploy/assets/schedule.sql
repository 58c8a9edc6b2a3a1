-- Which scheduled jobs the database does not run, and whether next month's AI sessions have a partition.
with
  jobs(name) as (values ('delete_old_ai_sessions'), ('maintain_ai_sessions_partitions'), ('forget_expired'), ('trim_catalogue_memory')),
  -- The query stands in a string because `cron.job` exists only where pg_cron is installed.
  active(jobs) as (
    select case when to_regclass('cron.job') is null then ''
      else query_to_xml('select jobname from cron.job where active', false, false, '')::text end
  ),
  next(month) as (select date_trunc('month', now() at time zone 'UTC') + interval '1 month')
select
  to_regclass('cron.job') is not null
    or exists (select from pg_available_extensions where name = 'pg_cron') as has_pg_cron,
  coalesce((
    select string_agg(name, ', ' order by name) from jobs, active
    where strpos(active.jobs, '<jobname>' || name || '</jobname>') = 0
  ), '') as missing_jobs,
  to_char(month, 'YYYY-MM') as next_month,
  exists (
    select from pg_inherits
    where inhparent = to_regclass('public.ai_sessions')
      and inhrelid = to_regclass('public.ai_sessions_' || to_char(month, 'YYYY_MM'))
  ) as has_next_partition
from next;
