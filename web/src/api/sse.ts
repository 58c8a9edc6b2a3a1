// Parses server-sent events from text that arrives in chunks of any size.

export type ServerEvent = { name: string; data: string };

export class SseParser {
  #rest = "";
  #name = "";
  #data: string[] = [];

  /** Takes the next chunk and returns the events that it completes. */
  push(piece: string): ServerEvent[] {
    const text = this.#rest + piece;
    // A carriage return at the end may be the first half of CRLF.
    const end = text.endsWith("\r") ? text.length - 1 : text.length;
    const lines = text.slice(0, end).split(/\r\n|\r|\n/);
    this.#rest = (lines.pop() ?? "") + text.slice(end);
    return lines
      .map((line) => this.#take(line))
      .filter((event) => event !== null);
  }

  #take(line: string): ServerEvent | null {
    if (line === "") return this.#dispatch();
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    // Other lines are comments that keep the connection open, and fields that the page does not use.
    if (field === "event") this.#name = value ?? "";
    if (field === "data") this.#data.push(value ?? "");
    return null;
  }

  #dispatch(): ServerEvent | null {
    const event =
      this.#data.length > 0
        ? { name: this.#name || "message", data: this.#data.join("\n") }
        : null;
    this.#name = "";
    this.#data = [];
    return event;
  }
}

/** Yields the events of a stream as they arrive; calls `heard` for every chunk. */
export async function* eventsOf(
  body: ReadableStream<Uint8Array>,
  heard: () => void,
): AsyncGenerator<ServerEvent> {
  const parser = new SseParser();
  const decoder = new TextDecoder();
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    heard();
    if (done) return;
    yield* parser.push(decoder.decode(value, { stream: true }));
  }
}
