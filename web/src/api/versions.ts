// Reads a user's wishes and the versions of a playlist; restores a version.

import { answerOf } from "./data.ts";
import { data as api } from "./supabase.ts";

/** `version`: the number that names it. `instruction`: how it was to differ from the one before it. */
export type Version = {
  version: number;
  prompt: string | null;
  instruction: string | null;
  is_current: boolean;
};

/** More than are shown, because the same wish may have been made several times. */
const READ = 40;

/** Returns the last different wishes, the newest first. */
export async function readWishes(count: number): Promise<string[]> {
  const rows = await answerOf(
    api()
      .from("ai_sessions")
      .select("prompt")
      .order("created_at", { ascending: false })
      .limit(READ),
  );
  return [...new Set(rows.map(({ prompt }) => prompt))].slice(0, count);
}

/** Returns the versions of a playlist, the oldest first. */
export async function readVersions(playlist_id: string): Promise<Version[]> {
  return answerOf(
    api()
      .from("playlist_versions")
      .select("version, prompt, instruction, is_current")
      .eq("playlist_id", playlist_id)
      .order("version"),
  );
}
