// The calls of Supabase Auth that the page makes. The official client cannot be cut to them, and is nine times as large.

import { Failure, failureOfAuth } from "./failure.ts";
import { fetchInTime } from "./fetch.ts";

export type MailLink =
  | "signup"
  | "magiclink"
  | "recovery"
  | "email_change"
  | "invite";
type AuthUser = {
  id: string;
  email?: string;
  phone?: string;
  is_anonymous?: boolean;
  identities?: unknown[];
};
export type Session = {
  access_token: string;
  refresh_token: string;
  expires_in: number;
  /** In Unix seconds. */
  expires_at: number;
  token_type: string;
  user: AuthUser;
};
type Place = { url: string; key: string };
type Listener = (session: Session | null) => void;
type Ask = { method?: "POST" | "PUT"; token?: string };
type Answer = { status: number; body: Record<string, unknown> };

/** A token is renewed this long before it expires. */
const MARGIN_S = 90;

/** A session, stored under a name that all tabs share, or nowhere. */
export class AuthClient {
  readonly #place: Place;
  readonly #name: string | null;
  readonly #listeners = new Set<Listener>();
  #session: Session | null = null;
  #renewing: Promise<Session> | null = null;

  constructor(place: Place, name: string | null) {
    this.#place = place;
    this.#name = name;
    if (name === null) return;
    this.#session = this.#stored();
    // Another tab has signed in or out, or renewed the token.
    addEventListener(
      "storage",
      ({ key }) => (key === name || key === null) && this.#take(this.#stored()),
    );
  }

  follow(listener: Listener): void {
    this.#listeners.add(listener);
  }

