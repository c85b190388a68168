/** Where a stream is, and what is known of it beforehand. */
export interface MediaDataSource {
    /** Only `'flv'`. */
    type: string;
    /** `http:`, `https:`, `ws:` or `wss:`; may be relative to the page. */
    url: string;
    /** Follow the newest media. Default: true for WebSocket, false for HTTP. */
    isLive?: boolean;
    /** `false`: never play sound. Otherwise what comes decides. */
    hasAudio?: boolean;
    /** `false`: never show pictures. Otherwise what comes decides. */
    hasVideo?: boolean;
    /** Request headers, for HTTP. */
    headers?: Record<string, string>;
    /** Send cookies to other origins, for HTTP. */
    withCredentials?: boolean;
}

/** Settings; those of mpegts.js are accepted too. Names with `Timeout` or `Interval` are ms, other times seconds. */
export interface Config {
    /** Where the work is done. `'auto'`: in a worker if the browser can, else on the page's thread. */
    mode: 'auto' | 'worker' | 'main';
    /** The worker's module; default: `worker.js` beside `index.js`. Must be of the page's origin. */
    workerUrl: string;
    /** The WebAssembly; default: beside `index.js`. */
    wasmUrl: string;
    /** Smallest distance behind the newest media. Default: adaptive, from 0.2 on. */
    targetLatency: number;
    /** Largest distance that uneven arrival may lead to. Default: 4. */
    maxTargetLatency: number;
    /** Largest playback rate for catching up. Default: 1.1, and up to 2 (heard: 1.5) after a start or a stall. */
    maxPlaybackRate: number;
    /** How much of what was played is kept. Default: 15. */
    backBuffer: number;
    /** How long the server may take to answer. Default: 15000. */
    connectTimeout: number;
    /** How long nothing may come before a `warning`. Default: 5000. */
    silenceWarningTimeout: number;
    /** How long nothing may come before the connection counts as lost. Default: 30000. */
    silenceTimeout: number;
    /** How often `statistics_info` is emitted. Default: 600. */
    statisticsInfoReportInterval: number;
    /** Request headers, for HTTP. */
    headers: Record<string, string>;
    /** `fetch`'s referrer policy. */
    referrerPolicy: ReferrerPolicy;

    // Of mpegts.js, with the same meaning or the nearest one:
    liveSync: boolean;
    liveSyncTargetLatency: number;
    liveSyncPlaybackRate: number;
    liveBufferLatencyChasing: boolean;
    liveBufferLatencyMinRemain: number;
    autoCleanupMaxBackwardDuration: number;
    // Others are accepted and have no effect; each is logged once.
    [other: string]: unknown;
}

/** What listeners of `error` and `warning` get as the third argument. */
export interface ErrorInfo {
    /** HTTP status, WebSocket close code, `MediaError.code`, or -1. */
    code: number;
    /** What happened, for people. */
    msg: string;
    /** `true` with `error`: loading has stopped. `false` with `warning`: it goes on. */
    fatal: boolean;
    /** What the message is about: `codec`, `url`, `offset`, `problem` (RFC 9457), … */
    context?: Record<string, unknown>;
}

export interface MediaInfo {
    mimeType: string;
    hasVideo: boolean;
    hasAudio: boolean;
    /** RFC 6381, such as `avc1.64001f`. */
    videoCodec?: string;
    /** RFC 6381, such as `mp4a.40.2`. */
    audioCodec?: string;
    /** Pixels, cropping applied. */
    width?: number;
    height?: number;
    /** From the stream's configuration; not measured. */
    fps?: number;
    /** `profile_idc` of H.264. */
    profile?: number;
    /** `level_idc` of H.264: 31 is level 3.1. */
    level?: number;
    refFrames?: number;
    /** `chroma_format_idc`: 1 is 4:2:0. */
    chromaFormat?: number;
    sarNum?: number;
    sarDen?: number;
    /** Hz. */
    audioSampleRate?: number;
    audioChannelCount?: number;
    /** kbit/s, as the publisher's metadata says. */
    videoDataRate?: number;
    audioDataRate?: number;
    /** The publisher's `onMetaData`. */
    metadata?: Record<string, unknown>;
    hasKeyframesIndex: boolean;
    segmentCount: number;
}

export interface StatisticsInfo {
    playerType: 'FlvPlayer';
    url: string;
    hasRedirect: boolean;
    redirectedURL?: string;
    loaderType: string;
    currentSegmentIndex: number;
    totalSegmentCount: number;
    mode: 'worker' | 'main';
    transport: 'fetch' | 'websocket';
    /** Received, KiB/s. */
    speed: number;
    decodedFrames: number;
    droppedFrames: number;
    /** From the newest media received to the playhead, s. */
    latency: number;
    /** What the live controller aims at, s. */
    targetLatency: number;
    /** How uneven the stream arrives: what 95 % of arrivals stay within, s. */
    jitter: number;
    /** Playable ahead of the playhead, s. */
    buffered: number;
    /** The playhead, s. */
    currentTime: number;
    playbackRate: number;
    /** Pictures shown per second. */
    fps: number;
    /** kbit/s. */
    videoBitrate: number;
    audioBitrate: number;
    /** Pixels; 0 while unknown. */
    width: number;
    height: number;
    /** Counts since `load()`. */
    appends: number;
    stalls: number;
    /** Times the playhead was moved: to catch up, over a hole, past a damaged place. */
    jumps: number;
    nudges: number;
    rebuilds: number;
    /** Pictures not appended, to catch up. */
    skippedFrames: number;
    resyncs: number;
    badTags: number;
    discontinuities: number;
    audioFramesInserted: number;
    audioFramesDropped: number;
}

