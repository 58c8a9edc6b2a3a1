// The FFI boundary between the runtime and the functions' wasm. A crossing costs more than most work on either side, so
// related data crosses in one call: a head is one text, a document one array of bytes, and the callback takes two numbers.

/** The outcome codes, which `succeeded` in mod.rs maps to errors. */
const DONE = 0;
const BROKE = 1;
const TOO_LATE = 2;
const TOO_LARGE = 3;

const NOTHING = new Uint8Array(0);

// Waking up for each chunk costs more than the chunk: a model sends its tokens in frames of 300 bytes. So once a stream
// flows, a reader that has caught up pauses and then reads several chunks at once. No byte waits longer than the pause.
const FLOWS_BYTES = 4096;
const PAUSE_MS = 50;
const BUFFER_BYTES = 16 * 1024;

/** How long a request's body may take to arrive: clients send at most a megabyte. */
const BODY_MS = 30_000;

/** The running instance of the wasm: its callback and the promises that it has yet to resolve. */
let instance = { promises: new Map() };
let isPoisoned = false;
/** The most bytes of a request's body; undefined where the wasm reads requests itself. */
let maxBodyBytes;
let requestNames = [];
/** The headers of every response that does not set its own. */
let common = new Headers();
/** The headers of responses, by the lines that they are made of. Making them takes longer than copying them. */
const made = new Map();
const KEPT = 32;

/**
 * Called by every new instance. `resume(id, outcome)` completes the future with that id; `responseNames` are the headers
 * that Rust reads of upstreams' responses, `commonHeaders` those of every response.
 */
export function connect(resume, responseNames, commonHeaders) {
  instance = { resume, responseNames: namesIn(responseNames), promises: new Map() };
  common = new Headers(named(commonHeaders));
  made.clear();
}

/** Announces that the wasm takes requests with bodies of at most `max` bytes, and which headers it reads of them. */
export function accept(max, names) {
  maxBodyBytes = max;
  requestNames = namesIn(names);
}

function namesIn(lines) {
  return lines.split('\n').slice(0, -1);
}

/** After a panic the memory cannot be trusted: every pending request fails, and the next one gets a new instance. */
export function poison(error) {
  console.error(`the instance is given up: ${error}`);
  isPoisoned = true;
  for (const keep of instance.promises.values()) keep(internalError());
  instance.promises.clear();
}

/** Returns whether a new instance is due, and resets the flag. */
export function takePoisoned() {
  const was = isPoisoned;
  isPoisoned = false;
  return was;
}

export function internalError() {
  const request_id = crypto.randomUUID();
  const body = { code: 'internal_error', message: 'Something went wrong on our side. Please try again.', request_id };
  return response(JSON.stringify(body), 500, 'content-type\napplication/json\n', request_id);
}

function complete(from, id, outcome) {
  // A poisoned or replaced instance is not called again.
  if (from !== instance || isPoisoned) return;
  try {
    from.resume(id, outcome);
  } catch (error) {
    poison(error);
  }
}

/** A promise of a response, which `answer`, `open` or `resolve` resolves. */
export function promise(id) {
  return new Promise((keep) => instance.promises.set(id, keep));
}

/** Keeps the runtime running until the promise is resolved, even if the client disconnects. */
export function waitUntil(context, promise) {
  context.waitUntil(promise);
}

export function resolve(id, value) {
  const { promises } = instance;
  promises.get(id)?.(value);
  promises.delete(id);
}

export function getEnv(env, name) {
  const value = env[name];
  return typeof value === 'string' ? value : undefined;
}

export function sleep(id, ms) {
  return setTimeout(complete, ms, instance, id, DONE);
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

/** Returns the method, the URL, and the names and values of the headers that Rust reads, each on a line. */
function head(request) {
  return `${request.method}\n${request.url}\n${listed(request.headers, requestNames)}`;
}

export function onDisconnect(id, request) {
  const from = instance;
  const { signal } = request;
  if (signal?.aborted) complete(from, id, DONE);
  else signal?.addEventListener('abort', () => complete(from, id, DONE), { once: true });
}

function listed(headers, names) {
  let text = '';
  for (const name of names) {
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

/** Returns what the wasm gets of a request beside itself: its head, the bytes of its body, their outcome, its time. */
export async function receive(request) {
  if (maxBodyBytes === undefined) return [];
  const since = Date.now();
  try {
    const reading = whole(request, maxBodyBytes);
    const read = reading instanceof Promise ? await inTime(reading) : reading;
    return typeof read === 'number' ? [head(request), NOTHING, read, since] : [head(request), read, DONE, since];
  } catch {
    return [head(request), NOTHING, BROKE, since];
  }
}

/** Waits for a body that may arrive slowly or never; TOO_LATE after BODY_MS. */
function inTime(reading) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, BODY_MS, TOO_LATE);
  });
  return Promise.race([reading, late]).finally(() => clearTimeout(timer));
}

