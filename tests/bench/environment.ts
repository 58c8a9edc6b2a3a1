/** What `cargo xtask bench` hands to a measurement. */
export function variable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run \`cargo xtask bench\``);
  return value;
}

/** Where results go. */
export const folder = variable('BENCH_FOLDER');
