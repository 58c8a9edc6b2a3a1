import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';

/** RFC 9110, 7.6.1: these belong to one connection and are not passed on; Node has answered `expect` by itself. */
const HOP_BY_HOP = new Set([
  'connection', 'expect', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade',
]);

/** Forwards a request to the functions unchanged, and streams their response back. */
export function createForwarder(functions_origin: string): (incoming: IncomingMessage, outgoing: ServerResponse) => void {
  return (incoming, outgoing) => {
    const upstream = httpRequest(new URL(incoming.url ?? '/', functions_origin), {
      // A kept connection that the functions close just now would lose a request that cannot be sent twice.
      agent: false,
      method: incoming.method,
      headers: forwardedHeaders(incoming),
    });

    upstream.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.headers));
      // An event stream's first event may be long in coming: the client must see that it was accepted.
      outgoing.flushHeaders();
      // If the functions abort, a pipeline also aborts the client's response, so that it does not look complete.
      pipeline(answer, outgoing, () => {});
    });
    upstream.on('error', () => {
      if (outgoing.headersSent || outgoing.destroyed) return;
      const body = JSON.stringify({ code: 'functions_unreachable', message: 'The functions do not answer.' });
      outgoing.writeHead(502, { 'Content-Type': 'application/json; charset=utf-8' });
      outgoing.end(body);
    });
    // A disconnect of the client is passed on to the functions, which stop their work.
    outgoing.on('close', () => upstream.destroy());

    incoming.on('error', () => upstream.destroy());
    incoming.pipe(upstream);
  };
}

function forwardedHeaders(incoming: IncomingMessage): OutgoingHttpHeaders {
  const headers = endToEnd(incoming.headers);
  const peer = incoming.socket.remoteAddress ?? '';
  headers['x-forwarded-for'] = [incoming.headers['x-forwarded-for'], peer].flat().filter(Boolean).join(', ');
  headers['x-forwarded-host'] = incoming.headers.host;
  headers['x-forwarded-proto'] = 'http';
  delete headers.host;
  // Node frames the body anew; without a length it would send a body even where there was none.
  if (incoming.headers['transfer-encoding']) headers['transfer-encoding'] = 'chunked';
  return headers;
}

function endToEnd(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const named = String(headers.connection ?? '').toLowerCase().split(',').map((name) => name.trim());
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name) && !named.includes(name)));
}
