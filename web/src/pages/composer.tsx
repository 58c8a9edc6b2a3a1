import { useRef, useState } from "preact/hooks";
import { Failure } from "../api/failure.ts";
import { allowsAnonymous } from "../api/supabase.ts";
import { useAction } from "../components/action.ts";
import { CaptchaWidget, useCaptcha } from "../components/captcha.tsx";
import { Field } from "../components/field.tsx";
import { FailureNotice } from "../components/notice.tsx";
import { usePrice } from "../components/price.ts";
import { ProblemNotice, start, WaitingNotice } from "../components/problem.tsx";
import { Wishes } from "../components/wishes.tsx";
import type { Texts } from "../i18n/texts.ts";
import { date, useTexts } from "../i18n/texts.ts";
import { useDraft } from "../state/drafts.ts";
import type { Discovery, Order } from "../state/generation.ts";
import {
  DISCOVERY,
  generation,
  MAKING,
  newOrder,
  refinedId,
} from "../state/generation.ts";
import { go } from "../state/navigation.ts";
import { signInAnonymously, usage, user } from "../state/session.ts";
import { want } from "../state/wanted.ts";
import type { Form, FormProblem } from "../state/wish.ts";
import {
  EMPTY,
  LENGTHS,
  lengthOf,
  MAX_PROMPT,
  problemOf,
  wishOf,
} from "../state/wish.ts";

type Panel = "years" | "exclude" | "seeds";

/** Where to show a problem: at the prompt or in one of the panels. */
const PANEL_OF: Record<FormProblem, Panel | null> = {
  needPrompt: null,
  tooLong: null,
  eraRange: "years",
  eraOrder: "years",
  tooManyArtists: "exclude",
  seedForm: "seeds",
};

export function Composer() {
  const t = useTexts();
  const [draft, setForm] = useDraft<Form>("wish", EMPTY);
  // A draft of an older version may lack members.
  const form = { ...EMPTY, ...draft };
  const [tried, setTried] = useState(false);
  const [panel, setPanel] = useState<Panel | null>(null);
  const element = useRef<HTMLFormElement>(null);
  const { problem, running } = generation.value;
  const isNew = !user.value && allowsAnonymous();
  const isHuman = useCaptcha();
  const entering = useAction();
  const wrong = problemOf(form);
  const change = (part: Partial<Form>) => setForm({ ...form, ...part });
  const pick = (prompt: string) => {
    change({ prompt });
    element.current?.querySelector("textarea")?.focus();
  };
  const submit = (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (wrong) {
      const at = PANEL_OF[wrong];
      setPanel(at ?? panel);
      requestAnimationFrame(() =>
        element.current
          ?.querySelector<HTMLElement>(
            at ? ".panel [aria-invalid]" : "textarea",
          )
          ?.focus(),
      );
      return;
    }
    if (running) return go(MAKING);
    const order = newOrder(wishOf(form));
    if (user.value) return start(order);
    if (isNew && !isHuman) return;
    if (isNew) void entering.run(() => enter(order));
    else signUpFor(order);
  };
  const signUpFor = (order: Order) => {
    want(order);
    go("sign-up");
  };
  const enter = async (order: Order) => {
    try {
      await signInAnonymously();
    } catch (error) {
      // Auth no longer allows it.
      if (error instanceof Failure && error.code === "missing_token")
        return signUpFor(order);
      throw error;
    }
    start(order);
  };
  const said = tried && wrong ? wordsFor(wrong, form, t) : null;
  const inText = said !== null && wrong !== null && PANEL_OF[wrong] === null;
  return (
    <div class="page composer">
      <h1 tabIndex={-1}>{t.create.title}</h1>
      {problem && !refinedId(problem.order) && (
        <ProblemNotice problem={problem} pick={pick} />
      )}
      {running && (
        <p>
          <a href={`#/${MAKING}`}>{t.run.title} …</a>
        </p>
      )}
      {!user.value && <WaitingNotice />}
      <form class="stack" ref={element} onSubmit={submit} noValidate>
        <div class="ask">
          <textarea
            aria-label={t.create.prompt}
            aria-describedby={inText ? "wish-error" : "wish-hint"}
            aria-invalid={inText || undefined}
            value={form.prompt}
            placeholder={t.create.placeholder}
            rows={2}
            onInput={(event) => change({ prompt: event.currentTarget.value })}
            onKeyDown={(event) => {
              if (
                event.key === "Enter" &&
                !event.shiftKey &&
                !event.isComposing
              )
                submit(event);
            }}
          />
          <button
            type="submit"
            class="button button-primary"
            aria-disabled={entering.busy || (isNew && !isHuman)}
          >
            {entering.busy ? t.run.starting : t.create.go}{" "}
            <span aria-hidden="true">↵</span>
          </button>
        </div>
        {inText && (
          <p class="field-error" id="wish-error" role="alert">
            {said}
          </p>
        )}
        <p id="wish-hint" class="visually-hidden">
          {t.create.enter}
        </p>
        {isNew && <CaptchaWidget />}
        {entering.failure && <FailureNotice failure={entering.failure} />}
        <Pills form={form} change={change} panel={panel} setPanel={setPanel} />
        {panel && (
          <PanelFields
            panel={panel}
            form={form}
            change={change}
            error={wrong && PANEL_OF[wrong] === panel ? said : null}
          />
        )}
        <Left />
      </form>
      <Examples pick={pick} />
      <Wishes pick={pick} />
    </div>
  );
}

