/** One part of a file in several. Accepted for the sake of flv.js: one part plays, several are an error. */
export interface MediaSegment {
    /** Milliseconds. */
    duration: number;
    filesize?: number;
    url: string;
}

/** Where a stream is, and what is known of it beforehand. */
export interface MediaDataSource {
    /** `'flv'` or `'mse'`. Others, such as `'mp4'`, go to the browser's own player. */
    type: string;
    /** `http:`, `https:`, `ws:` or `wss:`; may be relative to the page. */
    url?: string;
    /** Where else the same stream is, for when `url` fails. HTTP and WebSocket may be mixed. */
    alternateUrls?: string[];
    /** Follow the newest media. Default: true for WebSocket, false for HTTP. */
    isLive?: boolean;
    /** `false`: never play sound. Otherwise what comes decides. */
    hasAudio?: boolean;
    /** `false`: never show pictures. Otherwise what comes decides. */
    hasVideo?: boolean;
    /** Request headers, for HTTP. */
    headers?: Record<string, string>;
    /** `false`: only from the page's own origin. */
    cors?: boolean;
    /** Send cookies to other origins, for HTTP. */
    withCredentials?: boolean;
    /** Of a file, milliseconds, where the file does not say. */
    duration?: number;
    /** Of a file, bytes, where the server does not say. */
    filesize?: number;
    segments?: MediaSegment[];
}

/**
 * Settings, all optional; those of flv.js and mpegts.js are accepted too. Names with `Timeout` or `Interval` are
 * milliseconds, other times seconds.
 */
export interface Config {
    /**
     * Where the work is done: all but the element in a worker; all but MediaSource and the element in a worker
     * (`'transmux'`); all on the page's thread. Default `'auto'`: the first of these that the browser can.
     */
    mode?: 'auto' | 'worker' | 'transmux' | 'main';
    /** The small WebAssembly, or the one that knows every codec. Default `'auto'`: the large one once a stream needs it. */
    module?: 'auto' | 'core' | 'full';
    /**
     * `'lowest'`: pictures as soon as there is one. `'smooth'`: a few pictures later and steadier. Default `'auto'`:
     * begins with the lowest, and gives it up when it does not hold.
     */
    pacing?: 'auto' | 'lowest' | 'smooth';
    /** The worker's module, the package's `worker.js`; default: beside `index.js`. Must be of the page's origin. */
    workerUrl?: string;
    /** The WebAssembly; default: beside `index.js`. */
    wasmUrl?: string;
    /** Smallest distance behind the newest media. Default: adaptive, from 0.2 on. */
    targetLatency?: number;
    /** Largest distance that uneven arrival may lead to. Default: 4. */
    maxTargetLatency?: number;
    /** Largest playback rate for catching up. Default: 1.1, and up to 2 (heard: 1.5) after a start or a stall. */
    maxPlaybackRate?: number;
    /** How much of what was played is kept. Default: 15. */
    backBuffer?: number;
    /** Fill gaps of the sound with silence. Default: true. */
    fillAudio?: boolean;
    /** Most bytes that wait for the browser to take them, before what is oldest is skipped (live). */
    maxQueueBytes?: number;
    /** Which of several video tracks (Enhanced RTMP); until it begins another plays. Default: the first. */
    videoTrackId?: number;
    /** Which of several audio tracks (Enhanced RTMP); until it begins another plays. Default: the first. */
    audioTrackId?: number;
    /** Look for SEI messages. Default: if somebody listens to `sei_arrived` or `sei_presented`. */
    sei?: boolean;
    /** As in `MediaDataSource`, which counts more. */
    isLive?: boolean;
    /** As in `MediaDataSource`, which counts more. */
    alternateUrls?: string[];
    /** How often in a row a lost connection is opened anew; 0: never. Default: 8. */
    maxReconnects?: number;
    /** How long the server may take to answer. Default: 15000. */
    connectTimeout?: number;
    /** How long nothing may come before a `warning`. Default: 3000. */
    silenceWarningTimeout?: number;
    /** How long nothing may come before the connection counts as lost; that much longer with each attempt that is silent, too. Default: 5000. */
    silenceTimeout?: number;
    /** How often `statistics_info` is emitted. Default: 600. */
    statisticsInfoReportInterval?: number;
    /** Request headers, for HTTP. */
    headers?: { [name: string]: string };
    /** `fetch`'s referrer policy. */
    referrerPolicy?: ReferrerPolicy;
    /** Ask the address that the last one redirected to. Default: false. */
    reuseRedirectedURL?: boolean;
    /** Tell of what was mended by `error` too, with `fatal: false`. Default: false. */
    reportRecovered?: boolean;
    /** Where the browser wants a click before sound: play without, and emit `autoplay_muted`. Default: false. */
    autoplayMuted?: boolean;

