-- Bounds: a hundred playlists with the deleted ones, 30 days, 200 characters.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;

select plan(20);
insert into auth.users (id, email) values
  ('a0000000-0000-0000-0000-000000000001', 'ana@example.test'), ('b0000000-0000-0000-0000-000000000002', 'bo@example.test');
create function pg_temp.make(p_name text, p_owner uuid default 'a0000000-0000-0000-0000-000000000001') returns void language sql
as $$ insert into public.playlists (owner_id, name) values (p_owner, p_name) $$;
create function pg_temp.names(p_owner uuid default 'a0000000-0000-0000-0000-000000000001') returns text language sql
as $$ select string_agg(p.name, ',' order by p.name) from public.playlists p where p.owner_id = p_owner and p.name like 'x%' $$;

-- When a playlist was deleted.
select pg_temp.make('x1'), pg_temp.make('x2'), pg_temp.make('x3');
select is((select deleted_at from public.playlists where name = 'x1'), null, 'a live playlist was not deleted');
update public.playlists set is_deleted = true where name = 'x2';
create temp table moments as select deleted_at from public.playlists where name = 'x2';
select isnt((select deleted_at from moments), null, 'a deletion has its moment');
update public.playlists set name = 'x2 renamed' where name = 'x2';
update public.playlists set is_deleted = true where name = 'x2 renamed';
select is((select deleted_at from public.playlists where name = 'x2 renamed'), (select deleted_at from moments), 'which neither renaming nor deleting again moves');
update public.playlists set is_deleted = false where name = 'x2 renamed';
select is((select deleted_at from public.playlists where name = 'x2 renamed'), null, 'and restoring forgets');

-- A hundred rows.
update public.playlists set is_deleted = true where name in ('x3', 'x1');
update public.playlists set deleted_at = deleted_at - interval '1 hour' where name = 'x3';
select pg_temp.make('x' || n) from generate_series(10, 58) n;
update public.playlists set is_deleted = true where name ~ '^x[1-5][0-9]$';
select is((select count(*)::int from public.playlists), 52, 'live and deleted ones are kept');
select pg_temp.make('y' || n) from generate_series(1, 48) n;
select is((select count(*)::int from public.playlists), 100, 'up to a hundred');
select pg_temp.make('bo''s', 'b0000000-0000-0000-0000-000000000002');
select is((select count(*)::int from public.playlists), 101, 'of each user');
update public.playlists set is_deleted = true where name = 'bo''s';
update public.playlists set deleted_at = deleted_at - interval '2 hours' where name = 'bo''s';
select pg_temp.make('y49');
select is((select count(*)::int from public.playlists where owner_id = 'a0000000-0000-0000-0000-000000000001'), 100, 'the next one takes the place');
select is((select count(*)::int from public.playlists where name = 'x3'), 0, 'of the one that was deleted first');
select is((select count(*)::int from public.playlists where name = 'x1'), 1, 'and of no other');
select is((select count(*)::int from public.playlists where not is_deleted and owner_id = 'a0000000-0000-0000-0000-000000000001'), 50, 'no live one goes');

-- Making and deleting without end.
do $$
begin
  for n in 1..120 loop
    update public.playlists set is_deleted = true where name = 'y1' or name like 'z%';
    insert into public.playlists (owner_id, name) values ('a0000000-0000-0000-0000-000000000001', 'z' || n);
  end loop;
end
$$;
select is((select count(*)::int from public.playlists where owner_id = 'a0000000-0000-0000-0000-000000000001'), 100, 'making and deleting keeps to a hundred');
select is((select count(*)::int from public.playlists where name = 'bo''s'), 1, 'and leaves the others alone');

-- 30 days.
update public.playlists set deleted_at = now() - interval '719 hours' where name = 'z119';
update public.playlists set deleted_at = now() - interval '721 hours' where name = 'z118';
insert into private.request_buckets values
  ('a0000000-0000-0000-0000-000000000001', 'search', '1 minute', 1, now() - interval '1 second'),
  ('a0000000-0000-0000-0000-000000000001', 'export', '1 hour', 1, now() + interval '1 second');
select private.forget_expired();
select is((select count(*)::int from public.playlists where name = 'z118'), 0, 'a playlist goes 30 days after its deletion');
select is((select count(*)::int from public.playlists where name = 'z119'), 1, 'and not before');
select results_eq($$ select kind from private.request_buckets $$, $$ values ('export') $$, 'a bucket goes once its period is over');

-- Texts.
select throws_ok(
  format($$ select private.check_track(jsonb_build_object('track_uri', 'spotify:track:aaaaaaaaaaaaaaaaaaaaaa', %L, repeat('ż', 201)), 'x') $$, member),
  'PT422', null, member || ' of 201 characters is refused'
)
from unnest(array['title', 'artist', 'album']) member;
select lives_ok(
  $$ select private.check_track(jsonb_build_object('track_uri', 'spotify:track:aaaaaaaaaaaaaaaaaaaaaa', 'title', repeat('ż', 200)), 'x') $$, 'one of 200 is not'
);

select finish();
rollback;
