import { newestFirst } from './collection.ts';
import { StripeError, badParameter } from './error.ts';
import type { Params, Schema } from './params.ts';
import { integer, text } from './params.ts';
import type { Thing } from './types.ts';

const DEFAULT_LIMIT = 10;

/** What every list takes. */
export const PAGING: Schema = { limit: integer(1, 100), starting_after: text(), ending_before: text() };

/** A page of what was found, newest first; cursors are ids of what the last page showed. */
export function page<T extends Thing>(url: string, found: T[], params: Params, what: string): Record<string, unknown> {
  const { limit = DEFAULT_LIMIT, starting_after, ending_before } = params as { limit?: number; starting_after?: string; ending_before?: string };
  if (starting_after !== undefined && ending_before !== undefined) {
    throw badParameter('starting_after', 'You may only specify one of these parameters: starting_after, ending_before.', 'parameters_exclusive');
  }
  const all = newestFirst(found);
  const cursor = (id: string, param: string): number => {
    const at = all.findIndex((thing) => thing.id === id);
    if (at < 0) {
      throw new StripeError(400, `No such ${what}: '${id}'`, { code: 'resource_missing', param });
    }
    return at;
  };
  if (ending_before !== undefined) {
    const before = all.slice(0, cursor(ending_before, 'ending_before'));
    return { object: 'list', data: before.slice(-limit), has_more: before.length > limit, url };
  }
  const after = starting_after === undefined ? all : all.slice(cursor(starting_after, 'starting_after') + 1);
  return { object: 'list', data: after.slice(0, limit), has_more: after.length > limit, url };
}
