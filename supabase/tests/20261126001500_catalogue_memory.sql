-- The catalogue memory: remembered for its time, bounded in rows, and reached by two functions only.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the functions' roles too.
grant execute on all functions in schema extensions to anon, authenticated, service_role, fn_ai, fn_spotify;
grant usage on schema extensions to fn_ai, fn_spotify;

select plan(27);

delete from private.catalogue_memory;
create function pg_temp.entry(p_song text, p_candidates jsonb, p_hours int default 168) returns jsonb language sql
as $$ select jsonb_build_array(jsonb_build_object('song', p_song, 'candidates', p_candidates, 'hours', p_hours)) $$;
create function pg_temp.recall(variadic p_songs text[]) returns jsonb language sql
as $$ select public.recall_songs(p_songs, 'PL', 1) $$;
grant execute on function pg_temp.entry(text, jsonb, int), pg_temp.recall(text[]) to fn_ai, fn_spotify;

set local role fn_ai;
select public.remember_songs('PL', 1, pg_temp.entry('kult' || E'\n' || 'arahja', '{"by_field": [1]}') || pg_temp.entry('none', '{"by_field": []}', 24));
select is(pg_temp.recall('none', 'unknown', 'kult' || E'\n' || 'arahja'), '[{"by_field": []}, null, {"by_field": [1]}]', 'results are in the order of the songs, null for unknown ones');
select is(public.recall_songs('{}', 'PL', 1), '[]', 'no songs have no results');
select is(public.recall_songs('{none}', 'DE', 1), '[null]', 'a song is separate for each market');
select is(public.recall_songs('{none}', null, 1), '[null]', 'a song without a market is separate');
select is(public.recall_songs('{none}', 'PL', 2), '[null]', 'another version of the matching has no results');
select public.remember_songs(null, 1, pg_temp.entry('none', '{"by_field": [2]}'));
select is(public.recall_songs('{none}', null, 1), '[{"by_field": [2]}]', 'a song without a market is remembered');
select is(pg_temp.recall('none'), '[{"by_field": []}]', 'a song without a market replaces no other');
select public.remember_songs('PL', 1, pg_temp.entry('twice', '1') || pg_temp.entry('twice', '1'));
select is(pg_temp.recall('twice'), '[1]', 'a song that comes twice in a batch is remembered once');
set local role fn_spotify;
select is(pg_temp.recall('twice'), '[1]', 'fn_spotify may recall songs');
select throws_ok($$ select public.remember_songs('PL', 1, pg_temp.entry('x', '1')) $$, '42501', null, 'fn_spotify may not remember songs');
reset role;

-- Contents and expiry.
select is((select count(*)::int from private.catalogue_memory m where octet_length(m.song) <> 32 or m.song = convert_to('none', 'UTF8')), 0, 'keys are hashes without text');
select ok(
  (select m.expires_at - m.used_at from private.catalogue_memory m where m.song = private.song_key(v.song) and m.market = 'PL') = v.life, v.song || ' lives as long as it was said'
)
from (values ('none', interval '24 hours'), ('twice', interval '168 hours')) v(song, life);
select throws_ok(format('select public.remember_songs(''PL'', 1, pg_temp.entry(''x'', ''1'', %s))', hours), 'PT422', null, hours || ' hours are refused')
from unnest(array[0, -1, 721]) hours;
select throws_ok($$ select public.remember_songs('PL', 1, (select jsonb_agg(jsonb_build_object('song', n::text, 'candidates', 1, 'hours', 1)) from generate_series(1, 201) n)) $$, 'PT422', null, 'a batch has at most 200 songs');
select throws_ok($$ select public.recall_songs((select array_agg(n::text) from generate_series(1, 51) n), 'PL', 1) $$, 'PT422', null, 'a call has at most 50 songs');
select throws_ok($$ select public.remember_songs('PL', 1, pg_temp.entry('x', to_jsonb(repeat('x', 32768)))) $$, '23514', null, 'an entry has a maximum size');
select throws_ok($$ select public.remember_songs('pl', 1, pg_temp.entry('x', '1')) $$, '23514', null, 'a market must be well-formed');

update private.catalogue_memory set expires_at = clock_timestamp() where song = private.song_key('twice');
select is(pg_temp.recall('twice', 'none'), '[null, {"by_field": []}]', 'an expired entry is not returned, trimmed or not');
select public.remember_songs('PL', 1, pg_temp.entry('twice', '2'));
select is(pg_temp.recall('twice'), '[2]', 'a newer entry replaces an older one and its expiry');

-- Uses are stored to the hour; the least recently used songs are removed first.
update private.catalogue_memory set used_at = clock_timestamp() - interval '2 hours';
select pg_temp.recall('twice');
select is((select count(*)::int from private.catalogue_memory where used_at > clock_timestamp() - interval '1 minute'), 1, 'a use is stored');
create or replace function private.catalogue_memory_rows() returns int language sql immutable parallel safe set search_path = '' as $$ select 2 $$;
update private.catalogue_memory set used_at = clock_timestamp() - interval '1 day' where song = private.song_key('none') and market = 'PL';
select private.trim_catalogue_memory();
select is((select count(*)::int from private.catalogue_memory), 2, 'the maximum number of songs is kept');
select is(pg_temp.recall('none', 'twice'), '[null, 2]', 'the least recently used song is removed');
update private.catalogue_memory set used_at = clock_timestamp(), expires_at = clock_timestamp() where market = '';
select private.trim_catalogue_memory();
select is((select count(*)::int from private.catalogue_memory where market = ''), 0, 'what has expired goes, however lately it was used');

truncate private.catalogue_memory;
select is(pg_temp.recall('none', 'twice'), '[null, null]', 'one command deletes all of it');

select finish();
rollback;
