/** What a loader of one's own is written against, by the names of flv.js and mpegts.js. @module */

export const LoaderStatus = Object.freeze({ kIdle: 0, kConnecting: 1, kBuffering: 2, kError: 3, kComplete: 4 });

export const LoaderErrors = Object.freeze({
    OK: 'OK',
    EXCEPTION: 'Exception',
    HTTP_STATUS_CODE_INVALID: 'HttpStatusCodeInvalid',
    CONNECTING_TIMEOUT: 'ConnectingTimeout',
    EARLY_EOF: 'EarlyEof',
    UNRECOVERABLE_EARLY_EOF: 'UnrecoverableEarlyEof',
});

/** The base of a `config.customLoader`: it opens a source and calls the `on…` functions with what comes. */
export class BaseLoader {
    /** One of {@link LoaderStatus}. */
    _status = 0;
    _needStash = false;
    /** @type {((length: number) => void) | null} */
    onContentLengthKnown = null;
    /** @type {((url: string) => void) | null} */
    onURLRedirect = null;
    /** @type {((chunk: ArrayBuffer, byteStart: number, receivedLength?: number) => void) | null} */
    onDataArrival = null;
    /** @type {((type: string, info: {code: number, msg: string}) => void) | null} */
    onError = null;
    /** @type {((from: number, to: number) => void) | null} */
    onComplete = null;

    /** @param {string} [name] */
    constructor(name) {
        this._type = name || 'undefined';
    }

    get type() {
        return this._type;
    }

    get status() {
        return this._status;
    }

    get needStashBuffer() {
        return this._needStash;
    }

    isWorking() {
        return this._status === LoaderStatus.kConnecting || this._status === LoaderStatus.kBuffering;
    }

    destroy() {
        this._status = LoaderStatus.kIdle;
        this.onContentLengthKnown = this.onURLRedirect = this.onDataArrival = this.onError = this.onComplete = null;
    }

    /** @param {{url: string}} dataSource @param {{from: number, to: number}} range */
    open(dataSource, range) {
        throw new Error(`${this.type} cannot open ${dataSource.url} from ${range.from}: open() is to be implemented`);
    }

    abort() {
        throw new Error(`${this.type}: abort() is to be implemented`);
    }
}
