-- Buckets: each user may make exactly the allowed number of requests of a kind in a period.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the users' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role;

select plan(60);

savepoint part;
create function pg_temp.sign_up(p_id uuid) returns void language sql
as $$ insert into auth.users (id, email) values (p_id, p_id || '@example.test') $$;
create function pg_temp.act_as(p_role text, p_user_id uuid default null) returns void language sql
as $$
  select set_config('request.jwt.claims', jsonb_build_object('role', p_role, 'sub', p_user_id)::text, true);
  select set_config('role', p_role, true);
$$;
select pg_temp.sign_up('a0000000-0000-0000-0000-000000000001');
select pg_temp.sign_up('b0000000-0000-0000-0000-000000000002');

-- Ana is the caller by default.
create function pg_temp.take(p_kind text, p_user_id uuid default 'a0000000-0000-0000-0000-000000000001') returns text language sql
as $$ select public.take_request(p_user_id, p_kind) ->> 'outcome' $$;
create function pg_temp.taken_of(p_kind text, p_tries int) returns int language sql
as $$ select (count(*) filter (where t.outcome = 'taken'))::int from (select pg_temp.take(p_kind) as outcome from generate_series(1, p_tries)) t $$;
create function pg_temp.wait(p_by interval) returns void language sql
as $$ update private.request_buckets set refills_at = refills_at - p_by $$;

select is(pg_temp.taken_of(kind, capacity + 2), capacity, format('%s of %s are taken, and no more', capacity, kind))
from (values ('search', 30), ('export', 10), ('link', 10), ('billing', 30), ('edit', 120), ('playlist', 120)) v(kind, capacity);
select is(
  public.take_request('a0000000-0000-0000-0000-000000000001', kind) - 'retry_after_seconds', '{"outcome": "too_many_attempts"}', kind || ' is refused'
)
from unnest(array['search', 'export', 'link', 'billing', 'edit']) kind;
select ok(
  (public.take_request('a0000000-0000-0000-0000-000000000001', kind) ->> 'retry_after_seconds')::int between longest - 5 and longest,
  kind || ' says when the next one is possible'
)
from (values ('search', 60), ('export', 3600), ('link', 3600), ('billing', 3600), ('edit', 60)) v(kind, longest);
select is(pg_temp.take('search', 'b0000000-0000-0000-0000-000000000002'), 'taken', 'another user has separate buckets');

-- Anonymous users.
insert into auth.users (id, is_anonymous) values ('e0000000-0000-0000-0000-000000000005', true);
select is(pg_temp.take(kind, 'e0000000-0000-0000-0000-000000000005'), outcome, format('%s of an anonymous user', kind))
from (values
  ('search', 'taken'), ('edit', 'taken'), ('playlist', 'taken'),
  ('export', 'account_required'), ('link', 'account_required'), ('billing', 'account_required')
) v(kind, outcome);
select is(
  (select count(*)::int from generate_series(1, 12) where pg_temp.take('search', 'e0000000-0000-0000-0000-000000000005') = 'taken'), 9,
  'an anonymous user searches ten times a minute'
);
update auth.users set email = 'c@example.test', is_anonymous = false where id = 'e0000000-0000-0000-0000-000000000005';
select is(pg_temp.take('export', 'e0000000-0000-0000-0000-000000000005'), 'taken', 'with an address an anonymous user may export like others');

-- A period later.
select pg_temp.wait(interval '50 seconds');
select is(pg_temp.take('search'), 'too_many_attempts', 'a bucket is not refilled after 50 seconds');
select pg_temp.wait(interval '10 seconds');
select is(pg_temp.taken_of('search', 32), 30, 'a bucket is refilled after a minute');
select pg_temp.wait(interval '60 seconds'), pg_temp.taken_of('search', 31) from generate_series(1, 7);
select is((select taken::int from private.request_buckets where user_id = 'a0000000-0000-0000-0000-000000000001' and period = '24 hours'), 270, 'the bucket of the day counts all requests');
select pg_temp.wait(interval '60 seconds');
select is(pg_temp.taken_of('search', 31), 30, 'the last 30 requests of the day are allowed');
select pg_temp.wait(interval '60 seconds');
select is(pg_temp.taken_of('search', 31), 0, 'no request beyond 300 a day is allowed');
select cmp_ok(
  (public.take_request('a0000000-0000-0000-0000-000000000001', 'search') ->> 'retry_after_seconds')::int, '>', 23 * 3600, 'the bucket of the day is refilled a day after its first request'
);
select pg_temp.wait(interval '24 hours');
select is(pg_temp.take('search'), 'taken', 'requests are allowed again the next day');

-- The day of a user who takes as many requests as possible, every 15 minutes.
create function pg_temp.taken_in_a_day(p_kind text) returns int language plpgsql
as $$
declare
  v_taken int := 0;
begin
  delete from private.request_buckets;
  for v_step in 1..96 loop
    v_taken := v_taken + pg_temp.taken_of(p_kind, 31);
    perform pg_temp.wait(interval '15 minutes');
  end loop;
  return v_taken;
end
$$;
select is(pg_temp.taken_in_a_day(kind), most, format('a day has %s of %s', most, kind))
from (values ('search', 300), ('export', 240), ('billing', 720)) v (kind, most);

-- Callers and kinds.
select is(pg_temp.take('search', 'c0000000-0000-0000-0000-000000000003'), 'no_profile', 'a deleted user cannot take a request');
select throws_ok($$ select pg_temp.take('nothing') $$, 'PT422', null, 'an unknown kind is refused');
delete from auth.users where id = 'b0000000-0000-0000-0000-000000000002';
select is_empty($$ select from private.request_buckets where user_id = 'b0000000-0000-0000-0000-000000000002' $$, 'buckets are deleted with their account');
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select throws_ok($$ select public.take_request('a0000000-0000-0000-0000-000000000001', 'search') $$, '42501', null, 'users cannot take requests from their buckets directly');
reset role;

