/** A MediaSource that the browser manages: it says when it wants media, and removes what it likes. @module */
import { MediaOutput } from './output.js';

export class ManagedOutput extends MediaOutput {
    /** What waits for it to want media, by track. @type {{bytes: Uint8Array<ArrayBuffer>, start: number}[]} */
    #held = [];
    /** Up to where media was last removed at our wish, by track. @type {number[]} */
    #removed = [];

    /** @param {import('./output.js').Listener} listener */
    constructor(listener) {
        super(listener, ManagedMediaSource);
        // It takes nothing between endstreaming and startstreaming.
        this.mediaSource.addEventListener('startstreaming', () => {
            this.#held.splice(0).forEach(({ bytes, start }, track) => this.append(track, bytes, start));
        });
    }

    get attachment() {
        return { ...super.attachment, managed: true };
    }

    /** @param {import('./engine.js').Track} track @param {string} mime */
    addTrack(track, mime) {
        super.addTrack(track, mime);
        const buffer = this.buffers[track];
        buffer?.addEventListener('bufferedchange', (event) => {
            const { removedRanges: removed } = /** @type {Event & {removedRanges?: TimeRanges}} */ (event);
            const end = removed?.length ? removed.end(removed.length - 1) : 0;
            if (this.buffers[track] === buffer && !(end <= this.#removed[track])) this.listener.evicted(end, 'the browser removed media that was not played yet');
        });
    }

    /** @param {import('./engine.js').Track} track @param {Uint8Array<ArrayBuffer>} bytes @param {number} start */
    append(track, bytes, start) {
        if (this.mediaSource.streaming === false) this.#held[track] = { bytes: bytes.slice(), start };
        else super.append(track, bytes, start);
    }

    /** @param {import('./engine.js').Track} track @param {number} from @param {number} to seconds */
    remove(track, from, to) {
        this.#removed[track] = to;
        super.remove(track, from, to);
    }

    close() {
        this.#held = [];
        super.close();
    }
}
