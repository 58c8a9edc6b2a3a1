// What is broken, one at a time. Each has to be noticed; those of a lock by the race that the lock is there for.

import type { Sabotage } from './sabotage.ts';
import { everywhere, pgtap, race, rewrite, statement } from './sabotage.ts';

const FIND_OWN_PROFILE = "perform from public.profiles p where p.user_id = p_user_id for no key update;";

const GRANTS: Sabotage[] = [
  statement('users may change their plan', 'grant update (plan) on public.profiles to authenticated'),
  statement('users may set their Stripe customer', 'grant update (stripe_customer_id) on public.profiles to authenticated'),
  statement('users may make profiles', 'grant insert on public.profiles to authenticated'),
  statement('users may delete their profile', 'grant delete on public.profiles to authenticated'),
  statement('anybody may read profiles', 'grant select on public.profiles to anon'),
  statement('users may give playlists away', 'grant update (owner_id) on public.playlists to authenticated'),
  statement('users may choose a playlist\'s id', 'grant insert (id) on public.playlists to authenticated'),
  statement('users may back-date playlists', 'grant update (created_at) on public.playlists to authenticated'),
  statement('users may delete playlists for good', 'grant delete on public.playlists to authenticated'),
  statement('users may write tracks past the functions', 'grant insert, update, delete on public.playlist_tracks to authenticated'),
  statement('users may forge AI sessions', 'grant insert on public.ai_sessions to authenticated'),
  statement('users may change AI sessions', 'grant update on public.ai_sessions to authenticated'),
  statement('users may delete AI sessions', 'grant delete on public.ai_sessions to authenticated'),
  statement(
    'a partition can be read directly',
    "do $$ begin execute 'grant select on public.ai_sessions_' || to_char(now() at time zone 'UTC', 'YYYY_MM') || ' to authenticated'; end $$",
  ),
  statement('users may read ciphertext', 'grant select on public.spotify_tokens to authenticated'),
  statement('users may unlink by deleting', 'grant delete on public.spotify_tokens to authenticated'),
  statement('the secret key reaches a table', 'grant select on public.spotify_tokens to service_role'),
  statement('fn_ai reaches a table', 'grant select on public.ai_sessions to fn_ai'),
  statement('everybody may read playlists', 'grant select on public.playlists to public'),
  statement('users may truncate', 'grant truncate on public.playlists to authenticated'),
  statement('users may reserve for anybody', 'grant execute on function public.ai_reserve to authenticated'),
  statement('users may settle for anybody', 'grant execute on function public.ai_settle to authenticated'),
  statement('users may read tokens', 'grant execute on function public.get_spotify_tokens to authenticated'),
  statement('everybody may store tokens', 'grant execute on function public.store_spotify_tokens to public'),
  statement('fn_ai may read tokens', 'grant execute on function public.get_spotify_tokens to fn_ai'),
  statement('fn_spotify may settle', 'grant execute on function public.ai_settle to fn_spotify'),
  statement('fn_billing may delete links', 'grant execute on function public.delete_spotify_tokens to fn_billing'),
  statement('users may use schema private', 'grant usage on schema private to authenticated'),
  statement('users may create in schema public', 'grant create on schema public to authenticated'),
  statement('owners cannot read their profile', 'revoke select on public.profiles from authenticated'),
  statement('owners cannot rename playlists', 'revoke update (name) on public.playlists from authenticated'),
  statement('users cannot see their usage', 'revoke execute on function public.usage from authenticated'),
  statement('the secret key cannot reserve', 'revoke execute on function public.ai_reserve from service_role'),
  statement('fn_ai cannot save', 'revoke execute on function public.save_generated_playlist from fn_ai'),
  statement('fn_spotify cannot store', 'revoke execute on function public.store_spotify_tokens from fn_spotify'),
  statement('what is created later is open to everybody', 'alter default privileges grant execute on functions to public', pgtap('20261101000000_foundations.sql')),
  statement('tables that are created later are open to users', 'alter default privileges in schema public grant select on tables to authenticated', pgtap('20261101000000_foundations.sql')),
];

