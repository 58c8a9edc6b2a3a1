import type { FailureCode } from "../api/failure.ts";
import type { FailureText } from "./texts.ts";

export const failuresEn: Record<FailureCode, FailureText> = {
  invalid_json: {
    what: "The request was garbled on its way.",
    next: "Try again. If it happens again, reload the page.",
  },
  invalid_header: {
    what: "The request was not understood.",
    next: "Reload the page and try again.",
  },
  invalid_state: {
    what: "This link with Spotify was not begun here, or it took too long.",
    next: "Begin again with “Link Spotify”.",
  },
  invalid_code: {
    what: "Spotify did not accept the link any more.",
    next: "Begin again with “Link Spotify”.",
  },
  invalid_signature: {
    what: "The message could not be verified.",
    next: "Reload the page and try again.",
  },
  invalid_event: {
    what: "The message was not understood.",
    next: "Reload the page and try again.",
  },
  livemode_mismatch: {
    what: "Test and live payments were mixed up.",
    next: "Please tell us; you can do nothing about it.",
  },
  missing_token: {
    what: "You are not signed in.",
    next: "Sign in. What you have written is kept.",
  },
  invalid_token: {
    what: "Your session is not valid any more.",
    next: "Sign in again. What you have written is kept.",
  },
  token_expired: {
    what: "Your session has expired.",
    next: "Sign in again. What you have written is kept.",
  },
  token_too_large: {
    what: "Your account holds too much profile data to be recognised here.",
    next: "Signing in again does not help. Send us the details below.",
  },
  account_required: {
    what: "This needs an account.",
    next: "Create one: everything that you have made stays.",
  },
  quota_exceeded: {
    what: "Your AI playlists are used up for now.",
    next: "Wait for the next free one, or upgrade to Pro.",
  },
  profile_not_found: {
    what: "This account has been deleted.",
    next: "Sign out and create a new one.",
  },
  state_of_another_user: {
    what: "The link with Spotify was begun by another account.",
    next: "Sign in with that one, or begin again with this one.",
  },
  sign_in_again: {
    what: "This needs a sign-in of the last ten minutes.",
    next: "Sign in again, then go on.",
  },
  spotify_not_linked: {
    what: "Your Spotify account is not linked.",
    next: "Link it, then try again.",
  },
  spotify_link_expired: {
    what: "Spotify has ended the link with your account.",
    next: "Link it again, then try once more.",
  },
  spotify_access_denied: {
    what: "Spotify does not let this app act for your account.",
    next: "Unlink and link it again, or use another Spotify account.",
  },
  not_found: {
    what: "There is nothing at this address.",
    next: "Reload the page: it may have been updated.",
  },
  shared_playlist_not_found: {
    what: "There is no playlist at this link any more.",
    next: "Its owner may have stopped sharing it. Ask for a new link.",
  },
  playlist_not_found: {
    what: "This playlist is not here any more.",
    next: "Look under “Recently deleted” in your playlists.",
  },
  method_not_allowed: {
    what: "The request was not understood.",
    next: "Reload the page: it may have been updated.",
  },
  already_generated: {
    what: "This playlist was finished, but it was not going to be saved, so it cannot be brought back.",
    next: "Make it again.",
  },
  generation_in_progress: {
    what: "This playlist is still being made.",
    next: "Wait a moment and try again.",
  },
  idempotency_key_reused: {
    what: "This was sent before, for something else.",
    next: "Try again.",
  },
  playlist_limit_reached: {
    what: "You have as many playlists as an account may hold.",
    next: "Delete one that you do not need, then try again.",
  },
  playlist_empty: {
    what: "There are no tracks in this playlist.",
    next: "Add some, then export it.",
  },
  export_in_progress: {
    what: "This playlist is still being exported.",
    next: "Wait a moment and try again.",
  },
  nothing_to_manage: {
    what: "There is no subscription to manage.",
    next: "Upgrade first.",
  },
  currency_conflict: {
    what: "Your earlier purchases are in another currency and not all of them are settled yet. You were not charged.",
    next: "Write to us: we settle them, then you can upgrade.",
  },
  body_too_large: {
    what: "That is more than can be taken at once.",
    next: "Shorten it and try again.",
  },
  unsupported_media_type: {
    what: "The request was not understood.",
    next: "Reload the page: it may have been updated.",
  },
  invalid_request: {
    what: "Something in this does not make sense to us.",
    next: "Check what you have entered; the details below name it.",
  },
  not_confirmed: {
    what: "That does not match this account. Nothing was deleted.",
    next: "Type it exactly as shown.",
  },
  not_about_music: {
    what: "That does not sound like a wish for music.",
    next: "Describe what you would like to listen to, for example:",
  },
  no_tracks_found: {
    what: "None of the suggested songs is on Spotify. Nothing was used up.",
    next: "Say it in other words, or allow more: other years, other artists.",
  },
  too_many_attempts: {
    what: "That was too often in a short time.",
    next: "Wait a little, then try again.",
  },
  internal_error: {
    what: "Something broke on our side. Nothing was used up.",
    next: "Try again. If it happens again, send us the details below.",
  },
  llm_unavailable: {
    what: "The language model is not available. Nothing was used up.",
    next: "Try again in a minute.",
  },
  llm_invalid_answer: {
    what: "The language model’s answer could not be used. Nothing was used up.",
    next: "Try again, perhaps in other words.",
  },
  spotify_unavailable: {
    what: "Spotify does not respond properly.",
    next: "Try again in a few minutes.",
  },
  stripe_unavailable: {
    what: "The payment service does not respond properly. You were not charged.",
    next: "Try again in a few minutes.",
  },
  misconfigured: {
    what: "This part of the service is not set up correctly.",
    next: "Please tell us; you can do nothing about it.",
  },
  database_unavailable: {
    what: "Our database does not respond.",
    next: "Try again in a minute.",
  },
  spotify_rate_limited: {
    what: "Spotify asks us to slow down.",
    next: "Wait a little, then try again.",
  },
  llm_rate_limited: {
    what: "The language model is very busy. Nothing was used up.",
    next: "Wait a little, then try again.",
  },
  stripe_rate_limited: {
    what: "The payment service is very busy. You were not charged.",
    next: "Wait a little, then try again.",
  },
  plan_contended: {
    what: "Your plan is being changed at this very moment.",
    next: "Wait a moment and try again.",
  },
  llm_timeout: {
    what: "The language model took too long. Nothing was used up.",
    next: "Try again, perhaps with fewer tracks.",
  },
  spotify_timeout: {
    what: "Spotify took too long.",
    next: "Try again in a minute.",
  },
  stripe_timeout: {
    what: "The payment service took too long.",
    next: "Try again in a minute.",
  },
  generation_timeout: {
    what: "It took too long. Nothing was used up.",
    next: "Try again, perhaps with fewer tracks.",
  },
  network: {
    what: "We cannot be reached.",
    next: "Check your connection and try again.",
  },
  offline: {
    what: "You are offline. Nothing was sent.",
    next: "Try again once you are connected.",
  },
  connection_lost: {
    what: "The connection was lost.",
    next: "Check it and try again.",
  },
  unknown: {
    what: "Something unexpected happened.",
    next: "Try again. If it happens again, send us the details below.",
  },
  name_taken: {
    what: "You already have a playlist with this name.",
    next: "Choose another name.",
  },
  duplicate_track: {
    what: "This track is already in the playlist.",
    next: "Choose another one.",
  },
  track_missing: {
    what: "This song is no longer in the playlist.",
    next: "It may have been removed on another device. Add it again if you want it.",
  },
  playlist_changed: {
    what: "The playlist has changed on another device.",
    next: "Look at it as it is now, and try again.",
  },
  too_many_tracks: {
    what: "A playlist holds at most 100 tracks.",
    next: "Remove one first.",
  },
  text_not_allowed: {
    what: "A name has 1 to 100 characters on one line, a description up to 300.",
    next: "Change it and try again.",
  },
  wrong_credentials: {
    what: "The e-mail address or the password is wrong.",
    next: "Check both, or reset your password.",
  },
  email_taken: {
    what: "There is an account with this address already.",
    next: "Sign in, or reset your password.",
  },
  email_not_confirmed: {
    what: "Your e-mail address is not confirmed yet.",
    next: "Open the link that we have sent you.",
  },
  email_invalid: {
    what: "This e-mail address cannot be used.",
    next: "Check its spelling.",
  },
  weak_password: {
    what: "This password is too weak.",
    next: "Choose one with at least 8 characters that is hard to guess.",
  },
  same_password: {
    what: "This is your old password.",
    next: "Choose another one.",
  },
  mail_link_expired: {
    what: "The link from the mail is not valid any more.",
    next: "It was used already, or it is too old.",
  },
  session_in_link: {
    what: "The link tried to sign you in to an account of its choice. It was ignored.",
    next: "If it was meant well, ask for a new mail here.",
  },
  mail_rate_limited: {
    what: "A mail was sent only a moment ago.",
    next: "Wait a minute, then try again.",
  },
  auth_rate_limited: {
    what: "Too many attempts in a short time.",
    next: "Wait a few minutes, then try again.",
  },
  auth_unavailable: {
    what: "Signing in does not work at the moment.",
    next: "Try again in a minute.",
  },
  captcha_failed: {
    what: "The check that you are not a robot did not succeed.",
    next: "Try again. If it happens again, reload the page without a content blocker.",
  },
  spotify_refused: {
    what: "You did not allow the link, so nothing was linked.",
    next: "Begin again if you change your mind.",
  },
  spotify_took_too_long: {
    what: "Linking took longer than ten minutes.",
    next: "Begin again with “Link Spotify”.",
  },
  spotify_failed: {
    what: "Spotify could not complete the link.",
    next: "Begin again with “Link Spotify”.",
  },
};
