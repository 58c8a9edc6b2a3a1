/**
 * Polls URLs until each returns 200, for at most a minute, because a deployment takes some seconds to reach every region.
 * With HEALTH_TOKEN the responses name the missing dependencies.
 */

const DEADLINE_MS = 60_000;
const PAUSE_MS = 2_000;
const TIMEOUT_MS = 15_000;

const { HEALTH_TOKEN } = process.env;
const headers = HEALTH_TOKEN ? { Authorization: `Bearer ${HEALTH_TOKEN}` } : undefined;

async function ask(url: string): Promise<{ isHealthy: boolean; text: string }> {
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'manual' });
    return { isHealthy: response.status === 200, text: `${response.status} ${(await response.text()).slice(0, 2000)}` };
  } catch (error) {
    return { isHealthy: false, text: String((error as Error).cause ?? error) };
  }
}

const deadline = Date.now() + DEADLINE_MS;
let waiting = process.argv.slice(2);
for (;;) {
  const results = await Promise.all(waiting.map(async (url) => ({ url, ...(await ask(url)) })));
  const isOver = Date.now() >= deadline;
  for (const { url, isHealthy, text } of results) if (isHealthy || isOver) console.log(`${url}: ${text}`);
  waiting = results.filter(({ isHealthy }) => !isHealthy).map(({ url }) => url);
  if (waiting.length === 0) break;
  if (isOver) process.exit(1);
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
