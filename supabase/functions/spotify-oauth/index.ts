import * as embedded from './build/embedded.js';
import * as bindings from './build/index.js';
import { serve } from '../_shared/serve.ts';

serve(bindings, embedded);
