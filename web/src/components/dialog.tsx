import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { useTexts } from "../i18n/texts.ts";
import { dialogs } from "../state/toasts.ts";
import { Icon } from "./icons.tsx";
import { ToastArea } from "./toast.tsx";

type Props = {
  title: string;
  close: () => void;
  wide?: boolean;
  children: ComponentChildren;
};

/** The browser's dialog, which traps the focus, closes on Escape and restores the focus. */
export function Dialog({ title, close, wide = false, children }: Props) {
  const t = useTexts();
  const heading = useId();
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    const dialog = ref.current;
    dialog?.showModal();
    const first =
      dialog?.querySelector<HTMLElement>("[data-autofocus]") ??
      dialog?.querySelector<HTMLElement>("h2");
    first?.focus();
    dialogs.value += 1;
    return () => {
      dialogs.value -= 1;
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class={wide ? "dialog dialog-wide" : "dialog"}
      aria-labelledby={heading}
      onCancel={close}
      // Some browsers close it without asking. The event also comes after this component is gone.
      onClose={() => ref.current && close()}
    >
      <div class="dialog-head">
        <h2 id={heading} tabIndex={-1}>
          {title}
        </h2>
        <button
          type="button"
          class="icon-button"
          aria-label={t.common.close}
          onClick={close}
        >
          <Icon name="close" />
        </button>
      </div>
      {children}
      <ToastArea />
    </dialog>
  );
}
