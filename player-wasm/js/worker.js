/** The worker's entry: a host whose page is on the other side of messages. @module */
import { Host } from './host.js';
import { Message } from './messages.js';

const host = new Host((message, transfer = []) => self.postMessage(message, /** @type {any} */ (transfer)));
self.onmessage = ({ data }) => host.receive(data);
self.postMessage({ type: Message.Hello });
