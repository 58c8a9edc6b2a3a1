import english from '../../../docs/privacy.md';
import polish from '../../../docs/privacy.pl.md';
import type { Span } from '../markdown.ts';
import { blocksOf } from '../markdown.ts';
import { useStore } from '../store.ts';
import { language } from '../texts/texts.ts';

const BLOCKS = { en: blocksOf(english), pl: blocksOf(polish) };

export function PrivacyScreen() {
  return (
    <div class="page page-narrow stack">
      {BLOCKS[useStore(language)].map((block) => {
        switch (block.kind) {
          case 'title': return <h1 tabIndex={-1}><Spans spans={block.spans} /></h1>;
          case 'heading': return <h2><Spans spans={block.spans} /></h2>;
          case 'paragraph': return <p><Spans spans={block.spans} /></p>;
          case 'list': return <ul class="text-list">{block.items.map((spans) => <li><Spans spans={spans} /></li>)}</ul>;
        }
      })}
    </div>
  );
}

function Spans({ spans }: { spans: Span[] }) {
  return <>{spans.map(({ text, bold }) => (bold ? <strong>{text}</strong> : text))}</>;
}
