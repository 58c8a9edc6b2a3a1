/**
 * Simulators of the services that Sound Whiskers calls: HTTP servers on 127.0.0.1, as strict as the originals, for
 * development and tests. The product does not know them; only its configured base URLs differ.
 *
 * Environment: SPOTIFY_SIM_PORT, LLM_SIM_PORT, STRIPE_SIM_PORT (by default any free port); the accepted credentials
 * SPOTIFY_CLIENT_ID, SPOTIFY_CLIENT_SECRET, LLM_API_KEY, STRIPE_SECRET_KEY; SPOTIFY_REDIRECT_URIS, the allowed redirect
 * URIs, separated by commas; STRIPE_PRICE_ID, the price that exists; STRIPE_WEBHOOK_URL and STRIPE_WEBHOOK_SECRET, the
 * endpoint of events and its signing secret (optional, both or neither).
 * Prints one JSON line with the URLs when all of them listen. Ends on SIGTERM, on SIGINT and when stdin ends.
 */
import process from 'node:process';
import { serve } from './common/server.ts';
import { Llm } from './llm/llm.ts';
import { Spotify } from './spotify/spotify.ts';
import { Stripe } from './stripe/stripe.ts';

function variable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

function port(name: string): number {
  const text = process.env[name] || '0';
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0 || number > 65535) throw new Error(`${name} is not a port: ${text}`);
  return number;
}

/** Requires both variables or neither: with one alone no event would arrive. */
function webhook(): { webhook?: { url: string; secret: string } } {
  if (!process.env.STRIPE_WEBHOOK_URL && !process.env.STRIPE_WEBHOOK_SECRET) return {};
  return { webhook: { url: variable('STRIPE_WEBHOOK_URL'), secret: variable('STRIPE_WEBHOOK_SECRET') } };
}

try {
  const redirectUris = (process.env.SPOTIFY_REDIRECT_URIS ?? '').split(',').filter((uri) => uri !== '');
  const spotify = new Spotify({ clientId: variable('SPOTIFY_CLIENT_ID'), clientSecret: variable('SPOTIFY_CLIENT_SECRET'), redirectUris });
  const llm = new Llm(variable('LLM_API_KEY'));
  const stripe = new Stripe({ secretKey: variable('STRIPE_SECRET_KEY'), priceId: variable('STRIPE_PRICE_ID'), ...webhook() });
  const ports = [port('SPOTIFY_SIM_PORT'), port('LLM_SIM_PORT'), port('STRIPE_SIM_PORT')];
  const servers = await Promise.all([spotify, llm, stripe].map((simulator, index) => serve(simulator, ports[index])));
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()));
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.stdin.on('end', stop).on('error', stop).resume();
  const urls = Object.fromEntries(['spotify', 'llm', 'stripe'].map((name, index) => [name, servers[index]?.url]));
  console.log(JSON.stringify({ simulators: urls, pid: process.pid }));
} catch (error) {
  console.error(`simulators: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