const POLICIES: Sabotage[] = [
  statement('profiles without row-level security', 'alter table public.profiles disable row level security'),
  statement('playlists without row-level security', 'alter table public.playlists disable row level security'),
  statement('tracks without row-level security', 'alter table public.playlist_tracks disable row level security'),
  statement('AI sessions without row-level security', 'alter table public.ai_sessions disable row level security'),
  statement('tokens without row-level security', 'alter table public.spotify_tokens disable row level security'),
  statement(
    'a partition without row-level security',
    "do $$ begin execute 'alter table public.ai_sessions_' || to_char(now() at time zone 'UTC', 'YYYY_MM') || ' disable row level security'; end $$",
  ),
  statement('everybody sees every profile', 'alter policy "Profiles are owner-read-write" on public.profiles using (true)'),
  statement('everybody sees every playlist', 'alter policy "Playlists are owner-read-write" on public.playlists using (true)'),
  statement('playlists can be made for others', 'alter policy "Playlists are owner-read-write" on public.playlists with check (true)'),
  statement('everybody sees every track', 'alter policy "Tracks accessible through playlist owner" on public.playlist_tracks using (true)'),
  statement('everybody sees every AI session', 'alter policy "AI sessions owner" on public.ai_sessions using (true)'),
  statement('a policy is for everybody', 'alter policy "Playlists are owner-read-write" on public.playlists to public'),
  statement('a second policy opens what the first closes', 'create policy more on public.profiles to authenticated using (true)'),
  statement('owners see nothing', 'drop policy "Playlists are owner-read-write" on public.playlists'),
];

const CONSTRAINTS: Sabotage[] = [
  statement('two profiles of one Stripe customer', 'alter table public.profiles drop constraint profiles_stripe_customer_id_key', pgtap('20261101000100_profiles.sql')),
  statement('accounts cannot go', 'alter table public.profiles drop constraint profiles_user_id_fkey, add constraint profiles_user_id_fkey foreign key (user_id) references auth.users (id)', pgtap('20261101000100_profiles.sql')),
  statement('playlists outlive their account', 'alter table public.playlists drop constraint playlists_owner_id_fkey', pgtap('20261101000300_playlists.sql')),
  statement('tracks outlive their playlist', 'alter table public.playlist_tracks drop constraint playlist_tracks_playlist_id_fkey', pgtap('20261101000400_playlist_tracks.sql')),
  statement('sessions outlive their account', 'alter table public.ai_sessions drop constraint ai_sessions_user_id_fkey', pgtap('20261101000500_ai_sessions.sql')),
  statement('tokens outlive their account', 'alter table public.spotify_tokens drop constraint spotify_tokens_user_id_fkey', pgtap('20261101000700_spotify_tokens.sql')),
  statement('any position', 'alter table public.playlist_tracks drop constraint playlist_tracks_position_range', pgtap('20261101000400_playlist_tracks.sql')),
  statement('any address of a track', 'alter table public.playlist_tracks drop constraint playlist_tracks_track_uri_form', pgtap('20261101000400_playlist_tracks.sql')),
  statement('negative costs', 'alter table public.ai_sessions drop constraint ai_sessions_cost_range', pgtap('20261101000500_ai_sessions.sql')),
  statement('names of any length', 'alter table public.playlists drop constraint playlists_name_length', pgtap('20261101000300_playlists.sql')),
  statement('names in another case are other names', 'drop index public.playlists_owner_name_idx; create unique index playlists_owner_name_idx on public.playlists (owner_id, name) where is_deleted = false', race('playlists', 'one name in any case is taken once')),
  statement('names are never free again', 'drop index public.playlists_owner_name_idx; create unique index playlists_owner_name_idx on public.playlists (owner_id, lower(name))', pgtap('20261101000300_playlists.sql')),
  statement('a track twice', 'drop index public.playlist_tracks_no_dup_idx', pgtap('20261101000400_playlist_tracks.sql')),
  statement('no index for a user\'s whole list', 'drop index public.playlists_owner_idx', pgtap('20261101000300_playlists.sql')),
];