    // Files:
    /** How a part of a file is asked for: by a `Range` header, by parameters, or as `customSeekHandler` says. Default: `'range'`. */
    seekType?: 'range' | 'param' | 'custom';
    /** Default: `'bstart'`. */
    seekParamStart?: string;
    /** Default: `'bend'`. */
    seekParamEnd?: string;
    /** Begin with `Range: bytes=0-`. Default: false. */
    rangeLoadZeroStart?: boolean;
    customSeekHandler?: CustomSeekHandlerConstructor;
    /** Gets the bytes instead of fetch or WebSocket. Sets `mode` to `'main'`. */
    customLoader?: CustomLoaderConstructor;

    // Of flv.js and mpegts.js, for something of the above:
    /** `true`: `mode: 'auto'`; `false`: `mode: 'main'`. */
    enableWorker?: boolean;
    /** `true`: `mode: 'auto'`; `false`, with `enableWorker`: `mode: 'transmux'`. */
    enableWorkerForMSE?: boolean;
    /** Sets `targetLatency`, `maxTargetLatency` and `maxPlaybackRate` by the following three. */
    liveSync?: boolean;
    liveSyncMaxLatency?: number;
    liveSyncTargetLatency?: number;
    liveSyncPlaybackRate?: number;
    /** Sets `targetLatency` and `maxTargetLatency` by `…MinRemain` and `…MaxLatency`. */
    liveBufferLatencyChasing?: boolean;
    liveBufferLatencyMaxLatency?: number;
    liveBufferLatencyMinRemain?: number;
    /** `false`: keep everything that was played for as long as the browser has room. */
    autoCleanupSourceBuffer?: boolean;
    /** `backBuffer`. */
    autoCleanupMaxBackwardDuration?: number;
    /** `backBuffer`, unless the one above is given. */
    autoCleanupMinBackwardDuration?: number;
    /** `fillAudio`. */
    fixAudioTimestampGap?: boolean;

    // Of WeChat's live-player: `targetLatency` and `maxTargetLatency`.
    'min-cache'?: number;
    'max-cache'?: number;
    minCache?: number;
    maxCache?: number;

    // Of flv.js and mpegts.js, without effect; each is logged once:
    enableStashBuffer?: boolean;
    stashInitialSize?: number;
    lazyLoad?: boolean;
    lazyLoadMaxDuration?: number;
    lazyLoadRecoverDuration?: number;
    deferLoadAfterSourceOpen?: boolean;
    liveBufferLatencyChasingOnPaused?: boolean;
    accurateSeek?: boolean;
}

export interface Range {
    from: number;
    /** Included; -1: to the end. */
    to: number;
}

export interface SeekConfig {
    url: string;
    headers: Headers | object;
}

export interface SeekHandler {
    getConfig(sourceURL: string, range: Range): SeekConfig;
    removeURLParameters(url: string): string;
}

export interface CustomSeekHandlerConstructor {
    new (): SeekHandler;
}

export interface LoaderStatus {
    readonly kIdle: 0;
    readonly kConnecting: 1;
    readonly kBuffering: 2;
    readonly kError: 3;
    readonly kComplete: 4;
}

