/** The configuration from the environment, which is checked before the process changes anything. */
export type Config = {
  database_url: string;
  port: number;
  state_dir: string;
  functions_origin: string;
  site_url: string;
  migrations_dir: string;
  seed_file: string | null;
  confirm_email: boolean;
  anonymous_sign_ins: boolean;
  captcha: { secret: string; siteverify_url: string } | null;
};

export function configFromLookup(lookup: (name: string) => string | undefined): Config {
  const required = ['DATABASE_URL', 'PORT', 'STATE_DIR', 'FUNCTIONS_ORIGIN', 'SITE_URL', 'MIGRATIONS_DIR'];
  const missing = required.filter((name) => !lookup(name));
  if (missing.length > 0) throw new Error(`missing environment variables: ${missing.join(', ')}`);

  // A value may contain a password, so an error names only the variable.
  const read = (name: string, fits: (value: string) => boolean, wanted: string, otherwise = ''): string => {
    const value = lookup(name) || otherwise;
    if (!fits(value)) throw new Error(`${name} must be ${wanted}`);
    return value;
  };
  const url = (name: string, protocols: string[], otherwise = ''): string => {
    const fits = (value: string): boolean => URL.canParse(value) && protocols.includes(new URL(value).protocol);
    return read(name, fits, `a URL starting with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`, otherwise).replace(/\/+$/, '');
  };
  const web = ['http:', 'https:'];
  const flag = (name: string): boolean => read(name, (value) => value === 'true' || value === 'false', 'true or false', 'false') === 'true';
  const secret = lookup('CAPTCHA_SECRET');
  const siteverify_url = url('CAPTCHA_SITEVERIFY_URL', web, 'https://challenges.cloudflare.com/turnstile/v0/siteverify');
  const isPort = (value: string): boolean => /^\d+$/.test(value) && Number(value) <= 65_535;

  return {
    database_url: url('DATABASE_URL', ['postgres:', 'postgresql:']),
    port: Number(read('PORT', isPort, 'a number from 0 (any free port) to 65535')),
    state_dir: lookup('STATE_DIR') ?? '',
    functions_origin: new URL(url('FUNCTIONS_ORIGIN', ['http:'])).origin,
    site_url: url('SITE_URL', web),
    migrations_dir: lookup('MIGRATIONS_DIR') ?? '',
    seed_file: lookup('SEED_FILE') || null,
    confirm_email: flag('CONFIRM_EMAIL'),
    anonymous_sign_ins: flag('ANONYMOUS_SIGN_INS'),
    captcha: secret ? { secret, siteverify_url } : null,
  };
}
