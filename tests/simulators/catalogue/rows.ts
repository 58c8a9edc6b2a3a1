import { readFileSync } from 'node:fs';

/** A file of one JSON value per line. */
export const rowsOf = <T>(file: string): T[] => readFileSync(new URL(file, import.meta.url), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as T);
