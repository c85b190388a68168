/** The worker's end of an output on the page, where a worker can have no MediaSource. @module */
import { Message } from './messages.js';

/**
 * Has the interface of {@link import('./output.js').MediaOutput}; what is asked for goes to a {@link import('./outlet.js').Outlet}.
 * @param {import('./output.js').Listener} listener @param {(message: object, transfer?: Transferable[]) => void} post
 * @returns {any}
 */
export function remoteOutput(listener, post) {
    const mine = (made += 1);
    const ask = (call) => (...args) => post({ type: Message.Output, call, args });
    ask('open')(mine);
    const output = /** @type {Record<string, any>} */ ({
        isOpen: false,
        attachment: undefined,
        /** The page's answer; without a number it may be to any output. @param {{number?: number, call: string, args: any[]}} message */
        receive({ number, call, args }) {
            if (number && number !== mine) return;
            if (call === 'opened') output.isOpen = true;
            listener[call](...args);
        },
        append(track, bytes, start) {
            // The one copy: what leaves the engine's memory then changes hands.
            const copy = bytes.slice();
            post({ type: Message.Output, call: 'append', args: [track, copy, start] }, [copy.buffer]);
        },
    });
    return new Proxy(output, { get: (own, name) => (name in own ? own[String(name)] : ask(name)) });
}

/** Tells the answers to one output from those to the one before. */
let made = 0;
