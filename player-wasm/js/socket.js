/** A WebSocket as a source. @module */
import { ErrorDetails, sourceFailure } from './errors.js';
import { ask, connectTimer, lost, unreachable } from './source.js';

/** @typedef {import('./source.js').Request} Request */
/** @typedef {import('./source.js').Sink} Sink */

/** @param {Request} request @param {Sink} sink @param {AbortSignal} signal */
export function openSocket(request, sink, signal) {
    const { url } = request;
    let socket;
    try {
        socket = new WebSocket(url);
    } catch (error) {
        // Told later, like any other failure: whoever opens a source does not have it yet.
        queueMicrotask(() => sink.failed(unreachable(url, error, false)));
        return;
    }
    socket.binaryType = 'arraybuffer';
    const timer = connectTimer(request, sink, signal);
    let opened = false;
    socket.onopen = () => {
        opened = true;
        clearTimeout(timer);
        sink.opened({ url });
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
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.close();
    });
}

/** A browser hides why a WebSocket was refused; the same address tells it over HTTP. @param {Request} request @param {Sink} sink @param {AbortSignal} signal */
async function explainRefusal(request, sink, signal) {
    const { url } = request;
    const response = await ask('HEAD', url.replace(/^ws/i, 'http'), request, sink, signal);
    if (response) sink.failed(sourceFailure(ErrorDetails.NETWORK_EXCEPTION, -1, 'the server answers, but refuses the WebSocket', { url }));
}

/** RFC 6455 section 7.4.1: the purpose is fulfilled; the server goes down; no code was sent. */
const PROPER_ENDS = [1000, 1001, 1005];

/** Codes of the same section by which a server says that it does not want us; 44xx is HTTP's 4xx by custom. */
const POINTLESS = /^(1003|1007|1008|1010|44..)$/;