function wordsFor(wrong: FormProblem, form: Form, t: Texts): string {
  return wrong === "tooLong"
    ? t.create.tooLong(lengthOf(form.prompt) - MAX_PROMPT)
    : t.create[wrong];
}

type PillsProps = {
  form: Form;
  change: (part: Partial<Form>) => void;
  panel: Panel | null;
  setPanel: (panel: Panel | null) => void;
};

function Pills({ form, change, panel, setPanel }: PillsProps) {
  const t = useTexts();
  const opener = (it: Panel, label: string, isSet: boolean) => (
    <button
      type="button"
      class={isSet ? "chip chip-opens chip-set" : "chip chip-opens"}
      aria-expanded={panel === it}
      onClick={() => setPanel(panel === it ? null : it)}
    >
      {label}
    </button>
  );
  const years =
    [form.from, form.to].filter(Boolean).length > 0
      ? `${form.from || "…"}–${form.to || "…"}`
      : t.create.anyYears;
  const lengths = [...new Set([...LENGTHS, form.count])].sort((a, b) => a - b);
  return (
    <fieldset class="pills" aria-label={t.create.options}>
      <select
        class="chip chip-opens chip-set"
        aria-label={t.create.length}
        value={form.count}
        onChange={(event) =>
          change({ count: Number(event.currentTarget.value) })
        }
      >
        {lengths.map((it) => (
          <option key={it} value={it}>
            {t.songs(it)}
          </option>
        ))}
      </select>
      {opener("years", years, years !== t.create.anyYears)}
      <button
        type="button"
        class="chip"
        aria-pressed={form.explicit}
        onClick={() => change({ explicit: !form.explicit })}
      >
        {t.create.explicit}
      </button>
      <select
        class={
          form.discovery === "balanced"
            ? "chip chip-opens"
            : "chip chip-opens chip-set"
        }
        aria-label={t.create.discovery}
        value={form.discovery}
        onChange={(event) =>
          change({ discovery: event.currentTarget.value as Discovery })
        }
      >
        {DISCOVERY.map((it) => (
          <option key={it} value={it}>
            {t.create.discoveryOf[it]}
          </option>
        ))}
      </select>
      {opener("exclude", t.create.exclude, form.exclude.trim() !== "")}
      {opener("seeds", t.create.seeds, form.seeds.trim() !== "")}
      <button
        type="button"
        class="chip"
        aria-pressed={form.versions}
        onClick={() => change({ versions: !form.versions })}
      >
        {t.create.versions}
      </button>
    </fieldset>
  );
}

function PanelFields({
  panel,
  form,
  change,
  error,
}: {
  panel: Panel;
  form: Form;
  change: (part: Partial<Form>) => void;
  error: string | null;
}) {
  const t = useTexts();
  if (panel === "exclude") {
    return (
      <div class="panel">
        <Field
          label={t.create.exclude}
          value={form.exclude}
          hint={t.create.excludeHint}
          error={error}
          change={(exclude) => change({ exclude })}
        />
      </div>
    );
  }
  if (panel === "seeds") {
    return (
      <div class="panel">
        <Field
          label={t.create.seeds}
          value={form.seeds}
          hint={t.create.seedsHint}
          error={error}
          rows={3}
          change={(seeds) => change({ seeds })}
        />
      </div>
    );
  }
  return (
    <div class="panel">
      <Field
        label={t.create.from}
        value={form.from}
        placeholder="1990"
        inputMode="numeric"
        error={error}
        change={(from) => change({ from })}
      />
      <Field
        label={t.create.to}
        value={form.to}
        placeholder="1999"
        inputMode="numeric"
        change={(to) => change({ to })}
      />
    </div>
  );
}

/** Shows the remaining quota; its space is reserved until it is known. */
function Left() {
  const t = useTexts();
  if (!user.value) return <Offer />;
  if (!usage.value) return <p class="hint">&nbsp;</p>;
  const { remaining, limit, next_free_at } = usage.value.ai;
  if (user.value.isAnonymous && remaining === 0) {
    return (
      <p class="hint">
        {t.create.firstMade} <a href="#/sign-up">{t.auth.keepGo}</a>
      </p>
    );
  }
  const wait =
    remaining === 0 && next_free_at
      ? `; ${t.create.nextFree(date(next_free_at))}`
      : "";
  return (
    <p class="hint">
      {t.create.left(remaining, limit) + wait}{" "}
      {remaining === 0 && usage.value.plan === "free" && (
        <a href="#/account">{t.account.upgrade}</a>
      )}
    </p>
  );
}

/** Says what is free and what Pro costs; the price has its line before it is known. */
function Offer() {
  const t = useTexts();
  const price = usePrice();
  return (
    <p class="hint">
      {allowsAnonymous() ? t.create.offerFirst : t.create.offer}
      <br />
      {price ? t.create.proFor(price) : "\u00a0"}
    </p>
  );
}

function Examples({ pick }: { pick: (example: string) => void }) {
  const t = useTexts();
  return (
    <div class="examples">
      <ul class="chips" aria-label={t.create.examples}>
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
