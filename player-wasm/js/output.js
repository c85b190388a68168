/** The browser's side of the output: a MediaSource and its SourceBuffers. Runs in a worker or a page. @module */
import { textOf } from './errors.js';

/**
 * Who is told. Tracks are numbers, as the engine counts them.
 * @typedef {object} Listener
 * @property {() => void} opened
 * @property {(track: import('./engine.js').Track, playable: boolean) => void} checked the answer to `check`
 * @property {(track: import('./engine.js').Track) => void} finished an append or a removal is done
 * @property {(end: number, why: string) => void} evicted the browser removed media of its own accord, up to this time
 * @property {(track: import('./engine.js').Track, full: boolean, text: string, spoiled?: boolean) => void} failed something could not even begin: for want of room (`full`), or for what `text` says; `spoiled`: because of what it was
 */

export class MediaOutput {
    mediaSource;
    #Type;
    listener;
    /** @type {(SourceBuffer | undefined)[]} */
    buffers = [];
    #duration = 0;
    #url = '';
    #closed = false;

    /** @param {Listener} listener @param {typeof MediaSource} [Type] */
    constructor(listener, Type = MediaSource) {
        this.listener = listener;
        this.#Type = Type;
        this.mediaSource = new Type();
        const opened = () => {
            if (this.#closed) return;
            this.#applyDuration();
            listener.opened();
        };
        this.mediaSource.addEventListener('sourceopen', opened, { once: true });
    }

    /**
     * Whether this browser plays the type, here: a worker may differ from its page.
     * @param {import('./engine.js').Track} track @param {string} mime
     */
    check(track, mime) {
        this.listener.checked(track, this.#Type.isTypeSupported(mime));
    }

    /** What to put into the element: a handle from a worker, else an object URL. */
    get attachment() {
        const { handle } = this.mediaSource;
        if (!handle) this.#url ||= URL.createObjectURL(this.mediaSource);
        return { handle, url: this.#url };
    }

    get isOpen() {
        return this.mediaSource.readyState === 'open';
    }

    /** @param {import('./engine.js').Track} track @param {string} mime */
    addTrack(track, mime) {
        this.#try(track, () => {
            const buffer = this.mediaSource.addSourceBuffer(mime);
            const on = (event, then) => buffer.addEventListener(event, () => this.#closed || then());
            on('error', () => this.listener.failed(track, false, 'append', true));
            on('updateend', () => {
                this.#applyDuration();
                this.listener.finished(track);
            });
            this.buffers[track] = buffer;
        });
    }

    /** @param {import('./engine.js').Track} track @param {string} mime */
    changeType(track, mime) {
        this.#try(track, () => {
            const buffer = this.buffers[track];
            buffer.changeType?.(mime);
            // A type without times leaves its way of placing media behind.
            if (buffer.mode === 'sequence' && mime.includes('/mp4')) {
                buffer.mode = 'segments';
                buffer.timestampOffset = 0;
            }
        });
    }

    /**
     * The bytes are copied before this returns.
     * @param {import('./engine.js').Track} track @param {Uint8Array<ArrayBuffer>} bytes
     * @param {number} start where they begin, seconds; NaN if they say it
     */
    append(track, bytes, start) {
        this.#try(track, () => {
            const buffer = this.buffers[track];
            if (start >= 0) buffer.timestampOffset = start;
            buffer.appendBuffer(bytes);
        });
    }

    /** @param {import('./engine.js').Track} track @param {number} from @param {number} to seconds */
    remove(track, from, to) {
        this.#try(track, () => this.buffers[track].remove(from, to));
    }

    /** How long it all is: of files. @param {number} seconds */
    setDuration(seconds) {
        this.#duration = seconds;
        this.#applyDuration();
    }

    /** No more will come: the element ends when it has played everything. */
    end() {
        if (this.isOpen) this.mediaSource.endOfStream();
    }

    close() {
        this.#closed = true;
        this.buffers = [];
        if (this.#url) URL.revokeObjectURL(this.#url);
        this.#url = '';
    }

    #try(track, action) {
        try {
            action();
        } catch (error) {
            const buffer = this.buffers[track];
            this.listener.failed(track, !!buffer && error.name === 'QuotaExceededError', textOf(error), !buffer);
        }
    }

    /** A MediaSource refuses a duration while it takes something. */
    #applyDuration() {
        if (!this.#duration || !this.isOpen || this.buffers.some((buffer) => buffer?.updating)) return;
        const { buffered } = this.buffers.find((buffer) => buffer?.buffered.length) ?? {};
        // What is there counts more than what was announced.
        if (!buffered || buffered.end(buffered.length - 1) < this.#duration) this.mediaSource.duration = this.#duration;
        this.#duration = 0;
    }
}
