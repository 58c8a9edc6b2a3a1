import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "./icons.tsx";

export type Item = { label: string; run?: () => void; href?: string };
type Props = { label: string; items: Item[]; children?: ComponentChildren };

/** A menu of further actions. `children` appear above the items. */
export function Menu({ label, items, children }: Props) {
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  return (
    <>
      <button
        ref={button}
        type="button"
        class="icon-button"
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        onClick={() => setOpen(true)}
      >
        <Icon name="more" />
      </button>
      {isOpen && button.current && (
        <Popup
          label={label}
          items={items}
          at={button.current}
          close={() => setOpen(false)}
        >
          {children}
        </Popup>
      )}
    </>
  );
}

function Popup({
  label,
  items,
  at,
  close,
  children,
}: Props & { at: HTMLElement; close: () => void }) {
  const popup = useRef<HTMLDivElement>(null);
  const entries = () => [
    ...(popup.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? []),
  ];
  useEffect(() => {
    const it = popup.current;
    if (!it) return;
    it.showPopover();
    place(it, at.getBoundingClientRect());
    entries()[0]?.focus({ preventScroll: true });
    // The browser closes it on Escape and on a press outside.
    const onToggle = (event: Event) =>
      (event as ToggleEvent).newState === "closed" && leave(it, at, close);
    // The window or a part of it, which takes the button away.
    const onScroll = ({ target }: Event) =>
      target instanceof Node && target.contains(at) && it.hidePopover();
    it.addEventListener("toggle", onToggle);
    addEventListener("scroll", onScroll, { passive: true, capture: true });
    return () => removeEventListener("scroll", onScroll, true);
  }, []);
  const onKey = (event: KeyboardEvent) => {
    const all = entries();
    const now = all.indexOf(document.activeElement as HTMLElement);
    const next = {
      ArrowDown: now + 1,
      ArrowUp: now - 1 + all.length,
      Home: 0,
      End: all.length - 1,
    }[event.key];
    if (event.key === "Tab") popup.current?.hidePopover();
    if (next === undefined) return;
    event.preventDefault();
    all[next % all.length]?.focus();
  };
  const choose = (item: Item) => {
    popup.current?.hidePopover();
    at.focus({ preventScroll: true });
    close();
    item.run?.();
  };
  return (
    <div ref={popup} class="menu" popover="auto">
      {children && <div class="menu-head">{children}</div>}
      <div role="menu" aria-label={label} onKeyDown={onKey}>
        {items.map((item) =>
          item.href ? (
            <a
              key={item.label}
              role="menuitem"
              tabIndex={-1}
              href={item.href}
              target="_blank"
              rel="noopener noreferrer"
              onClick={() => popup.current?.hidePopover()}
            >
              {item.label}
            </a>
          ) : (
            <button
              key={item.label}
              type="button"
              role="menuitem"
              tabIndex={-1}
              onClick={() => choose(item)}
            >
              {item.label}
            </button>
          ),
        )}
      </div>
    </div>
  );
}

/** Restores the focus, unless the press that closed the menu moved it. */
function leave(popup: HTMLElement, at: HTMLElement, close: () => void): void {
  const { activeElement } = document;
  if (activeElement === document.body || popup.contains(activeElement))
    at.focus({ preventScroll: true });
  close();
}

/** Places the menu below the button, or above it if there is no room. */
function place(popup: HTMLElement, { bottom, top, right }: DOMRect): void {
  const { offsetWidth, offsetHeight } = popup;
  popup.style.left = `${Math.max(8, right - offsetWidth)}px`;
  popup.style.top = `${bottom + offsetHeight < innerHeight ? bottom : Math.max(8, top - offsetHeight)}px`;
}
