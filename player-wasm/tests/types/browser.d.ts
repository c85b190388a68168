// Of browsers that TypeScript does not know yet.
declare var ManagedMediaSource: typeof MediaSource | undefined;
interface MediaSource {
    readonly handle?: MediaSourceHandle;
    readonly streaming?: boolean;
}
