// A MediaSource that takes every append at once, keeps nothing and never plays: what is left to measure is the player.
// In a page or a worker; runs before the player's own code there.
(() => {
    const real = globalThis.MediaSource;
    const nothing = { length: 0, start: () => NaN, end: () => NaN };

    class SwallowingBuffer extends EventTarget {
        updating = false;
        buffered = nothing;
        timestampOffset = 0;
        mode = 'segments';
        appendWindowStart = 0;
        appendWindowEnd = Infinity;

        appendBuffer(bytes) {
            if (globalThis.benchCounts) {
                benchCounts.appends += 1;
                benchCounts.appended += bytes.byteLength;
            }
            this.#finish();
        }

        remove() {
            this.#finish();
        }

        abort() {}

        changeType() {}

        #finish() {
            this.updating = true;
            queueMicrotask(() => {
                this.updating = false;
                const event = new Event('updateend');
                this.onupdateend?.(event);
                this.dispatchEvent(event);
            });
        }
    }

    class SwallowingSource extends EventTarget {
        static canConstructInDedicatedWorker = true;
        static isTypeSupported = (type) => real.isTypeSupported(type);
        readyState = 'closed';
        duration = NaN;
        sourceBuffers = [];
        activeSourceBuffers = [];

        constructor() {
            super();
            setTimeout(() => {
                this.readyState = 'open';
                this.dispatchEvent(new Event('sourceopen'));
            });
        }

        /** Anything that can be transferred: the element it goes to is none that plays. */
        get handle() {
            return new MessageChannel().port1;
        }

        addSourceBuffer() {
            const buffer = new SwallowingBuffer();
            this.sourceBuffers.push(buffer);
            return buffer;
        }

        removeSourceBuffer() {}

        setLiveSeekableRange() {}

        endOfStream() {
            this.readyState = 'ended';
        }
    }

    globalThis.MediaSource = SwallowingSource;
    delete globalThis.ManagedMediaSource;
    const createUrl = URL.createObjectURL;
    URL.createObjectURL = (object) => (object instanceof SwallowingSource ? 'blob:swallowed' : createUrl(object));
})();
