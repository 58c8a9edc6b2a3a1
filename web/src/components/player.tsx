import { useEffect, useRef } from "preact/hooks";
import { playerOrigin } from "../api/supabase.ts";
import { useTexts } from "../i18n/texts.ts";
import { listening } from "../state/listening.ts";
import { Icon } from "./icons.tsx";

/** Spotify's own player, in a frame. It is there from the user's click until they close it or leave the playlist. */
export function Player() {
  const now = listening.value;
  useEffect(
    () => () => {
      listening.value = null;
    },
    [],
  );
  return now && <Open key={`${now.kind}/${now.id}`} />;
}

function Open() {
  const t = useTexts();
  const close = useRef<HTMLButtonElement>(null);
  const before = useRef<Element | null>(null);
  useEffect(() => {
    before.current = document.activeElement;
    close.current?.focus({ preventScroll: true });
  }, []);
  const leave = () => {
    listening.value = null;
    if (before.current instanceof HTMLElement && before.current.isConnected)
      before.current.focus();
  };
  const now = listening.value;
  if (!now) return null;
  return (
    <section
      class={now.kind === "track" ? "player" : "player player-list"}
      aria-label={t.listen.player}
      onKeyDown={(event) => event.key === "Escape" && leave()}
    >
      <iframe
        title={t.listen.title(now.title)}
        src={`${playerOrigin()}/embed/${now.kind}/${now.id}`}
        allow="autoplay; clipboard-write; encrypted-media; fullscreen; picture-in-picture"
      />
      <button
        ref={close}
        type="button"
        class="icon-button"
        aria-label={t.listen.close}
        onClick={leave}
      >
        <Icon name="close" />
      </button>
    </section>
  );
}
