import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Answer } from './answer.ts';
import { ControlError } from './check.ts';
import type { Fault } from './faults.ts';
import { Faults } from './faults.ts';
import { RequestLog } from './log.ts';

const CONTROL = '/__control/';
const MAX_BODY_BYTES = 16_000_000;
/** Longer than clients keep idle connections, so that none is closed under a request. */
const KEEP_ALIVE_MS = 65_000;

export interface SimRequest {
  method: string;
  url: URL;
  headers: IncomingHttpHeaders;
  body: string;
}

/** What a service must bring to become a simulator; log, faults, reset and the server come from here. */
export interface Simulator {
  handle(request: SimRequest, answer: Answer): Promise<void>;
  /** By "METHOD name", as in "PUT latency": takes the parsed body, answers JSON (or a promise of it), or nothing for 204. */
  control: Record<string, (body: unknown) => unknown>;
  reset(): void;
  /** Ends what goes on beside the requests. */
  close?(): void;
}

export interface RunningSimulator {
  url: string;
  port: number;
  close(): Promise<void>;
}

/** Serves a simulator on 127.0.0.1; port 0 takes a free one. */
export async function serve(simulator: Simulator, port = 0): Promise<RunningSimulator> {
  const log = new RequestLog();
  const faults = new Faults();
  const control = controlCalls(simulator, log, faults);
  const server = createServer((message, response) => {
    exchange(message, response).catch((error: unknown) => {
      if (message.complete) {
        console.error(error);
      }
      response.destroy();
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;

  async function exchange(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = readHead(message);
    if (request.url.pathname.startsWith(CONTROL)) {
      request.body = await readBody(message);
      await answerControl(control, request, response);
      return;
    }
    const entry = log.add(request);
    const answer = new Answer(response, entry);
    request.body = await readBody(message);
    log.setBody(entry, request.body);
    const fault = faults.strike(request.method, request.url.pathname);
    if (fault === undefined || !(await strike(fault, answer))) {
      await simulator.handle(request, answer);
    }
  }

  await listen(server, port);
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    close: () =>
      new Promise((resolve) => {
        simulator.close?.();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Does what the fault says; true when it has answered in the service's stead. */
async function strike(fault: Fault, answer: Answer): Promise<boolean> {
  await answer.pause(fault.delay_ms ?? 0);
  if (fault.reset_connection) {
    answer.cut();
    return true;
  }
  answer.hold(fault.hold_ms ?? 0);
  answer.spoil(fault.headers, fault.truncate_after_bytes);
  if (fault.status === undefined && fault.body === undefined) {
    return false;
  }
  const status = fault.status ?? 200;
  if (fault.body === undefined || typeof fault.body === 'string') {
    answer.text(status, fault.body ?? '');
  } else {
    answer.json(status, fault.body);
  }
  return true;
}

function controlCalls(simulator: Simulator, log: RequestLog, faults: Faults): Simulator['control'] {
  return {
    'POST reset': () => {
      log.clear();
      faults.clear();
      simulator.reset();
    },
    'GET log': () => log.entries(),
    'PUT faults': (body) => faults.set(body),
    ...simulator.control,
  };
}

async function answerControl(control: Simulator['control'], request: SimRequest, response: ServerResponse): Promise<void> {
  const send = (status: number, body: unknown) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    response.writeHead(status, text === '' ? {} : { 'content-type': 'application/json; charset=utf-8' });
    response.end(text);
  };
  const call = `${request.method} ${request.url.pathname.slice(CONTROL.length)}`;
  const act = control[call];
  if (act === undefined) {
    send(404, { error: `no control call '${call}'; there are ${Object.keys(control).join(', ')}` });
    return;
  }
  try {
    const result = await act(request.body === '' ? undefined : JSON.parse(request.body));
    send(result === undefined ? 204 : 200, result);
  } catch (error) {
    if (error instanceof ControlError || error instanceof SyntaxError) {
      send(400, { error: error.message });
      return;
    }
    throw error;
  }
}

function readHead(message: IncomingMessage): SimRequest {
  const base = `http://${message.headers.host}`;
  return {
    method: message.method ?? 'GET',
    // joined, not resolved: a path that begins with two slashes is no host
    url: new URL(`${URL.canParse(base) ? base : 'http://127.0.0.1'}${message.url ?? '/'}`),
    headers: message.headers,
    body: '',
  };
}

async function readBody(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_BODY_BYTES) {
      throw new Error(`request body over ${MAX_BODY_BYTES} bytes`);
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}
