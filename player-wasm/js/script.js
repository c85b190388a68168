/**
 * Script tags: AMF0 (*Action Message Format -- AMF 0*, Adobe, 2007), as far as FLV has it.
 * @module
 */

/**
 * The handler's name and its argument. What is cut off or not AMF0 throws.
 * @param {Uint8Array} bytes @returns {[string, any]}
 */
export function readScript(bytes) {
    // A buffer of its own: reading beyond its end throws.
    const { buffer } = bytes.slice();
    const view = new DataView(buffer);
    let at = 0;
    let values = 0;
    /** Where the next `length` bytes are. @param {number} length */
    const skip = (length) => (at += length) - length;
    const byte = () => view.getUint8(skip(1));
    const number = () => view.getFloat64(skip(8));
    const short = () => view.getUint16(skip(2));
    const long = () => view.getUint32(skip(4));
    /** @param {number} length */
    const text = (length) => decoder.decode(new Uint8Array(buffer, skip(length), length));

    /** @param {number} depth @returns {any} */
    const value = (depth) => {
        if (depth > MAX_DEPTH || ++values > MAX_VALUES) throw new RangeError('a script tag too deep or too long');
        const marker = byte();
        switch (marker) {
            case 0: // number
                return number();
            case 1: // boolean
                return byte() !== 0;
            case 2: // string
                return text(short());
            case 12: // long string
            case 15: // XML
                return text(long());
            case 16: // typed object: its class is not told
                text(short());
                return properties(depth);
            case 8: // ECMA array: the count is a hint at best, the end marker decides
                long();
                return properties(depth);
            case 3: // object
                return properties(depth);
            case 10: // strict array
                return Array.from({ length: Math.min(long(), MAX_VALUES) }, () => value(depth + 1));
            case 11: { // date and a time zone that is not used
                const date = new Date(number());
                short();
                return date;
            }
            case 7: // reference
                short();
                return null;
            case 5: // null
            case 6: // undefined
            case 13: // unsupported
                return null;
            default:
                throw new RangeError(`a script tag with type ${marker}`);
        }
    };

    /** @param {number} depth */
    const properties = (depth) => {
        const object = {};
        // Some encoders leave out the end marker.
        while (at < bytes.length) {
            const key = text(short());
            if (key === '' && bytes[at] === END) {
                at += 1;
                break;
            }
            // A publisher may name a property __proto__: it must become one, not change the object.
            Object.defineProperty(object, key, { value: value(depth + 1), enumerable: true, writable: true, configurable: true });
        }
        return object;
    };

    let name = value(0);
    // What a publisher sends to set metadata may be relayed as it came.
    if (name === '@setDataFrame') name = value(0);
    if (typeof name !== 'string') throw new RangeError('a script tag without a name');
    return [name, at < bytes.length ? value(0) : null];
}

/**
 * When the media of a script tag's time was captured, Unix milliseconds; NaN if it does not say. Two
 * ways are understood: `onWallClock`, and `onFI` of Flash Media Live Encoder, in UTC.
 * @param {string} name @param {any} value
 */
export function captureTime(name, value) {
    if (name === 'onWallClock') return Number(value?.unixTimeMs);
    const date = name === 'onFI' && /^(\d\d)-(\d\d)-(\d{4})$/.exec(value?.sd);
    return date ? Date.parse(`${date[3]}-${date[2]}-${date[1]}T${value.st}Z`) : NaN;
}

const decoder = new TextDecoder();

/** Marks the end of an object. */
const END = 9;

/** Metadata needs three levels. */
const MAX_DEPTH = 16;

/** Enough for the keyframe index of a film. */
const MAX_VALUES = 65_536;
