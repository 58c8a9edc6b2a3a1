import { readFileSync } from 'node:fs';

/** Letters that Unicode does not decompose into a base letter and a mark. */
const UNDECOMPOSED: Record<string, string> = { ł: 'l', ø: 'o', đ: 'd', ð: 'd', ß: 'ss', æ: 'ae', œ: 'oe', þ: 'th', ı: 'i', '&': ' and ' };

/** Lower case, no marks, no apostrophes, one space between words: "Łąki Łan & Don’t" → "laki lan and dont". */
export function fold(text: string): string {
  return text
    .toLowerCase()
    .replace(/[łøđðßæœþı&]/g, (letter) => UNDECOMPOSED[letter] ?? letter)
    .normalize('NFKD')
    .replace(/\p{M}|['’`´]/gu, '')
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

export function words(text: string): string[] {
  const folded = fold(text);
  return folded === '' ? [] : folded.split(' ');
}

export const rowsOf = <T>(file: string): T[] => readFileSync(new URL(file, import.meta.url), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as T);