export interface LoaderErrors {
    readonly OK: 'OK';
    readonly EXCEPTION: 'Exception';
    readonly HTTP_STATUS_CODE_INVALID: 'HttpStatusCodeInvalid';
    readonly CONNECTING_TIMEOUT: 'ConnectingTimeout';
    readonly EARLY_EOF: 'EarlyEof';
    readonly UNRECOVERABLE_EARLY_EOF: 'UnrecoverableEarlyEof';
}

export interface LoaderErrorMessage {
    code: number;
    msg: string;
}

/** What a `customLoader` is. It calls the `on…` functions, which the player sets. */
export interface BaseLoader {
    _status: number;
    _needStash: boolean;
    readonly type: string;
    readonly status: number;
    readonly needStashBuffer: boolean;
    onContentLengthKnown: ((contentLength: number) => void) | null;
    onURLRedirect: ((redirectedURL: string) => void) | null;
    onDataArrival: ((chunk: ArrayBuffer, byteStart: number, receivedLength?: number) => void) | null;
    onError: ((errorType: any, errorInfo: LoaderErrorMessage) => void) | null;
    onComplete: ((rangeFrom: number, rangeTo: number) => void) | null;
    destroy(): void;
    isWorking(): boolean;
    open(dataSource: MediaSegment, range: Range): void;
    abort(): void;
}

export interface BaseLoaderConstructor {
    new (typeName: string): BaseLoader;
}

export interface CustomLoaderConstructor {
    new (seekHandler: SeekHandler, config: Config): BaseLoader;
}

/** What listeners of `error` and `warning` get as the third argument. */
export interface ErrorInfo {
    /** HTTP status, WebSocket close code, `MediaError.code`, the name of the cause, or -1. */
    code: number | string;
    /** What happened, for people. */
    msg: string;
    /** Loading has stopped; what is buffered still plays. Always so with `error`, unless `reportRecovered` is set. */
    fatal: boolean;
    /** It was mended, or is being mended: nothing need be done. */
    recovered: boolean;
    /** What the message is about, for programs: `step`, `track`, `time`, `url`, `attempt`, `count`, `codec`, `problem` (RFC 9457), … */
    context: Record<string, any>;
}

/** What `load()` is rejected with. */
export interface PlayerError extends Error, ErrorInfo {
    /** One of `ErrorTypes`. */
    type: string;
    /** One of `ErrorDetails`. */
    detail: string;
}

export interface NativePlayerMediaInfo {
    mimeType: string;
    /** Milliseconds. */
    duration?: number;
    /** Pixels, cropping applied. */
    width?: number;
    height?: number;
}

export interface MediaInfo extends NativePlayerMediaInfo {
    hasVideo?: boolean;
    hasAudio?: boolean;
    /** RFC 6381, such as `avc1.64001f`. */
    videoCodec?: string;
    /** RFC 6381, such as `mp4a.40.2`. */
    audioCodec?: string;
    /** From the stream's configuration; not measured. */
    fps?: number;
    /** Of H.264, such as `High`. */
    profile?: string;
    /** Of H.264, such as `3.1`. */
    level?: string;
    refFrames?: number;
    /** Such as `4:2:0`. */
    chromaFormat?: string;
    sarNum?: number;
    sarDen?: number;
    /** Bits of a sample of the picture. */
    bitDepth?: number;
    /** As ISO/IEC 23091-2 numbers them: 9, 16, 9 is HDR10. */
    colourPrimaries?: number;
    transfer?: number;
    matrix?: number;
    /** How many pictures come before their turn: 0 without B-frames. */
    reorderFrames?: number;
    /** Hz. */
    audioSampleRate?: number;
    audioChannelCount?: number;
    /** kbit/s, as the publisher's metadata says. */
    videoDataRate?: number;
    audioDataRate?: number;
    /** The publisher's `onMetaData`. */
    metadata?: Record<string, any>;
    hasKeyframesIndex?: boolean;
    segmentCount?: number;
    [other: string]: any;
}

