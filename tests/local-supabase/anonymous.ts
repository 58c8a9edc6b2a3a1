import { randomUUID } from 'node:crypto';
import type { Sql } from 'postgres';
import type { Pool } from './database.ts';

type Call = (path: string, body: object) => Promise<Response>;

/** Anonymous sign-ins, which Auth supports and Lite does not. */
export type AnonymousUsers = {
  /** Signs up a user without an address, through Lite's own calls. */
  signUp(call: Call): Promise<Response>;
  /** Sets an anonymous user's address at once, if addresses need no confirmation. */
  takeAddress(user_id: string): Promise<void>;
  isAnonymous(user_id: string): Promise<boolean>;
};

/** A user with an address is no longer anonymous, however the address was set. */
export async function createAnonymousTrigger(sql: Sql): Promise<void> {
  await sql.unsafe(`
    create or replace function auth.end_anonymity() returns trigger language plpgsql as $$
    begin
      new.is_anonymous := new.is_anonymous and new.email is null;
      return new;
    end
    $$;
    create or replace trigger end_anonymity before update on auth.users for each row execute function auth.end_anonymity();`);
}

export function createAnonymousUsers(pool: Pool, options: { isAllowed: boolean; confirms: boolean }): AnonymousUsers {
  const query = async (statement: string, values: string[]) => {
    const connection = await pool.acquire();
    try {
      return await connection.query(statement, values);
    } finally {
      pool.release(connection);
    }
  };
  return {
    async signUp(call) {
      if (!options.isAllowed) {
        const body = { code: 422, error_code: 'anonymous_provider_disabled', msg: 'Anonymous sign-ins are disabled' };
        return Response.json(body, { status: 422, headers: { 'X-Sb-Error-Code': 'anonymous_provider_disabled' } });
      }
      // Lite requires an address at sign-up, so a random one is used and removed afterwards.
      const [email, password] = [`${randomUUID()}@anonymous.invalid`, randomUUID()];
      const made = await call('/signup', { email, password, data: { name: 'Listener' } });
      if (!made.ok) return made;
      await query('update auth.users set email_confirmed_at = now() where email = $1', [email]);
      const signed_in = await call('/token?grant_type=password', { email, password });
      await query("update auth.users set email = null, encrypted_password = null, raw_user_meta_data = '{}', is_anonymous = true where email = $1", [email]);
      const session = (await signed_in.json()) as { user: { id: string } };
      await query('delete from auth.identities where user_id = $1', [session.user.id]);
      Object.assign(session.user, { email: '', identities: [], user_metadata: {}, app_metadata: {}, is_anonymous: true });
      return Response.json(session, { status: signed_in.status });
    },
    async takeAddress(user_id) {
      if (options.confirms) return;
      await query(
        `with given as (
           update auth.users set email = email_change, email_change = null, email_change_token_new = null, email_change_token_current = null
           where id = $1 and is_anonymous and email_change is not null
           returning id, email
         )
         insert into auth.identities (id, user_id, provider, provider_id, identity_data)
         select gen_random_uuid(), id, 'email', id::text, jsonb_build_object('sub', id, 'email', email) from given`,
        [user_id],
      );
    },
    async isAnonymous(user_id) {
      const [row] = await query('select is_anonymous from auth.users where id = $1', [user_id]);
      return row?.is_anonymous === true;
    },
  };
}
