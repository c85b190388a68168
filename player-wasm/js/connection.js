/** The way to the stream: one of several addresses, and for files also a place in it. @module */
import { ErrorDetails, sourceFailure, textOf } from './errors.js';
import { openSource } from './source.js';

/**
 * @typedef {object} Listener
 * @property {(isNew: boolean) => void} opened bytes will follow; `isNew`: from an FLV header on
 * @property {() => void} slow
 * @property {(bytes: Uint8Array) => Promise<void> | undefined} data a promise: not faster, please
 * @property {() => void} ended
 * @property {(failure: import('./source.js').SourceFailure) => void} failed
 */

/** What is no method of its own is for `file.js`. */
export class Connection {
    config;
    sink;
    /** @type {{transport?: string, close: () => void} | undefined} */
    source;
    /** A request for another place of the file, not in use yet. @type {{close: () => void} | undefined} */
    trial;
    /** Counts places asked for: only the newest matters. */
    place = 0;
    /** Where the next byte is in the file. */
    offset = 0;
    /** The file's, bytes; 0: not known. */
    size;
    #request;
    #urls;
    /** Which of the addresses. */
    #turn = -1;
    #finalUrl = '';
    #isRedirected = false;

    /** @param {any} request @param {any} config @param {Listener} sink */
    constructor(request, config, sink) {
        this.#request = request;
        this.config = config;
        this.sink = sink;
        this.#urls = request.urls;
        this.size = config.filesize ?? 0;
        this.open();
    }

    /** The address in use. */
    get url() {
        return this.#urls[this.#turn];
    }

    /** What is asked for there. */
    get here() {
        return { ...this.#request, url: this.url };
    }

    /** Of the statistics. */
    get whereabouts() {
        return { url: this.#request.url, finalUrl: this.#finalUrl, isRedirected: this.#isRedirected, transport: this.source.transport };
    }

    /** Reads from the beginning, at the next address. */
    open() {
        this.close();
        this.#turn = (this.#turn + 1) % this.#urls.length;
        this.#isRedirected &&= this.#urls.length === 1;
        this.offset = 0;
        const request = this.here;
        const { isLive, rangeLoadZeroStart } = this.config;
        if (rangeLoadZeroStart && !isLive) request.headers = { ...request.headers, Range: 'bytes=0-' };
        this.source = this.start(request, this.entry(0));
    }

    /** Goes on with a file where it broke off. */
    resume() {
        this.close();
        const { place } = this;
        const failed = (error) => this.sink.failed(sourceFailure(ErrorDetails.NETWORK_EXCEPTION, -1, textOf(error)));
        ofFile().then(({ resume }) => place === this.place && resume(this), failed);
    }

    /**
     * Goes to another place of a file. Until that is found, reading goes on where it was.
     * @param {number} time seconds @param {Omit<import('./file.js').Known, 'size'>} known
     * @param {() => void} found called before the first byte from there
     * @returns {Promise<import('./errors.js').Failure | undefined>} why it could not be
     */
    async seek(time, known, found) {
        this.trial?.close();
        const place = (this.place += 1);
        const { seek } = await ofFile();
        return place === this.place ? seek(this, time, known, found) : undefined;
    }

    close() {
        this.place += 1;
        this.source?.close();
        this.trial?.close();
    }

    /** @param {any} request @param {any} sink */
    start(request, sink) {
        return (this.config.openSource ?? openSource)(request, sink, this.config);
    }

    /** Passes on what comes from a place of the file on. @param {number} from */
    entry(from) {
        const { slow, data, ended, failed } = this.sink;
        return {
            opened: (answer) => this.#opened(answer, from),
            slow,
            data: (bytes) => {
                this.offset += bytes.length;
                return data(bytes);
            },
            ended: () => {
                const isShort = !this.config.isLive && this.offset < this.size;
                if (isShort) failed(sourceFailure(ErrorDetails.NETWORK_EARLY_EOF, -1, 'the file broke off'));
                else ended();
            },
            failed,
        };
    }

    /** @param {import('./source.js').Answer} answer @param {number} from */
    #opened({ url, headers }, from) {
        this.#finalUrl = url;
        this.#isRedirected ||= url !== '' && url !== this.url;
        if (this.config.reuseRedirectedURL && url) this.#urls[this.#turn] = url;
        // The length of something compressed says nothing.
        if (from === 0 && headers && !headers.has('content-encoding')) this.size ||= Number(headers.get('content-length'));
        this.sink.opened(from === 0);
        return true;
    }
}

/** What only files need. @returns {Promise<typeof import('./file.js')>} */
function ofFile() {
    return import(/* webpackIgnore: true */ /* @vite-ignore */ new URL('./file.js', import.meta.url).href);
}
