/** Where the bytes come from: an HTTP response or a WebSocket. Runs in a worker or a page. @module */
import { ErrorDetails, networkFailure, textOf } from './errors.js';

/**
 * @typedef {object} Request
 * @property {string} url absolute; http, https, ws or wss
 * @property {Record<string, string>} [headers]
 * @property {boolean} [withCredentials]
 * @property {RequestMode} [fetchMode]
 * @property {ReferrerPolicy} [referrerPolicy]
 * @property {number} connectTimeout ms
 * @property {number} [others] how many more players of the page have something loaded
 */

/**
 * Who gets the bytes. After `ended` or `failed`, or `close()` of the source, nothing is called.
 * @typedef {object} Sink
 * @property {(answer: Answer) => unknown} opened of a part of a file: whether it is what was asked for
 * @property {() => void} [slow] no answer yet, which is unusual
 * @property {(bytes: Uint8Array) => Promise<void> | undefined} data a promise: not faster, please
 * @property {() => void} ended
 * @property {(failure: SourceFailure) => void} failed
 */

/** @typedef {{url: string, headers?: Headers, status?: number}} Answer where the bytes come from at last; of HTTP the response's head too */
/** @typedef {import('./errors.js').Failure & {retry: boolean}} SourceFailure `retry`: trying again may help */

/**
 * Starts to read.
 * @param {Request} request @param {Sink} sink
 * @returns {{transport: 'fetch' | 'websocket', close: () => void}}
 */
export function openSource(request, sink) {
    const abort = new AbortController();
    const guarded = guard(sink, abort);
    const close = () => abort.abort();
    if (/^wss?:/i.test(request.url)) {
        openWebSocket(request, guarded, abort.signal);
        return { transport: 'websocket', close };
    }
    readResponse(request, guarded, abort.signal);
    return { transport: 'fetch', close };
}

/** The sink until the end or the failure, whichever is first, or until it is closed. @param {Sink} sink @param {AbortController} abort @returns {Sink} */
function guard(sink, abort) {
    const once = (tell) => (argument) => {
        if (abort.signal.aborted) return;
        abort.abort();
        tell(argument);
    };
    return {
        opened: (answer) => abort.signal.aborted || sink.opened(answer),
        slow: () => abort.signal.aborted || sink.slow?.(),
        data: (bytes) => (abort.signal.aborted ? undefined : sink.data(bytes)),
        ended: once(sink.ended),
        failed: once(sink.failed),
    };
}

/** @param {Request} request @param {Sink} sink @param {AbortSignal} signal */
async function readResponse(request, sink, signal) {
    const timer = connectTimer(request, sink, signal);
    const slow = setTimeout(sink.slow, SLOW_ANSWER);
    signal.addEventListener('abort', () => clearTimeout(slow));
    let response;
    try {
        response = await fetch(request.url, { ...fetchOptions(request), signal });
    } catch (error) {
        return sink.failed(unreachable(request.url, textOf(error)));
    }
    if (!response.ok) return sink.failed(await statusFailure(response));
    clearTimeout(timer);
    clearTimeout(slow);
    sink.opened(response);
    try {
        const reader = response.body.getReader();
        for (;;) {
            const { done, value } = await reader.read();
            if (done) break;
            await sink.data(value);
        }
    } catch (error) {
        return sink.failed(lost(-1, textOf(error)));
    }
    sink.ended();
}

/** @param {Request} request @param {Sink} sink @param {AbortSignal} signal */
function openWebSocket(request, sink, signal) {
    let socket;
    try {
        socket = new WebSocket(request.url);
    } catch (error) {
        // Told later, like any other failure: whoever opens a source does not have it yet.
        queueMicrotask(() => sink.failed(unreachable(request.url, textOf(error), false)));
        return;
    }
    socket.binaryType = 'arraybuffer';
    const timer = connectTimer(request, sink, signal);
    let opened = false;
    socket.onopen = () => {
        opened = true;
        clearTimeout(timer);
        sink.opened({ url: request.url });
    };
    socket.onmessage = ({ data }) => {
        if (data instanceof ArrayBuffer) sink.data(new Uint8Array(data));
    };
    socket.onclose = ({ code, reason }) => {
        clearTimeout(timer);
        if (!opened) explainRefusal(request, sink, signal);
        else if (PROPER_ENDS.includes(code)) sink.ended();
        else sink.failed(lost(code, reason || `WebSocket closed with code ${code}`, !POINTLESS.test(String(code))));
    };
    signal.addEventListener('abort', () => {
        clearTimeout(timer);
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.close();
    });
}