  /** Returns the session, renewed if it is about to expire. Without a connection it is the old one: that is no sign-out. */
  async session(): Promise<Session | null> {
    const session = this.#session;
    if (!session || session.expires_at - Date.now() / 1000 > MARGIN_S)
      return session;
    return this.renew().catch(() => this.#session);
  }

  /** Renews the token; a session that Auth no longer continues ends. */
  async renew(): Promise<Session> {
    const seen = this.#session?.refresh_token;
    this.#renewing ??= this.#alone(() => this.#renew(seen)).finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  async #renew(seen: string | undefined): Promise<Session> {
    // Another tab may have been faster.
    const now = this.#name === null ? this.#session : this.#stored();
    if (!now) {
      this.#take(null);
      throw new Failure("token_expired");
    }
    if (now.refresh_token !== seen) return this.#keep(now);
    const answer = await this.#send("token?grant_type=refresh_token", {
      refresh_token: now.refresh_token,
    });
    if (answer.status < 400)
      return this.#keep(sessionOf(answer.body) as Session);
    if (answer.status < 500 && answer.status !== 429) this.#keep(null);
    throw refusal(answer);
  }

  /** Signs up and returns the account's id. Without a session the address has to be confirmed first. */
  async signUp(
    email: string,
    password: string,
    captcha?: string,
  ): Promise<string> {
    const body = await this.#ask("signup", {
      email,
      password,
      ...security(captcha),
    });
    const session = sessionOf(body);
    // If Auth confirms addresses, it hides that one is taken: it returns no identity and sends no mail.
    const { id, identities } = session?.user ?? (body as AuthUser);
    if (identities?.length === 0) throw new Failure("email_taken");
    if (session) this.#keep(session);
    return id;
  }

  async signInAnonymously(captcha?: string): Promise<void> {
    this.#keep(
      sessionOf(await this.#ask("signup", { data: {}, ...security(captcha) })),
    );
  }

  async signIn(
    email: string,
    password: string,
    captcha?: string,
  ): Promise<void> {
    this.#keep(
      sessionOf(
        await this.#ask("token?grant_type=password", {
          email,
          password,
          ...security(captcha),
        }),
      ),
    );
  }

  /** Redeems a link of a mail; returns null if the link in another mail must be redeemed as well. */
  async redeem(token_hash: string, type: MailLink): Promise<Session | null> {
    const answer = await this.#send("verify", { token_hash, type });
    // Auth refuses an incomplete link in several ways.
    if (answer.status === 400) throw new Failure("mail_link_expired");
    if (answer.status > 400) throw refusal(answer);
    const session = sessionOf(answer.body);
    return session && this.#keep(session);
  }

  enter(session: Session): void {
    this.#keep(session);
  }

  async resend(
    email: string,
    type: "signup" | "email_change",
    captcha?: string,
  ): Promise<void> {
    await this.#ask("resend", { email, type, ...security(captcha) });
  }

  async recover(email: string, captcha?: string): Promise<void> {
    await this.#ask("recover", { email, ...security(captcha) });
  }

  async update(values: { email?: string; password?: string }): Promise<void> {
    const session = await this.session();
    if (!session) throw new Failure("missing_token");
    const user = await this.#ask("user", values, {
      method: "PUT",
      token: session.access_token,
    });
    this.#keep({ ...session, user: user as AuthUser });
  }

  /** Ends the session; this browser forgets it even if Auth fails. */
  async signOut(): Promise<void> {
    const token = this.#session?.access_token;
    this.#keep(null);
    if (token)
      await this.#send("logout?scope=local", {}, { token }).catch(() => {});
  }

  async #ask(
    path: string,
    values: object,
    ask?: Ask,
  ): Promise<Record<string, unknown>> {
    const answer = await this.#send(path, values, ask);
    if (answer.status >= 400) throw refusal(answer);
    return answer.body;
  }

  async #send(
    path: string,
    values: object,
    { method = "POST", token }: Ask = {},
  ): Promise<Answer> {
    const { url, key } = this.#place;
    const response = await fetchInTime(`${url}/${path}`, {
      method,
      headers: {
        apikey: key,
        Authorization: `Bearer ${token ?? key}`,
        "Content-Type": "application/json",
      },
      body: JSON.stringify(values),
    });
    return {
      status: response.status,
      body: await response.json().catch(() => ({})),
    };
  }

  /** Of all tabs one renews the token, because each refresh token is good for one renewal. */
  #alone(work: () => Promise<Session>): Promise<Session> {
    const { locks } = globalThis.navigator;
    // Pages without TLS have no locks.
    return this.#name !== null && locks
      ? locks.request(this.#name, work)
      : work();
  }

  #stored(): Session | null {
    try {
      const session = JSON.parse(
        localStorage.getItem(this.#name ?? "") ?? "null",
      ) as Session | null;
      return session?.access_token && session.refresh_token && session.user
        ? session
        : null;
    } catch {
      return this.#session;
    }
  }

  #keep<S extends Session | null>(session: S): S {
    try {
      if (this.#name !== null && session)
        localStorage.setItem(this.#name, JSON.stringify(session));
      else if (this.#name !== null) localStorage.removeItem(this.#name);
    } catch {
      // The session lasts until the page is closed.
    }
    this.#take(session);
    return session;
  }

  #take(session: Session | null): void {
    this.#session = session;
    for (const listener of this.#listeners) listener(session);
  }
}

function security(captcha_token: string | undefined): object {
  return captcha_token ? { gotrue_meta_security: { captcha_token } } : {};
}

function sessionOf(body: Record<string, unknown>): Session | null {
  const { access_token } = body;
  if (typeof access_token !== "string") return null;
  const session = body as unknown as Session;
  return {
    ...session,
    expires_at:
      session.expires_at ?? Math.floor(Date.now() / 1000) + session.expires_in,
  };
}

function refusal({ status, body }: Answer): Failure {
  const { error_code, code, msg, message, error_description } = body as Record<
    string,
    string | undefined
  >;
  return failureOfAuth({
    code: error_code ?? (typeof code === "string" ? code : undefined),
    message: msg ?? message ?? error_description ?? `HTTP ${status}`,
    status,
  });
}
