/**
 * Polls URLs until each returns 200, for at most a minute, because a deployment takes some seconds to reach every region.
 * With HEALTH_TOKEN the responses name the missing dependencies.
 */

const PATIENCE_MS = 60_000;
const PAUSE_MS = 2_000;
const TIMEOUT_MS = 15_000;

const { HEALTH_TOKEN } = process.env;
const headers = HEALTH_TOKEN ? { Authorization: `Bearer ${HEALTH_TOKEN}` } : undefined;

async function ask(url: string): Promise<{ well: boolean; says: string }> {
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'manual' });
    return { well: response.status === 200, says: `${response.status} ${(await response.text()).slice(0, 2000)}` };
  } catch (error) {
    return { well: false, says: String((error as Error).cause ?? error) };
  }
}

const deadline = Date.now() + PATIENCE_MS;
let waiting = process.argv.slice(2);
for (;;) {
  const answers = await Promise.all(waiting.map(async (url) => ({ url, ...(await ask(url)) })));
  const isOver = Date.now() >= deadline;
  for (const { url, well, says } of answers) if (well || isOver) console.log(`${url}: ${says}`);
  waiting = answers.filter(({ well }) => !well).map(({ url }) => url);
  if (waiting.length === 0) break;
  if (isOver) process.exit(1);
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
