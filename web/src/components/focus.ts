// Moves the focus when the focused element disappears: on the body, keyboards and screen readers would start over.

let last: HTMLElement | null = null;

export function keepFocus(): void {
  document.addEventListener("focusin", ({ target }) => {
    last = target instanceof HTMLElement ? target : null;
  });
  // A press outside all controls is meant to remove the focus.
  document.addEventListener("pointerdown", ({ target }) => {
    if (
      target instanceof Element &&
      !target.closest("a, button, input, select, textarea, summary")
    )
      last = null;
  });
  new MutationObserver(() => {
    if (!last || document.activeElement !== document.body) return;
    // An element that is moved within the document also loses the focus.
    if (last.isConnected) return last.focus({ preventScroll: true });
    last = null;
    const within =
      [...document.querySelectorAll("dialog[open]")].at(-1) ??
      document.querySelector("main") ??
      document;
    within
      .querySelector<HTMLElement>("h1, h2[tabindex]")
      ?.focus({ preventScroll: true });
  }).observe(document.body, { childList: true, subtree: true });
}

/** Focuses an element after the next rendering, when it exists. */
export function focusSoon(selector: string): void {
  requestAnimationFrame(() =>
    document
      .querySelector<HTMLElement>(selector)
      ?.focus({ preventScroll: true }),
  );
}
