-- Function roles: each group of functions reaches its own RPCs and nothing else.
--
-- A function that leaks its token gives away its group's RPCs, not the others' data. A function is its role by a JWT
-- whose claim `role` names it, sent beside the publishable key; PostgREST, as authenticator, changes to that role.
-- Where no such token is configured the secret key serves: service_role keeps the same rights.
--
-- Roles belong to the cluster and not to the database, so they may be there already.

do $$
declare
  v_role text;
begin
  foreach v_role in array array['fn_ai', 'fn_spotify', 'fn_billing', 'fn_account'] loop
    if not exists (select from pg_catalog.pg_roles r where r.rolname = v_role) then
      execute format('create role %I nologin noinherit', v_role);
    end if;
  end loop;
end
$$;

grant fn_ai, fn_spotify, fn_billing, fn_account to authenticator;
grant usage on schema public to fn_ai, fn_spotify, fn_billing, fn_account;

grant execute on function
  public.ai_reserve(uuid, uuid, text, boolean),
  public.ai_settle(uuid, uuid, public.ai_status_enum, numeric, int),
  public.save_generated_playlist(uuid, uuid, numeric, text, text, jsonb)
  to fn_ai;
grant execute on function
  public.store_spotify_tokens(uuid, text, text, text, timestamptz),
  public.get_spotify_tokens(uuid, text),
  public.delete_spotify_tokens(uuid)
  to fn_spotify;
