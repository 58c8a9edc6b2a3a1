import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PROJECT = new URL('../../', import.meta.url);

const KEPT_MAILS = 200;

export type Mail = { id: number; to: string; subject: string; text: string; html: string; created_at: string };

type Message = { to: string; subject: string; html?: string };

/** Keeps the mails that Auth sends, newest first, instead of sending them. */
export class Mailbox {
  readonly #mails: Mail[] = [];
  #last_id = 0;

  /** Lite's EmailDriver. */
  async send({ to, subject, html = '' }: Message): Promise<void> {
    this.#last_id += 1;
    this.#mails.unshift({ id: this.#last_id, to, subject, text: textOf(html), html, created_at: new Date().toISOString() });
    this.#mails.length = Math.min(this.#mails.length, KEPT_MAILS);
  }

  respond(accept: string | null): Response {
    if (accept?.includes('application/json')) return Response.json(this.#mails);
    // A mail contains text that a user typed: nothing in it may run or send a request.
    const policy = "default-src 'none'; style-src 'unsafe-inline'";
    return new Response(page(this.#mails), { headers: { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': policy } });
  }
}

/** The text of a mail for clients without HTML; Auth sends only HTML. */
function textOf(html: string): string {
  const entities: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&amp;': '&' };
  return html
    .replace(/<(head|style)\b[\s\S]*?<\/\1>/g, '')
    .replace(/<a\b[^>]*\bhref="([^"]*)"[^>]*>([\s\S]*?)<\/a>/g, '$2: $1')
    .replace(/<[^>]*>/g, '')
    .replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => entities[entity] ?? entity)
    .replace(/\n\s*\n/g, '\n')
    .trim();
}

function page(mails: Mail[]): string {
  const items = mails.map(({ to, subject, text, created_at }) => `<article>
<h2>${escaped(subject)}</h2><p>to <b>${escaped(to)}</b>, <time>${created_at}</time></p><pre>${linked(text)}</pre>
</article>`);
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Mail</title>
<style>body{font:16px/1.5 system-ui;margin:2rem auto;max-width:50rem;padding:0 1rem}pre{white-space:pre-wrap;overflow-wrap:anywhere}article{border-top:1px solid #ccc}</style>
<h1>Mail</h1>${items.join('\n') || '<p>No mail yet.</p>'}</html>
`;
}

const linked = (text: string): string => escaped(text).replace(/https?:\/\/[^\s&<"]+(?:&amp;[^\s&<"]+)*/g, (url) => `<a href="${url}">${url}</a>`);

function escaped(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** The mails' subjects and files, read from supabase/config.toml as the Supabase CLI does. */
export function mailTemplates(): Record<string, { subject: string; content_path: string }> {
  const toml = readFileSync(new URL('supabase/config.toml', PROJECT), 'utf8');
  const sections = toml.matchAll(/^\[auth\.email\.template\.(\w+)\]\nsubject = "(.*)"\ncontent_path = "(.*)"$/gm);
  return Object.fromEntries([...sections].map(([, name = '', subject = '', path = '']) => [name, { subject, content_path: fileURLToPath(new URL(path, PROJECT)) }]));
}
