/** What of a player's settings is the engine's. @module */
import { Setting } from './engine.js';

/** @param {import('./engine.js').Engine} engine @param {any} config */
export function configure(engine, config) {
    /** @type {Record<number, any>} */
    const settings = {
        [Setting.Live]: config.isLive,
        [Setting.HasVideo]: config.hasVideo !== false,
        [Setting.HasAudio]: config.hasAudio !== false,
        [Setting.TargetLatency]: config.targetLatency,
        [Setting.MaxTargetLatency]: config.maxTargetLatency,
        [Setting.MaxPlaybackRate]: config.maxPlaybackRate,
        [Setting.BackBuffer]: config.backBuffer,
        [Setting.SilenceWarning]: config.silenceWarningTimeout / 1000,
        [Setting.SilenceLimit]: config.silenceTimeout / 1000,
        [Setting.Pacing]: ['auto', 'lowest', 'smooth'].indexOf(config.pacing),
        [Setting.MaxReconnects]: config.maxReconnects,
        [Setting.Seed]: Math.random() * 2 ** 32,
        [Setting.VideoTrackId]: config.videoTrackId,
        [Setting.AudioTrackId]: config.audioTrackId,
        [Setting.FillAudio]: config.fillAudio !== false,
        [Setting.MaxQueueBytes]: config.maxQueueBytes,
        [Setting.Sei]: config.sei === true,
        [Setting.Gecko]: navigator.userAgent.includes('Firefox/'),
    };
    for (const setting in settings) {
        const value = Number(settings[setting]);
        if (value >= 0 && value < Infinity) engine.set(Number(setting), value);
    }
}
