// A second Auth on the stack's database with other settings, and a page that uses it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { PageConfig } from "./file-server.ts";
import { fileServer, listen } from "./file-server.ts";
import { ready } from "./support.ts";

export type OwnSupabase = { site: string; config: PageConfig; close: () => void };

export async function startOwnSupabase(settings: Record<string, string>, page: Partial<PageConfig> = {}): Promise<OwnSupabase> {
  const state = mkdtempSync(join(tmpdir(), "sound-whiskers-auth-"));
  const config: PageConfig = { supabase_url: "", supabase_publishable_key: "", functions_url: ready.functions_url, ...page };
  const server = fileServer(() => config);
  const site = `http://127.0.0.1:${await listen(server)}`;
  const own = { PORT: "0", STATE_DIR: state, FUNCTIONS_ORIGIN: new URL(ready.functions_url).origin, SITE_URL: site, MIGRATIONS_DIR: "supabase/migrations" };
  const env = { ...process.env, DATABASE_URL: ready.database_url, ...own, ...settings };
  const supabase = spawn(process.execPath, ["tests/local-supabase/main.ts"], { env, stdio: ["pipe", "pipe", "inherit"] });
  assert.ok(supabase.stdout);
  for await (const line of createInterface(supabase.stdout)) {
    config.supabase_url = (JSON.parse(line) as { url: string }).url;
    break;
  }
  config.supabase_publishable_key = JSON.parse(readFileSync(join(state, "keys.json"), "utf8")).publishable_key;
  const close = () => {
    server.close();
    supabase.kill();
    rmSync(state, { recursive: true });
  };
  return { site, config, close };
}
