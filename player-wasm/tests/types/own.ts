// What only this player has, by named imports.
import { ErrorTypes, Events, LoggingControl, createPlayer, isSupported, version } from 'pushpull-player';
import type { Config, ErrorInfo, FlvPlayer, PlayerError, Presentation, SeiMessage, Stats } from 'pushpull-player';
import { FlvLiveElement } from 'pushpull-player/element';

const config: Config = {
    mode: 'transmux',
    module: 'auto',
    pacing: 'lowest',
    alternateUrls: ['ws://backup/live.flv'],
    maxReconnects: 3,
    'min-cache': 0.2,
    'max-cache': 0.8,
    reportRecovered: true,
    autoplayMuted: true,
    sei: true,
};

async function watch(video: HTMLVideoElement): Promise<FlvPlayer | undefined> {
    if (!isSupported()) return undefined;
    const player = createPlayer({ type: 'flv', isLive: true, url: '/live/stream1.flv' }, config);
    player.on('warning', (_type, _detail, info: ErrorInfo) => {
        if (info.context.step === 'reconnect') console.log(info.context.attempt, info.context.count);
    });
    player.on(Events.SEI_PRESENTED, (message: SeiMessage, when: Presentation) => console.log(message.size, when.mediaTime - when.time));
    player.on('scriptdata_presented', (data, { displayTime }) => console.log(data.onTextData, displayTime));
    player.on('state_change', (code: number, message: string) => console.log(code, message));
    player.on('autoplay_muted', () => console.log(player.muted));
    player.attachMediaElement(video);
    try {
        const info = await player.load();
        console.log(info.videoCodec, info.colourPrimaries);
    } catch (error) {
        const { type, detail, fatal, context } = error as PlayerError;
        console.log(type === ErrorTypes.NETWORK_ERROR, detail, fatal, context.url);
    }
    await player.play();
    const stats: Stats = player.stats;
    console.log(stats.netQualityLevel, stats.videoCache, stats.latencyKind, stats.mode, player.latency, player.latencyKind);
    const { flv, log } = await player.dumpDiagnostics();
    console.log(flv.byteLength, log.length);
    await player.destroy();
    return player;
}

// @ts-expect-error: a mode that does not exist
createPlayer({ type: 'flv', url: 'x' }, { mode: 'fast' });
// @ts-expect-error: no type
createPlayer({ url: 'x' });

const element = document.createElement('flv-live');
element.src = '/live/stream1.flv';
element.latency = 0.5;
element.pacing = 'smooth';
element.muted = true;
element.addEventListener('autoplaymuted', () => {});
element.addEventListener('statistics_info', (event) => console.log(event.detail[0].fps));
element.addEventListener('error', ({ detail: [type, , info] }) => console.log(type, info.fatal));
const known: boolean = element instanceof FlvLiveElement && element.player?.latencyKind === 'buffer';
console.log(watch, known, version, LoggingControl.enableAll);
