/**
 * Script tags: AMF0 (*Action Message Format -- AMF 0*, Adobe, 2007), as far as FLV has it.
 * @module
 */

/**
 * The handler's name and its argument. What is cut off or not AMF0 throws.
 * @param {Uint8Array} bytes @returns {[string, any]}
 */
export function readScript(bytes) {
    const reader = new Reader(bytes);
    let name = reader.value(0);
    // What a publisher sends to set metadata may be relayed as it came.
    if (name === '@setDataFrame') name = reader.value(0);
    if (typeof name !== 'string') throw new RangeError('a script tag without a name');
    return [name, reader.isAtEnd ? null : reader.value(0)];
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

class Reader {
    #bytes;
    #view;
    #at = 0;
    #values = 0;

    /** @param {Uint8Array} bytes */
    constructor(bytes) {
        this.#bytes = bytes;
        this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }

    get isAtEnd() {
        return this.#at >= this.#bytes.length;
    }

    /** @param {number} depth @returns {any} */
    value(depth) {
        if (depth > MAX_DEPTH || ++this.#values > MAX_VALUES) throw new RangeError('a script tag too deep or too long');
        const marker = this.#skip(1).getUint8(this.#at - 1);
        switch (marker) {
            case 0: // number
                return this.#number();
            case 1: // boolean
                return this.#skip(1).getUint8(this.#at - 1) !== 0;
            case 2: // string
                return this.#text(this.#short());
            case 16: // typed object: its class is not told
                this.#text(this.#short());
                return this.#properties(depth);
            case 8: // ECMA array: the count is a hint at best, the end marker decides
                this.#skip(4);
                return this.#properties(depth);
            case 3: // object
                return this.#properties(depth);
            case 10: { // strict array
                const values = [];
                for (let count = this.#long(); count > 0; count -= 1) values.push(this.value(depth + 1));
                return values;
            }
            case 11: { // date and a time zone that is not used
                const date = new Date(this.#number());
                this.#skip(2);
                return date;
            }
            case 12: // long string
            case 15: // XML
                return this.#text(this.#long());
            case 7: // reference
                this.#skip(2);
                return null;
            case 5: // null
            case 6: // undefined
            case 13: // unsupported
                return null;
            default:
                throw new RangeError(`a script tag with type ${marker}`);
        }
    }

    /** @param {number} depth */
    #properties(depth) {
        const object = {};
        // Some encoders leave out the end marker.
        while (!this.isAtEnd) {
            const key = this.#text(this.#short());
            if (key === '' && this.#bytes[this.#at] === END) {
                this.#at += 1;
                break;
            }
            const value = this.value(depth + 1);
            // A publisher may name a property __proto__: it must become one, not change the object.
            Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
        }
        return object;
    }

    #number() {
        return this.#skip(8).getFloat64(this.#at - 8);
    }

    #short() {
        return this.#skip(2).getUint16(this.#at - 2);
    }

    #long() {
        return this.#skip(4).getUint32(this.#at - 4);
    }

    /** @param {number} length */
    #text(length) {
        this.#skip(length);
        return decoder.decode(this.#bytes.subarray(this.#at - length, this.#at));
    }

    /** Goes on behind the next `length` bytes, which are there. @param {number} length */
    #skip(length) {
        this.#at += length;
        if (this.#at > this.#bytes.length) throw new RangeError('a script tag that is cut off');
        return this.#view;
    }
}

const decoder = new TextDecoder();

/** Marks the end of an object. */
const END = 9;

/** Metadata needs three levels. */
const MAX_DEPTH = 16;

/** Enough for the keyframe index of a film. */
const MAX_VALUES = 65_536;
