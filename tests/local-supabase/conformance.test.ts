/**
 * The behaviour of Supabase on which the project relies. Runs against any instance with the project's migrations: the
 * local one, `supabase start`, or a hosted project where users sign up without confirmation.
 *
 *   SUPABASE_URL=… SUPABASE_PUBLISHABLE_KEY=… SUPABASE_SECRET_KEY=… node --test tests/local-supabase/conformance.test.ts
 *
 * It signs up users named conformance-…@example.com and does not delete them.
 */
import './conformance/auth.ts';
import './conformance/rest.ts';
