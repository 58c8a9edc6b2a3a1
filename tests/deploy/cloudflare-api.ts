// A simulator of the part of Cloudflare's API that `wrangler deploy` uses: scripts with their bindings and secrets, assets
// and subdomains. It refuses what Cloudflare refuses, and every unknown request.

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { form, PlatformSimulator } from './simulator.ts';
import type { Call, Reply } from './simulator.ts';

export const ACCOUNT = '0123456789abcdef0123456789abcdef';
export const API_TOKEN = 'secret-token-of-cloudflare';

type Binding = { type: string; name: string; text?: string; service?: string };
type Script = { bindings: Binding[]; modules: Map<string, Buffer>; assets: string[] | null };
type Manifest = Record<string, { hash: string; size: number }>;

export class CloudflareApi extends PlatformSimulator {
  readonly scripts = new Map<string, Script>();
  /** Versions that are not deployed yet, by id. */
  readonly #versions = new Map<string, Script>();
  readonly #manifests = new Map<string, Manifest>();
  readonly #uploaded = new Set<string>();
  readonly #publicOrigin: string;
  readonly #gateway: string;

  /** An account that serves `publicOrigin` with the worker `gateway`. */
  constructor(publicOrigin: string, gateway: string) {
    super();
    this.#publicOrigin = publicOrigin;
    this.#gateway = gateway;
  }

