// Which role may do what, written once. Everything that is not listed is forbidden or does not exist.
//
// A table or function that only the database or only this file has fails the suite, as does a column that a role may
// write and that is not listed for it.

import type { Role } from '../support.ts';

/** What a role may do with a relation: the columns that it may write; whole rows are read and deleted. */
export type Rights = { select?: true; insert?: readonly string[]; update?: readonly string[]; delete?: true };

export type Relation = {
  rights: Partial<Record<Role, Rights>>;
  /** The condition that finds the owner's row; $owner and $playlist stand for their ids. */
  ownersRow: string;
};

/** By name in schema public; a name that ends in `*` stands for all relations with that prefix, at least one. */
export const RELATIONS: Record<string, Relation> = {
  profiles: {
    rights: { authenticated: { select: true, update: ['username'] } },
    ownersRow: 'user_id = $owner',
  },
  playlists: {
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
    rights: { authenticated: { select: true } },
    ownersRow: 'playlist_id = $playlist',
  },
  shared_playlists: {
    rights: { authenticated: { select: true } },
    ownersRow: 'playlist_id = $playlist',
  },
  playlist_versions: {
    rights: { authenticated: { select: true } },
    ownersRow: 'playlist_id = $playlist',
  },
  ai_sessions: {
    rights: { authenticated: { select: true } },
    ownersRow: 'user_id = $owner',
  },
  'ai_sessions_*': { rights: {}, ownersRow: 'user_id = $owner' },
  spotify_tokens: {
    rights: {},
    ownersRow: 'user_id = $owner',
  },
  spotify_exports: {
    rights: {},
    ownersRow: 'user_id = $owner',
  },
  spotify_copies: {
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
