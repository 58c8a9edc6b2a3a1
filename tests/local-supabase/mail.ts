/** More than any test needs, little enough to forget about. */
const KEPT_MAILS = 200;

type Mail = { id: number; to: string; subject: string; text: string; html: string; created_at: string };
type Message = { to: string; subject: string; text?: string; html?: string };

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
const linked = (text: string): string => escaped(text).replace(/https?:\/\/(?:[^\s&]|&#38;)+/g, (url) => `<a href="${url}">${url}</a>`);

/** Keeps the mails that Auth sends, newest first, instead of sending them. */
export class Mailbox {
  #mails: Mail[] = [];
  #last_id = 0;
  readonly #site_url: string;
  readonly #api_url: () => string;
  readonly #requested_redirect: () => string | null;

  /** `requested_redirect`: where the request that causes the mail wants its link to lead. */
  constructor(site_url: string, api_url: () => string, requested_redirect: () => string | null) {
    this.#site_url = site_url;
    this.#api_url = api_url;
    this.#requested_redirect = requested_redirect;
  }

  /** Lite's EmailDriver. */
  async send({ to, subject, text = '', html = '' }: Message): Promise<void> {
    this.#last_id += 1;
    const texts = { text: this.#withWorkingLinks(text), html: this.#withWorkingLinks(html) };
    const mail = { id: this.#last_id, to, subject, ...texts, created_at: new Date().toISOString() };
    this.#mails = [mail, ...this.#mails].slice(0, KEPT_MAILS);
  }

  respond(accept: string | null): Response {
    if (accept?.includes('application/json')) return Response.json(this.#mails);
    const mails = this.#mails.map(({ to, subject, text, created_at }) => {
      return `<article><h2>${escaped(subject)}</h2><p>to <b>${escaped(to)}</b>, <time>${created_at}</time></p><pre>${linked(text)}</pre></article>`;
    });
    const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Mail</title>
<style>body{font:16px/1.5 system-ui;margin:2rem auto;max-width:50rem;padding:0 1rem}pre{white-space:pre-wrap;overflow-wrap:anywhere}</style>
<h1>Mail</h1>${mails.join('\n') || '<p>No mail yet.</p>'}</html>`;
    // A mail carries what a user typed: nothing in it may run here or call out.
    const policy = "default-src 'none'; style-src 'unsafe-inline'";
    return new Response(page, { headers: { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': policy } });
  }

  /** Lite takes the site for the API's address and forgets `redirect_to`; Auth links to itself and comes back to where the request asked. */
  #withWorkingLinks(body: string): string {
    const links = new RegExp(`${`${this.#site_url}/auth/v1/verify?`.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}[^\\s"'<]*`, 'g');
    return body.replace(links, (found) => {
      const link = new URL(found.replaceAll('&amp;', '&').replace(this.#site_url, this.#api_url()));
      const redirect = this.#requested_redirect();
      if (redirect) link.searchParams.set('redirect_to', redirect);
      return link.toString();
    });
  }
}
