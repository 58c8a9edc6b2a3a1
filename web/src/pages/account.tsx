import { useEffect, useState } from "preact/hooks";
import { pageUrl } from "../api/config.ts";
import type { Usage } from "../api/data.ts";
import { hasPaid } from "../api/data.ts";
import type { SpotifyLink } from "../api/functions.ts";
import { billing, exportAccount, spotifyLink } from "../api/functions.ts";
import { useAction } from "../components/action.ts";
import { Dialog } from "../components/dialog.tsx";
import { Field } from "../components/field.tsx";
import { FailureNotice, KeepNotice, Notice } from "../components/notice.tsx";
import {
  LinkDialog,
  OwnDialog,
  UpgradeDialog,
} from "../components/own-dialog.tsx";
import { usePrice } from "../components/price.ts";
import { date, useTexts } from "../i18n/texts.ts";
import { arrival } from "../state/arrivals.ts";
import { saveFile } from "../state/files.ts";
import { reset } from "../state/generation.ts";
import { go, goInstead, route } from "../state/navigation.ts";
import {
  changeEmail,
  deleteAccount,
  nameOf,
  refreshUsage,
  signOut,
  usage,
  user,
} from "../state/session.ts";
import { say } from "../state/toasts.ts";

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

function PlanCard() {
  const t = useTexts();
  const known = usage.value;
  const isFree = known?.plan === "free" && !user.value?.isAnonymous;
  const action = useAction();
  const price = usePrice();
  const [customer, setCustomer] = useState(false);
  useEffect(() => {
    void refreshUsage();
    // The user may have been at Stripe in another tab.
    const again = () => void refreshUsage();
    addEventListener("focus", again);
    return () => removeEventListener("focus", again);
  }, []);
  // If the check fails, show the button; the function refuses users without a subscription.
  useEffect(
    () => void hasPaid().then(setCustomer, () => setCustomer(true)),
    [known?.plan],
  );
  const account = `${pageUrl()}#/account`;
  const leaveFor = (url: () => Promise<string>) =>
    action.run(async () => location.assign(await url()));
  const [paying, setPaying] = useState(false);
  return (
    <section class="card stack" aria-labelledby="plan">
      <div class="row row-between">
        <h2 id="plan">{t.account.plan}</h2>
        <span class={known?.plan === "pro" ? "badge badge-pro" : "badge"}>
          {known ? t.account[known.plan] : "…"}
        </span>
      </div>
      <Paid />
      <Meters known={known} />
      {known?.period_ends_at && (
        <p>
          {(known.renews ? t.account.renews : t.account.ends)(
            date(known.period_ends_at),
          )}
        </p>
      )}
      {isFree && (
        <p class="hint">
          {t.account.proOffer} {price && t.account.costs(price)}
        </p>
      )}
      <div class="row">
        {isFree && (
          <button
            type="button"
            class="button button-primary"
            onClick={() => setPaying(true)}
          >
            {t.account.upgrade}
          </button>
        )}
        {customer && (
          <button
            type="button"
            class="button"
            aria-disabled={action.busy}
            onClick={() => leaveFor(() => billing.portal(`${account}?managed`))}
          >
            {t.account.manage}
          </button>
        )}
      </div>
      {action.failure && <FailureNotice failure={action.failure} />}
      {paying && <UpgradeDialog close={() => setPaying(false)} />}
    </section>
  );
}

function Meters({ known }: { known: Usage | null }) {
  const t = useTexts();
  const ai = known?.ai ?? {
    used: 0,
    limit: 1,
    remaining: 1,
    next_free_at: null,
  };
  const playlists = known?.playlists ?? { used: 0, limit: 1 };
  const day = ai.next_free_at ? date(ai.next_free_at) : "";
  return (
    <div class="stack" aria-busy={!known}>
      <Meter
        label={t.account.ai}
        words={t.account.leftOf(ai.remaining, ai.limit)}
        used={ai.used}
        limit={ai.limit}
        known={known !== null}
        note={
          day &&
          (ai.remaining === 0 ? t.account.nextFree(day) : t.account.oldest(day))
        }
      />
      <Meter
        label={t.account.playlists}
        words={t.account.used(playlists.used, playlists.limit)}
        used={playlists.used}
        limit={playlists.limit}
        known={known !== null}
      />
    </div>
  );
}

type MeterProps = {
  label: string;
  words: string;
  used: number;
  limit: number;
  known: boolean;
  note?: string;
};

function Meter({ label, words, used, limit, known, note }: MeterProps) {
  return (
    <div class="meter">
      <div class="row row-between">
        <span>{label}</span>
        <span class="value">{known ? words : "…"}</span>
      </div>
      <progress max={limit} value={used} aria-label={label} />
      {note && <p class="hint">{note}</p>}
    </div>
  );
}

const ASK_AGAIN_MS = 1_500;
const ASK_TIMES = 20;

/** Waits for the plan to change, because the browser may return before Stripe's event arrives. */
function Paid() {
  const t = useTexts();
  const known = usage.value;
  const { query } = route.value;
  const [asked, setAsked] = useState(0);
  const waiting = query === "paid" && known?.plan !== "pro";
  useEffect(() => {
    if (!waiting || asked >= ASK_TIMES) return;
    const timer = setTimeout(
      () => void refreshUsage().then(() => setAsked(asked + 1)),
      ASK_AGAIN_MS,
    );
    return () => clearTimeout(timer);
  }, [waiting, asked]);
  useEffect(() => {
    if (query !== "paid" || waiting) return;
    say(t.account.nowPro);
    goInstead("account");
  }, [waiting]);
  // What the user changed in the portal arrives by an event, too.
  useEffect(() => {
    if (query !== "managed") return;
    let left = ASK_TIMES;
    const timer = setInterval(() => {
      void refreshUsage();
      left -= 1;
      if (left === 0) goInstead("account");
    }, ASK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [query]);
  if (!waiting) return null;
  return (
    <Notice
      tone="plain"
      title={asked < ASK_TIMES ? t.account.thanks : t.account.slow}
    />
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
              class="button button-primary"
              onClick={() => setLinking(true)}
            >
              {t.account.link}
            </button>
          )}
        </div>
      )}
      {loading.failure && (
        <FailureNotice failure={loading.failure}>
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

/** What deleting the account is called and does; an anonymous user leaves by it. */
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
