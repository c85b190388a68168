/** The way to the stream: one of several addresses. @module */
import { openSource } from './source.js';

/**
 * @typedef {object} Sink
 * @property {(isNew: boolean) => void} opened bytes will follow; `isNew`: from an FLV header on
 * @property {() => void} slow
 * @property {(bytes: Uint8Array) => Promise<void> | undefined} data a promise: not faster, please
 * @property {() => void} ended
 * @property {(failure: import('./source.js').SourceFailure) => void} failed
 */

export class Connection {
    config;
    sink;
    /** @type {{transport: string, close: () => void} | undefined} */
    source;
    #request;
    #parts;
    #urls;
    /** Which of the addresses. */
    #turn = -1;
    #finalUrl = '';
    #isRedirected = false;

    /** @param {import('./source.js').Request} request @param {any} config @param {Sink} sink @param {import('./parts.js').Parts} parts */
    constructor(request, config, sink, parts) {
        this.#request = request;
        this.config = config;
        this.sink = sink;
        this.#parts = parts;
        this.#urls = request.urls;
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
        this.source = this.start(this.here, {
            ...this.sink,
            opened: (answer) => {
                this.arrived(answer);
                this.sink.opened(true);
            },
        });
    }

    /** Goes on after a loss. */
    reopen() {
        this.open();
    }

    close() {
        this.source?.close();
    }

    /** @param {any} request @param {any} sink @returns {{transport: string, close: () => void}} */
    start(request, sink) {
        return (this.config.openSource ?? openSource)(request, sink, this.#parts, this.config);
    }

    /** Remembers where the bytes come from at last. @param {import('./source.js').Answer} answer */
    arrived({ url }) {
        this.#finalUrl = url;
        this.#isRedirected ||= url !== '' && url !== this.url;
        if (this.config.reuseRedirectedURL && url) this.#urls[this.#turn] = url;
    }
}
