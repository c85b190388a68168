/**
 * The engine's host: brings the source's bytes to the engine and does with the browser what the
 * engine says. The same in a worker and on the page's thread; all talk with the page is messages.
 * @module
 */
import { Message } from './messages.js';
import { Session } from './session.js';

/** A host in a worker: its page is on the other side of messages. @param {import('./parts.js').Parts} parts */
export function serve(parts) {
    const host = new Host((message, transfer = []) => self.postMessage(message, /** @type {any} */ (transfer)), parts);
    self.onmessage = ({ data }) => host.receive(data);
    self.postMessage({ type: Message.Hello });
}

export class Host {
    #post;
    /** @type {Session | undefined} */
    #session;

    #parts;

    /** @param {(message: object, transfer?: Transferable[]) => void} post @param {import('./parts.js').Parts} parts */
    constructor(post, parts) {
        this.#post = post;
        this.#parts = parts;
    }

    /** @param {any} message */
    receive(message) {
        if (message.type === Message.Load) {
            const { id } = message;
            this.#session?.close();
            const Type = message.config.isLive ? Session : this.#parts.FileSession;
            this.#session = new Type(message, (answer, transfer) => this.#post({ ...answer, id }, transfer), this.#parts);
            this.#session.begin();
        } else if (message.type === Message.Unload) {
            this.#session?.close();
            this.#session = undefined;
        } else if (message.id === this.#session?.id) {
            this.#session?.receive(message);
        }
    }
}
