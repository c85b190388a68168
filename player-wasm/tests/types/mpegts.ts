// As users of mpegts.js 1.8 write it.
import mpegts from 'pushpull-player';

const element = document.getElementById('videoElement') as HTMLMediaElement;

if (mpegts.getFeatureList().mseLivePlayback) {
    const player = mpegts.createPlayer({ type: 'mse', isLive: true, url: 'http://example.com/live/livestream.flv' });
    player.attachMediaElement(element);
    player.load();
    player.play();
}

const config: mpegts.Config = {
    enableWorker: true,
    enableWorkerForMSE: true,
    liveBufferLatencyChasing: true,
    liveBufferLatencyChasingOnPaused: false,
    liveBufferLatencyMaxLatency: 1.5,
    liveBufferLatencyMinRemain: 0.5,
    liveSync: true,
    liveSyncMaxLatency: 1.2,
    liveSyncTargetLatency: 0.8,
    liveSyncPlaybackRate: 1.2,
};

const types = ['mse', 'mpegts', 'm2ts', 'flv', 'mp4'];
const sources: mpegts.MediaDataSource[] = types.map((type) => ({ type, isLive: true, url: 'ws://127.0.0.1:9090/live/livestream.flv' }));
for (const source of sources) {
    const player: mpegts.Player = mpegts.createPlayer(source, config);
    player.on(mpegts.Events.ERROR, (type: string, detail: string, info: { code: number | string; msg: string }) => {
        switch (type) {
            case mpegts.ErrorTypes.MEDIA_ERROR:
                if (detail === mpegts.ErrorDetails.MEDIA_MSE_ERROR) player.unload();
                break;
            case mpegts.ErrorTypes.NETWORK_ERROR:
                console.log(info.msg);
                break;
        }
    });
    const onMetadata = (metadata: any) => console.log(metadata.width);
    player.on(mpegts.Events.METADATA_ARRIVED, onMetadata);
    player.off(mpegts.Events.METADATA_ARRIVED, onMetadata);
    player.on(mpegts.Events.SCRIPTDATA_ARRIVED, (data) => console.log(Object.keys(data)));
    player.on(mpegts.Events.SEI_ARRIVED, (message) => console.log(message.type, message.uuid, message.user_data));
    player.on(mpegts.Events.TIMED_ID3_METADATA_ARRIVED, (data: any) => console.log(data.pid));
    player.on(mpegts.Events.SCTE35_METADATA_ARRIVED, () => {});
    player.on(mpegts.Events.PES_PRIVATE_DATA_ARRIVED, (data) => console.log(data));
    player.on(mpegts.Events.RECOVERED_EARLY_EOF, () => {});
    player.on(mpegts.Events.DESTROYING, () => {});
    const played: Promise<void> | void = player.play();
    if (played) played.catch(() => {});
    const info = player.statisticsInfo;
    console.log(info.decodedFrames, player.mediaInfo.mimeType);
}

const mse = new mpegts.MSEPlayer({ type: 'flv', url: 'a.flv' }, config);
const media: mpegts.MSEPlayerMediaInfo = mse.mediaInfo;
const statistics: mpegts.MSEPlayerStatisticsInfo = mse.statisticsInfo;
console.log(media.videoCodec, statistics.droppedFrames, mpegts.getFeatureList().mseH265Playback);