export interface NativePlayerStatisticsInfo {
    playerType: 'NativePlayer';
    url: string;
    decodedFrames?: number;
    droppedFrames?: number;
}

export interface StatisticsInfo {
    playerType: 'FlvPlayer';
    url: string;
    hasRedirect: boolean;
    redirectedURL?: string;
    loaderType: string;
    currentSegmentIndex: number;
    totalSegmentCount: number;
    mode: 'worker' | 'transmux' | 'main';
    transport: 'fetch' | 'websocket';
    /** Received, KiB/s. */
    speed: number;
    decodedFrames: number;
    droppedFrames: number;
    /** From the newest media received to the playhead, s. */
    latency: number;
    /** From the publisher's wall clock to the picture shown, s; NaN where the stream has no clock. */
    captureLatency?: number;
    /** What the live controller aims at, s. */
    targetLatency: number;
    /** How uneven the stream arrives: what 95 % of arrivals stay within, s. */
    jitter: number;
    /** Playable ahead of the playhead, s. */
    buffered: number;
    videoBuffered?: number;
    audioBuffered?: number;
    /** The playhead, s. */
    currentTime: number;
    playbackRate: number;
    /** Pictures shown per second. */
    fps: number;
    /** From one keyframe to the next, s. */
    gopLength?: number;
    /** kbit/s. */
    videoBitrate: number;
    audioBitrate: number;
    /** Pixels; 0 while unknown. */
    width: number;
    height: number;
    /** Counts since `load()`. */
    bytesReceived?: number;
    keyframesSeen?: number;
    appends: number;
    stalls: number;
    /** Times the playhead was moved: to catch up, over a hole, past a damaged place. */
    jumps: number;
    nudges: number;
    rebuilds: number;
    reconnects?: number;
    /** Pictures not appended, to catch up. */
    skippedFrames: number;
    resyncs: number;
    badTags: number;
    discontinuities: number;
    audioFramesInserted: number;
    audioFramesDropped: number;
    /** Silent frames in the place of sound that was announced and does not come. */
    audioFilled?: number;
}

/** Statistics as WeChat's `live-player` reports them. Bit rates in kbit/s, times in milliseconds. */
export interface NetStatus {
    videoBitrate: number;
    audioBitrate: number;
    videoFPS: number;
    /** Seconds. */
    videoGOP: number;
    netSpeed: number;
    netJitter: number;
    /** 1 (best) to 6 (nothing comes). */
    netQualityLevel: number;
    videoWidth: number;
    videoHeight: number;
    videoCache: number;
    audioCache: number;
    /** Always 0: browsers do not tell. */
    vDecCacheSize: number;
    /** Pictures. */
    vSumCacheSize: number;
    /** Always 0: the browser keeps sound and picture together. */
    avPlayInterval: number;
    avRecvInterval: number;
    audioCacheThreshold: number;
}

export interface Stats extends Partial<StatisticsInfo>, NetStatus {
    videoBitrate: number;
    audioBitrate: number;
    latencyKind: 'capture' | 'buffer';
}

/** One SEI message (supplemental enhancement information) of a picture. */
export interface SeiMessage {
    /** `payloadType`; 5 is user data with a UUID. */
    type: number;
    /** Bytes. */
    size: number;
    /** The message without its head. */
    payload?: Uint8Array;
    /** Of type 5: its first 16 bytes, and what follows. */
    uuid?: Uint8Array;
    user_data?: Uint8Array;
    /** When its picture is shown, milliseconds of the element's timeline. */
    pts?: number;
}

/** When something was presented. */
export interface Presentation {
    /** Its time, seconds of the element's timeline. */
    time: number;
    /** The time of the picture presented. */
    mediaTime: number;
    /** When that picture is on the screen, as `performance.now()` counts. */
    displayTime: number;
}

