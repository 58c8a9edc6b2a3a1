import { useId, useState } from "preact/hooks";
import type { Texts } from "../i18n/texts.ts";
import { useTexts } from "../i18n/texts.ts";

type Props = {
  label: string;
  value: string;
  change: (value: string) => void;
  type?: "text" | "email" | "password" | "search" | "number";
  hint?: string;
  error?: string | null;
  autocomplete?: string;
  required?: boolean;
  minLength?: number;
  maxLength?: number;
  placeholder?: string;
  rows?: number;
  autofocus?: boolean;
  inputMode?: "numeric";
};

type Input = HTMLInputElement | HTMLTextAreaElement;

/** A labelled input, or a text area if `rows` is set. Validation messages appear below it in the page's language. */
export function Field({
  label,
  value,
  change,
  type = "text",
  hint,
  error,
  autocomplete = "off",
  rows,
  autofocus,
  ...rest
}: Props) {
  const t = useTexts();
  const id = useId();
  const [invalid, setInvalid] = useState<string | null>(null);
  const [isShown, setShown] = useState(false);
  const wrong = error ?? invalid;
  const described =
    [hint && `${id}-hint`, wrong && `${id}-error`].filter(Boolean).join(" ") ||
    undefined;
  const common = {
    id,
    value,
    autocomplete,
    "aria-describedby": described,
    "aria-invalid": wrong ? true : undefined,
    "data-autofocus": autofocus || undefined,
    ...rest,
    onInput: (event: Event) => {
      setInvalid(null);
      change((event.target as Input).value);
    },
    // Replaces the browser's message, which is in the browser's language.
    onInvalid: (event: Event) => {
      event.preventDefault();
      const input = event.target as Input;
      setInvalid(wordsFor(input.validity, t, rest.minLength));
      if (input.form?.querySelector(":invalid:not(fieldset)") === input)
        input.focus();
    },
    ref: (element: HTMLElement | null) => {
      if (!autofocus || !element || element.hasAttribute("data-focused"))
        return;
      element.setAttribute("data-focused", "");
      element.focus();
    },
  };
  const input = <input type={isShown ? "text" : type} {...common} />;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {rows ? (
        <textarea rows={rows} {...common} />
      ) : type !== "password" ? (
        input
      ) : (
        <div class="password">
          {input}
          <button
            type="button"
            class="button"
            aria-pressed={isShown}
            onClick={() => setShown(!isShown)}
          >
            {isShown ? t.auth.hide : t.auth.show}
          </button>
        </div>
      )}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {wrong && (
        <p class="field-error" id={`${id}-error`}>
          {wrong}
        </p>
      )}
    </div>
  );
}

function wordsFor(validity: ValidityState, t: Texts, minLength = 0): string {
  if (validity.valueMissing) return t.field.missing;
  if (validity.tooShort) return t.field.short(minLength);
  return t.field.email;
}
