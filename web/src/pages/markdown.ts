// The part of Markdown that docs/privacy.md uses: headings, paragraphs, lists and bold text.

export type Span = { text: string; bold: boolean };
export type Block =
  | { kind: "title" | "heading" | "paragraph"; spans: Span[] }
  | { kind: "list"; items: Span[][] };

/** Blocks are separated by empty lines; a list has a line for each item. */
export function blocksOf(markdown: string): Block[] {
  return markdown
    .trim()
    .split(/\n\s*\n/)
    .map((text): Block => {
      if (text.startsWith("- "))
        return {
          kind: "list",
          items: text.split("\n").map((line) => spansOf(line.slice(2))),
        };
      if (text.startsWith("## "))
        return { kind: "heading", spans: spansOf(text.slice(3)) };
      if (text.startsWith("# "))
        return { kind: "title", spans: spansOf(text.slice(2)) };
      return { kind: "paragraph", spans: spansOf(text.replaceAll("\n", " ")) };
    });
}

function spansOf(text: string): Span[] {
  return text
    .split("**")
    .map((part, index) => ({ text: part, bold: index % 2 === 1 }))
    .filter(({ text: part }) => part !== "");
}
