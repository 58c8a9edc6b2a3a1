import { useEffect, useState } from "preact/hooks";
import type { SpotifyLink } from "../api/functions.ts";
import { exportAccount, spotifyLink } from "../api/functions.ts";
import { useAction } from "../components/action.ts";
import { Dialog } from "../components/dialog.tsx";
import { Field } from "../components/field.tsx";
import { FailureNotice, KeepNotice } from "../components/notice.tsx";
import { LinkDialog, OwnDialog } from "../components/own-dialog.tsx";
import { date, useTexts } from "../i18n/texts.ts";
import { arrival } from "../state/arrivals.ts";
import { saveFile } from "../state/files.ts";
import { reset } from "../state/generation.ts";
import { go } from "../state/navigation.ts";
import {
  changeEmail,
  deleteAccount,
  nameOf,
  signOut,
  user,
} from "../state/session.ts";
import { say } from "../state/toasts.ts";
import { PlanCard } from "./plan.tsx";

export function AccountScreen() {
  const t = useTexts();
  const who = user.value;
  const leave = async () => {
    reset();
    await signOut();
    go("sign-in");
    say(t.account.signedOut);
  };
  return (
    <div class="page page-narrow">
      <header class="row row-between page-head">
        <h1 tabIndex={-1}>{t.account.title}</h1>
        {!who?.isAnonymous && (
          <button type="button" class="button" onClick={() => void leave()}>
            {t.account.signOut}
          </button>
        )}
      </header>
      {who?.isAnonymous ? (
        <KeepNotice />
      ) : (
        <p class="hint">
          {t.account.signedInAs}{" "}
          <strong class="break">{who && nameOf(who)}</strong>
        </p>
      )}
      <PlanCard />
      {!who?.isAnonymous && <SpotifyCard />}
      {who?.email && <AccessCard />}
      <DataCard />
      <DangerCard />
    </div>
  );
}

function SpotifyCard() {
  const t = useTexts();
  const [link, setLink] = useState<SpotifyLink | null>(null);
  const [linking, setLinking] = useState(false);
  const loading = useAction();
  const action = useAction();
  const load = () =>
    loading.run(async () => setLink(await spotifyLink.status()));
  const came = arrival.value;
  // Loads again when the link is completed after the return from Spotify.
  useEffect(() => void (came?.kind !== "busy" && load()), [came]);
  const unlink = () =>
    action.run(async () => {
      await spotifyLink.remove();
      setLink({ linked: false });
      say(t.account.unlinkedNow);
    });
  const words = link?.linked
    ? link.spotify_display_name
      ? t.account.linked(link.spotify_display_name)
      : t.account.linkedPlain
    : t.account.unlinked;
  return (
    <section class="card stack" aria-labelledby="spotify">
      <h2 id="spotify">{t.account.spotify}</h2>
      <p>
        {link ? words : !loading.failure && t.common.loading}{" "}
        {link?.expires_at && (
          <span class="hint">{t.account.until(date(link.expires_at))}</span>
        )}
      </p>
      {link && (
        <div class="row">
          {link.linked ? (
            <button
              type="button"
              class="button"
              aria-disabled={action.busy}
              onClick={unlink}
            >
              {t.account.unlink}
            </button>
          ) : (
            <button
              type="button"
              class="button"
              onClick={() => setLinking(true)}
            >
              {t.account.link}
            </button>
          )}
        </div>
      )}
      {loading.failure && (
        <FailureNotice failure={loading.failure} isBackground>
          <button type="button" class="button" onClick={load}>
            {t.common.retry}
          </button>
        </FailureNotice>
      )}
      {action.failure && <FailureNotice failure={action.failure} />}
      {linking && <LinkDialog close={() => setLinking(false)} />}
    </section>
  );
}

/** Shows the account's credentials. */
function AccessCard() {
  const t = useTexts();
  const [isOpen, setOpen] = useState(false);
  const [email, setEmail] = useState("");
  const action = useAction();
  const submit = (event: Event) => {
    event.preventDefault();
    void action.run(async () => {
      await changeEmail(email.trim());
      setOpen(false);
      say(t.account.mailSent(email));
    });
  };
  return (
    <section class="card stack" aria-labelledby="access">
      <h2 id="access">{t.account.access}</h2>
      <div class="row">
        <button type="button" class="button" onClick={() => setOpen(true)}>
          {t.account.changeMail}
        </button>
        <a class="button" href="#/new-password">
          {t.account.changePassword}
        </a>
      </div>
      {isOpen && (
        <Dialog title={t.account.changeMail} close={() => setOpen(false)}>
          <form class="stack" onSubmit={submit}>
            <Field
              label={t.account.newMail}
              type="email"
              value={email}
              change={setEmail}
              autocomplete="email"
              required
              autofocus
            />
            {action.failure && <FailureNotice failure={action.failure} />}
            <div class="row row-end">
              <button
                type="submit"
                class="button button-primary"
                aria-disabled={action.busy}
              >
                {t.common.save}
              </button>
            </div>
          </form>
        </Dialog>
      )}
    </section>
  );
}

function DataCard() {
  const t = useTexts();
  const action = useAction();
  const download = () =>
    action.run(async () => {
      saveFile("sound-whiskers-account.json", await exportAccount());
    });
  return (
    <section class="card stack" aria-labelledby="data">
      <h2 id="data">{t.account.data}</h2>
      <p class="hint">
        {t.account.dataText} <a href="#/privacy">{t.foot.privacy}</a>
      </p>
      <div class="row">
        <button
          type="button"
          class="button"
          aria-disabled={action.busy}
          onClick={download}
        >
          {t.account.download}
        </button>
      </div>
      {action.failure && <FailureNotice failure={action.failure} />}
    </section>
  );
}

/** The texts about deleting the account; an anonymous user sees it as leaving. */
function useDanger(): [title: string, text: string, done: string] {
  const { account } = useTexts();
  return user.value?.isAnonymous
    ? [account.leave, account.leaveText, account.left]
    : [account.danger, account.dangerText, account.deleted];
}

function DangerCard() {
  const [title, text] = useDanger();
  const [open, setOpen] = useState(false);
  return (
    <section class="card stack" aria-labelledby="danger">
      <h2 id="danger">{title}</h2>
      <p class="hint">{text}</p>
      <div class="row">
        <button
          type="button"
          class="button button-bad"
          onClick={() => setOpen(true)}
        >
          {title} …
        </button>
      </div>
      {open && <DeleteDialog close={() => setOpen(false)} />}
    </section>
  );
}

function DeleteDialog({ close }: { close: () => void }) {
  const t = useTexts();
  const who = user.value;
  const [title, text, done] = useDanger();
  const label = who?.email
    ? t.account.confirmEmail
    : who?.phone
      ? t.account.confirmPhone
      : t.account.confirmId;
  const [typed, setTyped] = useState("");
  const work = async () => {
    await deleteAccount(who?.isAnonymous ? who.id : typed.trim());
    reset();
    go("");
    say(done);
  };
  return (
    <OwnDialog
      title={title}
      go={who?.isAnonymous ? title : t.account.deleteGo}
      bad
      close={close}
      work={work}
    >
      <p>{text}</p>
      {!who?.isAnonymous && (
        <Field
          label={label}
          type={who?.email ? "email" : "text"}
          value={typed}
          change={setTyped}
          hint={t.account.confirm(who ? nameOf(who) : "")}
          required
          autofocus
        />
      )}
    </OwnDialog>
  );
}
