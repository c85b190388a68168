/** The worker's end of an output on the page, where a worker can have no MediaSource. @module */

/** Has the interface of {@link import('./output.js').MediaOutput}; what is asked for goes to a {@link import('./outlet.js').Outlet}. */
export class RemoteOutput {
    isOpen = false;
    #listener;
    #post;
    #number = (made += 1);

    /** @param {import('./output.js').Listener} listener @param {(message: object, transfer?: Transferable[]) => void} post */
    constructor(listener, post) {
        this.#listener = listener;
        this.#post = post;
        this.#call('open', this.#number);
    }

    /** The page's answer. @param {{number: number, call: string, args: any[]}} message */
    receive({ number, call, args }) {
        if (number !== this.#number) return;
        if (call === 'opened') this.isOpen = true;
        this.#listener[call](...args);
    }

    append(track, bytes, start) {
        // The one copy: what leaves the engine's memory then changes hands.
        const copy = bytes.slice();
        this.#post({ type: 'output', call: 'append', args: [track, copy, start] }, [copy.buffer]);
    }

    check = this.#passedOn('check');
    addTrack = this.#passedOn('addTrack');
    changeType = this.#passedOn('changeType');
    remove = this.#passedOn('remove');
    setDuration = this.#passedOn('setDuration');
    end = this.#passedOn('end');
    close = this.#passedOn('close');

    #passedOn(call) {
        return (...args) => this.#call(call, ...args);
    }

    #call(call, ...args) {
        this.#post({ type: 'output', call, args });
    }
}

/** Tells the answers to one output from those to the one before. */
let made = 0;
