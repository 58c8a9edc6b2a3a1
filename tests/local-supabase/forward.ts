import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';

/** RFC 9110, 7.6.1: these headers concern one connection and are not forwarded; Node handles `expect` by itself. */
const HOP_BY_HOP = new Set([
  'connection', 'expect', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade',
]);

/** Forwards a request to the functions unchanged, and streams their response back. */
export function createForwarder(functions_origin: string): (incoming: IncomingMessage, outgoing: ServerResponse) => void {
  return (incoming, outgoing) => {
    const upstream = httpRequest(new URL(incoming.url ?? '/', functions_origin), {
      // The functions could close a kept-alive connection while a request that cannot be repeated is being sent.
      agent: false,
      method: incoming.method,
      headers: forwardedHeaders(incoming),
    });

    upstream.on('response', (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.statusMessage, endToEnd(response.headers));
      // The first event of a stream may be late: the client must see that the request was accepted.
      outgoing.flushHeaders();
      // If the functions abort, the pipeline aborts the client's response, so that it does not look complete.
      pipeline(response, outgoing, () => {});
    });
    upstream.on('error', () => {
      if (outgoing.headersSent || outgoing.destroyed) return;
      const body = JSON.stringify({ code: 'functions_unreachable', message: 'The functions do not response.' });
      outgoing.writeHead(502, { 'Content-Type': 'application/json; charset=utf-8' });
      outgoing.end(body);
    });
    // A disconnect of the client is forwarded to the functions, which stop their work.
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
  // Node frames the body again; without a length it would send a body even if there was none.
  if (incoming.headers['transfer-encoding']) headers['transfer-encoding'] = 'chunked';
  return headers;
}

function endToEnd(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const named = String(headers.connection ?? '').toLowerCase().split(',').map((name) => name.trim());
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name) && !named.includes(name)));
}
