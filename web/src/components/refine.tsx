import type { Track } from '../api/data.ts';
import { useTexts } from '../i18n/texts.ts';
import { useDraft } from '../state/drafts.ts';
import type { Wish } from '../state/generation.ts';
import { generation, newOrder } from '../state/generation.ts';
import { EMPTY, wishOf } from '../state/wish.ts';
import { ProblemNotice, start } from './problem.tsx';

/** Long enough to identify a song; the texts of a request have a limit in total. */
const MAX_NAME = 100;

type Props = { id: string; wish: Wish | null; name: string; tracks: readonly Track[] };

/** The form for refining a playlist. `wish`: the request that generated it, if known. */
export function RefineDock({ id, wish, name, tracks }: Props) {
  const t = useTexts();
  const [words, setWords, forget] = useDraft(`refine.${id}`, '');
  const { problem } = generation.value;
  const isOurs = problem?.order.from === id;
  // After a failure the text appears here again.
  const shown = words || (isOurs ? (problem.order.wish.refine?.instruction ?? '') : '');
  const submit = (event: Event) => {
    event.preventDefault();
    const instruction = shown.trim();
    if (!instruction) return document.getElementById('refine')?.focus();
    const previous = tracks.map(({ artist, title }) => ({
      artist: artist.slice(0, MAX_NAME),
      title: title.slice(0, MAX_NAME),
    }));
    const count = Math.min(Math.max(tracks.length, 1), 50);
    const base = wish ?? wishOf({ ...EMPTY, prompt: name, count });
    forget();
    start(newOrder({ ...base, save: true, refine: { previous, instruction } }, id));
  };
  return (
    <>
      {isOurs && <ProblemNotice problem={problem} />}
      <form class="dock" onSubmit={submit}>
        <ul class="chips" aria-label={t.create.examples}>
          {t.result.chips.map((chip) => (
            <li key={chip}>
              <button type="button" class="chip" onClick={() => setWords(chip)}>
                {chip}
              </button>
            </li>
          ))}
        </ul>
        <div class="ask">
          <input
            id="refine"
            aria-label={t.result.refineLabel}
            aria-describedby="refine-cost"
            value={shown}
            maxLength={500}
            placeholder={t.result.refinePlaceholder}
            autocomplete="off"
            onInput={(event) => setWords(event.currentTarget.value)}
          />
          <button type="submit" class="button button-primary">
            {t.result.refineGo}
          </button>
        </div>
        <p id="refine-cost" class="visually-hidden">
          {t.result.refineCost}
        </p>
      </form>
    </>
  );
}
