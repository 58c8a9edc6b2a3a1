import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Stripe from 'stripe';
import { PRICE_ID, STRIPE_KEY, control } from './helpers.ts';

export type Json = Record<string, unknown>;

export const WEBHOOK_SECRET = 'whsec_simulated';

/** Stripe's own client, pointed at the simulator. */
export function sdk(base: string, key = STRIPE_KEY): Stripe {
  const { hostname, port } = new URL(base);
  return new Stripe(key, { host: hostname, port: Number(port), protocol: 'http', maxNetworkRetries: 0, telemetry: false });
}

/** Calls the API as it is on the wire. */
export async function call(base: string, method: string, path: string, form?: string, headers: Record<string, string> = {}): Promise<{ status: number; json: Json; headers: Headers }> {
  const response = await fetch(base + path, {
    method,
    headers: { authorization: `Bearer ${STRIPE_KEY}`, ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }), ...headers },
    ...(form === undefined ? {} : { body: form }),
  });
  return { status: response.status, json: (await response.json()) as Json, headers: response.headers };
}

export function refusal({ status, json }: { status: number; json: Json }): unknown[] {
  const { code, param, message } = json.error as Json;
  return [status, code, param, message];
}

export const SESSION = new URLSearchParams({
  mode: 'subscription',
  success_url: 'https://app.example/paid?session={CHECKOUT_SESSION_ID}',
  cancel_url: 'https://app.example/back',
  'line_items[0][price]': PRICE_ID,
  'line_items[0][quantity]': '1',
}).toString();

export async function act(base: string, action: Json): Promise<Record<string, Json>> {
  return (await control(base, 'POST act', action)) as Record<string, Json>;
}

/** A new customer with a subscription, as a paid checkout leaves it. */
export async function subscriber(base: string, fields: Json = {}): Promise<{ customer: string; subscription: string }> {
  const { customer } = await act(base, { action: 'create_customer', user_id: 'u1' });
  const { subscription } = await act(base, { action: 'subscribe', customer: customer?.id, ...fields });
  return { customer: String(customer?.id), subscription: String(subscription?.id) };
}

export async function eventTypes(base: string): Promise<string[]> {
  return ((await control(base, 'GET events')) as { type: string }[]).map(({ type }) => type);
}

export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Receiver {
  url: string;
  received: Received[];
  /** What is answered; 200 with "thanks" until it is set, never where it is undefined. */
  answers: (received: Received) => { status: number; headers?: Record<string, string>; body?: string } | undefined;
  /** What has come once there is so much of it. */
  until(count: number): Promise<Received[]>;
  close(): Promise<void>;
}

/** A webhook endpoint. */
export async function receive(): Promise<Receiver> {
  let arrived = (): void => {};
  const server = createServer((message, response) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => {
      const one = { headers: message.headers, body: Buffer.concat(chunks).toString('utf8') };
      receiver.received.push(one);
      const answer = receiver.answers(one);
      if (answer !== undefined) {
        response.writeHead(answer.status, answer.headers ?? {}).end(answer.body ?? 'thanks');
      }
      arrived();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhook`,
    received: [],
    answers: () => ({ status: 200 }),
    until: async (count) => {
      while (receiver.received.length < count) {
        await new Promise<void>((resolve) => {
          arrived = resolve;
        });
      }
      return receiver.received;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}
