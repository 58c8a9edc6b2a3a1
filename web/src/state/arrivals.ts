// Handles an arrival once the session is known.

import { signal } from "@preact/signals";
import { asFailure, Failure, failureOfSpotify } from "../api/failure.ts";
import { spotifyLink } from "../api/functions.ts";
import type { HelpScreen } from "../components/help-links.tsx";
import { textsNow } from "../i18n/texts.ts";
import type { Arrival } from "./arrival.ts";
import { goInstead } from "./navigation.ts";
import { user } from "./session.ts";
import { beforeSpotify, sending } from "./spotify.ts";
import { say } from "./toasts.ts";

/** The state to show; `help`: the screens on which to start again. */
export const arrival = signal<
  | { kind: "busy" }
  | { kind: "failed"; failure: Failure; help: readonly HelpScreen[] }
  | null
>(null);

/** Handles an arrival. It first removes the code from the address, so that it is neither shared nor used again on reload. */
export async function receive(came: Arrival): Promise<void> {
  if (came.kind === "usual") {
    // The user goes elsewhere.
    if (arrival.value?.kind === "failed") arrival.value = null;
    return;
  }
  if (came.kind === "session") {
    // The author of the link has chosen the account, so it must not sign the user in.
    history.replaceState(null, "", location.pathname);
    goInstead("");
    arrival.value = {
      kind: "failed",
      failure: new Failure("session_in_link"),
      help: [],
    };
    return;
  }
  if (came.kind === "mail_refused") {
    goInstead(user.value ? "account" : "sign-in");
    arrival.value = {
      kind: "failed",
      failure: new Failure("mail_link_expired", { message: came.code }),
      // Auth does not say what the link was for.
      help: user.value ? ["account"] : ["sign-in", "resend", "forgot"],
    };
    return;
  }
  const { place, send } = beforeSpotify();
  goInstead(place);
  if (came.kind === "spotify_refused") {
    arrival.value = {
      kind: "failed",
      failure: failureOfSpotify(came.reason),
      help: ["account"],
    };
    return;
  }
  arrival.value = { kind: "busy" };
  try {
    await spotifyLink.complete(came.code, came.state);
    arrival.value = null;
    sending.value = send;
    say(textsNow().account.linkedNow);
  } catch (error) {
    arrival.value = {
      kind: "failed",
      failure: asFailure(error),
      help: ["account"],
    };
  }
}
