import { useId } from 'preact/hooks';

type Props = {
  label: string;
  value: string;
  change: (value: string) => void;
  type?: 'text' | 'email' | 'password' | 'search' | 'number';
  hint?: string;
  error?: string | null;
  autocomplete?: string;
  required?: boolean;
  minLength?: number;
  maxLength?: number;
  placeholder?: string;
  rows?: number;
  autofocus?: boolean;
};

/** A labelled input; with `rows` it is a text area. */
export function Field({
  label,
  value,
  change,
  type = 'text',
  hint,
  error,
  autocomplete = 'off',
  rows,
  autofocus,
  ...rest
}: Props) {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined;
  const common = {
    id,
    value,
    autocomplete,
    'aria-describedby': described,
    'aria-invalid': error ? true : undefined,
    ...rest,
    onInput: (event: Event) => change((event.target as HTMLInputElement | HTMLTextAreaElement).value),
    ref: (element: HTMLElement | null) => {
      if (autofocus && element && !element.dataset.focused) {
        element.dataset.focused = 'yes';
        element.focus();
      }
    },
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {rows ? <textarea rows={rows} {...common} /> : <input type={type} {...common} />}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}
