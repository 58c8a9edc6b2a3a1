import type { Collection } from './collection.ts';
import { missing } from './error.ts';
import type { Params, Schema } from './params.ts';
import type { Customer, Thing } from './types.ts';
import type { World } from './world.ts';

export interface Call {
  world: World;
  /** What stands for the `:id` of the path. */
  id: string;
  params: Params;
  /** Where this server is, as the caller knows it. */
  origin: string;
}

export interface Route {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  params: Schema;
  required?: readonly string[];
  run(call: Call): Record<string, unknown>;
}

export function known<T extends Thing>(collection: Collection<T>, what: string, id: string, param?: string): T {
  const thing = collection.get(id);
  if (thing === undefined) {
    throw missing(what, id, param);
  }
  return thing;
}

/** A customer that a parameter names, deleted ones excepted. */
export function customerParam(world: World, id: unknown): Customer | undefined {
  if (id === undefined) {
    return undefined;
  }
  const customer = world.customer(String(id));
  if (customer === undefined) {
    throw missing('customer', String(id), 'customer');
  }
  return customer;
}

/** Those of a customer that a list is limited to, who may have been deleted, or all. */
export function among<T extends Thing>(world: World, collection: Collection<T>, customer: unknown): T[] {
  if (customer === undefined) {
    return collection.all();
  }
  known(world.customers, 'customer', String(customer), 'customer');
  return collection.of(String(customer));
}

/** One that a path names, deleted ones excepted. */
export function living(world: World, id: string): Customer {
  const customer = world.customer(id);
  if (customer === undefined) {
    throw missing('customer', id);
  }
  return customer;
}

export const same = (asked: unknown, value: unknown): boolean => asked === undefined || asked === value;
