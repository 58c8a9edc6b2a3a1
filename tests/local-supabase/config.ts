/** What the process is told by its environment; everything is checked before anything is touched. */
export type Config = {
  database_url: string;
  port: number;
  state_dir: string;
  functions_origin: string;
  site_url: string;
  migrations_dir: string;
  seed_file: string | null;
  jwt_alg: 'ES256' | 'HS256';
  confirm_email: boolean;
  captcha: { secret: string; siteverify_url: string } | null;
};

export class ConfigError extends Error {}

export function configFromLookup(lookup: (name: string) => string | undefined): Config {
  const required = ['DATABASE_URL', 'PORT', 'STATE_DIR', 'FUNCTIONS_ORIGIN', 'SITE_URL', 'MIGRATIONS_DIR'];
  const missing = required.filter((name) => !lookup(name));
  if (missing.length > 0) throw new ConfigError(`missing environment variables: ${missing.join(', ')}`);
  const value = (name: string) => lookup(name) ?? '';

  return {
    database_url: checkedUrl('DATABASE_URL', value('DATABASE_URL'), ['postgres:', 'postgresql:']),
    port: checkedPort(value('PORT')),
    state_dir: value('STATE_DIR'),
    functions_origin: new URL(checkedUrl('FUNCTIONS_ORIGIN', value('FUNCTIONS_ORIGIN'), ['http:'])).origin,
    site_url: checkedUrl('SITE_URL', value('SITE_URL'), ['http:', 'https:']),
    migrations_dir: value('MIGRATIONS_DIR'),
    seed_file: lookup('SEED_FILE') || null,
    jwt_alg: checkedAlgorithm(lookup('JWT_ALG') || 'ES256'),
    confirm_email: checkedFlag('CONFIRM_EMAIL', lookup('CONFIRM_EMAIL') || 'false'),
    captcha: captchaFrom(lookup),
  };
}

function checkedUrl(name: string, value: string, protocols: string[]): string {
  // The value may hold a password, so an error names the variable and not what it holds.
  if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol)) {
    throw new ConfigError(`${name} must be a URL starting with ${protocols.map((p) => `${p}//`).join(' or ')}`);
  }
  return value.replace(/\/+$/, '');
}

function checkedPort(value: string): number {
  const port = Number(value);
  if (!/^\d+$/.test(value) || port > 65_535) throw new ConfigError('PORT must be a number from 0 (any free port) to 65535');
  return port;
}

function checkedAlgorithm(value: string): Config['jwt_alg'] {
  if (value !== 'ES256' && value !== 'HS256') throw new ConfigError('JWT_ALG must be ES256 or HS256');
  return value;
}

function captchaFrom(lookup: (name: string) => string | undefined): Config['captcha'] {
  const secret = lookup('CAPTCHA_SECRET');
  if (!secret) return null;
  const url = lookup('CAPTCHA_SITEVERIFY_URL') || 'https://challenges.cloudflare.com/turnstile/v0/siteverify';
  return { secret, siteverify_url: checkedUrl('CAPTCHA_SITEVERIFY_URL', url, ['http:', 'https:']) };
}

function checkedFlag(name: string, value: string): boolean {
  if (value !== 'true' && value !== 'false') throw new ConfigError(`${name} must be true or false`);
  return value === 'true';
}
