export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  'public': {
    Tables: {
      'ai_sessions': {
        Row: {
          'cost': number;
          'created_at': string;
          'delivered': Json | null;
          'id': string;
          'prompt': string;
          'request_hash': string | null;
          'settled_at': string | null;
          'status': Database['public']['Enums']['ai_status_enum'];
          'user_id': string;
        };
        ComputedFields: never;
        Insert: {
          'cost': number;
          'created_at'?: string;
          'delivered'?: Json | null;
          'id'?: string;
          'prompt': string;
          'request_hash'?: string | null;
          'settled_at'?: string | null;
          'status': Database['public']['Enums']['ai_status_enum'];
          'user_id': string;
        };
        Update: {
          'cost'?: number;
          'created_at'?: string;
          'delivered'?: Json | null;
          'id'?: string;
          'prompt'?: string;
          'request_hash'?: string | null;
          'settled_at'?: string | null;
          'status'?: Database['public']['Enums']['ai_status_enum'];
          'user_id'?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'ai_sessions_user_id_fkey';
            columns: ['user_id'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['user_id'];
          },
        ];
      };
      'playlist_tracks': {
        Row: {
          'added_at': string;
          'album': string | null;
          'artist': string | null;
          'duration_ms': number | null;
          'explicit': boolean | null;
          'image_url': string | null;
          'is_deleted': boolean;
          'playlist_id': string;
          'position': number;
          'title': string | null;
          'track_uri': string;
          'version': string | null;
          'why': string | null;
        };
        ComputedFields: never;
        Insert: {
          'added_at'?: string;
          'album'?: string | null;
          'artist'?: string | null;
          'duration_ms'?: number | null;
          'explicit'?: boolean | null;
          'image_url'?: string | null;
          'is_deleted'?: boolean;
          'playlist_id': string;
          'position': number;
          'title'?: string | null;
          'track_uri': string;
          'version'?: string | null;
          'why'?: string | null;
        };
        Update: {
          'added_at'?: string;
          'album'?: string | null;
          'artist'?: string | null;
          'duration_ms'?: number | null;
          'explicit'?: boolean | null;
          'image_url'?: string | null;
          'is_deleted'?: boolean;
          'playlist_id'?: string;
          'position'?: number;
          'title'?: string | null;
          'track_uri'?: string;
          'version'?: string | null;
          'why'?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: 'playlist_tracks_playlist_id_fkey';
            columns: ['playlist_id'];
            isOneToOne: false;
            referencedRelation: 'playlists';
            referencedColumns: ['id'];
          },
        ];
      };
      'playlist_versions': {
        Row: {
          'created_at': string;
          'instruction': string | null;
          'is_current': boolean;
          'playlist_id': string;
          'prompt': string | null;
          'session_id': string | null;
          'suggestions': NonNullable<Json>;
          'tracks': Json | null;
          'version': number;
        };
        ComputedFields: never;
        Insert: {
          'created_at'?: string;
          'instruction'?: string | null;
          'is_current'?: boolean;
          'playlist_id': string;
          'prompt'?: string | null;
          'session_id'?: string | null;
          'suggestions'?: NonNullable<Json>;
          'tracks'?: Json | null;
          'version': number;
        };
        Update: {
          'created_at'?: string;
          'instruction'?: string | null;
          'is_current'?: boolean;
          'playlist_id'?: string;
          'prompt'?: string | null;
          'session_id'?: string | null;
          'suggestions'?: NonNullable<Json>;
          'tracks'?: Json | null;
          'version'?: number;
        };
        Relationships: [
          {
            foreignKeyName: 'playlist_versions_playlist_id_fkey';
            columns: ['playlist_id'];
            isOneToOne: false;
            referencedRelation: 'playlists';
            referencedColumns: ['id'];
          },
        ];
      };
      'playlists': {
        Row: {
          'created_at': string;
          'deleted_at': string | null;
          'description': string | null;
          'id': string;
          'is_deleted': boolean;
          'name': string;
          'owner_id': string;
          'updated_at': string;
          'version': number;
        };
        ComputedFields: never;
        Insert: {
          'created_at'?: string;
          'deleted_at'?: string | null;
          'description'?: string | null;
          'id'?: string;
          'is_deleted'?: boolean;
          'name': string;
          'owner_id': string;
          'updated_at'?: string;
          'version'?: number;
        };
        Update: {
          'created_at'?: string;
          'deleted_at'?: string | null;
          'description'?: string | null;
          'id'?: string;
          'is_deleted'?: boolean;
          'name'?: string;
          'owner_id'?: string;
          'updated_at'?: string;
          'version'?: number;
        };
        Relationships: [
          {
            foreignKeyName: 'playlists_owner_id_fkey';
            columns: ['owner_id'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['user_id'];
          },
        ];
      };
      'profiles': {
        Row: {
          'created_at': string;
          'deletion_started_at': string | null;
          'plan': Database['public']['Enums']['plan_type'];
          'plan_period_ends_at': string | null;
          'plan_renews': boolean;
          'plan_synced_at': string | null;
          'stripe_customer_id': string | null;
          'updated_at': string;
          'user_id': string;
          'username': string;
        };
        ComputedFields: never;
        Insert: {
          'created_at'?: string;
          'deletion_started_at'?: string | null;
          'plan'?: Database['public']['Enums']['plan_type'];
          'plan_period_ends_at'?: string | null;
          'plan_renews'?: boolean;
          'plan_synced_at'?: string | null;
          'stripe_customer_id'?: string | null;
          'updated_at'?: string;
          'user_id': string;
          'username': string;
        };
        Update: {
          'created_at'?: string;
          'deletion_started_at'?: string | null;
          'plan'?: Database['public']['Enums']['plan_type'];
          'plan_period_ends_at'?: string | null;
          'plan_renews'?: boolean;
          'plan_synced_at'?: string | null;
          'stripe_customer_id'?: string | null;
          'updated_at'?: string;
          'user_id'?: string;
          'username'?: string;
        };
        Relationships: [];
      };
      'shared_playlists': {
        Row: {
          'created_at': string;
          'playlist_id': string;
          'share_id': string;
        };
        ComputedFields: never;
        Insert: {
          'created_at'?: string;
          'playlist_id': string;
          'share_id'?: string;
        };
        Update: {
          'created_at'?: string;
          'playlist_id'?: string;
          'share_id'?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'shared_playlists_playlist_id_fkey';
            columns: ['playlist_id'];
            isOneToOne: true;
            referencedRelation: 'playlists';
            referencedColumns: ['id'];
          },
        ];
      };
      'spotify_copies': {
        Row: {
          'created_at': string;
          'playlist_id': string;
          'spotify_account_id': string | null;
          'spotify_playlist_id': string;
          'user_id': string;
        };
        ComputedFields: never;
        Insert: {
          'created_at'?: string;
          'playlist_id': string;
          'spotify_account_id'?: string | null;
          'spotify_playlist_id': string;
          'user_id': string;
        };
        Update: {
          'created_at'?: string;
          'playlist_id'?: string;
          'spotify_account_id'?: string | null;
          'spotify_playlist_id'?: string;
          'user_id'?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'spotify_copies_playlist_id_fkey';
            columns: ['playlist_id'];
            isOneToOne: true;
            referencedRelation: 'playlists';
            referencedColumns: ['id'];
          },
          {
            foreignKeyName: 'spotify_copies_user_id_fkey';
            columns: ['user_id'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['user_id'];
          },
        ];
      };
      'spotify_exports': {
        Row: {
          'created_at': string;
          'held_until': string;
          'idempotency_key': string;
          'request': NonNullable<Json>;
          'result': Json | null;
          'spotify_account_id': string | null;
          'spotify_playlist_id': string | null;
          'user_id': string;
        };
        ComputedFields: never;
        Insert: {
          'created_at'?: string;
          'held_until': string;
          'idempotency_key': string;
          'request': NonNullable<Json>;
          'result'?: Json | null;
          'spotify_account_id'?: string | null;
          'spotify_playlist_id'?: string | null;
          'user_id': string;
        };
        Update: {
          'created_at'?: string;
          'held_until'?: string;
          'idempotency_key'?: string;
          'request'?: NonNullable<Json>;
          'result'?: Json | null;
          'spotify_account_id'?: string | null;
          'spotify_playlist_id'?: string | null;
          'user_id'?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'spotify_exports_user_id_fkey';
            columns: ['user_id'];
            isOneToOne: false;
            referencedRelation: 'profiles';
            referencedColumns: ['user_id'];
          },
        ];
      };
      'spotify_tokens': {
        Row: {
          'access_token': string;
          'account_id': string | null;
          'created_at': string;
          'display_name': string | null;
          'expires_at': string;
          'refresh_token': string;
          'refreshing_until': string | null;
          'updated_at': string;
          'user_id': string;
        };
        ComputedFields: never;
        Insert: {
          'access_token': string;
          'account_id'?: string | null;
          'created_at'?: string;
          'display_name'?: string | null;
          'expires_at': string;
          'refresh_token': string;
          'refreshing_until'?: string | null;
          'updated_at'?: string;
          'user_id': string;
        };
        Update: {
          'access_token'?: string;
          'account_id'?: string | null;
          'created_at'?: string;
          'display_name'?: string | null;
          'expires_at'?: string;
          'refresh_token'?: string;
          'refreshing_until'?: string | null;
          'updated_at'?: string;
          'user_id'?: string;
        };
        Relationships: [
          {
            foreignKeyName: 'spotify_tokens_user_id_fkey';
            columns: ['user_id'];
            isOneToOne: true;
            referencedRelation: 'profiles';
            referencedColumns: ['user_id'];
          },
        ];
      };
    };
    Views: {
      [_ in never]: never;
    };
    Functions: {
      'account_export': { Args: Record<PropertyKey, never>; Returns: Json };
      'add_tracks': {
        Args: { 'after_uri'?: string; 'before_uri'?: string; 'playlist_id': string; 'tracks': Json };
        Returns: Database['public']['CompositeTypes']['playlist_content'];
        SetofOptions: {
          from: '*';
          to: 'playlist_content';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      'ai_deliver': {
        Args: { 'p_cost': number; 'p_session_id': string; 'p_tracks': Json; 'p_user_id': string };
        Returns: Json;
      };
      'ai_reserve': {
        Args: {
          'p_playlist_id'?: string;
          'p_prompt': string;
          'p_request'?: string;
          'p_save': boolean;
          'p_session_id': string;
          'p_user_id': string;
        };
        Returns: Json;
      };
      'ai_settle': {
        Args: {
          'p_cost': number;
          'p_max_age_ms'?: number;
          'p_result'?: Json;
          'p_session_id': string;
          'p_status': Database['public']['Enums']['ai_status_enum'];
          'p_user_id': string;
        };
        Returns: Json;
      };
      'begin_account_deletion': { Args: { 'p_confirmation': string; 'p_user_id': string }; Returns: Json };
      'begin_spotify_export': {
        Args: { 'p_idempotency_key': string; 'p_request': Json; 'p_user_id': string };
        Returns: Json;
      };
      'billing_profile': { Args: { 'p_stripe_customer_id'?: string; 'p_user_id'?: string }; Returns: Json };
      'billing_profiles': { Args: { 'p_after'?: string; 'p_limit'?: number }; Returns: Json };
      'delete_account': {
        Args: { 'p_user_id': string };
        Returns: Database['public']['Enums']['account_deletion_outcome'];
      };
      'delete_spotify_tokens': { Args: { 'p_user_id': string }; Returns: boolean };
      'duplicate_playlist': { Args: { 'playlist_id': string }; Returns: string };
      'duplicate_shared_playlist': { Args: { 'share_id': string }; Returns: string };
      'expire_spotify_link': {
        Args: { 'p_other_secret'?: string; 'p_secret': string; 'p_seen_refresh_token': string; 'p_user_id': string };
        Returns: boolean;
      };
      'finish_spotify_export': {
        Args: { 'p_idempotency_key': string; 'p_result': Json; 'p_user_id': string };
        Returns: undefined;
      };
      'get_spotify_tokens': {
        Args: { 'p_other_secret'?: string; 'p_refused_access_token'?: string; 'p_secret': string; 'p_user_id': string };
        Returns: {
          'access_token': string;
          'expires_at': string;
          'refresh_token': string;
          'state': Database['public']['Enums']['spotify_token_state'];
        }[];
      };
      'move_track': {
        Args: { 'after_uri'?: string; 'before_uri'?: string; 'playlist_id': string; 'track_uri': string };
        Returns: Database['public']['CompositeTypes']['playlist_content'];
        SetofOptions: {
          from: '*';
          to: 'playlist_content';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      'recall_songs': { Args: { 'p_market': string; 'p_matcher': number; 'p_songs': (string)[] }; Returns: Json };
      'record_spotify_export': {
        Args: {
          'p_idempotency_key': string;
          'p_instead_of'?: string;
          'p_spotify_playlist_id': string;
          'p_user_id': string;
        };
        Returns: string;
      };
      'refresh_spotify_tokens': {
        Args: {
          'p_access_token': string;
          'p_expires_at': string;
          'p_other_secret'?: string;
          'p_refresh_token': string;
          'p_secret': string;
          'p_seen_refresh_token': string;
          'p_user_id': string;
        };
        Returns: boolean;
      };
      'release_spotify_export': { Args: { 'p_idempotency_key': string; 'p_user_id': string }; Returns: undefined };
      'release_spotify_refresh': { Args: { 'p_user_id': string }; Returns: undefined };
      'remember_songs': { Args: { 'p_entries': Json; 'p_market': string; 'p_matcher': number }; Returns: undefined };
      'remove_tracks': {
        Args: { 'playlist_id': string; 'track_uris': (string)[] };
        Returns: Database['public']['CompositeTypes']['playlist_content'];
        SetofOptions: {
          from: '*';
          to: 'playlist_content';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      'replace_track': {
        Args: { 'playlist_id': string; 'track': Json; 'track_uri': string };
        Returns: Database['public']['CompositeTypes']['playlist_content'];
        SetofOptions: {
          from: '*';
          to: 'playlist_content';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      'replace_tracks': {
        Args: { 'base_version'?: number; 'playlist_id': string; 'tracks': Json };
        Returns: Database['public']['CompositeTypes']['playlist_content'];
        SetofOptions: {
          from: '*';
          to: 'playlist_content';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      'restore_version': {
        Args: { 'playlist_id': string; 'version': number };
        Returns: Database['public']['CompositeTypes']['playlist_content'];
        SetofOptions: {
          from: '*';
          to: 'playlist_content';
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      'rotate_spotify_tokens': {
        Args: { 'p_after'?: string; 'p_limit'?: number; 'p_new_secret': string; 'p_old_secret': string };
        Returns: Json;
      };
      'save_generated_playlist': {
        Args: {
          'p_cost': number;
          'p_description': string;
          'p_instruction'?: string;
          'p_name': string;
          'p_refined_id'?: string;
          'p_session_id': string;
          'p_suggestions'?: Json;
          'p_tracks': Json;
          'p_user_id': string;
        };
        Returns: Json;
      };
      'set_billing_plan': {
        Args: {
          'p_period_ends_at': number;
          'p_plan': Database['public']['Enums']['plan_type'];
          'p_renews': boolean;
          'p_seen_synced_at': string;
          'p_stripe_customer_id': string;
          'p_user_id': string;
        };
        Returns: Json;
      };
      'set_stripe_customer': {
        Args: { 'p_seen_customer_id': string; 'p_stripe_customer_id': string; 'p_user_id': string };
        Returns: string;
      };
      'share_playlist': { Args: { 'playlist_id': string }; Returns: string };
      'shared_playlist': { Args: { 'share_id': string }; Returns: Json };
      'spotify_link': { Args: { 'p_user_id': string }; Returns: Json };
      'store_spotify_tokens': {
        Args: {
          'p_access_token': string;
          'p_account_id'?: string;
          'p_display_name'?: string;
          'p_expires_at': string;
          'p_refresh_token': string;
          'p_secret': string;
          'p_user_id': string;
        };
        Returns: undefined;
      };
      'take_request': { Args: { 'p_kind': string; 'p_user_id': string }; Returns: Json };
      'unshare_playlist': { Args: { 'playlist_id': string }; Returns: undefined };
      'usage': { Args: Record<PropertyKey, never>; Returns: Json };
    };
    Enums: {
      'account_deletion_outcome': 'deleted' | 'deleted_but_logged' | 'not_begun' | 'no_account';
      'ai_status_enum': 'succeeded' | 'failed' | 'timeout';
      'plan_type': 'free' | 'pro';
      'spotify_token_state': 'fresh' | 'refresh' | 'wait';
    };
    CompositeTypes: {
      'playlist_content': {
        'version': number | null;
        'tracks': (Database['public']['CompositeTypes']['playlist_entry'])[] | null;
      };
      'playlist_entry': {
        'position': number | null;
        'track_uri': string | null;
        'title': string | null;
        'artist': string | null;
        'album': string | null;
        'duration_ms': number | null;
        'explicit': boolean | null;
        'version': string | null;
        'image_url': string | null;
        'why': string | null;
        'added_at': string | null;
      };
    };
  };
};

type DatabaseWithoutInternals = Omit<Database, '__InternalSupabase'>;

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, 'public'>];

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema['Tables'] & DefaultSchema['Views'])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof (
      & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables']
      & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Views']
    )
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals } ? (
    & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables']
    & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Views']
  )[TableName] extends {
    Row: infer R;
  } ? R
  : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema['Tables'] & DefaultSchema['Views'])
    ? (DefaultSchema['Tables'] & DefaultSchema['Views'])[DefaultSchemaTableNameOrOptions] extends {
      Row: infer R;
    } ? R
    : never
  : never;

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema['Tables']
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables']
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables'][TableName] extends {
    Insert: infer I;
  } ? I
  : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema['Tables']
    ? DefaultSchema['Tables'][DefaultSchemaTableNameOrOptions] extends {
      Insert: infer I;
    } ? I
    : never
  : never;

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema['Tables']
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables']
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions['schema']]['Tables'][TableName] extends {
    Update: infer U;
  } ? U
  : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema['Tables']
    ? DefaultSchema['Tables'][DefaultSchemaTableNameOrOptions] extends {
      Update: infer U;
    } ? U
    : never
  : never;

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema['Enums']
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions['schema']]['Enums']
    : never = never,
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions['schema']]['Enums'][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema['Enums']
    ? DefaultSchema['Enums'][DefaultSchemaEnumNameOrOptions]
  : never;

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema['CompositeTypes']
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions['schema']]['CompositeTypes']
    : never = never,
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions['schema']]['CompositeTypes'][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema['CompositeTypes']
    ? DefaultSchema['CompositeTypes'][PublicCompositeTypeNameOrOptions]
  : never;

export const Constants = {
  'public': {
    Enums: {
      'account_deletion_outcome': ['deleted', 'deleted_but_logged', 'not_begun', 'no_account'],
      'ai_status_enum': ['succeeded', 'failed', 'timeout'],
      'plan_type': ['free', 'pro'],
      'spotify_token_state': ['fresh', 'refresh', 'wait'],
    },
  },
} as const;
