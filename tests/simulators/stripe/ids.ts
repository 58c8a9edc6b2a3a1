import { randomBytes } from 'node:crypto';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const LENGTHS: Record<string, number> = { cus: 14, prod: 14, si: 14, req: 14, cs_test: 58 };

export function randomText(length: number): string {
  return [...randomBytes(length)].map((byte) => BASE62[byte % 62]).join('');
}

/** As long as Stripe's own: 14 characters for what is old, 24 for what came later. */
export function newId(prefix: string): string {
  return `${prefix}_${randomText(LENGTHS[prefix] ?? 24)}`;
}
