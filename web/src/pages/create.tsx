import { generation, keepResult } from '../state/generation.ts';
import { Composer } from './composer.tsx';
import { ResultView } from './result.tsx';
import { RunningView } from './running.tsx';

/** Writing a wish, watching it come true, and what came of it. */
export function CreateScreen() {
  const { running, result } = generation.value;
  if (running) return <RunningView running={running} />;
  if (result) return <ResultView key={result.order.key} result={result} leave={() => keepResult(null)} />;
  return <Composer />;
}
