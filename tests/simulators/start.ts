import type { RunningSimulator, Simulator } from './common/simulator.ts';
import { serve } from './common/simulator.ts';
import { Llm } from './llm/llm.ts';
import { Spotify } from './spotify/spotify.ts';
import type { StripeOptions } from './stripe/stripe.ts';
import { Stripe } from './stripe/stripe.ts';

export interface Options {
  spotify: { port?: number; clientId: string; clientSecret: string; redirectUris?: readonly string[] };
  llm: { port?: number; apiKey: string };
  stripe: { port?: number } & StripeOptions;
}

export interface Simulators {
  urls: Record<keyof Options, string>;
  close(): Promise<void>;
}

/** Starts all simulators; a port that is left out or 0 is a free one. When one cannot start, none stays. */
export async function start(options: Options): Promise<Simulators> {
  const simulators: [name: keyof Options, simulator: Simulator][] = [
    ['spotify', new Spotify(options.spotify)],
    ['llm', new Llm(options.llm.apiKey)],
    ['stripe', new Stripe(options.stripe)],
  ];
  const running: [name: keyof Options, server: RunningSimulator][] = [];
  const close = async (): Promise<void> => {
    await Promise.all(running.map(([, server]) => server.close()));
  };
  try {
    for (const [name, simulator] of simulators) {
      running.push([name, await serve(simulator, options[name].port)]);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { urls: Object.fromEntries(running.map(([name, server]) => [name, server.url])) as Simulators['urls'], close };
}
