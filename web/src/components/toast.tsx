import { useTexts } from '../i18n/texts.ts';
import { announcement, dismiss, hold, toast } from '../state/toasts.ts';
import { Icon } from './icons.tsx';

/** Always there, as below. */
export function Announcer() {
  return (
    <p class="visually-hidden" role="status">
      {announcement.value}
    </p>
  );
}

/** Always there, so that screen readers notice what appears in it. */
export function ToastArea() {
  const t = useTexts();
  const shown = toast.value;
  return (
    <div class="toasts" role="status">
      {shown && (
        <div class="toast" key={shown.id} onMouseEnter={hold} onFocusCapture={hold}>
          <span>{shown.text}</span>
          {shown.action && (
            <button
              type="button"
              class="toast-action"
              onClick={() => {
                shown.action?.run();
                dismiss();
              }}
            >
              {shown.action.label}
            </button>
          )}
          <button type="button" class="icon-button" aria-label={t.common.close} onClick={dismiss}>
            <Icon name="remove" />
          </button>
        </div>
      )}
    </div>
  );
}
