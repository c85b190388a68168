/** Where the bytes come from: an HTTP response, or a WebSocket where there is that part. Runs in a worker or a page. @module */
import { ErrorDetails, sourceFailure, textOf } from './errors.js';

/**
 * What is asked for, and how `fetch` is to do it.
 * @typedef {RequestInit & {url: string, urls: string[], connectTimeout: number, others: number}} Request `url`: absolute; http, https,
 *     ws or wss; `urls`: where else it is, too; `connectTimeout`: ms; `others`: how many more players of the page have something loaded
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
/** @typedef {import('./errors.js').SourceFailure} SourceFailure */

/**
 * Starts to read.
 * @param {Request} request @param {Sink} sink @param {import('./parts.js').Parts} parts
 * @returns {{transport: 'fetch' | 'websocket', close: () => void}}
 */
export function openSource(request, sink, { openSocket }) {
    const abort = new AbortController();
    const { signal } = abort;
    const close = () => abort.abort();
    const once = (tell) => (argument) => {
        if (signal.aborted) return;
        close();
        tell(argument);
    };
    const isSocket = /^ws/i.test(request.url);
    const open = isSocket ? openSocket : readResponse;
    open(request, { ...sink, ended: once(sink.ended), failed: once(sink.failed) }, signal);
    return { transport: isSocket ? 'websocket' : 'fetch', close };
}

/** @param {Request} request @param {Sink} sink @param {AbortSignal} signal */
async function readResponse(request, sink, signal) {
    const slow = setTimeout(() => sink.slow?.(), SLOW_ANSWER);
    signal.addEventListener('abort', () => clearTimeout(slow));
    const response = await ask('GET', request.url, request, sink, signal);
    if (!response || signal.aborted) return;
    clearTimeout(slow);
    sink.opened(response);
    try {
        const reader = response.body.getReader();
        for (;;) {
            const { done, value } = await reader.read();
            if (signal.aborted) return;
            if (done) break;
            await sink.data(value);
        }
        sink.ended();
    } catch (error) {
        sink.failed(lost(-1, textOf(error)));
    }
}

/**
 * What the server answers, unless it refuses: that is told.
 * @param {string} method @param {string} address @param {Request} request @param {Sink} sink @param {AbortSignal} signal
 */
export async function ask(method, address, request, sink, signal) {
    const timer = connectTimer(request, sink, signal);
    try {
        const response = await fetch(address, { ...request, method, signal });
        if (response.ok) {
            clearTimeout(timer);
            return response;
        }
        sink.failed(await statusFailure(response));
    } catch (error) {
        sink.failed(unreachable(request.url, error));
    }
    return undefined;
}

/** Fails the connection unless cleared, or the source ended otherwise, in time. @param {Request} request @param {Sink} sink @param {AbortSignal} signal */
export function connectTimer({ url, connectTimeout }, sink, signal) {
    const timer = setTimeout(() => {
        const msg = `no answer from ${new URL(url).host} within ${connectTimeout / 1000} s`;
        sink.failed(sourceFailure(ErrorDetails.NETWORK_TIMEOUT, -1, msg, { url }));
    }, connectTimeout);
    signal.addEventListener('abort', () => clearTimeout(timer));
    return timer;
}

/** What a refusal says, in a problem document (RFC 9457) if it has one. @param {Response} response */
async function statusFailure(response) {
    const { status, url, headers, statusText } = response;
    const isProblem = /^application\/(problem\+)?json/.test(headers.get('content-type') ?? '');
    const problem = isProblem ? await response.json().catch(() => {}) : undefined;
    // The answer to a HEAD has no body: our server says it in a header too.
    const said = problem?.detail ?? problem?.title ?? headers.get('x-problem-detail') ?? statusText;
    const msg = said || (status === 404 ? 'not found' : `HTTP status ${status}`);
    const retry = status >= 500 || status === 408 || status === 429;
    return sourceFailure(ErrorDetails.NETWORK_STATUS_CODE_INVALID, status, msg, { url, ...(problem && { problem }) }, retry);
}

/** @param {string} url @param {unknown} why @returns {SourceFailure} */
export function unreachable(url, why, retry = true) {
    const mixed = globalThis.isSecureContext && /^(http|ws):/i.test(url) && globalThis.location?.protocol === 'https:';
    const hint = mixed ? ' (a page of https may not load from http or ws)' : '';
    const msg = `cannot connect to ${new URL(url).host}${hint}: ${textOf(why)}`;
    return sourceFailure(ErrorDetails.NETWORK_EXCEPTION, -1, msg, { url }, retry && !mixed);
}

/** @param {number} code @param {string} why @returns {SourceFailure} */
export function lost(code, why, retry = true) {
    return sourceFailure(ErrorDetails.NETWORK_EARLY_EOF, code, `the connection was lost: ${why}`, undefined, retry);
}

/** Most servers answer sooner, ms. */
const SLOW_ANSWER = 3_000;
