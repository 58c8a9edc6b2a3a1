import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { IconName } from './components/icons.tsx';
import { Icon, Logo } from './components/icons.tsx';
import { FailureNotice, Notice } from './components/notice.tsx';
import { Announcer, ToastArea } from './components/toast.tsx';
import { chooseLanguage, language, useTexts } from './i18n/texts.ts';
import { AccountScreen } from './pages/account.tsx';
import { ForgotScreen, NewPasswordScreen, SignInScreen, SignUpScreen } from './pages/auth.tsx';
import { ConfirmScreen } from './pages/confirm.tsx';
import { CreateScreen } from './pages/create.tsx';
import { PlaylistScreen } from './pages/playlist.tsx';
import { PlaylistsScreen } from './pages/playlists.tsx';
import { PrivacyScreen } from './pages/privacy.tsx';
import { arrival } from './state/arrivals.ts';
import { route } from './state/navigation.ts';
import type { Route, Screen } from './state/route.ts';
import { needsSession } from './state/route.ts';
import { user } from './state/session.ts';
import { sayFailure } from './state/toasts.ts';

export function App() {
  const t = useTexts();
  const where = route.value;
  const who = user.value;
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  const place = `${where.screen}/${where.id}`;
  useEffect(() => {
    // Who has followed a link hears where they are; who has just come is left at the top of the document.
    if (!first.current) main.current?.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
    if (!first.current) scrollTo(0, 0);
    first.current = false;
    document.title = `${titleOf(where, t)} – Sound Whiskers`;
  }, [place, t]);
  const skip = () => main.current?.focus();
  return (
    <>
      <button type="button" class="skip" onClick={skip}>
        {t.nav.skip}
      </button>
      <header class="top">
        <a class="brand" href="#/">
          <Logo /> Sound Whiskers
        </a>
        <Nav screen={where.screen} known={who !== null} />
        <Languages />
      </header>
      <main ref={main} tabIndex={-1}>
        <ArrivalNotice />
        {screenOf(where, who !== null)}
      </main>
      <ToastArea />
      <Announcer />
    </>
  );
}

function screenOf(where: Route, known: boolean): VNode {
  if (needsSession(where) && !known) return <SignInScreen key="wanted" />;
  switch (where.screen) {
    case 'playlists':
      return <PlaylistsScreen />;
    case 'playlist':
      return <PlaylistScreen key={where.id} id={where.id} />;
    case 'account':
      return <AccountScreen />;
    case 'sign-in':
      return <SignInScreen />;
    case 'sign-up':
      return <SignUpScreen />;
    case 'forgot':
      return <ForgotScreen />;
    case 'confirm':
      return <ConfirmScreen key={where.query} />;
    case 'new-password':
      return <NewPasswordScreen />;
    case 'privacy':
      return <PrivacyScreen />;
    case 'create':
      return <CreateScreen />;
  }
}

function titleOf({ screen }: Route, t: ReturnType<typeof useTexts>): string {
  const titles: Record<Screen, string> = {
    create: t.nav.create,
    playlists: t.playlists.title,
    playlist: t.nav.playlists,
    account: t.account.title,
    'sign-in': t.auth.signIn,
    'sign-up': t.auth.signUp,
    forgot: t.auth.forgotTitle,
    confirm: t.confirm.title,
    'new-password': t.auth.newTitle,
    privacy: t.account.privacy,
  };
  return titles[screen];
}

function Nav({ screen, known }: { screen: Screen; known: boolean }) {
  const t = useTexts();
  const link = (path: string, label: string, icon: IconName, here: boolean) => (
    <a href={`#/${path}`} aria-current={here ? 'page' : undefined}>
      <Icon name={icon} /> <span>{label}</span>
    </a>
  );
  return (
    <nav class="nav" aria-label={t.nav.main}>
      {link('', t.nav.create, 'spark', screen === 'create')}
      {link('playlists', t.nav.playlists, 'playlists', screen === 'playlists' || screen === 'playlist')}
      {known
        ? link('account', t.nav.account, 'account', screen === 'account')
        : link('sign-in', t.nav.signIn, 'account', screen === 'sign-in')}
    </nav>
  );
}

function Languages() {
  const t = useTexts();
  const current = language.value;
  return (
    <div class="languages" role="group" aria-label={t.nav.language}>
      {(['en', 'pl'] as const).map((it) => (
        <button
          key={it}
          type="button"
          lang={it}
          aria-pressed={current === it}
          aria-label={it === 'en' ? 'EN, English' : 'PL, polski'}
          onClick={() => void chooseLanguage(it).catch(sayFailure)}
        >
          {it.toUpperCase()}
        </button>
      ))}
    </div>
  );
}

/** What came of the way back from Spotify, or of a link in a mail. */
function ArrivalNotice() {
  const t = useTexts();
  const now = arrival.value;
  if (!now) return null;
  return (
    <div class="page page-narrow page-notice">
      {now.kind === 'busy' ? (
        <Notice tone="plain" title={t.account.linking} />
      ) : (
        <FailureNotice failure={now.failure}>
          {now.way && (
            <a
              class="button"
              href={`#/${now.way}`}
              onClick={() => {
                arrival.value = null;
              }}
            >
              {now.way === 'forgot' ? t.auth.forgotTitle : t.nav.account}
            </a>
          )}
          <button
            type="button"
            class="button"
            onClick={() => {
              arrival.value = null;
            }}
          >
            {t.common.close}
          </button>
        </FailureNotice>
      )}
    </div>
  );
}
