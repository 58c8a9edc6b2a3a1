import { signal } from "@preact/signals";

/** The window's title if it is not the screen's name, such as a playlist's name. */
export const title = signal("");
