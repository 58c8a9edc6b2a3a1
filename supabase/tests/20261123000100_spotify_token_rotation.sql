-- Spotify tokens: one clear error for what cannot be read; the secret changes without a token becoming unreadable.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
-- For this transaction: assertions run as the function's role too.
grant usage on schema extensions to fn_spotify;
grant execute on all functions in schema extensions to fn_spotify;

select plan(25);
create function pg_temp.id(p_n int) returns uuid language sql as $$ select (repeat(p_n::text, 8) || '-0000-0000-0000-000000000000')::uuid $$;
create function pg_temp.old() returns text language sql as $$ select repeat('0ld!', 8) $$;
create function pg_temp.new() returns text language sql as $$ select repeat('n3w!', 8) $$;
grant execute on function pg_temp.id(int), pg_temp.old(), pg_temp.new() to fn_spotify;
create function pg_temp.unreadable(p_n int, p_what text) returns text language sql
as $$
  select throws_ok(
    format('select * from public.get_spotify_tokens(%L, pg_temp.old(), pg_temp.new())', pg_temp.id(p_n)),
    'PT503', 'the stored Spotify tokens cannot be read', p_what
  )
$$;
grant execute on function pg_temp.unreadable(int, text) to fn_spotify;
delete from public.spotify_tokens;
insert into auth.users (id, email) select pg_temp.id(n), n || '@example.test' from generate_series(1, 5) n;

set local role fn_spotify;
select public.store_spotify_tokens(pg_temp.id(n), pg_temp.old(), 'access-' || n, 'refresh-' || n, '2030-01-01Z') from generate_series(1, 4) n;
select results_eq(
  'select access_token, refresh_token from public.get_spotify_tokens(pg_temp.id(1), pg_temp.new(), pg_temp.old())',
  $$ values ('access-1', 'refresh-1') $$, 'who holds both secrets reads what the second one wrote'
);
select results_eq(
  'select access_token, refresh_token from public.get_spotify_tokens(pg_temp.id(1), pg_temp.old(), pg_temp.new())',
  $$ values ('access-1', 'refresh-1') $$, 'and what the first one wrote'
);
select throws_ok(
  'select * from public.get_spotify_tokens(pg_temp.id(1), pg_temp.new())', 'PT503', 'the stored Spotify tokens cannot be read', 'the wrong one alone opens nothing'
);
select throws_ok(
  $$ select * from public.get_spotify_tokens(pg_temp.id(1), pg_temp.old(), 'short') $$, 'PT503', 'the Spotify secret is missing or shorter than 32 characters', 'a short second one is a mistake'
);
select is(public.store_spotify_tokens(pg_temp.id(5), pg_temp.new(), 'żeton', 'ünïcödé 🎵', '2030-01-01Z') is null, false, 'storing with the new one');
select is(
  public.rotate_spotify_tokens(pg_temp.new(), pg_temp.old(), null, 2),
  jsonb_build_object('rotated', 2, 'current', 0, 'unreadable', '[]'::jsonb, 'last_user_id', pg_temp.id(2)), 'a first batch is encrypted anew'
);
select is(
  public.rotate_spotify_tokens(pg_temp.new(), pg_temp.old()),
  jsonb_build_object('rotated', 2, 'current', 3, 'unreadable', '[]'::jsonb, 'last_user_id', pg_temp.id(5)), 'beginning again does the rest'
);
select is(
  public.rotate_spotify_tokens(pg_temp.new(), pg_temp.old(), pg_temp.id(5)) -> 'last_user_id', 'null', 'behind the last one there is nothing'
);
select results_eq(
  'select t.access_token, t.refresh_token from generate_series(1, 5) n, public.get_spotify_tokens(pg_temp.id(n), pg_temp.new()) t order by n',
  $$ values ('access-1', 'refresh-1'), ('access-2', 'refresh-2'), ('access-3', 'refresh-3'), ('access-4', 'refresh-4'), ('żeton', 'ünïcödé 🎵') $$,
  'the new one alone opens everything'
);
select throws_ok('select * from public.get_spotify_tokens(pg_temp.id(1), pg_temp.old())', 'PT503', null, 'the old one nothing');
select throws_ok($$ select public.rotate_spotify_tokens('short', pg_temp.old()) $$, 'PT503', null, 'nothing is encrypted with a short one');
reset role;
select is((select bool_and(created_at = updated_at) from public.spotify_tokens where user_id = pg_temp.id(5)), true, 'what was current is not touched');

