/** The way from a player to its host in a worker. @module */
import { textOf } from './errors.js';
import { Message } from './messages.js';

/**
 * @typedef {object} Link
 * @property {'worker' | 'transmux' | 'main'} mode
 * @property {(message: object) => void} post
 * @property {() => void} close
 */

/** How long a worker may take to say hello, ms: its modules have to be fetched. */
const HELLO_TIMEOUT = 5_000;

/**
 * The mode to play in: with the MediaSource in the worker too, where this browser can play it from there.
 * @returns {Link['mode']}
 */
export function bestMode() {
    if (typeof Worker === 'undefined') return 'main';
    const Type = globalThis.MediaSource ?? globalThis.ManagedMediaSource;
    return Type?.canConstructInDedicatedWorker === true ? 'worker' : 'transmux';
}

/**
 * A host in a worker. When it cannot start (a policy forbids it, its module is not found), `failed`
 * is called once instead of the first message.
 * @param {'worker' | 'transmux'} mode
 * @param {string | undefined} workerUrl @param {boolean} isLive nothing but a live stream over HTTP is to be played
 * @param {(message: object) => void} receive
 * @param {(why: string) => void} failed
 * @returns {Link}
 */
export function workerLink(mode, workerUrl, isLive, receive, failed) {
    // Bundlers want to see each of these whole.
    const worker = workerUrl
        ? new Worker(workerUrl, { type: 'module' })
        : isLive && mode === 'worker' && globalThis.MediaSource
          ? new Worker(new URL('./worker-live.js', import.meta.url), { type: 'module' })
          : new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    let greeted = false;
    let closed = false;
    const giveUp = (why) => {
        if (closed) return;
        close();
        failed(why);
    };
    const timer = setTimeout(() => giveUp(`no sign of life within ${HELLO_TIMEOUT / 1000} s`), HELLO_TIMEOUT);
    const post = (message, transfer) => worker.postMessage(message, transfer);
    const outlet = mode === 'transmux' && import('./outlet.js').then(({ Outlet }) => new Outlet(receive, post));
    if (outlet) outlet.catch((error) => giveUp(textOf(error)));
    const close = () => {
        closed = true;
        clearTimeout(timer);
        worker.onmessage = worker.onerror = null;
        worker.terminate();
        if (outlet) outlet.then((outlet) => outlet.close(), () => {});
    };
    worker.onmessage = ({ data }) => {
        greeted = true;
        clearTimeout(timer);
        if (data.type === Message.Output) outlet.then((outlet) => outlet.receive(data));
        else receive(data);
    };
    worker.onerror = (event) => {
        event.preventDefault();
        const why = event.message || 'its module could not be loaded';
        if (greeted) receive({ type: Message.Crash, text: why });
        else giveUp(why);
    };
    return { mode, post, close };
}