export interface PlayerEvents {
    error: (type: string, detail: string, info: ErrorInfo) => void;
    warning: (type: string, detail: string, info: ErrorInfo) => void;
    /** The publisher ended properly, or the file did. */
    loading_complete: () => void;
    recovered_early_eof: () => void;
    media_info: (info: MediaInfo) => void;
    metadata_arrived: (metadata: Record<string, unknown>) => void;
    /** Any script tag, by its name. */
    scriptdata_arrived: (data: Record<string, unknown>) => void;
    statistics_info: (info: StatisticsInfo) => void;
    destroying: () => void;
}

export class FlvPlayer {
    constructor(mediaDataSource: MediaDataSource, config?: Partial<Config>);
    readonly type: 'FlvPlayer';
    readonly mediaInfo: Partial<MediaInfo>;
    readonly statisticsInfo: Partial<StatisticsInfo>;
    readonly buffered: TimeRanges | undefined;
    readonly duration: number;
    volume: number;
    muted: boolean;
    currentTime: number;
    on<E extends keyof PlayerEvents>(event: E, listener: PlayerEvents[E]): void;
    on(event: string, listener: (...args: any[]) => void): void;
    off<E extends keyof PlayerEvents>(event: E, listener: PlayerEvents[E]): void;
    off(event: string, listener: (...args: any[]) => void): void;
    attachMediaElement(element: HTMLMediaElement): void;
    detachMediaElement(): void;
    load(): void;
    unload(): void;
    play(): Promise<void>;
    pause(): void;
    destroy(): void;
}

export interface FeatureList {
    msePlayback: boolean;
    mseLivePlayback: boolean;
    mseH265Playback: boolean;
    mseFlvPlayback: boolean;
    mseLiveFlvPlayback: boolean;
    networkStreamIO: boolean;
    networkLoaderName: string;
    nativeMP4H264Playback: boolean;
    /** Whether everything but the element can live in a worker. */
    workerPlayback: boolean;
}

export function createPlayer(mediaDataSource: MediaDataSource, config?: Partial<Config>): FlvPlayer;
export function isSupported(): boolean;
export function getFeatureList(): FeatureList;

export const Events: Readonly<{
    ERROR: 'error';
    WARNING: 'warning';
    LOADING_COMPLETE: 'loading_complete';
    RECOVERED_EARLY_EOF: 'recovered_early_eof';
    MEDIA_INFO: 'media_info';
    METADATA_ARRIVED: 'metadata_arrived';
    SCRIPTDATA_ARRIVED: 'scriptdata_arrived';
    STATISTICS_INFO: 'statistics_info';
    DESTROYING: 'destroying';
}>;

export const ErrorTypes: Readonly<{
    NETWORK_ERROR: 'NetworkError';
    MEDIA_ERROR: 'MediaError';
    OTHER_ERROR: 'OtherError';
}>;

export const ErrorDetails: Readonly<{
    NETWORK_EXCEPTION: 'Exception';
    NETWORK_STATUS_CODE_INVALID: 'HttpStatusCodeInvalid';
    NETWORK_TIMEOUT: 'ConnectingTimeout';
    NETWORK_UNRECOVERABLE_EARLY_EOF: 'UnrecoverableEarlyEof';
    NETWORK_EARLY_EOF: 'EarlyEof';
    NETWORK_SILENCE: 'Silence';
    MEDIA_MSE_ERROR: 'MediaMSEError';
    MEDIA_FORMAT_ERROR: 'FormatError';
    MEDIA_FORMAT_UNSUPPORTED: 'FormatUnsupported';
    MEDIA_CODEC_UNSUPPORTED: 'CodecUnsupported';
    MEDIA_STALLED: 'Stalled';
    MEDIA_DISCONTINUITY: 'Discontinuity';
    OTHER_EXCEPTION: 'Exception';
}>;

export const LoggingControl: {
    forceGlobalTag: boolean;
    globalTag: string;
    enableAll: boolean;
    enableDebug: boolean;
    enableVerbose: boolean;
    enableInfo: boolean;
    enableWarn: boolean;
    enableError: boolean;
    getConfig(): Record<string, unknown>;
    applyConfig(config: Record<string, unknown>): void;
    addLogListener(listener: (level: string, text: string) => void): void;
    removeLogListener(listener: (level: string, text: string) => void): void;
};

declare const flv: {
    createPlayer: typeof createPlayer;
    isSupported: typeof isSupported;
    getFeatureList: typeof getFeatureList;
    Events: typeof Events;
    ErrorTypes: typeof ErrorTypes;
    ErrorDetails: typeof ErrorDetails;
    FlvPlayer: typeof FlvPlayer;
    LoggingControl: typeof LoggingControl;
};
export default flv;
