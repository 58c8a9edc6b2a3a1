// The limit: reads the body and returns a constant.

import type { Environment, Handler } from '../candidate.ts';

export function serve(_env: Environment): Handler {
  return async (request) => {
    await request.arrayBuffer();
    return Response.json({ received: true });
  };
}
