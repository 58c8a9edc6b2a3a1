// Apart from the edits' own code, which the first file does not need.

import type { Edits } from "./edits.ts";

/** The edits of the playlists that were opened, by the playlist's id. */
export const openEdits = new Map<string, Edits>();
