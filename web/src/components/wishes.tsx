import { useEffect, useState } from "preact/hooks";
import { readWishes } from "../api/versions.ts";
import { useTexts } from "../i18n/texts.ts";
import { user } from "../state/session.ts";
import { Sample } from "./sample.tsx";

const SHOWN = 5;

/** Offers the user's last wishes, or shows a sample if there are none; nothing until that is known. */
export function Wishes({ pick }: { pick: (prompt: string) => void }) {
  const t = useTexts();
  const [wishes, setWishes] = useState<string[] | null>(null);
  const who = user.value?.id;
  useEffect(() => {
    setWishes(null);
    // They are a convenience, so a failure is not reported.
    if (who) readWishes(SHOWN).then(setWishes, () => setWishes([]));
  }, [who]);
  if (!who || wishes?.length === 0) return <Sample />;
  if (!wishes) return null;
  return (
    <section class="wishes" aria-labelledby="wishes">
      <header class="row">
        <h2 id="wishes">{t.wishes.title}</h2>
        <p class="hint">{t.wishes.kept}</p>
      </header>
      <ul class="chips">
        {wishes.map((prompt) => (
          <li key={prompt}>
            <button
              type="button"
              class="chip clip"
              dir="auto"
              onClick={() => pick(prompt)}
            >
              {prompt}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
