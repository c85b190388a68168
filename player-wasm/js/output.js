/** The browser's side of the output: a MediaSource and its SourceBuffers. Runs in a worker or a page. @module */
import { textOf } from './errors.js';

/**
 * Who is told. Tracks are numbers, as the engine counts them.
 * @typedef {object} Listener
 * @property {() => void} opened
 * @property {(track: import('./engine.js').Track, playable: boolean) => void} checked the answer to `check`
 * @property {(track: import('./engine.js').Track) => void} finished an append or a removal is done
 * @property {(end: number) => void} evicted the browser removed media of its own accord, up to this time
 * @property {(track: import('./engine.js').Track, full: boolean, text: string) => void} failed something could not even begin: for want of room (`full`), or for what `text` says
 */

export class MediaOutput {
    #mediaSource;
    #listener;
    /** @type {(SourceBuffer | undefined)[]} */
    #buffers = [];
    /** What waits for a managed MediaSource to want media, by track. @type {{bytes: Uint8Array<ArrayBuffer>, start: number}[]} */
    #held = [];
    /** Up to where media was last removed at our wish, by track. @type {number[]} */
    #removed = [];
    #duration = 0;
    #url = '';
    #closed = false;

    /** @param {Listener} listener */
    constructor(listener) {
        const Type = globalThis.MediaSource ?? globalThis.ManagedMediaSource;
        this.#listener = listener;
        this.#mediaSource = new Type();
        const on = (event, then, options) => this.#mediaSource.addEventListener(event, () => this.#closed || then(), options);
        on('sourceopen', () => {
            this.#applyDuration();
            listener.opened();
        }, { once: true });
        // Only of a ManagedMediaSource: it takes nothing between endstreaming and startstreaming.
        on('startstreaming', () => this.#held.splice(0).forEach(({ bytes, start }, track) => this.append(track, bytes, start)));
    }

    /**
     * Whether this browser plays the type, here: a worker may differ from its page.
     * @param {import('./engine.js').Track} track @param {string} mime
     */
    check(track, mime) {
        const Type = globalThis.MediaSource ?? globalThis.ManagedMediaSource;
        this.#listener.checked(track, Type.isTypeSupported(mime));
    }

    /** What to put into the element: a handle from a worker, else an object URL. */
    get attachment() {
        const { handle, streaming } = this.#mediaSource;
        const managed = streaming !== undefined;
        if (handle) return { handle, managed };
        this.#url ||= URL.createObjectURL(this.#mediaSource);
        return { url: this.#url, managed };
    }

    get isOpen() {
        return this.#mediaSource.readyState === 'open';
    }

    /** @param {import('./engine.js').Track} track @param {string} mime */
    addTrack(track, mime) {
        this.#try(track, () => {
            const buffer = this.#mediaSource.addSourceBuffer(mime);
            buffer.addEventListener('updateend', () => {
                this.#applyDuration();
                if (this.#buffers[track] === buffer) this.#listener.finished(track);
            });
            // Only of a ManagedMediaSource.
            buffer.addEventListener('bufferedchange', (event) => {
                const { removedRanges: removed } = /** @type {Event & {removedRanges?: TimeRanges}} */ (event);
                const end = removed?.length ? removed.end(removed.length - 1) : 0;
                if (this.#buffers[track] === buffer && !(end <= this.#removed[track])) this.#listener.evicted(end);
            });
            this.#buffers[track] = buffer;
        });
    }

    /** @param {import('./engine.js').Track} track @param {string} mime */
    changeType(track, mime) {
        this.#try(track, () => {
            const buffer = this.#buffers[track];
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
        if (this.#mediaSource.streaming === false) this.#held[track] = { bytes: bytes.slice(), start };
        else this.#try(track, () => {
            const buffer = this.#buffers[track];
            if (start >= 0) buffer.timestampOffset = start;
            buffer.appendBuffer(bytes);
        });
    }

    /** @param {import('./engine.js').Track} track @param {number} from @param {number} to seconds */
    remove(track, from, to) {
        this.#removed[track] = to;
        this.#try(track, () => this.#buffers[track].remove(from, to));
    }

    /** How long it all is: of files. @param {number} seconds */
    setDuration(seconds) {
        this.#duration = seconds;
        this.#applyDuration();
    }

    /** No more will come: the element ends when it has played everything. */
    end() {
        if (this.isOpen) this.#mediaSource.endOfStream();
    }

    close() {
        this.#closed = true;
        this.#buffers = [];
        this.#held = [];
        if (this.#url) URL.revokeObjectURL(this.#url);
        this.#url = '';
    }

    #try(track, action) {
        try {
            action();
        } catch (error) {
            this.#listener.failed(track, error?.name === 'QuotaExceededError' && !!this.#buffers[track], textOf(error));
        }
    }

    /** A MediaSource refuses a duration while it takes something. */
    #applyDuration() {
        if (!this.#duration || !this.isOpen || this.#buffers.some((buffer) => buffer?.updating)) return;
        const { buffered } = this.#buffers.find((buffer) => buffer?.buffered.length) ?? {};
        // What is there counts more than what was announced.
        if (!buffered || buffered.end(buffered.length - 1) < this.#duration) this.#mediaSource.duration = this.#duration;
        this.#duration = 0;
    }
}