-- Edits at the data API.
delete from private.request_buckets;
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
insert into public.playlists (owner_id, name) values ('a0000000-0000-0000-0000-000000000001', 'Mine');
reset role;
create temp table mine as select id from public.playlists where name = 'Mine';
grant select on mine to authenticated;
create function pg_temp.uri(p_number int) returns text language sql as $$ select 'spotify:track:' || lpad(p_number::text, 22, '0') $$;
create function pg_temp.track(p_number int) returns jsonb language sql
as $$ select jsonb_build_array(jsonb_build_object('track_uri', pg_temp.uri(p_number))) $$;
grant execute on function pg_temp.uri(int), pg_temp.track(int) to authenticated;
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select public.add_tracks(id, pg_temp.track(1)), public.add_tracks(id, pg_temp.track(2)) from mine;
select public.move_track(id, pg_temp.uri(1)) from mine;
select public.remove_tracks(id, array[pg_temp.uri(2)]) from mine;
select public.replace_track(id, pg_temp.uri(1), pg_temp.track(2) -> 0) from mine;
select public.replace_tracks(id, pg_temp.track(3)) from mine;
reset role;
select is((select taken::int from private.request_buckets where kind = 'edit'), 6, 'every change of tracks counts as an edit');

update private.request_buckets set taken = 120, refills_at = clock_timestamp() + interval '30 seconds' where kind = 'edit';
create function pg_temp.refusal(p_statement text) returns jsonb language plpgsql as $$
declare
  v_message text;
  v_detail text;
begin
  execute p_statement;
  return null;
exception when sqlstate 'PGRST' then
  get stacked diagnostics v_message = message_text, v_detail = pg_exception_detail;
  return jsonb_build_object('code', v_message::jsonb -> 'code', 'status', v_detail::jsonb -> 'status', 'wait', v_detail::jsonb #> '{headers,Retry-After}');
end
$$;
grant execute on function pg_temp.refusal(text) to authenticated;
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select is(
  pg_temp.refusal(format(statement, (select id from mine))),
  '{"code": "too_many_attempts", "status": 429, "wait": "30"}',
  'one too many is refused with 429 and Retry-After: ' || left(statement, 40)
)
from unnest(array[
  $$ select public.add_tracks(%L, pg_temp.track(9)) $$, $$ select public.remove_tracks(%L, '{}') $$,
  $$ select public.move_track(%L, pg_temp.uri(3)) $$, $$ select public.replace_track(%L, '', pg_temp.track(9) -> 0) $$,
  $$ select public.replace_tracks(%L, pg_temp.track(9)) $$
]) statement;
select is((select count(*)::int from public.playlist_tracks t, mine where t.playlist_id = mine.id), 1, 'a refused edit changes nothing');
reset role;
select pg_temp.wait(interval '31 seconds');
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select is(pg_temp.refusal(format($$ select public.add_tracks(%L, pg_temp.track(9)) $$, (select id from mine))), null, 'edits are allowed again after their period');
reset role;

-- Direct writes of playlists.
delete from private.request_buckets;
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
insert into public.playlists (owner_id, name) select 'a0000000-0000-0000-0000-000000000001', 'Bulk ' || n from generate_series(1, 5) n;
update public.playlists p set name = 'Renamed' from mine where p.id = mine.id;
update public.playlists p set is_deleted = true where p.name like 'Bulk %';
reset role;
update public.playlists p set description = 'By the server' where p.name = 'Renamed';
select is((select taken::int from private.request_buckets where kind = 'playlist'), 4, 'a user''s statement on playlists counts as one write, the server''s does not count');
update private.request_buckets set taken = 120, refills_at = clock_timestamp() + interval '30 seconds' where kind = 'playlist';
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select is(
  pg_temp.refusal(statement), '{"code": "too_many_attempts", "status": 429, "wait": "30"}', 'one write too many is refused: ' || left(statement, 25)
)
from unnest(array[
  $$ insert into public.playlists (owner_id, name) values ('a0000000-0000-0000-0000-000000000001', 'Other') $$,
  $$ update public.playlists set name = 'Other' $$, $$ update public.playlists set is_deleted = false $$
]) statement;
select is(pg_temp.refusal(format($$ select public.remove_tracks(%L, '{}') $$, (select id from mine))), null, 'edits of tracks have a separate bucket');
reset role;
select pg_temp.wait(interval '31 seconds');
select pg_temp.act_as('authenticated', 'a0000000-0000-0000-0000-000000000001');
select is(pg_temp.refusal($$ update public.playlists set name = 'Again' where not is_deleted $$), null, 'writes are allowed again after the minute');
reset role;
rollback to savepoint part;

-- Concurrent edits, as far as one transaction shows them; the races test the rest.
select is(private.edits_at_once(), 3, 'three edits of a user run at a time');
select ok(
  exists (select from pg_proc p where p.oid = f::regprocedure and p.proconfig @> array['lock_timeout=2s']), f || ' waits two seconds for a lock'
)
from unnest(array[
  'public.add_tracks(uuid,jsonb,text,text)', 'public.remove_tracks(uuid,text[])', 'public.move_track(uuid,text,text,text)',
  'public.replace_track(uuid,text,jsonb)', 'public.replace_tracks(uuid,jsonb,int)', 'private.lock_own_profile()'
]) f;

select finish();
rollback;
