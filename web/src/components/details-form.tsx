import { useTexts } from "../i18n/texts.ts";
import { useDraft } from "../state/drafts.ts";
import { useAction } from "./action.ts";
import { Field } from "./field.tsx";
import { FailureNotice } from "./notice.tsx";

type Props = {
  draft: string;
  name: string;
  description: string;
  label: string;
  save: (name: string, description: string) => Promise<void>;
  close: () => void;
};

/** The form for a playlist's name and description. */
export function DetailsForm({
  draft,
  name,
  description,
  label,
  save,
  close,
}: Props) {
  const t = useTexts();
  const [words, setWords, forget] = useDraft(draft, { name, description });
  const action = useAction();
  const submit = (event: Event) => {
    event.preventDefault();
    void action.run(async () => {
      await save(words.name, words.description);
      forget();
    });
  };
  return (
    <form class="stack" onSubmit={submit}>
      <Field
        label={t.playlists.name}
        value={words.name}
        required
        maxLength={100}
        change={(it) => setWords({ ...words, name: it })}
        autofocus
      />
      <Field
        label={`${t.playlists.description} (${t.playlists.optional})`}
        value={words.description}
        rows={3}
        maxLength={300}
        change={(it) => setWords({ ...words, description: it })}
      />
      {action.failure && <FailureNotice failure={action.failure} />}
      <div class="row row-end">
        <button
          type="button"
          class="button"
          onClick={() => {
            forget();
            close();
          }}
        >
          {t.common.cancel}
        </button>
        <button
          type="submit"
          class="button button-primary"
          aria-disabled={action.busy}
        >
          {label}
        </button>
      </div>
    </form>
  );
}
