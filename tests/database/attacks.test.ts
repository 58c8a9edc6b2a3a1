// Attacks by a signed-in user, as HTTP requests, each followed by a look at the truth in the database.
//
// DATABASE_URL, SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY and SUPABASE_SECRET_KEY name the Supabase that is attacked, which
// lets people sign up without a confirmation.

import { after } from 'node:test';
import { ledger } from './attacks/ai-sessions.ts';
import { attacks, attacksTried } from './attacks/attack.ts';
import { credentials } from './attacks/credentials.ts';
import { ownRows } from './attacks/own-rows.ts';
import { plan } from './attacks/plan.ts';
import { rowsOfOthers } from './attacks/rows-of-others.ts';
import { makeScene } from './attacks/scene.ts';
import { serverFunctions } from './attacks/server-functions.ts';
import { signUps } from './attacks/sign-up.ts';
import { spotifyTokens } from './attacks/spotify-tokens.ts';
import { connect } from './support.ts';

const sql = connect();
const scene = await makeScene(sql);

attacks('becoming pro', scene, plan(scene));
attacks('the ledger of the quota', scene, ledger(scene));
attacks('rows of others', scene, rowsOfOthers(scene));
attacks('what an owner may not do either', scene, ownRows(scene));
attacks('Spotify tokens', scene, spotifyTokens(scene));
attacks('functions of the server', scene, serverFunctions(scene));
attacks('being somebody else', scene, await credentials(scene));
signUps(scene);

after(async () => {
  await sql.end();
  console.log(`attacks: ${attacksTried()}`);
});
