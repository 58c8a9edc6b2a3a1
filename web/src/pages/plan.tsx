import { useEffect, useState } from "preact/hooks";
import { pageUrl } from "../api/config.ts";
import type { Usage } from "../api/data.ts";
import { hasPaid } from "../api/data.ts";
import { billing } from "../api/functions.ts";
import { useAction } from "../components/action.ts";
import { FailureNotice, Notice } from "../components/notice.tsx";
import { UpgradeDialog } from "../components/own-dialog.tsx";
import { usePrice } from "../components/price.ts";
import { date, useTexts } from "../i18n/texts.ts";
import { goInstead, route } from "../state/navigation.ts";
import { refreshUsage, usage, user } from "../state/session.ts";
import { say } from "../state/toasts.ts";

/** What the user has, what is left of it, and the way to Stripe. */
export function PlanCard() {
  const t = useTexts();
  const known = usage.value;
  // Who has just paid is not asked to pay again while Stripe's event is under way.
  const isFree =
    known?.plan === "free" &&
    !user.value?.isAnonymous &&
    route.value.query !== "paid";
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
