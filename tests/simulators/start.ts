import { serve } from './common/server.ts';
import { Llm } from './llm/llm.ts';
import type { Credentials } from './spotify/accounts.ts';
import { Spotify } from './spotify/spotify.ts';
import type { StripeOptions } from './stripe/stripe.ts';
import { Stripe } from './stripe/stripe.ts';

export interface Options { spotify: { port?: number } & Credentials; llm: { port?: number; apiKey: string }; stripe: { port?: number } & StripeOptions }

export interface Simulators { urls: Record<keyof Options, string>; close(): Promise<void> }

/** Starts all simulators; a port that is left out or 0 is a free one. When one cannot start, none stays. */
export async function start({ spotify, llm, stripe }: Options): Promise<Simulators> {
  const started = await Promise.allSettled([
    serve(new Spotify(spotify), spotify.port),
    serve(new Llm(llm.apiKey), llm.port),
    serve(new Stripe(stripe), stripe.port),
  ]);
  const running = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const close = async (): Promise<void> => {
    await Promise.all(running.map((server) => server.close()));
  };
  const failed = started.find((one) => one.status === 'rejected');
  if (failed !== undefined) {
    await close();
    throw failed.reason;
  }
  const [spotifyUrl = '', llmUrl = '', stripeUrl = ''] = running.map((server) => server.url);
  return { urls: { spotify: spotifyUrl, llm: llmUrl, stripe: stripeUrl }, close };
}
