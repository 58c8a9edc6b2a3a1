// Runs a hook as a component does, in a page that shows nothing.

import { afterEach } from "node:test";
import { h, options, render } from "preact";

options.requestAnimationFrame = (work) => setImmediate(work);

const pages = new Set<Element>();
afterEach(() => {
  for (const page of pages) render(null, page);
});

/** Returns what the hook has returned last; its component is there until `leave`, or the test's end. */
export async function hooked<T>(hook: () => T) {
  const page = { childNodes: [] } as unknown as Element;
  const seen = { now: {} as T, leave: () => render(null, page) };
  const Part = () => {
    seen.now = hook();
    return null;
  };
  pages.add(page);
  render(h(Part, null), page);
  await passed();
  return seen;
}

/** Lets answers arrive, and the page be drawn again. */
export async function passed(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1)
    await new Promise((resolve) => setImmediate(resolve));
}
