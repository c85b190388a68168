/** The page's end of an output whose engine is in a worker that can have no MediaSource. @module */
import { Message } from './messages.js';
import { makeOutput } from './parts.js';

export class Outlet {
    #receive;
    #post;
    /** @type {import('./output.js').MediaOutput | undefined} */
    #output;

    /**
     * @param {(message: object) => void} receive gets what is to be put into the element
     * @param {(message: object) => void} post to the {@link import('./remote.js').remoteOutput}
     */
    constructor(receive, post) {
        this.#receive = receive;
        this.#post = post;
    }

    /** @param {{id: number, call: string, args: any[]}} message */
    receive({ id, call, args }) {
        if (call === 'open') this.#open(id, args[0]);
        else this.#output[call](...args);
    }

    close() {
        this.#output?.close();
    }

    #open(id, number) {
        this.close();
        const tell = (call) => (...args) => {
            // What a browser plays holds for every output, and is waited for.
            const whose = call === 'checked' ? undefined : number;
            this.#post({ type: Message.Output, id, number: whose, call, args });
        };
        const listener = /** @type {import('./output.js').Listener} */ (new Proxy({}, { get: (_, call) => tell(call) }));
        this.#output = makeOutput('main', listener);
        this.#receive({ type: Message.Attach, id, ...this.#output.attachment });
    }
}
