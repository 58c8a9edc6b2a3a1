/** More than any test needs, little enough to forget about. */
const KEPT_MAILS = 200;

export type Mail = { id: number; to: string; subject: string; text: string; html: string; created_at: string };

type Message = { to: string; subject: string; text?: string; html?: string };

/** Keeps the mails that Auth sends, newest first, instead of sending them. */
export class Mailbox {
  readonly #mails: Mail[] = [];
  readonly #site_url: string;
  readonly #api_url: () => string;
  readonly #requested_redirect: () => string | null;
  #last_id = 0;

  /** `requested_redirect`: where the request that causes the mail wants its link to lead. */
  constructor(site_url: string, api_url: () => string, requested_redirect: () => string | null) {
    this.#site_url = site_url;
    this.#api_url = api_url;
    this.#requested_redirect = requested_redirect;
  }

  /** Lite's EmailDriver. */
  async send(message: Message): Promise<void> {
    this.#last_id += 1;
    this.#mails.unshift({
      id: this.#last_id,
      to: message.to,
      subject: message.subject,
      text: this.#withWorkingLinks(message.text ?? ''),
      html: this.#withWorkingLinks(message.html ?? ''),
      created_at: new Date().toISOString(),
    });
    this.#mails.length = Math.min(this.#mails.length, KEPT_MAILS);
  }

  respond(accept: string | null): Response {
    if (accept?.includes('application/json')) return Response.json(this.#mails);
    return new Response(page(this.#mails), {
      headers: {
        'Content-Type': 'text/html; charset=utf-8',
        // A mail carries what a user typed: nothing in it may run here or call out.
        'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
      },
    });
  }

  /**
   * Lite takes the site for the API's address and forgets `redirect_to`; Auth links to its own address and comes
   * back to where the request asked.
   */
  #withWorkingLinks(body: string): string {
    const verify = `${this.#site_url}/auth/v1/verify?`;
    const links = new RegExp(`${verify.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}[^\\s"'<]*`, 'g');
    return body.replace(links, (found) => {
      const link = new URL(found.replaceAll('&amp;', '&').replace(this.#site_url, this.#api_url()));
      const redirect = this.#requested_redirect();
      if (redirect) link.searchParams.set('redirect_to', redirect);
      return link.toString();
    });
  }
}

function page(mails: Mail[]): string {
  const items = mails.map(
    (mail) => `<article>
<h2>${escapeHtml(mail.subject)}</h2>
<p>to <b>${escapeHtml(mail.to)}</b>, <time>${escapeHtml(mail.created_at)}</time></p>
<pre>${linked(mail.text)}</pre>
</article>`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Mail</title>
<style>body{font:16px/1.5 system-ui;margin:2rem auto;max-width:50rem;padding:0 1rem}pre{white-space:pre-wrap;overflow-wrap:anywhere}article{border-top:1px solid #ccc}</style>
<h1>Mail</h1>
${items.join('\n') || '<p>No mail yet.</p>'}
</html>
`;
}

function linked(text: string): string {
  return escapeHtml(text).replace(/https?:\/\/[^\s&<"]+(?:&amp;[^\s&<"]+)*/g, (url) => `<a href="${url}">${url}</a>`);
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
