// Made by wasm-bindgen, without types, when the package is built.
declare module '*/pushpull_player.js' {
    const glue: any;
    export default glue;
    export type Engine = any;
    export const Engine: any;
    export type Track = any;
    export const Track: any;
    export const Fault: any;
    export const Info: any;
    export const Notice: any;
    export const Op: any;
    export const Setting: any;
    export const Stat: any;
}

// Of browsers that TypeScript does not know yet.
declare var ManagedMediaSource: typeof MediaSource | undefined;
interface MediaSource {
    readonly handle?: MediaSourceHandle;
    readonly streaming?: boolean;
}
