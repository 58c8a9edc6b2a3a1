import * as embedded from './build/embedded.js';
import { start } from './build/index.js';
import { serve } from '../_shared/serve.ts';

serve(start, embedded);
