import { useState } from "preact/hooks";
import { asFailure } from "../api/failure.ts";
import { textsNow, useTexts } from "../i18n/texts.ts";
import type { Order, Problem } from "../state/generation.ts";
import {
  dismissProblem,
  generation,
  MAKING,
  run,
} from "../state/generation.ts";
import { go } from "../state/navigation.ts";
import { say } from "../state/toasts.ts";
import { unwant, wanted } from "../state/wanted.ts";
import { FailureNotice, Notice } from "./notice.tsx";
import { UpgradeDialog } from "./own-dialog.tsx";
import { usePrice } from "./price.ts";

type Props = {
  problem: Problem;
  pick?: (example: string) => void;
  /** Whether the user did not cause it, as when a lost generation is looked for again. */
  isBackground?: boolean;
};

/** Starts or repeats a generation and shows it; while another one runs, shows that one and says so. */
export function start(order: Order): void {
  if (generation.value.running) say(textsNow().run.busy);
  else void run(order);
  go(MAKING);
}

/** Shows the request that is made after signing in. */
export function WaitingNotice() {
  const t = useTexts();
  const order = wanted();
  if (!order) return null;
  return (
    <Notice tone="plain" title={t.auth.waits}>
      <p class="wish" dir="auto">
        <q>{order.wish.prompt}</q>
      </p>
      <button type="button" class="button" onClick={unwant}>
        {t.run.giveUp}
      </button>
    </Notice>
  );
}

/** Shows why the last generation failed, and what to do. */
export function ProblemNotice({ problem, pick, isBackground = false }: Props) {
  const t = useTexts();
  const [isUpgrading, setUpgrading] = useState(false);
  const { order } = problem;
  const again = (label: string) => (
    <button type="button" class="button" onClick={() => start(order)}>
      {label}
    </button>
  );
  if (problem.kind !== "failed") {
    if (problem.kind === "cancelled" && !problem.isKept)
      return <Notice tone="plain" title={t.create.cancelled} isResult />;
    const [title, next] =
      problem.kind === "lost"
        ? [
            problem.isOffline ? t.run.offlineTitle : t.run.lostTitle,
            t.run.lostNext,
          ]
        : [t.run.keptTitle, t.run.keptNext];
    return (
      <Notice tone="plain" title={title} isResult={!isBackground}>
        <p>{next}</p>
        <div class="row">
          {again(t.run.recover)}
          <button type="button" class="button" onClick={dismissProblem}>
            {t.run.giveUp}
          </button>
        </div>
      </Notice>
    );
  }
  const { failure } = problem;
  const nextStep = () => {
    if (NO_USE.has(failure.code)) return null;
    if (failure.code === "playlist_limit_reached")
      return (
        <a class="button" href="#/playlists">
          {t.nav.playlists}
        </a>
      );
    if (failure.code !== "quota_exceeded") return again(t.common.retry);
    return (
      <>
        <button
          type="button"
          class="button button-primary"
          onClick={() => setUpgrading(true)}
        >
          {t.account.upgrade}
        </button>
        <ProPrice />
      </>
    );
  };
  return (
    <>
      <FailureNotice failure={asFailure(failure)} pick={pick}>
        {nextStep()}
      </FailureNotice>
      {isUpgrading && <UpgradeDialog close={() => setUpgrading(false)} />}
    </>
  );
}

function ProPrice() {
  const t = useTexts();
  const price = usePrice();
  return price ? <span class="hint">{t.account.costs(price)}</span> : null;
}

const NO_USE = new Set([
  "not_about_music",
  "invalid_request",
  "already_generated",
  "idempotency_key_reused",
]);
