/**
 * Splits a script into its statements, trimmed and without the closing semicolon, as the Supabase CLI records them.
 * Semicolons inside of strings, quoted names, dollar quotes, comments, parentheses and `begin atomic … end` do not end a statement.
 */
export function splitStatements(script: string): string[] {
  const statements: string[] = [];
  let start = 0;
  let depth = 0;
  let atomic_depth = 0;
  let position = 0;

  while (position < script.length) {
    const token = nextToken(script, position);
    position += token.length;
    if (token === '(') depth += 1;
    else if (token === ')') depth -= 1;
    else if (/^begin\s+atomic$/i.test(token) || (atomic_depth > 0 && /^case$/i.test(token))) atomic_depth += 1;
    else if (atomic_depth > 0 && /^end$/i.test(token)) atomic_depth -= 1;
    else if (token === ';' && depth <= 0 && atomic_depth === 0) {
      statements.push(script.slice(start, position - 1));
      start = position;
      depth = 0;
    }
  }
  statements.push(script.slice(start));
  return statements.map((statement) => statement.trim()).filter((statement) => statement !== '');
}

/** What one token may look like, tried in this order; sticky, so that each starts where the last one ended. */
const TOKENS = [
  /--[^\n]*/y,
  /\b[eE]'(?:[^'\\]|\\.|'')*'?/sy,
  /'(?:[^']|'')*'?/y,
  /"(?:[^"]|"")*"?/y,
  /\$(\w*)\$.*?(?:\$\1\$|$)/sy,
  /\bbegin\s+atomic\b/iy,
  /[\p{L}_][\p{L}\p{N}_$]*/uy,
];

function nextToken(script: string, position: number): string {
  if (script.startsWith('/*', position)) return blockComment(script, position);
  for (const pattern of TOKENS) {
    pattern.lastIndex = position;
    const found = pattern.exec(script);
    if (found) return found[0];
  }
  return script.charAt(position);
}

/** Comments nest in PostgreSQL. */
function blockComment(script: string, start: number): string {
  let depth = 0;
  let position = start;
  while (position < script.length) {
    if (script.startsWith('/*', position)) depth += 1;
    else if (script.startsWith('*/', position)) depth -= 1;
    else {
      position += 1;
      continue;
    }
    position += 2;
    if (depth === 0) break;
  }
  return script.slice(start, position);
}
