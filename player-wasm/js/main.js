/** The way from a player to a host on the page's own thread. Loaded where it is not in a worker. @module */
import { Host } from './host.js';
import { Message } from './messages.js';
import { everything } from './parts.js';

/**
 * Messages take a turn of the event loop's microtasks, so that a listener may destroy the player without pulling the ground
 * from under the host.
 * @param {(message: object) => void} receive
 * @returns {import('./link.js').Link}
 */
export function mainLink(receive) {
    let closed = false;
    const host = new Host((message) => queueMicrotask(() => closed || receive(message)), everything);
    return {
        mode: 'main',
        post: (message) => host.receive(message),
        close: () => {
            closed = true;
            host.receive({ type: Message.Unload });
        },
    };
}
