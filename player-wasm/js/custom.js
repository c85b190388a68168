/** A loader of the page's own, written for flv.js or mpegts.js, as a source. @module */
import { networkFailure } from './errors.js';

/**
 * @param {any} Loader @param {any} request @param {any} config @param {import('./source.js').Sink} sink
 * @returns {{transport: string, close: () => void}}
 */
export function openCustom(Loader, request, config, sink) {
    const from = Number(/\d+/.exec(request.headers?.Range ?? '') ?? 0);
    const seekHandler = { getConfig: (url) => ({ url, headers: request.headers ?? {} }), removeURLParameters: (url) => url };
    const loader = new Loader(seekHandler, config);
    let open = true;
    let opened = false;
    let { url } = request;
    const headers = new Headers(from > 0 ? { 'content-range': `bytes ${from}-` } : {});
    const begin = () => {
        if (!opened) sink.opened({ url, headers });
        opened = true;
    };
    const once = (tell) => (...args) => {
        if (!open) return;
        open = false;
        tell(...args);
        loader.destroy();
    };
    loader.onContentLengthKnown = (length) => headers.set('content-length', String(length));
    loader.onURLRedirect = (redirected) => {
        url = redirected;
    };
    loader.onDataArrival = (chunk) => {
        if (!open) return;
        begin();
        sink.data(new Uint8Array(chunk));
    };
    loader.onError = once((detail, { code, msg }) => {
        sink.failed({ ...networkFailure(detail, code, msg, { url }), retry: code < 400 || code >= 500 });
    });
    loader.onComplete = once(() => {
        begin();
        sink.ended();
    });
    loader.open({ ...request, url, withCredentials: request.credentials === 'include' }, { from, to: -1 });
    return {
        transport: 'custom',
        close: () => {
            if (!open) return;
            open = false;
            if (loader.isWorking()) loader.abort();
            loader.destroy();
        },
    };
}