const TRIGGERS: Sabotage[] = [
  statement('no limit of playlists', 'drop trigger check_playlists_limit on public.playlists', pgtap('20261101000300_playlists.sql')),
  statement('restoring is not counted', "drop trigger check_playlists_limit on public.playlists; create constraint trigger check_playlists_limit after insert on public.playlists deferrable initially deferred for each row when (new.is_deleted = false) execute function public.check_playlists_limit()", race('playlists', 'restoring counts as making')),
  statement('the limit is checked at once', "drop trigger check_playlists_limit on public.playlists; create constraint trigger check_playlists_limit after insert or update on public.playlists not deferrable for each row when (new.is_deleted = false) execute function public.check_playlists_limit()", race('playlists', 'at the limit, many can each delete one and make one')),
  rewrite('fifty-one playlists', 'public.check_playlists_limit', '> private.playlist_limit()', '> private.playlist_limit() + 1', race('playlists', '40 at once')),
  statement('deleted playlists keep their tracks', 'drop trigger soft_delete_playlist_tracks on public.playlists', pgtap('20261101000400_playlist_tracks.sql')),
  rewrite('restored playlists are empty', 'public.soft_delete_playlist_tracks', 'new.is_deleted is distinct from old.is_deleted', 'new.is_deleted', pgtap('20261101000400_playlist_tracks.sql')),
  statement('tracks enter deleted playlists', 'drop trigger lock_live_playlist on public.playlist_tracks', race('tracks', 'a row that comes past the functions')),
  statement('accounts without a profile', 'drop trigger create_profile on auth.users', pgtap('20261101000200_profile_at_sign_up.sql')),
  rewrite('bad metadata fails a sign-up', 'private.create_profile', 'when others then\n    insert', "when sqlstate 'XX999' then\n    insert", pgtap('20261101000200_profile_at_sign_up.sql')),
  statement('updated_at stands still', 'drop trigger set_updated_at on public.profiles', pgtap('20261101000100_profiles.sql')),
  rewrite('updated_at may repeat', 'private.set_updated_at', "old.updated_at + interval '1 microsecond'", 'old.updated_at', pgtap('20261101000000_foundations.sql')),
];

