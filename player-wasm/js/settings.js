/** What of a player's settings is the engine's. @module */
import { Setting } from './engine.js';

/** @param {import('./engine.js').Engine} engine @param {any} config */
export function configure(engine, config) {
    const settings = [
        [Setting.Live, Number(config.isLive)],
        [Setting.HasVideo, Number(config.hasVideo !== false)],
        [Setting.HasAudio, Number(config.hasAudio !== false)],
        [Setting.TargetLatency, config.targetLatency],
        [Setting.MaxTargetLatency, config.maxTargetLatency],
        [Setting.MaxPlaybackRate, config.maxPlaybackRate],
        [Setting.BackBuffer, config.backBuffer],
        [Setting.SilenceWarning, config.silenceWarningTimeout / 1000],
        [Setting.SilenceLimit, config.silenceTimeout / 1000],
        [Setting.Pacing, ['auto', 'lowest', 'smooth'].indexOf(config.pacing)],
        [Setting.MaxReconnects, config.maxReconnects],
        [Setting.Seed, Math.random() * 2 ** 32],
        [Setting.VideoTrackId, config.videoTrackId],
        [Setting.AudioTrackId, config.audioTrackId],
        [Setting.FillAudio, Number(config.fillAudio !== false)],
        [Setting.MaxQueueBytes, config.maxQueueBytes],
        [Setting.Sei, Number(config.sei === true)],
        [Setting.Gecko, Number(navigator.userAgent.includes('Firefox/'))],
    ];
    for (const [setting, value] of settings) {
        if (Number.isFinite(value) && value >= 0) engine.set(setting, value);
    }
}
