/**
 * The engine's host: brings the source's bytes to the engine and does with the browser what the
 * engine says. The same in a worker and on the page's thread; all talk with the page is messages.
 * @module
 */
import { Message } from './messages.js';
import { Session } from './session.js';

export class Host {
    #post;
    /** @type {Session | undefined} */
    #session;

    /** @param {(message: object, transfer?: Transferable[]) => void} post */
    constructor(post) {
        this.#post = post;
    }

    /** @param {any} message */
    receive(message) {
        if (message.type === Message.Load) {
            const { id } = message;
            this.#session?.close();
            this.#session = new Session(message, (answer, transfer) => this.#post({ ...answer, id }, transfer));
        } else if (message.type === Message.Unload) {
            this.#session?.close();
            this.#session = undefined;
        } else if (message.id === this.#session?.id) {
            this.#session?.receive(message);
        }
    }
}
