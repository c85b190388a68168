/**
 * Stands in for WebKit's ManagedMediaSource where there is none: a MediaSource that wants media only part of the time.
 * What it is given at other times is counted.
 */
class ManagedMediaSource extends MediaSource {
    static canConstructInDedicatedWorker = false;
    static made = 0;
    static unwanted = 0;
    static starts = 0;
    streaming = false;

    constructor() {
        super();
        ManagedMediaSource.made += 1;
        const want = (streaming) => {
            this.streaming = streaming;
            if (streaming) ManagedMediaSource.starts += 1;
            this.dispatchEvent(new Event(streaming ? 'startstreaming' : 'endstreaming'));
        };
        this.addEventListener('sourceopen', () => {
            for (const [delay, streaming] of [[300, true], [2000, false], [2300, true]]) setTimeout(want, delay, streaming);
        });
    }

    addSourceBuffer(type) {
        const buffer = super.addSourceBuffer(type);
        const append = buffer.appendBuffer;
        buffer.appendBuffer = (bytes) => {
            if (!this.streaming) ManagedMediaSource.unwanted += 1;
            append.call(buffer, bytes);
        };
        return buffer;
    }
}

window.ManagedMediaSource = ManagedMediaSource;
delete window.MediaSource;
