/** The way to the stream: one of several addresses, and for files also a place in it. @module */
import { ErrorDetails, networkFailure, textOf } from './errors.js';
import { openSource } from './source.js';

/**
 * @typedef {object} Listener
 * @property {(isNew: boolean) => void} opened bytes will follow; `isNew`: from an FLV header on
 * @property {() => void} slow
 * @property {(bytes: Uint8Array) => Promise<void> | undefined} data a promise: not faster, please
 * @property {() => void} ended
 * @property {(failure: import('./source.js').SourceFailure) => void} failed
 */

export class Connection {
    #request;
    #config;
    #listener;
    #urls;
    /** Which of the addresses. */
    #turn = -1;
    /** @type {{transport?: string, close: () => void} | undefined} */
    #source;
    /** A request for another place of the file, not in use yet. @type {{close: () => void} | undefined} */
    #trial;
    /** Counts places asked for: only the newest matters. */
    #place = 0;
    /** Where the next byte is in the file. */
    #offset = 0;
    /** The file's, bytes; 0: not known. */
    #size;
    #finalUrl = '';
    #isRedirected = false;
    #file;

    /** @param {any} request @param {any} config @param {Listener} listener */
    constructor(request, config, listener) {
        this.#request = request;
        this.#config = config;
        this.#listener = listener;
        this.#urls = [request.url, ...(request.alternateUrls ?? [])];
        this.#size = config.filesize ?? 0;
        this.open();
    }

    /** The address in use. */
    get url() {
        return this.#urls[this.#turn];
    }

    get statistics() {
        const { transport } = this.#source ?? {};
        const { url } = this.#request;
        return {
            playerType: 'FlvPlayer',
            url,
            hasRedirect: this.#isRedirected,
            redirectedURL: this.#finalUrl || undefined,
            loaderType: { websocket: 'websocket-loader', fetch: 'fetch-stream-loader' }[transport] ?? 'custom-loader',
            transport,
            currentSegmentIndex: 0,
            totalSegmentCount: 1,
        };
    }

    /** Reads from the beginning, at the next address. */
    open() {
        this.close();
        this.#turn = (this.#turn + 1) % this.#urls.length;
        this.#isRedirected &&= this.#urls.length === 1;
        this.#offset = 0;
        const request = this.#here;
        const { isLive, rangeLoadZeroStart } = this.#config;
        if (rangeLoadZeroStart && !isLive) request.headers = { ...request.headers, Range: 'bytes=0-' };
        this.#source = this.#openSource(request, this.#entry(0));
    }

    /** Goes on with a file where it broke off. */
    async resume() {
        this.close();
        if (this.#offset === 0) return this.open();
        const place = this.#place;
        const file = await this.#loadFile();
        if (!file || place !== this.#place) return undefined;
        const entry = this.#entry(this.#offset);
        const opened = (answer) => {
            if (file.isPart(answer, this.#config)) return entry.opened(answer);
            this.close();
            return this.#listener.failed({ ...noParts(this.url), retry: false });
        };
        this.#source = this.#openSource(file.part(this.#here, this.#config, this.#offset), { ...entry, opened });
        return undefined;
    }

    /**
     * Goes to another place of a file. Until that is found, reading goes on where it was.
     * @param {number} time seconds @param {Omit<import('./file.js').Known, 'size'>} known
     * @param {() => void} found called before the first byte from there
     * @returns {Promise<import('./errors.js').Failure | undefined>} why it could not be
     */
    async seek(time, known, found) {
        this.#trial?.close();
        this.#place += 1;
        const place = this.#place;
        const file = await this.#loadFile();
        if (!file || place !== this.#place) return undefined;
        let failure = noParts(this.url);
        let accepted = false;
        const entry = {
            ...this.#entry(0),
            opened: (answer) => file.isPart(answer, this.#config),
            failed: (why) => {
                if (accepted) this.#listener.failed(why);
                else failure = why;
            },
        };
        const open = (from, sink) => (this.#trial = this.#openSource(file.part(this.#here, this.#config, from), sink));
        const there = await file.openAt(time, { ...known, size: this.#size }, open, entry);
        if (place !== this.#place) return undefined;
        if (!there) return failure;
        accepted = true;
        this.#source?.close();
        [this.#source, this.#trial] = [there.source, undefined];
        this.#offset = there.from;
        found();
        there.accept();
        return undefined;
    }

    close() {
        this.#place += 1;
        this.#source?.close();
        this.#trial?.close();
    }

    get #here() {
        return { ...this.#request, url: this.url };
    }

    #entry(from) {
        const { slow, data, ended, failed } = this.#listener;
        return {
            opened: (answer) => this.#opened(answer, from),
            slow,
            data: (bytes) => {
                this.#offset += bytes.length;
                return data(bytes);
            },
            ended: () => {
                const isShort = !this.#config.isLive && this.#offset < this.#size;
                if (isShort) failed({ ...networkFailure(ErrorDetails.NETWORK_EARLY_EOF, -1, 'the file broke off'), retry: true });
                else ended();
            },
            failed,
        };
    }

    /** @param {import('./source.js').Answer} answer @param {number} from */
    #opened({ url, headers }, from) {
        this.#finalUrl = url;
        this.#isRedirected ||= url !== '' && url !== this.url;
        if (this.#config.reuseRedirectedURL && url) this.#urls[this.#turn] = url;
        // The length of something compressed says nothing.
        if (from === 0 && headers && !headers.has('content-encoding')) this.#size ||= Number(headers.get('content-length'));
        this.#listener.opened(from === 0);
        return true;
    }

    /** @param {any} request @param {any} sink */
    #openSource(request, sink) {
        const { customLoader } = this.#config;
        if (!customLoader) return openSource(request, sink);
        let source;
        let closed = false;
        // Given by the page: a bundler would need another form of worker for one that loads modules.
        this.#config.loadCustom().then(
            ({ openCustom }) => {
                if (!closed) source = openCustom(customLoader, request, this.#config, sink);
            },
            (error) => closed || sink.failed({ ...networkFailure(ErrorDetails.NETWORK_EXCEPTION, -1, textOf(error)), retry: false }),
        );
        return {
            transport: 'custom',
            close: () => {
                closed = true;
                source?.close();
            },
        };
    }

    /** @returns {Promise<typeof import('./file.js') | undefined>} */
    #loadFile() {
        this.#file ??= import(/* webpackIgnore: true */ /* @vite-ignore */ new URL('./file.js', import.meta.url).href);
        return this.#file.catch(() => undefined);
    }
}

/** @param {string} url */
function noParts(url) {
    const msg = 'the server does not give parts of the file, so only what is buffered can be sought';
    return networkFailure(ErrorDetails.NETWORK_EXCEPTION, -1, msg, { step: 'seek', url });
}
