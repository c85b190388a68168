import type * as types from './types.js';

export type * from './types.js';
export { FlvPlayer, FlvPlayer as MSEPlayer, NativePlayer } from './types.js';

/** A player for one stream or file. */
export function createPlayer(mediaDataSource: types.MediaDataSource & { type: 'flv' | 'mse' }, config?: types.Config): types.FlvPlayer;
export function createPlayer(mediaDataSource: types.MediaDataSource, config?: types.Config): types.Player;

/** Whether this browser can play what an FLV stream usually carries: H.264 and AAC. */
export function isSupported(): boolean;

/** What this browser can do, by the names of mpegts.js and of flv.js. */
export function getFeatureList(): types.FeatureList;

export const version: string;
export const Events: Readonly<types.Events>;
export const ErrorTypes: Readonly<types.ErrorTypes>;
export const ErrorDetails: Readonly<types.ErrorDetails>;
export const LoggingControl: types.LoggingControl;
export const BaseLoader: types.BaseLoaderConstructor;
export const LoaderStatus: types.LoaderStatus;
export const LoaderErrors: types.LoaderErrors;

declare const pushpull: {
    createPlayer: typeof createPlayer;
    isSupported: typeof isSupported;
    getFeatureList: typeof getFeatureList;
    readonly version: string;
    readonly Events: Readonly<types.Events>;
    readonly ErrorTypes: Readonly<types.ErrorTypes>;
    readonly ErrorDetails: Readonly<types.ErrorDetails>;
    readonly FlvPlayer: typeof types.FlvPlayer;
    readonly MSEPlayer: typeof types.FlvPlayer;
    readonly NativePlayer: typeof types.NativePlayer;
    readonly LoggingControl: types.LoggingControl;
    BaseLoader: types.BaseLoaderConstructor;
    LoaderStatus: types.LoaderStatus;
    LoaderErrors: types.LoaderErrors;
};

/** The types by the names that users of flv.js and mpegts.js write: `flvjs.Player`, `mpegts.Config`. */
declare namespace pushpull {
    type MediaSegment = types.MediaSegment;
    type MediaDataSource = types.MediaDataSource;
    type Config = types.Config;
    type Player = types.Player;
    type FlvPlayer = types.FlvPlayer;
    type MSEPlayer = types.FlvPlayer;
    type NativePlayer = types.NativePlayer;
    type PlayerConstructor<T extends types.Player = types.Player> = types.PlayerConstructor<T>;
    type PlayerEvents = types.PlayerEvents;
    type MediaInfo = types.MediaInfo;
    type FlvPlayerMediaInfo = types.MediaInfo;
    type MSEPlayerMediaInfo = types.MediaInfo;
    type NativePlayerMediaInfo = types.NativePlayerMediaInfo;
    type StatisticsInfo = types.StatisticsInfo;
    type FlvPlayerStatisticsInfo = Partial<types.StatisticsInfo>;
    type FlvPlayerReportStatisticsInfo = types.StatisticsInfo;
    type MSEPlayerStatisticsInfo = Partial<types.StatisticsInfo>;
    type MSEPlayerReportStatisticsInfo = types.StatisticsInfo;
    type NativePlayerStatisticsInfo = types.NativePlayerStatisticsInfo;
    type NetStatus = types.NetStatus;
    type Stats = types.Stats;
    type SeiMessage = types.SeiMessage;
    type Presentation = types.Presentation;
    type ErrorInfo = types.ErrorInfo;
    type PlayerError = types.PlayerError;
    type FeatureList = types.FeatureList;
    type LoggingControl = types.LoggingControl;
    type LoggingControlConfig = types.LoggingControlConfig;
    type Events = types.Events;
    type ErrorTypes = types.ErrorTypes;
    type ErrorDetails = types.ErrorDetails;
    type BaseLoader = types.BaseLoader;
    type BaseLoaderConstructor = types.BaseLoaderConstructor;
    type CustomLoaderConstructor = types.CustomLoaderConstructor;
    type CustomSeekHandlerConstructor = types.CustomSeekHandlerConstructor;
    type SeekHandler = types.SeekHandler;
    type SeekConfig = types.SeekConfig;
    type Range = types.Range;
    type LoaderStatus = types.LoaderStatus;
    type LoaderErrors = types.LoaderErrors;
    type LoaderErrorMessage = types.LoaderErrorMessage;
}

export default pushpull;
