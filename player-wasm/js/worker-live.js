/** The entry of the worker for what most pages play: a live stream over HTTP, where a worker has MediaSource. @module */
import { serve } from './host.js';
import { MediaOutput } from './output.js';

serve({ makeOutput: (mode, listener) => new MediaOutput(listener) });
