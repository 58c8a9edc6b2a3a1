// Which role may do what, written once. Everything that is not listed is forbidden or does not exist.
//
// A table, column or function that only the database or only this file has fails the suite.

import type { Role } from '../support.ts';

/** What a role may do with a relation, column by column; whole rows are read and deleted. */
export type Rights = { select?: true; insert?: readonly string[]; update?: readonly string[]; delete?: true };

export type Relation = {
  columns: readonly string[];
  rights: Partial<Record<Role, Rights>>;
  /** The condition that finds the owner's row; $owner and $playlist stand for their ids. */
  ownersRow: string;
};

const AI_SESSION_COLUMNS = ['id', 'user_id', 'prompt', 'status', 'cost', 'created_at', 'settled_at', 'delivered'];

/** By name in schema public; a name that ends in `*` stands for all relations with that prefix, at least one. */
export const RELATIONS: Record<string, Relation> = {
  profiles: {
    columns: ['user_id', 'username', 'plan', 'stripe_customer_id', 'created_at', 'updated_at', 'plan_synced_at', 'deletion_started_at', 'plan_period_ends_at', 'plan_renews'],
    rights: { authenticated: { select: true, update: ['username'] } },
    ownersRow: 'user_id = $owner',
  },
  playlists: {
    columns: ['id', 'owner_id', 'name', 'description', 'is_deleted', 'created_at', 'updated_at', 'deleted_at', 'version'],
    rights: {
      authenticated: {
        select: true,
        insert: ['owner_id', 'name', 'description'],
        update: ['name', 'description', 'is_deleted'],
      },
    },
    ownersRow: 'id = $playlist',
  },
  playlist_tracks: {
    columns: ['playlist_id', 'position', 'track_uri', 'is_deleted', 'added_at', 'title', 'artist', 'album', 'duration_ms', 'explicit', 'version', 'image_url', 'why'],
    rights: { authenticated: { select: true } },
    ownersRow: 'playlist_id = $playlist',
  },
  shared_playlists: {
    columns: ['playlist_id', 'share_id', 'created_at'],
    rights: { authenticated: { select: true } },
    ownersRow: 'playlist_id = $playlist',
  },
  playlist_versions: {
    columns: ['playlist_id', 'version', 'session_id', 'prompt', 'instruction', 'suggestions', 'tracks', 'is_current', 'created_at'],
    rights: { authenticated: { select: true } },
    ownersRow: 'playlist_id = $playlist',
  },
  ai_sessions: {
    columns: AI_SESSION_COLUMNS,
    rights: { authenticated: { select: true } },
    ownersRow: 'user_id = $owner',
  },
  'ai_sessions_*': { columns: AI_SESSION_COLUMNS, rights: {}, ownersRow: 'user_id = $owner' },
  spotify_tokens: {
    columns: ['user_id', 'access_token', 'refresh_token', 'expires_at', 'created_at', 'updated_at', 'display_name', 'refreshing_until', 'account_id'],
    rights: {},
    ownersRow: 'user_id = $owner',
  },
  spotify_exports: {
    columns: ['user_id', 'idempotency_key', 'request', 'spotify_playlist_id', 'result', 'held_until', 'created_at', 'spotify_account_id'],
    rights: {},
    ownersRow: 'user_id = $owner',
  },
  spotify_copies: {
    columns: ['playlist_id', 'user_id', 'spotify_playlist_id', 'spotify_account_id', 'created_at'],
    rights: { authenticated: { select: true } },
    ownersRow: 'user_id = $owner',
  },
};

export const PRIVATE_RELATIONS: readonly string[] = ['address_key', 'catalogue_memory', 'former_usage', 'request_buckets'];

