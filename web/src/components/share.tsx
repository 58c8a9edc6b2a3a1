import { useEffect, useRef, useState } from "preact/hooks";
import { pageUrl } from "../api/config.ts";
import { readShareId, share, unshare } from "../api/shares.ts";
import { useTexts } from "../i18n/texts.ts";
import { copyText } from "../state/files.ts";
import { say, sayFailure } from "../state/toasts.ts";
import { useAction } from "./action.ts";
import { Dialog } from "./dialog.tsx";
import { FailureNotice } from "./notice.tsx";

type Props = { id: string; name: string; close: () => void };

/** Makes a playlist's link, copies it, and revokes it. */
export function ShareDialog({ id, name, close }: Props) {
  const t = useTexts();
  /** undefined until it is known, null while the playlist is not shared. */
  const [shareId, setShareId] = useState<string | null | undefined>(undefined);
  const action = useAction();
  const field = useRef<HTMLInputElement>(null);
  const read = () => action.run(async () => setShareId(await readShareId(id)));
  useEffect(() => void read(), []);
  const url = `${pageUrl()}?p=${shareId}`;
  const copy = async () => {
    if (await copyText(url)) return say(t.share.copied);
    field.current?.select();
    say(t.share.copyByHand);
  };
  // The user closing the device's own sheet is no failure.
  const pass = () =>
    navigator
      .share({ title: name, url })
      .catch(
        (error: Error) => error.name !== "AbortError" && sayFailure(error),
      );
  const create = () => action.run(async () => setShareId(await share(id)));
  const revoke = () =>
    action.run(async () => {
      await unshare(id);
      setShareId(null);
      say(t.share.revoked);
    });
  return (
    <Dialog title={t.share.title} close={close}>
      <div class="stack">
        <p>{shareId ? t.share.shared : t.share.lead}</p>
        {action.failure && (
          <FailureNotice failure={action.failure}>
            {shareId === undefined && (
              <button type="button" class="button" onClick={read}>
                {t.common.retry}
              </button>
            )}
          </FailureNotice>
        )}
        {shareId === undefined && !action.failure && (
          <p class="hint">{t.common.loading}</p>
        )}
        {shareId === null && (
          <button
            type="button"
            class="button button-primary"
            aria-disabled={action.busy}
            onClick={create}
          >
            {t.share.create}
          </button>
        )}
        {shareId && (
          <>
            <input
              ref={field}
              readOnly
              aria-label={t.share.link}
              value={url}
              onFocus={(event) => event.currentTarget.select()}
            />
            <div class="row">
              <button
                type="button"
                class="button button-primary"
                onClick={copy}
              >
                {t.share.copy}
              </button>
              {"share" in navigator && (
                <button type="button" class="button" onClick={pass}>
                  {t.share.pass}
                </button>
              )}
              <button
                type="button"
                class="button button-bad"
                aria-disabled={action.busy}
                onClick={revoke}
              >
                {t.share.revoke}
              </button>
            </div>
          </>
        )}
      </div>
    </Dialog>
  );
}
