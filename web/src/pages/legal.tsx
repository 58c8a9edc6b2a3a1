import { useEffect, useState } from "preact/hooks";
import type { Failure } from "../api/failure.ts";
import { asFailure } from "../api/failure.ts";
import { FailureNotice } from "../components/notice.tsx";
import type { Language } from "../i18n/texts.ts";
import { language, useTexts } from "../i18n/texts.ts";
import type { Block, Span } from "./markdown.ts";
import { blocksOf } from "./markdown.ts";

type Name = "privacy" | "terms";

const TEXTS: Record<
  Name,
  Record<Language, () => Promise<{ default: string }>>
> = {
  privacy: {
    en: () => import("../../../docs/privacy.md"),
    pl: () => import("../../../docs/privacy.pl.md"),
  },
  terms: {
    en: () => import("../../../docs/terms.md"),
    pl: () => import("../../../docs/terms.pl.md"),
  },
};

export function TextScreen({ name }: { name: Name }) {
  const t = useTexts();
  const [blocks, setBlocks] = useState<Block[]>([]);
  const [failure, setFailure] = useState<Failure | null>(null);
  useEffect(() => {
    let isOld = false;
    TEXTS[name][language.value]().then(
      (text) => !isOld && setBlocks(blocksOf(text.default)),
      (error: unknown) => !isOld && setFailure(asFailure(error)),
    );
    return () => {
      isOld = true;
    };
  }, [language.value]);
  if (blocks.length === 0) {
    return (
      <div class="page page-narrow">
        <h1 tabIndex={-1}>{t.foot[name]}</h1>
        {failure ? (
          <FailureNotice failure={failure}>
            <button
              type="button"
              class="button"
              onClick={() => location.reload()}
            >
              {t.common.retry}
            </button>
          </FailureNotice>
        ) : (
          <p class="hint" role="status">
            {t.common.loading}
          </p>
        )}
      </div>
    );
  }
  return (
    <div class="page page-narrow stack">
      {blocks.map((block) => (
        <Part block={block} />
      ))}
    </div>
  );
}

function Part({ block }: { block: Block }) {
  if (block.kind === "list") {
    return (
      <ul class="text-list">
        {block.items.map((spans) => (
          <li>
            <Spans spans={spans} />
          </li>
        ))}
      </ul>
    );
  }
  const words = <Spans spans={block.spans} />;
  if (block.kind === "title") return <h1 tabIndex={-1}>{words}</h1>;
  return block.kind === "heading" ? <h2>{words}</h2> : <p>{words}</p>;
}

function Spans({ spans }: { spans: Span[] }) {
  return (
    <>
      {spans.map(({ text, bold }) => (bold ? <strong>{text}</strong> : text))}
    </>
  );
}
