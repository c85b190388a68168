/** The way to a file, and to a place in it. @module */
import { Connection } from './connection.js';
import { ErrorDetails, networkFailure, sourceFailure } from './errors.js';
import { isPart, openAt, part } from './file.js';

export class FileConnection extends Connection {
    /** A request for another place, not in use yet. @type {{close: () => void} | undefined} */
    #trial;
    /** Counts places asked for: only the newest matters. */
    #place = 0;
    /** Where the next byte is in the file. */
    #offset = 0;
    /** The file's, bytes; 0: not known. */
    #size = this.config.filesize ?? 0;

    open() {
        this.#offset = 0;
        super.open();
    }

    /** Goes on where the file broke off. */
    reopen() {
        this.close();
        if (this.#offset === 0) return this.open();
        const entry = this.#entry(this.#offset);
        const opened = (answer) => {
            if (isPart(answer, this.config)) return entry.opened(answer);
            this.close();
            return this.sink.failed({ ...noParts(this.url), retry: false });
        };
        this.source = super.start(part(this.here, this.config, this.#offset), { ...entry, opened });
        return undefined;
    }

    close() {
        this.#place += 1;
        super.close();
        this.#trial?.close();
    }

    /** From the beginning. @param {any} request */
    start(request) {
        const headers = this.config.rangeLoadZeroStart ? { ...request.headers, Range: 'bytes=0-' } : request.headers;
        return super.start({ ...request, headers }, this.#entry(0));
    }

    /**
     * Goes to another place. Until that is found, reading goes on where it was.
     * @param {number} time seconds @param {Omit<import('./file.js').Known, 'size'>} known
     * @param {() => void} found called before the first byte from there
     * @returns {Promise<import('./errors.js').Failure | undefined>} why it could not be
     */
    async seek(time, known, found) {
        this.#trial?.close();
        const place = (this.#place += 1);
        let failure = noParts(this.url);
        let accepted = false;
        const entry = {
            ...this.#entry(0),
            opened: (answer) => isPart(answer, this.config),
            failed: (why) => {
                if (accepted) this.sink.failed(why);
                else failure = why;
            },
        };
        const open = (from, sink) => (this.#trial = super.start(part(this.here, this.config, from), sink));
        const there = await openAt(time, { ...known, size: this.#size }, open, entry);
        if (place !== this.#place) return undefined;
        if (!there) return failure;
        accepted = true;
        this.source?.close();
        this.source = there.source;
        this.#trial = undefined;
        this.#offset = there.from;
        found();
        there.accept();
        return undefined;
    }

    /** Passes on what comes from a place of the file on. @param {number} from */
    #entry(from) {
        const { slow, data, ended, failed } = this.sink;
        return {
            opened: (answer) => {
                const { headers } = answer;
                this.arrived(answer);
                // The length of something compressed says nothing.
                if (from === 0 && headers && !headers.has('content-encoding')) this.#size ||= Number(headers.get('content-length'));
                this.sink.opened(from === 0);
                return true;
            },
            slow,
            data: (bytes) => {
                this.#offset += bytes.length;
                return data(bytes);
            },
            ended: () => {
                if (this.#offset < this.#size) failed(sourceFailure(ErrorDetails.NETWORK_EARLY_EOF, -1, 'the file broke off'));
                else ended();
            },
            failed,
        };
    }
}

/** @param {string} url */
function noParts(url) {
    const msg = 'the server does not give parts of the file, so only what is buffered can be sought';
    return networkFailure(ErrorDetails.NETWORK_EXCEPTION, -1, msg, { step: 'seek', url });
}
