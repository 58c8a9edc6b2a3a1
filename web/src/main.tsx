import { render } from "preact";
import { connect } from "./api/supabase.ts";
import { App } from "./app.tsx";
import { keepFocus } from "./components/focus.ts";
import { Notice } from "./components/notice.tsx";
import { startLanguage, textsNow } from "./i18n/texts.ts";
import { arrivalOf } from "./state/arrival.ts";
import { receive } from "./state/arrivals.ts";
import { startGenerations } from "./state/generation.ts";
import { fetchLater } from "./state/later.ts";
import { route, startNavigation } from "./state/navigation.ts";
import { keepFiles } from "./state/offline.ts";
import { followSession } from "./state/session.ts";
import { followUndoKeys } from "./state/toasts.ts";

const place = document.getElementById("app") as HTMLElement;

async function start(): Promise<void> {
  // A visitor of the composer gets the other screens' file after it, any other one meanwhile.
  const isElsewhere = location.hash.length > 2 || location.search !== "";
  const others = isElsewhere ? fetchLater() : undefined;
  await Promise.all([startLanguage(), connect()]);
  await followSession();
  // Registered before the router's listener, which would otherwise see the address before it is cleaned.
  addEventListener("hashchange", () => void receive(arrivalOf(location)));
  startNavigation();
  startGenerations();
  const received = receive(arrivalOf(location));
  if (route.value.screen !== "create") await others;
  place.replaceChildren();
  keepFocus();
  followUndoKeys();
  render(<App />, place);
  await Promise.all([received, fetchLater()]);
  keepFiles();
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
        <button type="button" class="button" onClick={() => location.reload()}>
          {t.common.retry}
        </button>
      </Notice>
    </main>,
    place,
  );
}

start().catch(failed);