/** All bytes of a body, or TOO_LARGE where there are more than `max`; a promise of them if there is a body. */
function whole(source, max) {
  const length = source.headers.get('Content-Length');
  // A compressed body may expand to any number of bytes.
  if (length === null || source.headers.has('Content-Encoding')) {
    // Looked at only here: it makes a stream, which costs more than its bytes.
    const { body } = source;
    return body === null ? NOTHING : joined(body, max);
  }
  // A length that is no number counts as too large.
  if (!(Number(length) <= max)) return tooLarge(source.body);
  return source.arrayBuffer().then((buffer) => new Uint8Array(buffer));
}

async function joined(body, max) {
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
  stream?.cancel().catch(() => {});
  return TOO_LARGE;
}

/** Returns a BYOB reader, or a plain one where the stream has none, as an empty body in Deno. */
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

/** A request to an upstream and its response. */
class Exchange {
  from = instance;
  controller = new AbortController();
  /** One timer, armed again when it fires early: a timer for each chunk would be a large part of the cost of a stream. */
  timer = undefined;
  due = Infinity;
  id = 0;
  status = 0;
  text = '';
  bytes = NOTHING;
  received = 0;
  /** Whether the reader had to wait for the last chunk. */
  hasCaughtUp = false;
  /** The outcome of the body, which may fail after the head has arrived. */
  ended = DONE;

  constructor(silence, total, max, isDocument) {
    this.silence = silence;
    this.ends = Date.now() + total;
    this.max = max;
    this.isDocument = isDocument;
  }

  wait(id) {
    this.id = id;
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
    // The status of a document counts even if its body fails.
    if (this.status === 0 || !this.isDocument) complete(this.from, this.id, outcome);
    else {
      this.ended = outcome;
      complete(this.from, this.id, DONE);
    }
  }

  async ask(url, init) {
    let outcome = DONE;
    try {
      const response = await fetch(url, init);
      this.text = listed(response.headers, this.from.responseNames);
      this.status = response.status;
      if (this.isDocument) {
        const read = await whole(response, this.max);
        if (read === TOO_LARGE) outcome = read;
        else this.bytes = read;
        clearTimeout(this.timer);
      } else {
        this.body = response.body;
      }
    } catch {
      outcome = BROKE;
    }
    this.finish(outcome);
  }

  /** Reads the next chunk of a stream; an empty one is the end. */
  async read(id) {
    this.wait(id);
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
    // At the end of the stream, the last chunk may come together with `done`.
    const { value } = await this.reader.read(room, { min: 1 });
    // A chunk that was already buffered takes no time.
    this.hasCaughtUp = Date.now() - asked > 1;
    return value ?? NOTHING;
  }

  headers() {
    return this.text;
  }

  take() {
    return this.bytes;
  }

  /** Cancels the request. */
  abort() {
    this.due = Infinity;
    clearTimeout(this.timer);
    // Deno keeps a connection now and then if a read is pending and only the signal aborts.
    this.reader?.cancel().catch(() => {});
    this.controller.abort();
  }
}

export function exchange(id, method, url, headers, body, silence, total, max, isDocument) {
  const it = new Exchange(silence, total, max, isDocument);
  it.wait(id);
  it.ask(url, {
    method,
    headers: named(headers),
    // A copy, because the instance's memory moves and is used again while a runtime may still hold the bytes.
    body: body.length === 0 ? undefined : body.slice(),
    redirect: 'manual',
    signal: it.controller.signal,
  });
  return it;
}

/** Returns the response, and resolves its promise where there is one. */
export function answer(id, status, headers, requestId, body) {
  const answer = response(body.length === 0 ? null : body.slice(), status, headers, requestId);
  resolve(id, answer);
  return answer;
}

/** A response with the common headers, its own, and its id. */
function response(body, status, lines, requestId) {
  const headers = headersOf(lines);
  // The response copies them. Setting the id in the copy would make one more object of the runtime.
  headers.set('X-Request-Id', requestId);
  return new Response(body, { status, headers });
}

function headersOf(lines) {
  const known = made.get(lines);
  if (known !== undefined) return known;
  const headers = new Headers(common);
  const own = named(lines);
  for (const name in own) headers.set(name, own[name]);
  // An address may hold a code for one user.
  if (!('location' in own)) {
    if (made.size === KEPT) made.clear();
    made.set(lines, headers);
  }
  return headers;
}

/** A response that is written in chunks. */
class Outgoing {
  from = instance;

  constructor(writer, response) {
    this.writer = writer;
    this.response = response;
  }

  /** Completes when there is room for more. */
  write(id, bytes) {
    const settled = (outcome) => complete(this.from, id, outcome);
    this.writer.write(bytes.slice()).then(() => settled(DONE), () => settled(BROKE));
  }

  /** Completes when the client stops reading. */
  onCancel(id) {
    this.writer.closed.catch(() => complete(this.from, id, DONE));
  }

  end() {
    this.writer.close().catch(() => {}); // The client has stopped reading.
  }
}

// Cloudflare's own pipe stays in native code.
const Pipe = globalThis.IdentityTransformStream ?? TransformStream;

export function open(id, status, headers, requestId) {
  const { readable, writable } = new Pipe();
  const answer = response(readable, status, headers, requestId);
  resolve(id, answer);
  return new Outgoing(writable.getWriter(), answer);
}