  environment(): Record<string, string> {
    return { CLOUDFLARE_API_BASE_URL: `${this.origin}/client/v4`, ...this.redirect(this.#publicOrigin) };
  }

  protected override async reply(call: Call): Promise<Reply> {
    const { method, url, request, body } = call;
    // After a refusal wrangler asks for the token's user.
    const identity = IDENTITY[url.pathname.replace('/client/v4', '')];
    if (method === 'GET' && identity !== undefined) return result(identity);
    const [, path] = new RegExp(`^/client/v4/accounts/${ACCOUNT}/workers(/.*)$`).exec(url.pathname) ?? [];
    if (path === undefined) throw new Error('there is no such endpoint');
    if (method === 'POST' && path === '/assets/upload') return this.#uploadAssets(call);
    if (request.headers.authorization !== `Bearer ${API_TOKEN}`) return refusal(403, 10000, 'Authentication error');
    const failure = this.failure(`${method} ${path}`);
    if (failure !== undefined) return refusal(failure, 10000, `refused with ${failure} for the test`);
    if (method === 'GET' && path === '/subdomain') return result({ subdomain: 'loopback' });

    const [, kind, worker = ''] = /^\/(workers|services)\/([^/]+)$/.exec(path) ?? [];
    if (method === 'GET' && kind !== undefined && (kind === 'services' || this.scripts.has(worker))) {
      if (!this.scripts.has(worker)) return refusal(404, 10090, 'workers.api.error.service_not_found');
      const environment = { environment: 'production', script: { last_deployed_from: 'wrangler', tag: worker } };
      return result({ id: worker, name: worker, subdomain: { enabled: false, previews_enabled: false }, default_environment: environment });
    }
    const [, name, what] = /^\/scripts\/([^/]+)(|\/[^/]+)$/.exec(path) ?? [];
    if (name === undefined) throw new Error('there is no such endpoint');
    const deployed = this.scripts.get(name);
    if (method === 'PUT' && what === '') {
      this.scripts.set(name, await this.#script(await form(call), deployed));
      return result({ id: name, tag: name, etag: name, deployment_id: randomUUID(), startup_time_ms: 1 });
    }
    if (method === 'POST' && what === '/assets-upload-session') return this.#beginAssets(JSON.parse(body.toString()));
    if (!deployed) return refusal(404, 10007, 'This Worker does not exist on your account.');
    switch (`${method} ${what}`) {
      case 'GET /deployments':
        return result({ deployments: [] });
      case 'GET /settings':
        return result({ bindings: deployed.bindings.map(({ text, ...binding }) => binding), tags: [] });
      case 'GET /secrets':
        return result(deployed.bindings.filter(({ type }) => type === 'secret_text').map(({ name, type }) => ({ name, type })));
      case 'POST /versions': {
        const id = randomUUID();
        this.#versions.set(id, await this.#script(await form(call), deployed));
        return result({ id, startup_time_ms: 1, resources: { script: { etag: id } } });
      }
      case 'POST /deployments': {
        const { versions } = JSON.parse(body.toString());
        const version = this.#versions.get(versions[0].version_id);
        if (!version || versions.length !== 1 || versions[0].percentage !== 100) throw new Error(`not a deployment of one version: ${body}`);
        this.scripts.set(name, version);
        return result({ id: randomUUID() });
      }
      case 'PATCH /script-settings':
        return result({});
      case 'GET /subdomain':
      case 'POST /subdomain':
        return result({ enabled: false, previews_enabled: false });
      default:
        throw new Error('there is no such endpoint');
    }
  }

  async #script(upload: FormData, previous: Script | undefined): Promise<Script> {
    const metadata = JSON.parse(String(upload.get('metadata')));
    const files = [...upload.keys()].filter((key) => key !== 'metadata');
    if (!files.includes(metadata.main_module)) throw new Error(`there is no module ${metadata.main_module} among ${files}`);
    const bindings: Binding[] = metadata.bindings;
    for (const { type, name, service } of bindings) {
      if (type === 'service' && !this.scripts.has(service!)) throw new Error(`${name} binds ${service}, which does not exist`);
      if (type === 'inherit') throw new Error(`${name} was not uploaded`);
    }
    const kept: string[] = metadata.keep_bindings ?? [];
    const inherited = (previous?.bindings ?? []).filter(({ type, name }) => kept.includes(type) && !bindings.some((given) => given.name === name));
    const manifest = metadata.assets ? this.#manifests.get(metadata.assets.jwt) : null;
    if (manifest === undefined) throw new Error('assets of another session');
    const missing = Object.entries(manifest ?? {}).filter(([, { hash }]) => !this.#uploaded.has(hash));
    if (missing.length > 0) throw new Error(`assets were not uploaded: ${missing}`);
    const modules = new Map<string, Buffer>();
    for (const file of files) modules.set(file, Buffer.from(await (upload.get(file) as File).arrayBuffer()));
    return { bindings: [...bindings, ...inherited], modules, assets: manifest && Object.keys(manifest) };
  }

  #beginAssets({ manifest }: { manifest: Manifest }): Reply {
    const session = randomUUID();
    this.#manifests.set(session, manifest);
    const missing = Object.values(manifest).map(({ hash }) => hash).filter((hash) => !this.#uploaded.has(hash));
    return result({ jwt: session, buckets: missing.length > 0 ? [missing] : [] });
  }

  async #uploadAssets(call: Call): Promise<Reply> {
    const session = call.request.headers.authorization?.replace('Bearer ', '') ?? '';
    if (!this.#manifests.has(session)) return refusal(403, 10000, 'Authentication error');
    for (const hash of (await form(call)).keys()) this.#uploaded.add(hash);
    return { ...result({ jwt: session }), status: 201 };
  }

  /** Responds as the gateway: healthy with all its bindings, 404 before it was deployed. */
  protected override async serveDeployed(url: URL, _request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    if (url.pathname !== '/health') return false;
    const status = this.scripts.has(this.#gateway) ? 200 : 404;
    response.writeHead(status).end(JSON.stringify({ status: status === 200 ? 'ok' : 'unavailable' }));
    return true;
  }
}

function result(value: unknown): Reply {
  return { status: 200, body: { success: true, errors: [], messages: [], result: value } };
}

function refusal(status: number, code: number, message: string): Reply {
  return { status, body: { success: false, errors: [{ code, message }], messages: [], result: null } };
}

const IDENTITY: Record<string, unknown> = {
  '/user': { id: 'user', email: 'user@example.test' },
  '/user/tokens/verify': { id: 'token', status: 'active' },
  '/accounts': [{ id: ACCOUNT, name: 'account' }],
  '/memberships': [{ id: 'membership', account: { id: ACCOUNT, name: 'account' } }],
};
