/** The browser's side of the output: a MediaSource and its SourceBuffers. Runs in a worker or a page. @module */

/**
 * Who is told. Tracks are numbers, as the engine counts them.
 * @typedef {object} Listener
 * @property {() => void} opened
 * @property {(track: import('./pushpull_player.js').Track) => void} finished an append or a removal is done
 * @property {(track: import('./pushpull_player.js').Track, error: unknown) => void} failed an append could not even begin
 */

export class MediaOutput {
    #mediaSource;
    #listener;
    /** @type {(SourceBuffer | undefined)[]} */
    #buffers = [];
    #url = '';
    #closed = false;

    /** @param {Listener} listener */
    constructor(listener) {
        const Type = globalThis.MediaSource ?? globalThis.ManagedMediaSource;
        this.#listener = listener;
        this.#mediaSource = new Type();
        this.#mediaSource.addEventListener('sourceopen', () => this.#closed || listener.opened(), { once: true });
    }

    /** Whether this browser plays the type, here: a worker may differ from its page. @param {string} mime */
    static plays(mime) {
        return (globalThis.MediaSource ?? globalThis.ManagedMediaSource).isTypeSupported(mime);
    }

    /** What an element needs to play this: a handle in a worker, else the address of the source itself. */
    get attachment() {
        if (typeof document === 'undefined') return { handle: this.#mediaSource.handle };
        const managed = !(globalThis.MediaSource && this.#mediaSource instanceof globalThis.MediaSource);
        this.#url ||= URL.createObjectURL(this.#mediaSource);
        return { url: this.#url, managed };
    }

    get isOpen() {
        return this.#mediaSource.readyState === 'open';
    }

    /** @param {import('./pushpull_player.js').Track} track @param {string} mime */
    addTrack(track, mime) {
        const buffer = this.#mediaSource.addSourceBuffer(mime);
        buffer.addEventListener('updateend', () => {
            if (this.#buffers[track] === buffer) this.#listener.finished(track);
        });
        this.#buffers[track] = buffer;
    }

    /** @param {import('./pushpull_player.js').Track} track @param {string} mime */
    changeType(track, mime) {
        this.#buffers[track]?.changeType?.(mime);
    }

    /** The bytes are copied before this returns. @param {import('./pushpull_player.js').Track} track @param {Uint8Array<ArrayBuffer>} bytes */
    append(track, bytes) {
        try {
            this.#buffers[track].appendBuffer(bytes);
        } catch (error) {
            this.#listener.failed(track, error);
        }
    }

    /** @param {import('./pushpull_player.js').Track} track @param {number} from @param {number} to seconds */
    remove(track, from, to) {
        try {
            this.#buffers[track].remove(from, to);
        } catch (error) {
            this.#listener.failed(track, error);
        }
    }

    /** No more will come: the element ends when it has played everything. */
    end() {
        if (this.isOpen) this.#mediaSource.endOfStream();
    }

    close() {
        this.#closed = true;
        this.#buffers = [];
        if (this.#url) URL.revokeObjectURL(this.#url);
        this.#url = '';
    }
}
