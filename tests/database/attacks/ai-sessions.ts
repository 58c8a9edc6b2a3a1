// The quota's ledger: forging, back-dating and deleting rows, in the table and in each month by its name.

import { randomUUID } from 'node:crypto';
import type { Attack } from './attack.ts';
import { del, denied, either, get, head, hidden, patch, post, put, refused } from './attack.ts';
import type { Scene } from './scene.ts';

const LONG_AGO = '2020-01-01T00:00:00Z';

const forged = (user_id: string, more: object = {}) => ({ id: randomUUID(), user_id, prompt: 'x', status: 'failed', cost: 0, ...more });

const writing = (table: string, { mallory, victim }: Scene, expected: Attack['expected']): Attack[] => {
  const own = `/${table}?id=eq.${mallory.generation}`;
  const overwritten = forged(mallory.id, { id: mallory.generation });
  return [
    { what: `forges a failed session in ${table}`, ask: post(`/${table}`, forged(mallory.id)), expected },
    { what: `forges an old session in ${table}`, ask: post(`/${table}`, forged(mallory.id, { created_at: LONG_AGO })), expected },
    { what: `uses up the victim's quota in ${table}`, ask: post(`/${table}`, forged(victim.id, { status: 'succeeded' })), expected },
    { what: `overwrites the own session in ${table}`, ask: post(`/${table}?on_conflict=id,created_at`, overwritten, 'resolution=merge-duplicates'), expected },
    { what: `declares the own session failed in ${table}`, ask: patch(own, { status: 'failed' }), expected },
    { what: `back-dates the own session in ${table}`, ask: patch(own, { created_at: LONG_AGO }), expected },
    { what: `gives the own session to the victim in ${table}`, ask: patch(own, { user_id: victim.id }), expected },
    { what: `changes the victim's prompt in ${table}`, ask: patch(`/${table}?id=eq.${victim.generation}`, { prompt: 'x' }), expected },
    { what: `deletes the own session in ${table}`, ask: del(own), expected },
    { what: `deletes the victim's session in ${table}`, ask: del(`/${table}?id=eq.${victim.generation}`), expected },
    { what: `deletes every session in ${table}`, ask: del(`/${table}?id=not.is.null`), expected },
  ];
};

const reading = (month: string, { mallory }: Scene): Attack[] => [
  { what: `reads everything in ${month}`, ask: get(`/${month}`), expected: hidden },
  { what: `reads the own session in ${month}`, ask: get(`/${month}?id=eq.${mallory.generation}`), expected: hidden },
  { what: `counts everything in ${month}`, ask: head(`/${month}`), expected: hidden },
  { what: `reads ${month} as an embedded one`, ask: get(`/profiles?select=username,${month}(*)`), expected: either(hidden, refused([400], 'PGRST200')) },
];

export const ledger = (scene: Scene): Attack[] => [
  ...writing('ai_sessions', scene, denied),
  {
    what: 'puts a session in the place of the own',
    ask: put(`/ai_sessions?id=eq.${scene.mallory.generation}`, forged(scene.mallory.id, { id: scene.mallory.generation })),
    // PostgREST wants every column of the primary key in the filter before it asks the database.
    expected: either(denied, refused([405], 'PGRST105')),
  },
  ...scene.months.flatMap((month) => [...writing(month, scene, hidden), ...reading(month, scene)]),
];
