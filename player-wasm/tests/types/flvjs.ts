// As users of flv.js 1.6 write it: default import, types by way of the namespace, every key of its configuration.
import flvjs from 'pushpull-player';

class Live {
    private player: flvjs.Player | null = null;

    constructor(private readonly video: HTMLVideoElement) {}

    start(url: string): void {
        if (!flvjs.isSupported()) return;
        const source: flvjs.MediaDataSource = { type: 'flv', isLive: true, hasAudio: true, hasVideo: true, cors: true, withCredentials: false, url };
        const config: flvjs.Config = {
            enableWorker: false,
            enableStashBuffer: false,
            stashInitialSize: 128,
            isLive: true,
            lazyLoad: false,
            lazyLoadMaxDuration: 180,
            lazyLoadRecoverDuration: 30,
            deferLoadAfterSourceOpen: false,
            autoCleanupSourceBuffer: true,
            autoCleanupMaxBackwardDuration: 180,
            autoCleanupMinBackwardDuration: 120,
            statisticsInfoReportInterval: 600,
            fixAudioTimestampGap: false,
            accurateSeek: true,
            seekType: 'range',
            seekParamStart: 'bstart',
            seekParamEnd: 'bend',
            rangeLoadZeroStart: false,
            reuseRedirectedURL: true,
            referrerPolicy: 'no-referrer-when-downgrade',
            headers: { Authorization: 'Bearer x' },
        };
        this.player = flvjs.createPlayer(source, config);
        this.player.on(flvjs.Events.ERROR, (errorType, errorDetail, errorInfo) => {
            if (errorType === flvjs.ErrorTypes.NETWORK_ERROR && errorDetail === flvjs.ErrorDetails.NETWORK_STATUS_CODE_INVALID) {
                console.error(errorInfo.code, errorInfo.msg);
            }
        });
        this.player.on(flvjs.Events.STATISTICS_INFO, (info: flvjs.FlvPlayerStatisticsInfo) => console.log(info.speed, info.decodedFrames));
        this.player.on(flvjs.Events.MEDIA_INFO, (info: any) => console.log(info));
        this.player.on('loading_complete', () => this.stop());
        this.player.attachMediaElement(this.video);
        this.player.load();
        this.player.play();
    }

    stop(): void {
        if (!this.player) return;
        this.player.pause();
        this.player.unload();
        this.player.detachMediaElement();
        this.player.destroy();
        this.player = null;
    }

    seek(seconds: number): void {
        if (!this.player) return;
        this.player.currentTime = seconds;
        this.player.volume = 0.5;
        this.player.muted = false;
        const ranges: TimeRanges = this.player.buffered;
        const duration: number = this.player.duration;
        const info = this.player.mediaInfo as flvjs.FlvPlayerMediaInfo;
        console.log(ranges.length, duration, info.audioCodec, info.chromaFormat, info.mimeType, info.width);
    }
}

// Its documented switches.
flvjs.LoggingControl.enableAll = false;
flvjs.LoggingControl.enableVerbose = true;
flvjs.LoggingControl.globalTag = 'live';
flvjs.LoggingControl.forceGlobalTag = true;
flvjs.LoggingControl.applyConfig({ enableWarn: true });
const tag: string = flvjs.LoggingControl.getConfig().globalTag;
const listener = (type: string, text: string) => console.log(type, text);
flvjs.LoggingControl.addLogListener(listener);
flvjs.LoggingControl.removeLogListener(listener);

const features: flvjs.FeatureList = flvjs.getFeatureList();
if (features.mseLiveFlvPlayback && features.networkStreamIO && features.nativeMP4H264Playback) console.log(features.networkLoaderName);

// Loaders and seek handlers of one's own.
class Loader extends flvjs.BaseLoader implements flvjs.BaseLoader {
    constructor(
        private handler: flvjs.SeekHandler,
        config: flvjs.Config,
    ) {
        super('mine');
        console.log(config.headers);
    }

    open(source: flvjs.MediaSegment, range: flvjs.Range): void {
        const { url } = this.handler.getConfig(source.url, range);
        this._status = flvjs.LoaderStatus.kBuffering;
        fetch(url)
            .then((response) => response.arrayBuffer())
            .then((bytes) => {
                this.onDataArrival?.(bytes, range.from);
                this.onComplete?.(range.from, range.from + bytes.byteLength - 1);
            })
            .catch((error: Error) => this.onError?.(flvjs.LoaderErrors.EXCEPTION, { code: -1, msg: error.message }));
    }

    abort(): void {
        this._status = flvjs.LoaderStatus.kComplete;
    }
}

class Handler implements flvjs.SeekHandler {
    getConfig(url: string, range: flvjs.Range): flvjs.SeekConfig {
        return { url: `${url}?from=${range.from}`, headers: {} };
    }

    removeURLParameters(url: string): string {
        return url.split('?')[0] ?? url;
    }
}

const file = flvjs.createPlayer(
    { type: 'flv', url: 'film.flv', duration: 1000, filesize: 5, segments: [{ duration: 1, filesize: 2, url: 'film.flv' }] },
    { customLoader: Loader, customSeekHandler: Handler, seekType: 'custom' },
);
const direct = new flvjs.FlvPlayer({ type: 'flv', url: 'film.flv' });
const native: flvjs.Player = new flvjs.NativePlayer({ type: 'mp4', url: 'film.mp4' });
console.log(Live, tag, file.type, direct.statisticsInfo.speed, native.type, flvjs.version);
