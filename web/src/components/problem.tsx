import type { Failure } from '../api/failure.ts';
import { asFailure } from '../api/failure.ts';
import { useTexts } from '../i18n/texts.ts';
import type { Order, Problem } from '../state/generation.ts';
import { dismissProblem, run } from '../state/generation.ts';
import { go } from '../state/navigation.ts';
import { FailureNotice, Notice } from './notice.tsx';

type Props = { problem: Problem; pick?: (example: string) => void };

/** How the last generation ended, where it did not end well, and the way on. */
export function ProblemNotice({ problem, pick }: Props) {
  const t = useTexts();
  if (problem.kind === 'cancelled') {
    if (!problem.kept) return <Notice tone="plain" title={t.create.cancelled} />;
    return (
      <Notice tone="plain" title={t.run.keptTitle}>
        <p>{t.run.keptNext}</p>
        <Recovery order={problem.kept} />
      </Notice>
    );
  }
  if (problem.kind === 'lost') {
    return (
      <Notice tone="bad" title={t.run.lostTitle}>
        <p>{t.run.lostNext}</p>
        <Recovery order={problem.order} />
      </Notice>
    );
  }
  return (
    <FailureNotice failure={asFailure(problem.failure)} pick={pick}>
      <WayOn failure={problem.failure} retry={() => void run(problem.order)} />
    </FailureNotice>
  );
}

function Recovery({ order }: { order: Order }) {
  const t = useTexts();
  return (
    <div class="row">
      <button type="button" class="button button-primary" onClick={() => void run(order)}>
        {t.run.recover}
      </button>
      <button type="button" class="button" onClick={dismissProblem}>
        {t.run.giveUp}
      </button>
    </div>
  );
}

const NO_USE = new Set(['not_about_music', 'invalid_request', 'already_generated', 'idempotency_key_reused']);
const SIGN_IN = new Set(['missing_token', 'invalid_token', 'token_expired']);

function WayOn({ failure, retry }: { failure: Failure; retry: () => void }) {
  const t = useTexts();
  if (NO_USE.has(failure.code)) return null;
  if (SIGN_IN.has(failure.code))
    return (
      <a class="button button-primary" href="#/sign-in">
        {t.nav.signIn}
      </a>
    );
  if (failure.code === 'quota_exceeded')
    return (
      <button type="button" class="button button-primary" onClick={() => go('account')}>
        {t.account.upgrade}
      </button>
    );
  if (failure.code === 'playlist_limit_reached')
    return (
      <a class="button" href="#/playlists">
        {t.nav.playlists}
      </a>
    );
  return (
    <button type="button" class="button" onClick={retry}>
      {t.common.retry}
    </button>
  );
}
