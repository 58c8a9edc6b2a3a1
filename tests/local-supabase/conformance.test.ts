/**
 * What the project relies on of a Supabase, asked of any that has the project's migrations: the local one, `supabase
 * start`, or a hosted project that lets people sign up without a confirmation.
 *
 *   SUPABASE_URL=… SUPABASE_PUBLISHABLE_KEY=… SUPABASE_SECRET_KEY=… node --test tests/local-supabase/conformance.test.ts
 *
 * It signs up users of its own, named conformance-…@example.com, and leaves them.
 */
import './conformance/auth.ts';
import './conformance/rest.ts';
