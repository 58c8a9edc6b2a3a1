// Attacks by a signed-in user, as HTTP requests, after each of which the database is compared.
//
// DATABASE_URL, SUPABASE_URL and the keys name a Supabase where sign-ups need no confirmation.

import { after } from 'node:test';
import { attacks } from './attacks/attack.ts';
import { credentials } from './attacks/credentials.ts';
import { hiddenNames } from './attacks/hidden-names.ts';
import { ownTables } from './attacks/own-tables.ts';
import { rowsOfOthers } from './attacks/rows-of-others.ts';
import { makeScene } from './attacks/scene.ts';
import { connect } from './support.ts';

const sql = connect();
const scene = await makeScene(sql);

attacks('the own tables', scene, ownTables(scene));
attacks('rows of others', scene, rowsOfOthers(scene));
attacks('names that are not exposed', scene, hiddenNames());
attacks('keys and preferences', scene, credentials(scene));

after(() => sql.end());
