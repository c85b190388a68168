/** Whether a MediaSource is there, and can be played from here. */
postMessage(typeof MediaSource === 'undefined' ? 'none' : typeof MediaSourceHandle === 'undefined' ? 'no handle' : 'yes');