const LOCKS: Sabotage[] = [
  {
    what: 'playlists are counted without any lock',
    killer: race('playlists', '40 at once'),
    apply: (sql) => sql.unsafe(`
      alter table public.playlists disable trigger prepare_playlist;
      create or replace function public.check_playlists_limit() returns trigger language plpgsql security definer set search_path = '' as $$
      begin
        if private.live_playlist_count(new.owner_id) > private.playlist_limit() then
          raise exception using errcode = 'PT409', message = 'playlist limit reached';
        end if;
        return null;
      end $$`),
  },
  rewrite('the profile is locked behind the index only', 'private.prepare_playlist', 'perform from public.profiles p where p.user_id = new.owner_id for no key update;', 'null;', race('playlists', 'making a playlist by hand and saving')),
  statement('the profile is locked behind the playlist', 'drop trigger lock_own_profile on public.playlists', race('playlists', 'restoring two at once and renaming the second')),
  rewrite('tracks are changed without a lock', 'private.lock_own_tracks', 'for no key update', '', race('tracks', 'adds at once are all there')),
  rewrite('moves without a lock', 'private.lock_own_tracks', 'for no key update', '', race('tracks', 'moves at once lose nothing')),
  rewrite('removes without a lock', 'private.lock_own_tracks', 'for no key update', '', race('tracks', 'removes at once remove as many')),
  rewrite('a track enters while its playlist is being deleted', 'private.lock_live_playlist', 'for share', '', race('tracks', 'a row that comes past the functions')),
  rewrite('quota is counted without a lock', 'public.ai_reserve', FIND_OWN_PROFILE, 'perform from public.profiles p where p.user_id = p_user_id;', race('quota', 'exactly three')),
  rewrite('the clock is read before the lock', 'public.ai_settle', 'v_now timestamptz := clock_timestamp()', 'v_now timestamptz := now()', race('quota', 'a settling that waited')),
  rewrite('an id is not locked across users', 'public.ai_reserve', 'perform pg_advisory_xact_lock(hashtextextended(p_session_id::text, 0));', '', race('quota', 'one id of two users')),
  rewrite('settling without a lock', 'private.lock_session', FIND_OWN_PROFILE, '', race('quota', 'a settling that waited')),
  rewrite('saving without a lock', 'private.lock_session', FIND_OWN_PROFILE, '', race('quota', 'saving twice at once')),
  rewrite('tokens are encrypted anew as they were', 'public.rotate_spotify_tokens', "'access_token', t.access_token", "'access_token', v_row.access_token", { file: 'tests/database/tokens.test.ts', test: 'what is stored meanwhile' }),
  rewrite('an export is taken over by many', 'public.begin_spotify_export', 'for update', '', race('spotify', 'one of many exports')),
  rewrite('everybody replaces the token', 'public.get_spotify_tokens', 'and (t.refreshing_until is null or t.refreshing_until <= v_now)', '', race('spotify', 'one of many replaces')),
  rewrite('a late answer overwrites a newer link', 'public.refresh_spotify_tokens', 'for update', '', race('spotify', 'what comes late')),
  rewrite('a newer link is given up', 'public.expire_spotify_link', 'for update', '', race('spotify', 'a newer link')),
  rewrite('months are made without a lock', 'private.ensure_ai_sessions_partitions_at', "perform pg_advisory_xact_lock(hashtextextended('ensure_ai_sessions_partitions', 0));", '', race('partitions', 'many that make the same months')),
  rewrite('months are dropped without a lock', 'private.drop_empty_ai_sessions_partitions_at', 'lock table only public.ai_sessions in access exclusive mode;', '', race('partitions', 'a month that somebody is writing to')),
];

