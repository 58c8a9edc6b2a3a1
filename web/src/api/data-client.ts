// The requests that the page makes of the data API, with the types of the official client, which is ten times as large.

import type { UnstableGetResult } from "@supabase/postgrest-js";
import type { Database } from "../../../supabase/database.types.ts";

type Schema = Database["public"];
type Tables = Schema["Tables"];
type Functions = Schema["Functions"];
type Refusal = { code?: string; message: string };
type Reply<T> = PromiseLike<
  | { data: T; error: null; status: number }
  | { data: null; error: Refusal; status: number }
>;

interface Rows<Column extends string, Row> extends Reply<Row[]> {
  eq(column: Column, value: unknown): this;
  order(
    column: string,
    options?: { ascending?: boolean; referencedTable?: string },
  ): this;
  limit(rows: number): this;
  single(): Reply<Row>;
  maybeSingle(): Reply<Row | null>;
}

interface Readable<Name extends keyof Tables> {
  select<Query extends string>(
    columns: Query,
  ): Rows<
    keyof Tables[Name]["Row"] & string,
    UnstableGetResult<
      Schema,
      Tables[Name]["Row"],
      Name,
      Tables[Name]["Relationships"],
      Query,
      Record<never, never>
    >
  >;
}

interface Changed<Name extends keyof Tables> extends Readable<Name> {
  eq(column: keyof Tables[Name]["Row"], value: unknown): this;
}

interface Table<Name extends keyof Tables> extends Readable<Name> {
  insert(values: Tables[Name]["Insert"]): Changed<Name>;
  update(values: Tables[Name]["Update"]): Changed<Name>;
}

/** What the page uses of the official client, and no more. */
export interface Data {
  from<Name extends keyof Tables>(table: Name): Table<Name>;
  rpc<Name extends keyof Functions>(
    name: Name,
    values?: Functions[Name]["Args"],
    options?: { get?: boolean },
  ): Reply<Functions[Name]["Returns"]>;
}

/** The methods of the requests, each of which the class below must have. */
type Methods = keyof (Table<"playlists"> &
  Changed<"playlists"> &
  Rows<string, unknown>);
type Values = Record<string, unknown>;
type Answer = { data: unknown; error: Refusal | null; status: number };

/** Pauses in milliseconds before reading again, which is safe, after a failure that may pass. */
const PAUSES = [500, 2_000];
const PASSING: readonly number[] = [502, 503, 504];
const ONE = "application/vnd.pgrst.object+json";

export function dataClient(url: string, send: typeof fetch): Data {
  const from = (table: string) => new Query(send, `${url}/${table}`);
  const rpc = (name: string, values: Values = {}, { get = false } = {}) => {
    const query = from(`rpc/${name}`);
    return get ? query.where(values) : query.with("POST", values);
  };
  return { from, rpc } satisfies Record<keyof Data, unknown> as unknown as Data;
}

/** A request that is sent once it is awaited. */
class Query implements PromiseLike<Answer>, Record<Methods, unknown> {
  readonly #send: typeof fetch;
  readonly #url: URL;
  readonly #headers = new Headers();
  #method = "GET";
  #body: string | undefined;
  #isOptional = false;

  constructor(send: typeof fetch, url: string) {
    this.#send = send;
    this.#url = new URL(url);
  }

  where(values: Values): this {
    for (const [name, value] of Object.entries(values))
      this.#url.searchParams.append(name, String(value));
    return this;
  }

  with(method: string, values: Values): this {
    this.#method = method;
    this.#headers.set("Content-Type", "application/json");
    this.#body = JSON.stringify(values);
    return this;
  }

  insert(values: Values): this {
    return this.with("POST", values);
  }

  update(values: Values): this {
    return this.with("PATCH", values);
  }

  select(columns: string): this {
    if (this.#method !== "GET")
      this.#headers.set("Prefer", "return=representation");
    return this.where({ select: columns.replaceAll(/\s/g, "") });
  }

  eq(column: string, value: unknown): this {
    return this.where({ [column]: `eq.${value}` });
  }

  order(
    column: string,
    {
      ascending = true,
      referencedTable: table,
    }: { ascending?: boolean; referencedTable?: string } = {},
  ): this {
    return this.where({
      [table ? `${table}.order` : "order"]:
        `${column}.${ascending ? "asc" : "desc"}`,
    });
  }

  limit(rows: number): this {
    return this.where({ limit: rows });
  }

  single(): this {
    this.#headers.set("Accept", ONE);
    return this;
  }

  maybeSingle(): this {
    this.#isOptional = true;
    return this;
  }

  // biome-ignore lint/suspicious/noThenProperty: awaiting a query sends it, as with the official client.
  then<A, B = never>(
    done?: ((answer: Answer) => A | PromiseLike<A>) | null,
    failed?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): PromiseLike<A | B> {
    return this.#answer().then(done, failed);
  }

  async #answer(): Promise<Answer> {
    const response = await this.#response();
    const { status, ok } = response;
    const text = await response.text();
    if (!ok) return { data: null, error: errorOf(text), status };
    const body: unknown = text === "" ? null : JSON.parse(text);
    const data = this.#isOptional ? ((body as unknown[])[0] ?? null) : body;
    return { data, error: null, status };
  }

  async #response(): Promise<Response> {
    const pauses = this.#method === "GET" ? PAUSES : [];
    for (const pause of pauses) {
      const response = await this.#once().catch((error: unknown) => {
        // A `TypeError` says that the network failed; a request that took too long would only take as long again.
        if (!(error instanceof TypeError) || navigator.onLine === false)
          throw error;
        return null;
      });
      if (response && !PASSING.includes(response.status)) return response;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    return this.#once();
  }

  #once(): Promise<Response> {
    const init = { method: this.#method, headers: this.#headers };
    return this.#send(
      this.#url,
      this.#body === undefined ? init : { ...init, body: this.#body },
    );
  }
}

function errorOf(text: string): Refusal {
  try {
    // Any JSON may come from a proxy.
    const { code, message } = JSON.parse(text) as Values;
    if (typeof message === "string")
      return { ...(typeof code === "string" && { code }), message };
  } catch {
    // It is no JSON, or null.
  }
  return { message: text };
}
