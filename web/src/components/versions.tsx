import type { Version } from "../api/versions.ts";
import { useTexts } from "../i18n/texts.ts";
import { Icon } from "./icons.tsx";

type Props = {
  versions: readonly Version[];
  restore: (version: number) => void;
};

/** Leads from one version of a playlist to the next; says what can be kept while there is only one. */
export function Versions({ versions, restore }: Props) {
  const t = useTexts();
  const at = versions.findIndex((it) => it.is_current);
  const now = versions[at];
  if (!now || versions.length < 2)
    return (
      <p class="legend hint">
        <Icon name="keep" /> {t.versions.none}
      </p>
    );
  const words = (it: Version, index: number) =>
    it.instruction ?? (index === 0 ? t.versions.first : t.versions.others);
  const arrow = (
    to: number,
    icon: "back" | "forth",
    label: (words: string) => string,
    end: string,
  ) => {
    const version = versions[to];
    return (
      <button
        type="button"
        class="icon-button"
        aria-label={version ? label(words(version, to)) : end}
        aria-disabled={!version}
        onClick={() => version && restore(version.version)}
      >
        <Icon name={icon} />
      </button>
    );
  };
  return (
    <fieldset class="versions" aria-label={t.versions.title}>
      {arrow(at - 1, "back", t.versions.back, t.versions.oldest)}
      <span class="clip" title={words(now, at)}>
        <strong>{t.versions.of(at + 1, versions.length)}</strong>{" "}
        <bdi class="hint">{words(now, at)}</bdi>
      </span>
      {arrow(at + 1, "forth", t.versions.forth, t.versions.newest)}
    </fieldset>
  );
}
