import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/**
 * Asks a client that waits for it (`Expect: 100-continue`) to send the body, once the answers to what it sent before are written. Node by itself does so at
 * once, also where those are still to come: what it keeps for later then ends up between the head and the body of the answer. To be called before
 * the server listens.
 */
export function sendContinue(server: Server): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (response.socket !== null) response.writeContinue();
    else {
      response.once('socket', () => {
        if (!response.headersSent) response.writeContinue();
      });
    }
    server.emit('request', request, response);
  });
}
