/** The engine's numbers become words that are loaded when something first goes wrong. @module */
import { ErrorDetails, mediaFailure } from './errors.js';
import { Events } from './events.js';

/**
 * The arguments of an event of the engine. The words come over the network, which may be what is wrong: if they do not come
 * soon, it is told without.
 * @param {string} event @param {import('./explain.js').Cause} cause
 */
export async function wordsFor(event, cause) {
    const late = new Promise((resolve) => setTimeout(resolve, PATIENCE));
    const said = import('./explain.js').then(({ explain }) => explain(event, cause));
    const plain = () => mediaFailure(event === Events.ERROR ? ErrorDetails.MEDIA_MSE_ERROR : ErrorDetails.MEDIA_STALLED, -1, `${event} ${cause.number} ${cause.text}`);
    const { type, detail, ...info } = (await Promise.race([said, late]).catch(plain)) ?? plain();
    return [type, detail, info];
}

/** How long the words are waited for, ms. */
const PATIENCE = 1_000;