export interface PlayerEvents {
    error: (type: string, detail: string, info: ErrorInfo) => void;
    /** What was mended, or may mend itself. */
    warning: (type: string, detail: string, info: ErrorInfo) => void;
    /** The publisher ended properly, or the file did. */
    loading_complete: () => void;
    /** A connection that was lost is there again. */
    recovered_early_eof: () => void;
    media_info: (info: MediaInfo) => void;
    metadata_arrived: (metadata: Record<string, any>) => void;
    /** Any script tag, by its name. */
    scriptdata_arrived: (data: Record<string, any>) => void;
    /** The same once the picture of its time is presented. */
    scriptdata_presented: (data: Record<string, any>, when: Presentation) => void;
    sei_arrived: (message: SeiMessage) => void;
    sei_presented: (message: SeiMessage, when: Presentation) => void;
    statistics_info: (info: StatisticsInfo) => void;
    /** Numbers as WeChat's `live-player` has them: 2004 plays, 2103 reconnects, -2301 gave up, … */
    state_change: (code: number, message: string) => void;
    /** With `autoplayMuted`: it plays without sound, because the browser wants a click before sound. */
    autoplay_muted: () => void;
    destroying: () => void;
}

/** What all players have. */
export interface Player {
    readonly type: string;
    readonly buffered: TimeRanges;
    readonly duration: number;
    volume: number;
    muted: boolean;
    currentTime: number;
    readonly mediaInfo: NativePlayerMediaInfo | MediaInfo;
    readonly statisticsInfo: NativePlayerStatisticsInfo | Partial<StatisticsInfo>;
    on<E extends keyof PlayerEvents>(event: E, listener: PlayerEvents[E]): void;
    on(event: string, listener: (...args: any[]) => void): void;
    off<E extends keyof PlayerEvents>(event: E, listener: PlayerEvents[E]): void;
    off(event: string, listener: (...args: any[]) => void): void;
    attachMediaElement(mediaElement: HTMLMediaElement): void;
    detachMediaElement(): void;
    /** Resolves with the media info once it is known; rejected with a `PlayerError` when it cannot play. */
    load(): Promise<MediaInfo | NativePlayerMediaInfo>;
    unload(): void;
    /** What the element's own `play()` promises. */
    play(): Promise<void>;
    pause(): void;
    destroy(): Promise<void>;
}

export declare class FlvPlayer implements Player {
    constructor(mediaDataSource: MediaDataSource, config?: Config);
    readonly type: 'FlvPlayer';
    readonly buffered: TimeRanges;
    readonly duration: number;
    volume: number;
    muted: boolean;
    currentTime: number;
    readonly mediaInfo: MediaInfo;
    readonly statisticsInfo: Partial<StatisticsInfo>;
    /** The statistics with what the element says now, also by WeChat's names. */
    readonly stats: Stats;
    /** How late the picture is, seconds; NaN while unknown. */
    readonly latency: number;
    /** Since when: since the picture was taken (by the stream's wall clock), or since it was received. */
    readonly latencyKind: 'capture' | 'buffer';
    on<E extends keyof PlayerEvents>(event: E, listener: PlayerEvents[E]): void;
    on(event: string, listener: (...args: any[]) => void): void;
    off<E extends keyof PlayerEvents>(event: E, listener: PlayerEvents[E]): void;
    off(event: string, listener: (...args: any[]) => void): void;
    attachMediaElement(mediaElement: HTMLMediaElement): void;
    detachMediaElement(): void;
    load(): Promise<MediaInfo>;
    unload(): void;
    play(): Promise<void>;
    pause(): void;
    destroy(): Promise<void>;
    /** The last seconds of the stream as it came, and the log of events: what a bug report needs. */
    dumpDiagnostics(): Promise<{ flv: ArrayBuffer; log: any[] }>;
}

