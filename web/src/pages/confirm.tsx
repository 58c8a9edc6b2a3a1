// The target of links in mails. It acts only on a press of the button, because mail scanners open every link.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { useAction } from "../components/action.ts";
import type { HelpScreen } from "../components/help-links.tsx";
import { HelpLinks } from "../components/help-links.tsx";
import { FailureNotice, Notice } from "../components/notice.tsx";
import { WaitingNotice } from "../components/problem.tsx";
import { useTexts } from "../i18n/texts.ts";
import { reset } from "../state/generation.ts";
import { goInstead, route } from "../state/navigation.ts";
import type { Opened } from "../state/session.ts";
import { nameOf, openMailLink, signOut, user } from "../state/session.ts";
import { say } from "../state/toasts.ts";
import { enter as goOn } from "./auth.tsx";

type Kind = keyof ReturnType<typeof useTexts>["confirm"]["lead"];

/** The types of links after which the user chooses a password. */
const WITHOUT_PASSWORD: readonly Kind[] = ["recovery", "invite"];

/** What helps after a link that was used already or is too old. */
const HELP: Record<Kind, readonly HelpScreen[]> = {
  signup: ["sign-in", "resend"],
  magiclink: ["sign-in", "forgot"],
  recovery: ["forgot"],
  email_change: ["account"],
  invite: ["sign-in", "forgot"],
};

export function ConfirmScreen() {
  const t = useTexts();
  const who = user.value;
  const action = useAction();
  const [opened, setOpened] = useState<Opened | null>(null);
  // Removes the used token from the address.
  const [link] = useState(() => new URLSearchParams(route.value.query));
  const [kind, token] = [link.get("type") as Kind, link.get("token_hash")];
  if (!token || !Object.hasOwn(t.confirm.lead, kind)) {
    return (
      <Card>
        <Notice tone="bad" title={t.confirm.broken}>
          <p>{t.confirm.brokenNext}</p>
        </Notice>
      </Card>
    );
  }
  const isExpired = action.failure?.code === "mail_link_expired";
  const enter = async (it: Opened) => {
    await it.enter();
    say(
      [kind === "signup" && t.auth.confirmed, t.confirm.nowAs(nameOf(it.user))]
        .filter(Boolean)
        .join(" "),
    );
    if (WITHOUT_PASSWORD.includes(kind)) goInstead("new-password");
    else goOn();
  };
  const confirm = async () => {
    const it = await openMailLink(token, kind);
    history.replaceState(null, "", "#/confirm");
    if (it && who && who.id !== it.user.id) return setOpened(it);
    if (it) return enter(it);
    say(t.confirm.half);
    goInstead("account");
  };
  const change = async (it: Opened) => {
    reset();
    await signOut();
    await enter(it);
  };
  const stay = async (it: Opened) => {
    await it.leave();
    goInstead("");
  };
  if (opened && who) {
    return (
      <Card>
        <Notice tone="plain" title={t.confirm.other(nameOf(opened.user))}>
          <p>{t.confirm.nowAs(nameOf(who))}</p>
        </Notice>
        {action.failure && <FailureNotice failure={action.failure} />}
        <button
          type="button"
          class="button button-primary"
          aria-disabled={action.busy}
          onClick={() => action.run(() => stay(opened))}
        >
          {t.confirm.stay(nameOf(who))}
        </button>
        <button
          type="button"
          class="button"
          aria-disabled={action.busy}
          onClick={() => action.run(() => change(opened))}
        >
          {t.confirm.enter(nameOf(opened.user))}
        </button>
      </Card>
    );
  }
  return (
    <Card>
      <p>{t.confirm.lead[kind]}</p>
      {who && <p class="hint">{t.confirm.nowAs(nameOf(who))}</p>}
      {!who && <WaitingNotice />}
      {action.failure && (
        <FailureNotice failure={action.failure}>
          {isExpired && (
            <HelpLinks
              to={who && kind !== "recovery" ? ["account"] : HELP[kind]}
            />
          )}
        </FailureNotice>
      )}
      {!isExpired && (
        <button
          type="button"
          class="button button-primary button-big"
          aria-disabled={action.busy}
          onClick={() => action.run(confirm)}
        >
          {t.confirm.go}
        </button>
      )}
    </Card>
  );
}

function Card({ children }: { children: ComponentChildren }) {
  const t = useTexts();
  return (
    <div class="page page-tiny">
      <section class="card stack">
        <h1 tabIndex={-1}>{t.confirm.title}</h1>
        {children}
      </section>
    </div>
  );
}
