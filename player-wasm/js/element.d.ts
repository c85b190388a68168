import type { Config, FlvPlayer, PlayerEvents } from './types.js';

/** A player event as a DOM event: `detail` holds the arguments of the player's listeners. */
export type FlvLiveEventMap = {
    [E in keyof PlayerEvents]: CustomEvent<Parameters<PlayerEvents[E]>>;
} & {
    /** It plays without sound, because the browser wants a click before sound. */
    autoplaymuted: CustomEvent<void>;
};

/** `<flv-live src autoplay muted latency controls pacing>`: plays a live FLV stream. */
export class FlvLiveElement extends HTMLElement {
    /** Attributes the element follows. */
    static readonly observedAttributes: readonly string[];
    /** The address of the stream. */
    src: string;
    /** Play as soon as there is something to play; without sound where the browser wants a click before sound. */
    autoplay: boolean;
    muted: boolean;
    /** The browser's controls. */
    controls: boolean;
    /** Smallest distance behind the newest media, seconds; NaN: adaptive. */
    latency: number;
    pacing: 'auto' | 'lowest' | 'smooth';
    /** Further settings; in force from the next load on. */
    config: Config;
    /** The player at work, if there is one. */
    readonly player: FlvPlayer | undefined;
    /** The `<video>` inside. */
    readonly video: HTMLVideoElement;
    /** Starts anew. */
    load(): Promise<void>;
    play(): Promise<void>;
    pause(): void;
    addEventListener<E extends keyof FlvLiveEventMap>(
        type: E,
        listener: (this: FlvLiveElement, event: FlvLiveEventMap[E]) => void,
        options?: boolean | AddEventListenerOptions,
    ): void;
    addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
}

declare global {
    interface HTMLElementTagNameMap {
        'flv-live': FlvLiveElement;
    }
}
