import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const PROJECT = join(import.meta.dirname, '../..');

export type Template = { subject: string; content_path: string };

/** The mails' subjects and files, from where the Supabase CLI reads them: supabase/config.toml. */
export function mailTemplates(): Record<string, Template> {
  const toml = readFileSync(join(PROJECT, 'supabase/config.toml'), 'utf8');
  const sections = toml.matchAll(/^\[auth\.email\.template\.(\w+)\]\nsubject = "(.*)"\ncontent_path = "(.*)"$/gm);
  return Object.fromEntries([...sections].map(([, name = '', subject = '', path = '']) => [name, { subject, content_path: join(PROJECT, path) }]));
}
