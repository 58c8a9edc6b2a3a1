-- Edits at once: what one transaction can see of it; the races show the rest.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;

select plan(6);
select is(private.edits_at_once(), 3, 'three edits of a user are in the database at a time');
select ok(
  exists (select from pg_proc p where p.oid = f::regprocedure and p.proconfig @> array['lock_timeout=2s']), f || ' waits two seconds for a lock'
)
from unnest(array[
  'public.add_tracks(uuid,jsonb,int)', 'public.remove_track(uuid,int)', 'public.move_track(uuid,int,int)',
  'public.replace_tracks(uuid,jsonb)', 'private.lock_own_profile()'
]) f;

select finish();
rollback;
