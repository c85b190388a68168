/** The entry of a worker that can play everything. @module */
import { serve } from './host.js';
import { everything } from './parts.js';

serve(everything);
