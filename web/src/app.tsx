import { useEffect, useRef } from "preact/hooks";
import { Failure } from "./api/failure.ts";
import { links } from "./api/supabase.ts";
import { HelpLinks } from "./components/help-links.tsx";
import { Logo } from "./components/icons.tsx";
import { FailureNotice, Notice } from "./components/notice.tsx";
import { Announcer, ToastArea } from "./components/toast.tsx";
import type { Texts } from "./i18n/texts.ts";
import { chooseLanguage, language, useTexts } from "./i18n/texts.ts";
import { Composer } from "./pages/composer.tsx";
import { arrival } from "./state/arrivals.ts";
import { generation } from "./state/generation.ts";
import { fetchLater, later } from "./state/later.ts";
import { route } from "./state/navigation.ts";
import type { Route, Screen } from "./state/route.ts";
import { needsSession } from "./state/route.ts";
import { user } from "./state/session.ts";
import { title } from "./state/title.ts";
import { dialogs, sayFailure } from "./state/toasts.ts";

export function App() {
  const t = useTexts();
  const where = route.value;
  // Another account, signed in to in another tab, does not see what this one has read or written.
  const who = user.value?.id ?? "";
  const isKnown = who !== "";
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  const { running, result } = generation.value;
  // The logo twitches only after a generation of this visit.
  const hasRun = useRef(false);
  if (running) hasRun.current = true;
  const place = `${where.screen}/${where.id}`;
  const isLoaded = where.screen === "create" || later.value !== null;
  useEffect(() => {
    // After navigation the heading gets the focus, so that screen readers read it; on load the focus stays at the top.
    if (!first.current)
      main.current
        ?.querySelector<HTMLElement>("h1")
        ?.focus({ preventScroll: true });
    if (!first.current) scrollTo(0, 0);
    first.current = false;
  }, [place, isLoaded]);
  const name = title.value || titleOf(where, t);
  useEffect(() => {
    document.title = `${name} – Sound Whiskers`;
  }, [name]);
  return (
    <>
      <button
        type="button"
        class="button button-primary skip"
        onClick={() => main.current?.focus()}
      >
        {t.nav.skip}
      </button>
      <header class="top">
        <a class="brand" href="#/" aria-label="Sound Whiskers">
          <Logo twitches={hasRun.current && !running && result !== null} />{" "}
          <span class={isKnown ? "brand-name-long" : ""}>Sound Whiskers</span>
        </a>
        <Nav screen={where.screen} isKnown={isKnown} />
        {!isKnown && <Languages />}
      </header>
      <main ref={main} tabIndex={-1}>
        <ArrivalNotice />
        {where.screen === "create" ? (
          <Composer key={who} />
        ) : (
          <Later where={where} who={who} />
        )}
      </main>
      <Foot isKnown={isKnown} />
      {dialogs.value === 0 && <ToastArea />}
      <Announcer />
    </>
  );
}

/** A screen of the file that is fetched after the first one. */
function Later({ where, who }: { where: Route; who: string }) {
  const t = useTexts();
  const screens = later.value;
  useEffect(() => void fetchLater(), []);
  if (screens === null || screens === "failed") {
    return (
      <div class="page page-narrow">
        <h1 tabIndex={-1} class="visually-hidden">
          {titleOf(where, t)}
        </h1>
        {screens === null ? (
          <p class="hint" role="status">
            {t.common.loading}
          </p>
        ) : (
          <FailureNotice failure={new Failure("network")}>
            <button
              type="button"
              class="button"
              onClick={() => location.reload()}
            >
              {t.common.retry}
            </button>
          </FailureNotice>
        )}
      </div>
    );
  }
  if (needsSession(where) && !who) return <screens.SignInScreen key="wanted" />;
  switch (where.screen) {
    case "playlists":
      return <screens.PlaylistsScreen key={who} />;
    case "playlist":
      return where.id === "new" ? (
        <screens.MakingScreen key={who} />
      ) : (
        <screens.PlaylistScreen key={who + where.id} id={where.id} />
      );
    case "shared":
      return <screens.SharedScreen key={where.id} id={where.id} />;
    case "account":
      return <screens.AccountScreen key={who} />;
    case "sign-in":
      return <screens.SignInScreen />;
    case "sign-up":
      return <screens.SignUpScreen />;
    case "forgot":
    case "resend":
      return <screens.MailScreen key={where.screen} kind={where.screen} />;
    case "confirm":
      return <screens.ConfirmScreen key={where.query} />;
    case "new-password":
      return <screens.NewPasswordScreen />;
    case "privacy":
    case "terms":
      return <screens.TextScreen key={where.screen} name={where.screen} />;
    case "create":
      return null;
  }
}

function titleOf({ screen, id }: Route, t: Texts): string {
  const titles: Record<Screen, string> = {
    create: t.nav.create,
    playlists: t.playlists.title,
    playlist: id === "new" ? t.run.title : t.nav.playlists,
    shared: t.shared.title,
    account: t.account.title,
    "sign-in": t.auth.signIn,
    "sign-up": t.auth.signUp,
    forgot: t.auth.forgotTitle,
    resend: t.auth.resendTitle,
    confirm: t.confirm.title,
    "new-password": t.auth.newTitle,
    privacy: t.foot.privacy,
    terms: t.foot.terms,
  };
  return titles[screen];
}

function Nav({ screen, isKnown }: { screen: Screen; isKnown: boolean }) {
  const t = useTexts();
  const link = (path: string, label: string, isHere: boolean) => (
    <a href={`#/${path}`} aria-current={isHere ? "page" : undefined}>
      {label}
    </a>
  );
  return (
    <nav class="nav" aria-label={t.nav.main}>
      {isKnown && link("", t.nav.create, screen === "create")}
      {isKnown &&
        link(
          "playlists",
          t.nav.playlists,
          screen === "playlists" || screen === "playlist",
        )}
      {isKnown && link("account", t.nav.account, screen === "account")}
      {!isKnown && link("sign-in", t.nav.signIn, screen === "sign-in")}
    </nav>
  );
}

function Languages() {
  const t = useTexts();
  return (
    <fieldset class="languages" aria-label={t.nav.language}>
      {(["en", "pl"] as const).map((it) => (
        <button
          key={it}
          type="button"
          lang={it}
          aria-pressed={language.value === it}
          aria-label={it === "en" ? "EN, English" : "PL, polski"}
          onClick={() => void chooseLanguage(it).catch(sayFailure)}
        >
          {it.toUpperCase()}
        </button>
      ))}
    </fieldset>
  );
}

function Foot({ isKnown }: { isKnown: boolean }) {
  const t = useTexts();
  const {
    privacy_url = "#/privacy",
    terms_url = "#/terms",
    contact_url,
  } = links();
  return (
    <footer class="foot">
      <a href={privacy_url}>{t.foot.privacy}</a>
      <a href={terms_url}>{t.foot.terms}</a>
      {contact_url && <a href={contact_url}>{t.foot.contact}</a>}
      {isKnown && <Languages />}
    </footer>
  );
}

/** Shows the outcome of returning from Spotify or following a link in a mail. */
function ArrivalNotice() {
  const t = useTexts();
  const now = arrival.value;
  if (!now) return null;
  const close = () => {
    arrival.value = null;
  };
  return (
    <div class="page page-narrow page-notice">
      {now.kind === "busy" ? (
        <Notice tone="plain" title={t.account.linking} />
      ) : (
        <FailureNotice failure={now.failure}>
          <HelpLinks to={now.help} then={close} />
          <button type="button" class="button" onClick={close}>
            {t.common.close}
          </button>
        </FailureNotice>
      )}
    </div>
  );
}
