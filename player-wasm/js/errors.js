/** What can go wrong, in the terms of mpegts.js, and in words. @module */

export const ErrorTypes = /* @__PURE__ */ Object.freeze({
    NETWORK_ERROR: 'NetworkError',
    MEDIA_ERROR: 'MediaError',
    OTHER_ERROR: 'OtherError',
});

export const ErrorDetails = /* @__PURE__ */ Object.freeze({
    NETWORK_EXCEPTION: 'Exception',
    NETWORK_STATUS_CODE_INVALID: 'HttpStatusCodeInvalid',
    NETWORK_TIMEOUT: 'ConnectingTimeout',
    NETWORK_UNRECOVERABLE_EARLY_EOF: 'UnrecoverableEarlyEof',
    NETWORK_EARLY_EOF: 'EarlyEof',
    NETWORK_SILENCE: 'Silence',
    MEDIA_MSE_ERROR: 'MediaMSEError',
    MEDIA_FORMAT_ERROR: 'FormatError',
    MEDIA_FORMAT_UNSUPPORTED: 'FormatUnsupported',
    MEDIA_CODEC_UNSUPPORTED: 'CodecUnsupported',
    MEDIA_STALLED: 'Stalled',
    MEDIA_DISCONTINUITY: 'Discontinuity',
    OTHER_EXCEPTION: 'Exception',
});

/**
 * One failure, as listeners get it: `error` and `warning` events pass `type`, `detail` and the rest.
 * @typedef {object} Failure
 * @property {string} type one of {@link ErrorTypes}
 * @property {string} detail one of {@link ErrorDetails}
 * @property {number | string} code HTTP status, WebSocket close code, `MediaError.code`, or -1
 * @property {string} msg what happened, for people
 * @property {Record<string, unknown>} [context] what the message is about, for programs
 */

/** @typedef {Failure & {retry: boolean}} SourceFailure `retry`: trying again may help */

/** @returns {Failure} */
export function failure(type, detail, code, msg, context) {
    return { type, detail, code, msg, context };
}

/** @returns {Failure} */
export function networkFailure(detail, code, msg, context) {
    return failure(ErrorTypes.NETWORK_ERROR, detail, code, msg, context);
}

/** @returns {SourceFailure} */
export function sourceFailure(detail, code, msg, context, retry = true) {
    return { ...networkFailure(detail, code, msg, context), retry };
}

/** @returns {Failure} */
export function mediaFailure(detail, code, msg, context) {
    return failure(ErrorTypes.MEDIA_ERROR, detail, code, msg, context);
}

/** A failure of the page or the browser rather than of the stream. @returns {Failure} */
export function otherFailure(msg, context) {
    return failure(ErrorTypes.OTHER_ERROR, ErrorDetails.OTHER_EXCEPTION, -1, msg, context);
}

/** The text of anything that may be thrown. @param {unknown} thrown */
export function textOf(thrown) {
    return thrown instanceof Error || thrown instanceof DOMException
        ? `${thrown.name}: ${thrown.message}`
        : String(thrown);
}

/** What was being done when something went wrong, where nobody has said so. @param {string} type @param {unknown} code */
export function stepOf(type, code) {
    if (typeof code === 'string') return code[0].toLowerCase() + code.slice(1);
    return type === ErrorTypes.NETWORK_ERROR ? 'connect' : 'play';
}
