import { render } from 'preact';
import { App } from './app.tsx';
import { arrivalOf } from './arrival.ts';
import { receive } from './arrivals.ts';
import { startGenerations } from './generation.ts';
import { startNavigation } from './navigation.ts';
import { Notice } from './parts/notice.tsx';
import { followSession } from './session.ts';
import { connect } from './supabase.ts';
import { startLanguage, textsNow } from './texts/texts.ts';

const place = document.getElementById('app') as HTMLElement;

async function start(): Promise<void> {
  startLanguage();
  await connect();
  await followSession();
  // Before the navigation, which would show the place of an address that is cleaned.
  addEventListener('hashchange', () => void receive(arrivalOf(location)));
  startNavigation();
  startGenerations();
  const received = receive(arrivalOf(location));
  place.replaceChildren();
  render(<App />, place);
  await received;
}

function failed(error: unknown): void {
  console.error(error);
  const t = textsNow();
  place.replaceChildren();
  render(
    <main class="page page-narrow">
      <h1 class="visually-hidden">Sound Whiskers</h1>
      <Notice tone="bad" title={t.boot.failed}>
        <p>{t.boot.next}</p>
        <button type="button" class="button" onClick={() => location.reload()}>{t.common.retry}</button>
      </Notice>
    </main>,
    place,
  );
}

start().catch(failed);