const RULES: Sabotage[] = [
  rewrite('one generation more', 'private.ai_quota_limit', 'else 3 end', 'else 4 end', pgtap('20261101000900_ai_quota.sql')),
  rewrite('pro has one generation less', 'private.ai_quota_limit', 'then 50', 'then 49', pgtap('20261101000900_ai_quota.sql')),
  rewrite('the window is a day shorter', 'private.ai_quota_window', '720 hours', '696 hours', pgtap('20261101000900_ai_quota.sql')),
  rewrite('failures are charged', 'private.ai_quota', "s.status = 'succeeded' or", "s.status <> 'timeout' or", pgtap('20261101000900_ai_quota.sql')),
  rewrite('reservations are not counted', 'private.ai_quota', "s.status = 'succeeded' or private.is_live_reservation(s.status, s.created_at, p_at)", "s.status = 'succeeded'", pgtap('20261101000900_ai_quota.sql')),
  rewrite('reservations last forever', 'private.ai_reservation_ttl', '90 seconds', '90 days', pgtap('20261101000900_ai_quota.sql')),
  rewrite('failures are not bounded', 'private.ai_too_many_attempts', 'offset 4 limit 1', 'offset 400 limit 1', pgtap('20261101001000_ai_reserve.sql')),
  rewrite('another user\'s id is taken over', 'private.ai_replay', "p_user_id <> any", 'null <> any', pgtap('20261101001000_ai_reserve.sql')),
  rewrite('a late success is charged', 'public.ai_settle', 'if v_is_late then', 'if false then', pgtap('20261101001100_ai_settle.sql')),
  rewrite('costs are rounded down', 'private.ai_cost', 'ceil', 'floor', pgtap('20261101001100_ai_settle.sql')),
  rewrite('a cost may fall', 'private.settle_session', 'greatest(s.cost, private.ai_cost(p_cost))', 'private.ai_cost(p_cost)', pgtap('20261101001100_ai_settle.sql')),
  rewrite('an expired reservation is charged', 'private.settle_session', 'case when v_is_live then p_status else s.status end', 'p_status', pgtap('20261101001100_ai_settle.sql')),
  rewrite('anybody\'s playlist can be changed', 'private.lock_own_tracks', 'and p.owner_id = (select auth.uid())', '', pgtap('20261101000800_track_functions.sql')),
  rewrite('deleted playlists can be changed', 'private.lock_own_tracks', 'and p.is_deleted = false', '', pgtap('20261101000800_track_functions.sql')),
  rewrite('a hundred and one tracks', 'private.write_tracks', 'cardinality(p_tracks) > 100', 'cardinality(p_tracks) > 101', pgtap('20261101000800_track_functions.sql')),
  rewrite('usage of the caller\'s choice', 'public.usage', 'auth.uid()', "(select user_id from public.profiles limit 1)", pgtap('20261101001300_usage.sql')),
  rewrite('a month is open to the API', 'private.ensure_ai_sessions_partitions_at', "execute format('alter table public.%I enable row level security', v_name);", '', pgtap('20261123000200_partitions_at.sql')),
  rewrite('months follow the session\'s time zone', 'private.ensure_ai_sessions_partitions_at', 'SET "TimeZone" TO \'UTC\'', "SET \"TimeZone\" TO 'Europe/Warsaw'", pgtap('20261123000200_partitions_at.sql')),
  rewrite('months with rows are dropped', 'private.drop_empty_ai_sessions_partitions_at', 'if v_is_empty then', 'if true then', pgtap('20261123000200_partitions_at.sql')),
  rewrite('a definer function trusts the search path', 'public.ai_reserve', "SET search_path TO ''", "SET search_path TO 'public'", pgtap('20261101000000_foundations.sql')),
  rewrite('a short secret will do', 'private.use_spotify_secrets', 'char_length(p_secret) < 32', 'char_length(p_secret) < 1', pgtap('20261101000700_spotify_tokens.sql')),
  rewrite('what cannot be read is nothing', 'private.open_spotify_token', 'if v_token is null then', 'if false then', pgtap('20261123000100_spotify_token_rotation.sql')),
  rewrite('an unreadable row keeps the rest from being encrypted anew', 'public.rotate_spotify_tokens', "when sqlstate 'PT503'", "when sqlstate 'XX999'", pgtap('20261123000100_spotify_token_rotation.sql')),
  everywhere('one key for all users', ['private.encrypt_spotify_token', 'private.decrypt_spotify_token'], "p_user_id || '/' || p_column", "'/' || p_column", pgtap('20261123000100_spotify_token_rotation.sql')),
  everywhere('one key for both columns', ['private.encrypt_spotify_token', 'private.decrypt_spotify_token'], "p_user_id || '/' || p_column", 'p_user_id::text', pgtap('20261123000100_spotify_token_rotation.sql')),
  rewrite('replacing a token is linking', 'public.refresh_spotify_tokens', 'expires_at = p_expires_at,', 'expires_at = p_expires_at, created_at = now(),', pgtap('20261124000000_spotify_links.sql')),
  rewrite('another key\'s request is answered', 'public.begin_spotify_export', 'if v_export.request <> p_request then', 'if false then', pgtap('20261124000100_spotify_exports.sql')),
  rewrite('a second copy counts', 'public.record_spotify_export', 'coalesce(e.spotify_playlist_id, p_spotify_playlist_id)', 'p_spotify_playlist_id', pgtap('20261124000100_spotify_exports.sql')),
  statement('exports without row-level security', 'alter table public.spotify_exports disable row level security'),
  statement('users may forge exports', 'grant insert on public.spotify_exports to authenticated'),
  rewrite('the secret outlives its transaction', 'private.use_spotify_secrets', "set_config('app.spotify_secret', p_secret, true)", "set_config('app.spotify_secret', p_secret, false)", { file: 'tests/database/tokens.test.ts', test: 'does not outlive' }),
];

export const SABOTAGES: readonly Sabotage[] = [...GRANTS, ...POLICIES, ...CONSTRAINTS, ...TRIGGERS, ...LOCKS, ...RULES];
