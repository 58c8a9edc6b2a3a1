/** What a peer is given, under the names that our functions know. */
export type Environment = Record<string, string>;

export type Handler = (request: Request) => Promise<Response>;
