// The border between the runtime and the functions' wasm. A crossing costs more than most of what is done on either side of
// it, so what belongs together crosses together: a head is one text, a document one array of bytes, and the instance is
// called back with two numbers.

/** How something ended; `succeeded` in mod.rs reads the same numbers. */
const DONE = 0;
const BROKE = 1;
const TOO_LATE = 2;
const TOO_LARGE = 3;

const NOTHING = new Uint8Array(0);

// Waking up for a piece of a stream costs more than the piece: a model's tokens come in frames of 300 bytes. Once a stream
// flows, a reader that has caught up pauses, so that it finds several pieces when it wakes. No byte is held back for longer.
const FLOWS_BYTES = 4096;
const PAUSE_MS = 50;
const BUFFER_BYTES = 16 * 1024;

/** The running instance of the wasm: what calls it back, and who waits for an answer of its. */
let instance = { promises: new Map() };
let isBroken = false;
/** The headers of every answer, of an answer without an instance too. */
let common = '';

/**
 * Called by every new instance. `resume(ticket, outcome)` goes on where a ticket was drawn; `names` are the headers that
 * anybody reads, `commonHeaders` those of every answer.
 */
export function connect(resume, names, commonHeaders) {
  instance = { resume, names: names.split('\n'), promises: new Map() };
  common = commonHeaders;
}

/** After a panic its memory cannot be trusted: whoever waits is told, and the next request gets a new instance. */
export function giveUp(error) {
  console.error(`the instance is given up: ${error}`);
  isBroken = true;
  for (const resolve of instance.promises.values()) resolve(internalError());
  instance.promises.clear();
}

/** Whether a new instance is due; asked once for each. */
export function takeBroken() {
  const was = isBroken;
  isBroken = false;
  return was;
}

export function internalError() {
  const request_id = crypto.randomUUID();
  const body = { code: 'internal_error', message: 'Something went wrong on our side. Please try again.', request_id };
  return Response.json(body, { status: 500, headers: { ...named(common), 'X-Request-Id': request_id } });
}

function settle(from, ticket, outcome) {
  // What an instance waited for that was given up is nobody's.
  if (from !== instance || isBroken) return;
  try {
    from.resume(ticket, outcome);
  } catch (error) {
    giveUp(error);
  }
}

/** A promise that `answer`, `open` or `release` keeps. */
export function promise(ticket) {
  return new Promise((resolve) => instance.promises.set(ticket, resolve));
}

/** The runtime goes on until the promise is kept, also where the client leaves. */
export function hold(context, promise) {
  context.waitUntil(promise);
}

export function release(ticket, value) {
  const { promises } = instance;
  promises.get(ticket)?.(value);
  promises.delete(ticket);
}

export function variable(env, name) {
  const value = env[name];
  return typeof value === 'string' ? value : undefined;
}

export function sleep(ticket, ms) {
  return setTimeout(settle, ms, instance, ticket, DONE);
}

export function cancel(timer) {
  clearTimeout(timer);
}

export function info(line) {
  console.log(line);
}

export function error(line) {
  console.error(line);
}

/** Method, URL, and names and values of the headers that anybody reads, a line each. */
export function head(request) {
  return `${request.method}\n${request.url}\n${listed(request.headers)}`;
}

export function whenGone(ticket, request) {
  const from = instance;
  request.signal?.addEventListener('abort', () => settle(from, ticket, DONE), { once: true });
}

function listed(headers) {
  let text = '';
  for (const name of instance.names) {
    const value = headers.get(name);
    if (value !== null) text += `${name}\n${value}\n`;
  }
  return text;
}

/** Headers from a line for each name and one for its value. */
function named(text) {
  const lines = text.split('\n');
  const headers = {};
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const name = lines[index];
    const value = lines[index + 1];
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return headers;
}

/** What comes in as a whole: the body of a request. */
class Incoming {
  bytes = NOTHING;

  constructor(ticket, request, max) {
    this.read(ticket, request, max, instance);
  }

  async read(ticket, request, max, from) {
    let outcome = DONE;
    try {
      const bytes = await whole(request, max);
      if (bytes === null) outcome = TOO_LARGE;
      else this.bytes = bytes;
    } catch {
      outcome = BROKE;
    }
    settle(from, ticket, outcome);
  }

  take() {
    return this.bytes;
  }
}

export function receive(ticket, request, max) {
  return new Incoming(ticket, request, max);
}

/** All bytes of a body, or null where there are more than `max`. */
async function whole(source, max) {
  const { body, headers } = source;
  if (body === null) return NOTHING;
  const length = headers.get('Content-Length');
  // Behind a compressed one there may be any number of bytes.
  if (length !== null && !headers.has('Content-Encoding')) {
    if (Number(length) > max) return tooLarge(body);
    return new Uint8Array(await source.arrayBuffer());
  }
  const chunks = [];
  let size = 0;
  const reader = readerOf(body);
  for (;;) {
    const { done, value = NOTHING } = await reader.read(new Uint8Array(BUFFER_BYTES), { min: BUFFER_BYTES });
    size += value.length;
    if (size > max) return tooLarge(reader);
    chunks.push(value);
    if (done) break;
  }
  if (chunks.length === 1) return chunks[0];
  const joined = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}