-- What an attacker, or a mistake, may do to the rows.
update public.spotify_tokens t set access_token = o.access_token from public.spotify_tokens o where t.user_id = pg_temp.id(1) and o.user_id = pg_temp.id(2);
update public.spotify_tokens t set access_token = t.refresh_token, refresh_token = t.access_token where t.user_id = pg_temp.id(2);
update public.spotify_tokens t set refresh_token = substr(t.refresh_token, 1, length(t.refresh_token) - 5) where t.user_id = pg_temp.id(3);
update public.spotify_tokens t set access_token = '' where t.user_id = pg_temp.id(4);
set local role fn_spotify;
select pg_temp.unreadable(1, 'another user''s ciphertext');
select pg_temp.unreadable(2, 'the two columns exchanged');
select pg_temp.unreadable(3, 'a truncated ciphertext');
select pg_temp.unreadable(4, 'an empty one');
select is(
  public.rotate_spotify_tokens(repeat('3rd!', 8), pg_temp.new()),
  jsonb_build_object('rotated', 1, 'current', 0, 'unreadable', jsonb_build_array(pg_temp.id(1), pg_temp.id(2), pg_temp.id(3), pg_temp.id(4)), 'last_user_id', pg_temp.id(5)),
  'what cannot be read is named and does not keep the rest'
);
select lives_ok($$ select public.store_spotify_tokens(pg_temp.id(1), repeat('3rd!', 8), 'a', 'r', now()) $$, 'linking again mends it');
select results_eq($$ select refresh_token from public.get_spotify_tokens(pg_temp.id(1), repeat('3rd!', 8)) $$, array['r'], 'for good');
select throws_ok('select * from public.spotify_tokens', '42501', null, 'the function does not reach the table itself');
reset role;
-- Every bit of a ciphertext counts: a change makes it unreadable, or changes nothing.
update public.spotify_tokens set refresh_token = private.encrypt_spotify_token(user_id, 'refresh_token', 'one token') where user_id = pg_temp.id(1);
select is_empty(
  $$
    select bit from public.spotify_tokens t, generate_series(0, 8 * length(t.refresh_token) - 1) bit
    where t.user_id = pg_temp.id(1)
      and coalesce(private.decrypt_spotify_token(t.user_id, 'refresh_token', set_bit(t.refresh_token, bit, 1 - get_bit(t.refresh_token, bit)), 'app.spotify_secret'), 'one token') <> 'one token'
  $$,
  'no flipped bit gives another token'
);
select is_empty(
  $$
    select n from public.spotify_tokens t, generate_series(0, length(t.refresh_token) - 1) n
    where t.user_id = pg_temp.id(1) and private.decrypt_spotify_token(t.user_id, 'refresh_token', substr(t.refresh_token, 1, n), 'app.spotify_secret') is not null
  $$,
  'nor any truncation'
);
select is((select count(*)::int from pg_proc where proname in ('get_spotify_tokens', 'store_spotify_tokens', 'rotate_spotify_tokens')), 3, 'one function of each name: the API could not choose');
select function_privs_are('public', 'rotate_spotify_tokens', array['text', 'text', 'uuid', 'integer'], 'fn_spotify', array['EXECUTE']);
select function_privs_are('public', 'rotate_spotify_tokens', array['text', 'text', 'uuid', 'integer'], 'authenticated', array[]::text[]);

select finish();
rollback;
