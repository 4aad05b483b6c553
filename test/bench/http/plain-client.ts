import { Pool } from 'undici';

const type = 'application/vnd.diffeo.coordinate.v1+json';

/** A client as the original's: bodies in JSON, each thing in a request of its own. It keeps its connections. */
export class PlainClient {
  readonly #pool: Pool;

  constructor(url: string, connections: number) {
    this.#pool = new Pool(new URL(url).origin, { connections });
  }

  /** Resolves to what is answered; rejects for anything but success. */
  async ask<Answer = unknown>(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await this.#pool.request({ method, path, headers: { accept: type, 'content-type': type }, ...sent });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path} answers ${answer.statusCode} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as Answer;
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}