function tooLarge(stream) {
  stream.cancel().catch(() => {});
  return null;
}

/** Reads as many bytes as it is asked for, where the stream can; an empty body in Deno is one that cannot. */
function readerOf(body) {
  try {
    return body.getReader({ mode: 'byob' });
  } catch {
    return body.getReader();
  }
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}

/** A request to an upstream, and what comes of it. */
class Exchange {
  from = instance;
  controller = new AbortController();
  /** One timer, set anew where it rings too early: one for each chunk would be a good part of what a stream costs. */
  timer = undefined;
  due = Infinity;
  ticket = 0;
  status = 0;
  text = '';
  bytes = NOTHING;
  received = 0;
  /** The last piece of the stream had to be waited for. */
  hasCaughtUp = false;
  /** How the body ended, which may break where the head was fine. */
  ended = DONE;

  constructor(silence, total, max, isDocument) {
    this.silence = silence;
    this.ends = Date.now() + total;
    this.max = max;
    this.isDocument = isDocument;
  }

  wait(ticket) {
    this.ticket = ticket;
    this.due = Math.min(Date.now() + this.silence, this.ends);
    if (this.timer === undefined) this.arm();
  }

  arm() {
    this.timer = setTimeout(() => this.ring(), Math.max(0, this.due - Date.now()));
  }

  ring() {
    this.timer = undefined;
    if (this.due === Infinity) return;
    if (Date.now() < this.due) return this.arm();
    this.finish(TOO_LATE);
    this.controller.abort();
  }

  finish(outcome) {
    if (this.due === Infinity) return; // The timer was first.
    this.due = Infinity;
    // A document's head is worth something also where its body is not.
    if (this.status === 0 || !this.isDocument) settle(this.from, this.ticket, outcome);
    else {
      this.ended = outcome;
      settle(this.from, this.ticket, DONE);
    }
  }

  async ask(url, init) {
    let outcome = DONE;
    try {
      const response = await fetch(url, init);
      this.text = listed(response.headers);
      this.status = response.status;
      if (this.isDocument) {
        const bytes = await whole(response, this.max);
        if (bytes === null) outcome = TOO_LARGE;
        else this.bytes = bytes;
        clearTimeout(this.timer);
      } else {
        this.body = response.body;
      }
    } catch {
      outcome = BROKE;
    }
    this.finish(outcome);
  }

  /** The next piece of a stream; an empty one is its end. */
  async read(ticket) {
    this.wait(ticket);
    let outcome = DONE;
    try {
      this.bytes = this.body === null ? NOTHING : await this.next();
      this.received += this.bytes.length;
      if (this.received > this.max) outcome = TOO_LARGE;
    } catch {
      outcome = BROKE;
    }
    this.finish(outcome);
  }

  async next() {
    this.reader ??= readerOf(this.body);
    if (this.hasCaughtUp && this.received >= FLOWS_BYTES) await pause();
    const room = new Uint8Array(this.bytes.length === 0 ? new ArrayBuffer(BUFFER_BYTES) : this.bytes.buffer);
    const asked = Date.now();
    // Where the stream ends, the last piece may come along with that.
    const { value } = await this.reader.read(room, { min: 1 });
    // What was there already took no time.
    this.hasCaughtUp = Date.now() - asked > 1;
    return value ?? NOTHING;
  }

  headers() {
    return this.text;
  }

  take() {
    return this.bytes;
  }

  /** Nobody wants more of it. */
  abort() {
    this.due = Infinity;
    clearTimeout(this.timer);
    this.controller.abort();
  }
}

export function exchange(ticket, method, url, headers, body, silence, total, max, isDocument) {
  const it = new Exchange(silence, total, max, isDocument);
  it.wait(ticket);
  it.ask(url, {
    method,
    headers: named(headers),
    // A copy: the instance's memory is its own.
    body: body.length === 0 ? undefined : body.slice(),
    redirect: 'manual',
    signal: it.controller.signal,
  });
  return it;
}

export function answer(ticket, status, headers, body) {
  const init = { status, headers: named(headers) };
  release(ticket, new Response(body.length === 0 ? null : body.slice(), init));
}

/** An answer that is written piece by piece. */
class Outgoing {
  from = instance;

  constructor(writer) {
    this.writer = writer;
  }

  /** Settles when there is room for more. */
  write(ticket, bytes) {
    const settled = (outcome) => settle(this.from, ticket, outcome);
    this.writer.write(bytes.slice()).then(() => settled(DONE), () => settled(BROKE));
  }

  /** Settles when nobody reads it any more. */
  whenLeft(ticket) {
    this.writer.closed.catch(() => settle(this.from, ticket, DONE));
  }

  end() {
    this.writer.close().catch(() => {}); // Nobody reads it any more.
  }
}

// Cloudflare's own kind of pipe never leaves its native code.
const Pipe = globalThis.IdentityTransformStream ?? TransformStream;

export function open(ticket, status, headers) {
  const { readable, writable } = new Pipe();
  release(ticket, new Response(readable, { status, headers: named(headers) }));
  return new Outgoing(writable.getWriter());
}
