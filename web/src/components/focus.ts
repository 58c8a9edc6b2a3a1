// Where the focus goes when what had it is gone: never to the body, where a keyboard or a screen reader begins anew.

let last: Element | null = null;

export function keepFocus(): void {
  document.addEventListener('focusin', ({ target }) => {
    last = target instanceof Element ? target : null;
  });
  new MutationObserver(() => {
    if (!last || last.isConnected || document.activeElement !== document.body) return;
    last = null;
    const within = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.querySelector('main') ?? document;
    within.querySelector<HTMLElement>('h1, h2[tabindex]')?.focus({ preventScroll: true });
  }).observe(document.body, { childList: true, subtree: true });
}

/** After the next drawing, when the element is there. */
export function focusSoon(selector: string): void {
  requestAnimationFrame(() => document.querySelector<HTMLElement>(selector)?.focus({ preventScroll: true }));
}
