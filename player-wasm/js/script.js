/** Builds the JavaScript value of a script tag from the engine's walk through it. @module */

export class ScriptBuilder {
    /** The finished value. @type {any} */
    value = undefined;
    /** @type {any[]} */
    #open = [];

    /** @param {string} key @param {boolean} isArray */
    begin(key, isArray) {
        const container = isArray ? [] : {};
        this.put(key, container);
        this.#open.push(container);
    }

    end() {
        this.#open.pop();
    }

    /** @param {string} key @param {number} milliseconds */
    date(key, milliseconds) {
        this.put(key, new Date(milliseconds));
    }

    /** @param {string} key @param {unknown} value */
    put(key, value) {
        const parent = this.#open.at(-1);
        if (parent === undefined) {
            this.value = value;
        } else if (Array.isArray(parent)) {
            parent.push(value);
        } else {
            // A publisher may name a property __proto__: it must become one, not change the object.
            Object.defineProperty(parent, key, { value, enumerable: true, writable: true, configurable: true });
        }
    }
}
