// As many requests as a worker takes, over connections that stay open, one at a time on each. Sockets and bytes alone:
// the client shares the processor with the worker, and must not be what is measured.

import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

export type Load = { requests: number; seconds: number };

/** It goes on for so long, or until there were so many answers. */
export type Until = { ms: number } | { requests: number };

export function post(path: string, headers: Record<string, string>, body: string): Buffer {
  const lines = Object.entries({ Host: '127.0.0.1', ...headers, 'Content-Length': Buffer.byteLength(body) }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
}

/** Fails where an answer is not a 200. */
export async function load(port: number, request: Buffer, connections: number, until: Until): Promise<Load> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  const begun = performance.now();
  let [sent, answered, end] = [0, 0, begun];
  const mayGoOn = () => ('ms' in until ? performance.now() - begun < until.ms : sent < until.requests);
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve, reject) => {
          const next = () => {
            if (!mayGoOn()) {
              end = performance.now();
              resolve();
              return;
            }
            sent += 1;
            socket.write(request);
          };
          let rest: Buffer | undefined;
          socket.on('error', reject).on('close', () => reject(new Error('the worker closed a connection')));
          socket.on('data', (chunk) => {
            const data = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
            const complete = isComplete(data);
            rest = complete ? undefined : data;
            if (!complete) return;
            if (data.toString('latin1', 9, 12) !== '200') {
              reject(new Error(data.toString()));
              return;
            }
            answered += 1;
            next();
          });
          next();
        }),
    ),
  );
  for (const socket of sockets) socket.removeAllListeners('close').destroy();
  return { requests: answered, seconds: (end - begun) / 1000 };
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** There is never more than one answer on the way. */
function isComplete(data: Buffer): boolean {
  const head = data.indexOf('\r\n\r\n');
  if (head < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(data.toString('latin1', 0, head + 2))?.[1];
  if (length === undefined) return data.toString('latin1', data.length - 5) === '0\r\n\r\n';
  return data.length >= head + 4 + Number(length);
}
