import { useState } from 'preact/hooks';
import { Field } from '../components/field.tsx';
import { Icon } from '../components/icons.tsx';
import { ProblemNotice } from '../components/problem.tsx';
import type { Texts } from '../i18n/texts.ts';
import { date, useTexts } from '../i18n/texts.ts';
import { useDraft } from '../state/drafts.ts';
import type { Discovery } from '../state/generation.ts';
import { DISCOVERY, generation, newOrder, run } from '../state/generation.ts';
import { go } from '../state/navigation.ts';
import { usage, user } from '../state/session.ts';
import type { Form } from '../state/wish.ts';
import { EMPTY, lengthOf, MAX_PROMPT, problemOf, wishOf } from '../state/wish.ts';

export function Composer() {
  const t = useTexts();
  const [draft, setForm] = useDraft<Form>('wish', EMPTY);
  // A draft of an older page may lack a part.
  const form = { ...EMPTY, ...draft };
  const [tried, setTried] = useState(false);
  const { problem } = generation.value;
  const who = user.value;
  const wrong = problemOf(form);
  const change = (part: Partial<Form>) => setForm({ ...form, ...part });
  const submit = (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (wrong) return;
    if (!who) go('sign-in');
    else void run(newOrder(wishOf(form)));
  };
  return (
    <div class="page page-narrow">
      <header class="hero">
        <h1 tabIndex={-1}>{t.create.title}</h1>
        <p class="lead">{t.create.lead}</p>
      </header>
      {problem && <ProblemNotice problem={problem} pick={(prompt) => change({ prompt })} />}
      <form class="card stack" onSubmit={submit} noValidate>
        <Field
          label={t.create.prompt}
          value={form.prompt}
          rows={4}
          change={(prompt) => change({ prompt })}
          placeholder={t.create.placeholder}
          error={tried && wrong ? wordsFor(wrong, form, t) : null}
        />
        <Examples pick={(prompt) => change({ prompt })} />
        <Length value={form.count} change={(count) => change({ count })} />
        <Options form={form} change={change} open={wrong !== null && !['needPrompt', 'tooLong'].includes(wrong)} />
        <label class="check">
          <input
            type="checkbox"
            checked={form.save}
            onChange={(event) => change({ save: event.currentTarget.checked })}
          />
          <span>
            {t.create.saveToo}
            <span class="hint">{t.create.saveHint}</span>
          </span>
        </label>
        <button type="submit" class="button button-primary button-big">
          <Icon name="spark" /> {t.create.go}
        </button>
        {who ? <Left /> : <p class="hint centred">{t.create.signInFirst}</p>}
      </form>
    </div>
  );
}

function wordsFor(wrong: NonNullable<ReturnType<typeof problemOf>>, form: Form, t: Texts): string {
  return wrong === 'tooLong' ? t.create.tooLong(lengthOf(form.prompt) - MAX_PROMPT) : t.create[wrong];
}

function Examples({ pick }: { pick: (example: string) => void }) {
  const t = useTexts();
  return (
    <div>
      <p class="hint" id="examples">
        {t.create.examples}
      </p>
      <ul class="chips" aria-labelledby="examples">
        {t.create.exampleList.map((example) => (
          <li key={example}>
            <button type="button" class="chip" onClick={() => pick(example)}>
              {example}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Length({ value, change }: { value: number; change: (count: number) => void }) {
  const t = useTexts();
  return (
    <div class="field">
      <div class="row row-between">
        <label for="length">{t.create.length}</label>
        <output for="length" class="value">
          {t.create.lengthValue(value)}
        </output>
      </div>
      <input
        id="length"
        type="range"
        min={1}
        max={50}
        value={value}
        aria-valuetext={t.create.lengthValue(value)}
        onInput={(event) => change(Number(event.currentTarget.value))}
      />
    </div>
  );
}

function Options({ form, change, open }: { form: Form; change: (part: Partial<Form>) => void; open: boolean }) {
  const t = useTexts();
  return (
    <details class="options" open={open || undefined}>
      <summary>{t.create.options}</summary>
      <div class="stack">
        <div class="row years">
          <Field
            label={t.create.from}
            type="number"
            value={form.from}
            placeholder="1990"
            change={(from) => change({ from })}
          />
          <Field label={t.create.to} type="number" value={form.to} placeholder="1999" change={(to) => change({ to })} />
        </div>
        <Field
          label={t.create.exclude}
          value={form.exclude}
          hint={t.create.excludeHint}
          change={(exclude) => change({ exclude })}
        />
        <div class="field">
          <label for="discovery">{t.create.discovery}</label>
          <select
            id="discovery"
            value={form.discovery}
            onChange={(event) => change({ discovery: event.currentTarget.value as Discovery })}
          >
            {DISCOVERY.map((it) => (
              <option key={it} value={it}>
                {t.create.discoveryOf[it]}
              </option>
            ))}
          </select>
        </div>
        <label class="check">
          <input
            type="checkbox"
            checked={form.explicit}
            onChange={(event) => change({ explicit: event.currentTarget.checked })}
          />
          <span>{t.create.explicit}</span>
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={form.versions}
            onChange={(event) => change({ versions: event.currentTarget.checked })}
          />
          <span>{t.create.versions}</span>
        </label>
      </div>
    </details>
  );
}

/** What the plan still allows; its place is kept until that is known. */
function Left() {
  const t = useTexts();
  const known = usage.value;
  if (!known) return <p class="hint centred">&nbsp;</p>;
  const { remaining, limit, next_free_at } = known.ai;
  const wait = remaining === 0 && next_free_at ? `; ${t.create.nextFree(date(next_free_at))}` : '';
  return <p class="hint centred">{t.create.left(remaining, limit) + wait}</p>;
}
