// The requests that the page makes of the data API, with the types of the official client, which is ten times as large.

import type { PostgrestClient } from "@supabase/postgrest-js";
import type { Database } from "../../../supabase/database.types.ts";

export type Data = PostgrestClient<Database>;
type Values = Record<string, unknown>;
type Answer = {
  data: unknown;
  error: { code?: string; message: string } | null;
  status: number;
};

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
  return { from, rpc } as unknown as Data;
}

/** A request that is sent once it is awaited. */
class Query implements PromiseLike<Answer> {
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

function errorOf(text: string): { code?: string; message: string } {
  try {
    return JSON.parse(text) as { code?: string; message: string };
  } catch {
    return { message: text };
  }
}
