import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const type = 'application/vnd.diffeo.coordinate.v1+json';

interface Waiting {
  readonly resolve: (answer: { readonly status: number; readonly text: string }) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A client as the original's, in Go: the same headers, bodies in JSON, each thing in a request of its own, and on each connection, which it keeps, one
 * request at a time. It reads just what the server is known to send, as it shares the machine with what it measures and must cost little of it.
 */
export class PlainClient {
  readonly #connections: Promise<PlainConnection>[];
  readonly #free: PlainConnection[] = [];
  readonly #waiting: ((connection: PlainConnection) => void)[] = [];

  constructor(url: string, connections: number) {
    this.#connections = Array.from({ length: connections }, async () => {
      const connection = await PlainConnection.open(new URL(url));
      this.#giveBack(connection);
      return connection;
    });
  }

  /** Resolves to what is answered; rejects for anything but success. */
  async ask<Answer = unknown>(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
    const connection = this.#free.pop() ?? (await new Promise<PlainConnection>((resolve) => this.#waiting.push(resolve)));
    const { status, text } = await connection.ask(method, path, body === undefined ? '' : JSON.stringify(body));
    this.#giveBack(connection);
    if (status >= 300) throw new Error(`${method} ${path} answers ${status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as Answer;
  }

  async close(): Promise<void> {
    for (const connection of await Promise.all(this.#connections)) connection.close();
  }

  #giveBack(connection: PlainConnection): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(connection);
    else next(connection);
  }
}

class PlainConnection {
  readonly #socket: Socket;
  readonly #host: string;
  #received = '';
  #waiting: Waiting | undefined;

  static async open({ hostname, port, host }: URL): Promise<PlainConnection> {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    return new PlainConnection(socket, host);
  }

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#host = host;
    // The lengths of answers are those of bytes, and so are those of this encoding.
    socket.setEncoding('latin1').on('data', (text: string) => this.#receive(text));
    socket.on('error', (error) => this.#waiting?.reject(error));
    socket.on('close', () => this.#waiting?.reject(new Error('the server has closed the connection')));
  }

  ask(method: string, path: string, body: string): Promise<{ readonly status: number; readonly text: string }> {
    const length = body === '' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\nContent-Type: ${type}\r\n`;
    const head = `${method} ${path} HTTP/1.1\r\nHost: ${this.#host}\r\nUser-Agent: Go-http-client/1.1\r\n${length}Accept: ${type}\r\nAccept-Encoding: gzip\r\n\r\n`;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(head + body);
    });
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #receive(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = this.#received.slice(0, end);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (this.#received.length < end + 4 + length) return;
    const body = Buffer.from(this.#received.slice(end + 4), 'latin1').toString('utf8');
    this.#received = '';
    this.#waiting?.resolve({ status: Number(head.slice(9, 12)), text: body });
  }
}