/** A browser hides why a WebSocket was refused; the same address tells it over HTTP. @param {Request} request @param {Sink} sink @param {AbortSignal} signal */
async function explainRefusal(request, sink, signal) {
    const url = request.url.replace(/^ws/i, 'http');
    connectTimer(request, sink, signal);
    try {
        const response = await fetch(url, { ...fetchOptions(request), method: 'HEAD', signal });
        if (!response.ok) return sink.failed(await statusFailure(response));
        const why = 'the server answers, but refuses the WebSocket';
        sink.failed({ ...networkFailure(ErrorDetails.NETWORK_EXCEPTION, -1, why, { url: request.url }), retry: true });
    } catch (error) {
        sink.failed(unreachable(request.url, textOf(error)));
    }
}

/** @param {Request} request @returns {RequestInit} */
function fetchOptions({ headers, withCredentials, fetchMode, referrerPolicy }) {
    return {
        headers,
        mode: fetchMode,
        referrerPolicy,
        credentials: withCredentials ? 'include' : 'same-origin',
        cache: 'no-store',
    };
}

/** Fails the connection unless cleared, or the source ended otherwise, in time. @param {Request} request @param {Sink} sink @param {AbortSignal} signal */
function connectTimer({ url, connectTimeout }, sink, signal) {
    const timer = setTimeout(() => {
        const msg = `no answer from ${hostOf(url)} within ${connectTimeout / 1000} s`;
        sink.failed({ ...networkFailure(ErrorDetails.NETWORK_TIMEOUT, -1, msg, { url }), retry: true });
    }, connectTimeout);
    signal.addEventListener('abort', () => clearTimeout(timer));
    return timer;
}

/** @param {Response} response */
async function statusFailure(response) {
    const problem = await problemOf(response);
    const { status, url, headers, statusText } = response;
    // The answer to a HEAD has no body: our server says it in a header too.
    const said = problem?.detail ?? problem?.title ?? headers.get('x-problem-detail') ?? statusText;
    const msg = said || (status === 404 ? 'not found' : `HTTP status ${status}`);
    const failure = networkFailure(ErrorDetails.NETWORK_STATUS_CODE_INVALID, status, msg, { url, ...(problem && { problem }) });
    return { ...failure, retry: status >= 500 || status === 408 || status === 429 };
}

/** The problem document (RFC 9457) of a refusal, if it has one. @param {Response} response */
async function problemOf(response) {
    const type = response.headers.get('content-type') ?? '';
    if (!/^application\/(problem\+)?json/.test(type)) return undefined;
    return response.json().catch(() => undefined);
}

/** @param {string} url @param {string} why @returns {SourceFailure} */
function unreachable(url, why, retry = true) {
    const mixed = globalThis.isSecureContext && /^(http|ws):/i.test(url) && globalThis.location?.protocol === 'https:';
    const hint = mixed ? ' (a page of https may not load from http or ws)' : '';
    const msg = `cannot connect to ${hostOf(url)}${hint}: ${why}`;
    return { ...networkFailure(ErrorDetails.NETWORK_EXCEPTION, -1, msg, { url }), retry: retry && !mixed };
}

/** @param {number} code @param {string} why @returns {SourceFailure} */
function lost(code, why, retry = true) {
    return { ...networkFailure(ErrorDetails.NETWORK_EARLY_EOF, code, `the connection was lost: ${why}`), retry };
}

/** @param {string} url */
function hostOf(url) {
    return new URL(url).host;
}

/** RFC 6455 section 7.4.1: the purpose is fulfilled; the server goes down; no code was sent. */
const PROPER_ENDS = [1000, 1001, 1005];

/** Codes of the same section by which a server says that it does not want us; 44xx is HTTP's 4xx by custom. */
const POINTLESS = /^(1003|1007|1008|1010|44..)$/;

/** Most servers answer sooner, ms. */
const SLOW_ANSWER = 3_000;
