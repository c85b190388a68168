/** What a host may be made of. @module */
import { FileSession } from './file-session.js';
import { ManagedOutput } from './managed.js';
import { MediaOutput } from './output.js';
import { remoteOutput } from './remote.js';
import { openSocket } from './socket.js';

/**
 * @typedef {object} Parts
 * @property {(mode: string, listener: import('./output.js').Listener, post?: (message: object, transfer?: Transferable[]) => void) => any} makeOutput
 * @property {typeof openSocket} [openSocket] for WebSocket
 * @property {typeof FileSession} [FileSession] for what is not live
 */

/** @type {Parts} */
export const everything = { makeOutput, openSocket, FileSession };

/** What plays in this mode in this browser. @type {Parts['makeOutput']} */
export function makeOutput(mode, listener, post) {
    if (mode === 'transmux') return remoteOutput(listener, post);
    return globalThis.MediaSource ? new MediaOutput(listener) : new ManagedOutput(listener);
}
