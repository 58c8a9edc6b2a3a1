// Server-sent events, from text that arrives in pieces of any size.

export type ServerEvent = { name: string; data: string };

export class SseParser {
  #rest = '';
  #name = '';
  #data: string[] = [];

  /** Takes the next piece and answers the events that it completes. */
  push(piece: string): ServerEvent[] {
    const text = this.#rest + piece;
    // A carriage return at the end may be half of a line's end.
    const end = text.endsWith('\r') ? text.length - 1 : text.length;
    const lines = text.slice(0, end).split(/\r\n|\r|\n/);
    this.#rest = (lines.pop() ?? '') + text.slice(end);
    return lines.map((line) => this.#take(line)).filter((event) => event !== null);
  }

  #take(line: string): ServerEvent | null {
    if (line === '') return this.#dispatch();
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    // What else there is are comments (no field) that keep the connection open, and fields that nothing here uses.
    if (field === 'event') this.#name = value ?? '';
    if (field === 'data') this.#data.push(value ?? '');
    return null;
  }

  #dispatch(): ServerEvent | null {
    const event = this.#data.length > 0 ? { name: this.#name || 'message', data: this.#data.join('\n') } : null;
    this.#name = '';
    this.#data = [];
    return event;
  }
}

/** The events of a stream, each as soon as it has arrived; `heard` is told of every sign of life. */
export async function* eventsOf(body: ReadableStream<Uint8Array>, heard: () => void): AsyncGenerator<ServerEvent> {
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
