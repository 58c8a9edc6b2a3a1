import type { Version } from "../api/versions.ts";
import { useTexts } from "../i18n/texts.ts";
import { Icon } from "./icons.tsx";
import type { Editing } from "./track-list.tsx";
import { FailedEdit } from "./track-list.tsx";

type Props = {
  versions: readonly Version[];
  restore: (version: number) => void;
  /** Whether a version is being restored. */
  isBusy: boolean;
  edit: Omit<Editing, "swap" | "keep" | "kept">;
};

/** Leads from one version of a playlist to the next; says what can be kept while there is only one. */
export function Versions({ versions, restore, isBusy, edit }: Props) {
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
        aria-disabled={isBusy || !version}
        onClick={() => version && !isBusy && restore(version.version)}
      >
        <Icon name={icon} />
      </button>
    );
  };
  return (
    <>
      {edit.failed
        .filter(({ change }) => change.kind === "restore")
        .map((it) => (
          <FailedEdit failed={it} edit={edit} />
        ))}
      <fieldset class="versions" aria-label={t.versions.title}>
        {arrow(at - 1, "back", t.versions.back, t.versions.oldest)}
        <span class="clip" title={words(now, at)}>
          <strong>{t.versions.of(at + 1, versions.length)}</strong>{" "}
          <bdi class="hint">{isBusy ? t.common.saving : words(now, at)}</bdi>
        </span>
        {arrow(at + 1, "forth", t.versions.forth, t.versions.newest)}
      </fieldset>
    </>
  );
}
