import { useTexts } from "../i18n/texts.ts";
import {
  announcement,
  dismiss,
  hold,
  release,
  toasts,
  undo,
} from "../state/toasts.ts";
import { Icon } from "./icons.tsx";

/** Announces changes to screen readers; always rendered, as below. */
export function Announcer() {
  return (
    <p class="visually-hidden" role="status">
      {announcement.value}
    </p>
  );
}

/** Shows the toasts; always rendered, so that screen readers notice changes. */
export function ToastArea() {
  const t = useTexts();
  return (
    <div class="toasts" role="status">
      {toasts.value.map((toast) => (
        // biome-ignore lint/a11y/noStaticElementInteractions: it stays while it is read, and does nothing.
        <div
          class="toast"
          key={toast.id}
          onMouseEnter={() => hold(toast.id)}
          onMouseLeave={(event) =>
            event.currentTarget.contains(document.activeElement) ||
            release(toast)
          }
          onFocusCapture={() => hold(toast.id)}
          onBlurCapture={(event) =>
            event.currentTarget.matches(":hover") || release(toast)
          }
        >
          <span>{toast.text}</span>
          {toast.undo && (
            <button
              type="button"
              class="toast-action"
              onClick={() => undo(toast)}
            >
              {t.common.undo}
            </button>
          )}
          <button
            type="button"
            class="icon-button"
            aria-label={t.common.close}
            onClick={() => dismiss(toast.id)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