export const PUBLIC_FUNCTIONS: Record<string, readonly Role[]> = {
  'add_tracks(uuid,jsonb,text,text)': ['authenticated'],
  'remove_tracks(uuid,text[])': ['authenticated'],
  'move_track(uuid,text,text,text)': ['authenticated'],
  'replace_track(uuid,text,jsonb)': ['authenticated'],
  'replace_tracks(uuid,jsonb,integer)': ['authenticated'],
  'share_playlist(uuid)': ['authenticated'],
  'unshare_playlist(uuid)': ['authenticated'],
  'shared_playlist(uuid)': ['anon', 'authenticated'],
  'duplicate_playlist(uuid)': ['authenticated'],
  'duplicate_shared_playlist(uuid)': ['authenticated'],
  'usage()': ['authenticated'],
  'take_request(uuid,text)': ['service_role', 'fn_spotify', 'fn_billing'],
  'account_export()': ['authenticated'],
  'restore_version(uuid,integer)': ['authenticated'],
  'ai_reserve(uuid,uuid,text,boolean,uuid)': ['service_role', 'fn_ai'],
  'ai_deliver(uuid,uuid,numeric,jsonb)': ['service_role', 'fn_ai'],
  'ai_settle(uuid,uuid,ai_status_enum,numeric,integer,jsonb)': ['service_role', 'fn_ai'],
  'save_generated_playlist(uuid,uuid,numeric,text,text,jsonb,uuid,text,jsonb)': ['service_role', 'fn_ai'],
  'recall_songs(text[],text,integer)': ['service_role', 'fn_ai', 'fn_spotify'],
  'remember_songs(text,integer,jsonb)': ['service_role', 'fn_ai'],
  'store_spotify_tokens(uuid,text,text,text,timestamp with time zone,text,text)': ['service_role', 'fn_spotify'],
  'get_spotify_tokens(uuid,text,text,text)': ['service_role', 'fn_spotify'],
  'refresh_spotify_tokens(uuid,text,text,text,text,timestamp with time zone,text)': ['service_role', 'fn_spotify'],
  'release_spotify_refresh(uuid)': ['service_role', 'fn_spotify'],
  'expire_spotify_link(uuid,text,text,text)': ['service_role', 'fn_spotify'],
  'spotify_link(uuid)': ['service_role', 'fn_spotify'],
  'begin_spotify_export(uuid,uuid,jsonb)': ['service_role', 'fn_spotify'],
  'record_spotify_export(uuid,uuid,text,text)': ['service_role', 'fn_spotify'],
  'finish_spotify_export(uuid,uuid,jsonb)': ['service_role', 'fn_spotify'],
  'release_spotify_export(uuid,uuid)': ['service_role', 'fn_spotify'],
  'rotate_spotify_tokens(text,text,uuid,integer)': ['service_role', 'fn_spotify'],
  'delete_spotify_tokens(uuid)': ['service_role', 'fn_spotify'],
  'billing_profile(uuid,text)': ['service_role', 'fn_billing'],
  'billing_profiles(uuid,integer)': ['service_role', 'fn_billing'],
  'set_billing_plan(uuid,timestamp with time zone,text,plan_type,boolean,bigint)': ['service_role', 'fn_billing'],
  'set_stripe_customer(uuid,text,text)': ['service_role', 'fn_billing'],
  'begin_account_deletion(uuid,text)': ['service_role', 'fn_account'],
  'delete_account(uuid)': ['service_role', 'fn_account'],
  'check_playlists_limit()': [],
  'soft_delete_playlist_tracks()': [],
};

const OWN = '( SELECT auth.uid() AS uid)';
const OWN_PLAYLISTS = `ARRAY( SELECT playlists.id FROM playlists WHERE (playlists.owner_id = ${OWN}))`;
const OWN_LIVE_PLAYLISTS = `ARRAY( SELECT playlists.id FROM playlists WHERE ((playlists.owner_id = ${OWN}) AND (playlists.is_deleted = false)))`;

/** The policies as PostgreSQL prints them. Each is for all commands, permissive, and for `authenticated` only. */
export const POLICIES: Record<string, { table: string; using: string; check: string }> = {
  'Profiles are owner-read-write': { table: 'profiles', using: `(user_id = ${OWN})`, check: `(user_id = ${OWN})` },
  'Playlists are owner-read-write': { table: 'playlists', using: `(owner_id = ${OWN})`, check: `(owner_id = ${OWN})` },
  'Tracks accessible through playlist owner': {
    table: 'playlist_tracks',
    using: `(playlist_id = ANY (${OWN_PLAYLISTS}))`,
    check: `(playlist_id = ANY (${OWN_LIVE_PLAYLISTS}))`,
  },
  'Shares accessible through playlist owner': {
    table: 'shared_playlists',
    using: `(playlist_id = ANY (${OWN_PLAYLISTS}))`,
    check: `(playlist_id = ANY (${OWN_PLAYLISTS}))`,
  },
  'Versions accessible through playlist owner': {
    table: 'playlist_versions',
    using: `(playlist_id = ANY (${OWN_PLAYLISTS}))`,
    check: `(playlist_id = ANY (${OWN_LIVE_PLAYLISTS}))`,
  },
  'AI sessions owner': { table: 'ai_sessions', using: `(user_id = ${OWN})`, check: `(user_id = ${OWN})` },
  'Spotify exports owner': { table: 'spotify_exports', using: `(user_id = ${OWN})`, check: `(user_id = ${OWN})` },
  'Spotify copies owner': { table: 'spotify_copies', using: `(user_id = ${OWN})`, check: `(user_id = ${OWN})` },
  'Owner access via RPC': { table: 'spotify_tokens', using: `(user_id = ${OWN})`, check: `(user_id = ${OWN})` },
};
