// Where the focus goes when what had it is gone: never to the body, where a keyboard or a screen reader begins anew.

let last: HTMLElement | null = null;

export function keepFocus(): void {
  document.addEventListener('focusin', ({ target }) => {
    last = target instanceof HTMLElement ? target : null;
  });
  // A press beside everything is meant to take the focus away.
  document.addEventListener('pointerdown', ({ target }) => {
    if (target instanceof Element && !target.closest('a, button, input, select, textarea, summary')) last = null;
  });
  new MutationObserver(() => {
    if (!last || document.activeElement !== document.body) return;
    // A row that is moved within the document loses it, too.
    if (last.isConnected) return last.focus({ preventScroll: true });
    last = null;
    const within = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.querySelector('main') ?? document;
    within.querySelector<HTMLElement>('h1, h2[tabindex]')?.focus({ preventScroll: true });
  }).observe(document.body, { childList: true, subtree: true });
}

/** After the next drawing, when the element is there. */
export function focusSoon(selector: string): void {
  requestAnimationFrame(() => document.querySelector<HTMLElement>(selector)?.focus({ preventScroll: true }));
}