/** For what a browser plays by itself, such as MP4. */
export declare class NativePlayer implements Player {
    constructor(mediaDataSource: MediaDataSource, config?: Config);
    readonly type: 'NativePlayer';
    readonly buffered: TimeRanges;
    readonly duration: number;
    volume: number;
    muted: boolean;
    currentTime: number;
    readonly mediaInfo: NativePlayerMediaInfo;
    readonly statisticsInfo: NativePlayerStatisticsInfo;
    on<E extends keyof PlayerEvents>(event: E, listener: PlayerEvents[E]): void;
    on(event: string, listener: (...args: any[]) => void): void;
    off<E extends keyof PlayerEvents>(event: E, listener: PlayerEvents[E]): void;
    off(event: string, listener: (...args: any[]) => void): void;
    attachMediaElement(mediaElement: HTMLMediaElement): void;
    detachMediaElement(): void;
    load(): Promise<NativePlayerMediaInfo>;
    unload(): void;
    play(): Promise<void>;
    pause(): void;
    destroy(): Promise<void>;
}

export interface PlayerConstructor<T extends Player = Player> {
    new (mediaDataSource: MediaDataSource, config?: Config): T;
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
    nativeMP4H265Playback: boolean;
    nativeWebmVP8Playback: boolean;
    nativeWebmVP9Playback: boolean;
    /** Whether the work can be done in a worker. */
    workerPlayback: boolean;
}

export interface LoggingControlConfig {
    forceGlobalTag: boolean;
    globalTag: string;
    enableAll: boolean;
    enableDebug: boolean;
    enableVerbose: boolean;
    enableInfo: boolean;
    enableWarn: boolean;
    enableError: boolean;
}

export interface LoggingControl extends LoggingControlConfig {
    getConfig(): Omit<LoggingControlConfig, 'enableAll'> & { enableCallback: boolean };
    applyConfig(config: Partial<LoggingControlConfig>): void;
    /** Told each line: its level and its text. */
    addLogListener(listener: (...args: any[]) => void): void;
    removeLogListener(listener: (...args: any[]) => void): void;
    /** Told each change of the settings. */
    registerListener(listener: (...args: any[]) => void): void;
    removeListener(listener: (...args: any[]) => void): void;
}

export interface Events {
    ERROR: 'error';
    WARNING: 'warning';
    LOADING_COMPLETE: 'loading_complete';
    RECOVERED_EARLY_EOF: 'recovered_early_eof';
    MEDIA_INFO: 'media_info';
    METADATA_ARRIVED: 'metadata_arrived';
    SCRIPTDATA_ARRIVED: 'scriptdata_arrived';
    SCRIPTDATA_PRESENTED: 'scriptdata_presented';
    SEI_ARRIVED: 'sei_arrived';
    SEI_PRESENTED: 'sei_presented';
    STATISTICS_INFO: 'statistics_info';
    STATE_CHANGE: 'state_change';
    AUTOPLAY_MUTED: 'autoplay_muted';
    DESTROYING: 'destroying';
    // Of MPEG transport streams: never emitted.
    TIMED_ID3_METADATA_ARRIVED: 'timed_id3_metadata_arrived';
    PGS_SUBTITLE_ARRIVED: 'pgs_subtitle_arrived';
    SYNCHRONOUS_KLV_METADATA_ARRIVED: 'synchronous_klv_metadata_arrived';
    ASYNCHRONOUS_KLV_METADATA_ARRIVED: 'asynchronous_klv_metadata_arrived';
    SMPTE2038_METADATA_ARRIVED: 'smpte2038_metadata_arrived';
    SCTE35_METADATA_ARRIVED: 'scte35_metadata_arrived';
    PES_PRIVATE_DATA_DESCRIPTOR: 'pes_private_data_descriptor';
    PES_PRIVATE_DATA_ARRIVED: 'pes_private_data_arrived';
}

export interface ErrorTypes {
    NETWORK_ERROR: 'NetworkError';
    MEDIA_ERROR: 'MediaError';
    OTHER_ERROR: 'OtherError';
}

export interface ErrorDetails {
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
}
