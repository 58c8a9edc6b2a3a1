// What was measured, into docs/bench: node tests/bench/record.ts <folder> <command> <part>…
//
// Each part's page there has a place for it, between two markers; what stands around is written by hand.

import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const DOCS = 'docs/bench';
const BEGIN = '<!-- measured -->';
const END = '<!-- /measured -->';

const [folder, command, ...parts] = process.argv.slice(2);
if (folder === undefined || command === undefined) {
  console.error('usage: node tests/bench/record.ts <folder> <command> <part>…');
  process.exit(2);
}

/** Nothing that would tell whose machine it is. */
const machine = `${os.cpus()[0]?.model.trim()}, ${os.availableParallelism()} cores, ${os.type()} ${os.release().split('-')[0]}`;
const date = new Date().toISOString().slice(0, 10);

for (const part of parts) {
  const file = path.join(DOCS, `${part}.md`);
  const [before, rest = ''] = readFileSync(file, 'utf8').split(BEGIN);
  const after = rest.split(END)[1];
  if (after === undefined) throw new Error(`${file} has no place between ${BEGIN} and ${END}`);
  const table = readFileSync(path.join(folder, `${part}.md`), 'utf8').trim();
  const head = `\`${command} --only ${part}\`, ${date}; ${machine}.`;
  writeFileSync(file, `${before}${BEGIN}\n${head}\n\n${table}\n${END}${after}`);
  const chart = path.join(folder, `${part}.svg`);
  if (existsSync(chart)) copyFileSync(chart, path.join(DOCS, `${part}.svg`));
}
