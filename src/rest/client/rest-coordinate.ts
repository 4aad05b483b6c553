import type { Coordinate, NamespaceQuery } from '../../core/coordinate.js';
import { namespaceKeysOf } from '../../core/namespace/namespace-query.js';
import type { Summary } from '../../core/summary/summary.js';
import { UnexpectedAnswerError } from '../../errors/index.js';
import { checkName } from '../../options/index.js';
import { asBody, encodeName, listMember, summaryFromBody, textMember, timeMember } from '../wire/index.js';
import type { Connection } from './connection.js';
import { transactionsNeedPostgres } from './refuse-transaction.js';
import { RestNamespace } from './rest-namespace.js';

/** A queue that is reached over HTTP. */
export class RestCoordinate implements Coordinate {
  readonly connection: Connection;

  /** Made by `connectRest()`. */
  constructor(connection: Connection) {
    this.connection = connection;
  }

  async namespace(name: string): Promise<RestNamespace> {
    return this.connection.use(async () => {
      const url = this.connection.root.url('namespace_url', { namespace: encodeName(checkName(name, 'name')) });
      return new RestNamespace(this, name, url, (await this.connection.get(url)).links);
    });
  }

  /** The protocol lists all of them: those of other names are passed over here. */
  async namespaces(query?: NamespaceQuery): Promise<RestNamespace[]> {
    return this.connection.use(async () => {
      const keys = namespaceKeysOf(query);
      const { body, links } = await this.connection.get(this.connection.root.url('namespaces_url'));
      const all = listMember(body, 'namespaces').map((item) => {
        const short = asBody(item, 'a namespace');
        return new RestNamespace(this, textMember(short, 'name'), links.resolve(textMember(short, 'url')));
      });
      return keys === undefined ? all : all.filter(({ name }) => keys.some((key) => key.equals(Buffer.from(name))));
    });
  }

  async summarize(): Promise<Summary> {
    return this.connection.use(async () => summaryFromBody(await this.connection.ask('GET', this.connection.root.url('summary_url'))));
  }

  /** At a server that only speaks the protocol, what it says in the header Date: in whole seconds. */
  async now(): Promise<Date> {
    return this.connection.use(async () => {
      const { root } = this.connection;
      if (!root.has('time_url')) return this.connection.date();
      const time = timeMember((await this.connection.get(root.url('time_url'))).body, 'time');
      if (time === null) throw new UnexpectedAnswerError(root.url('time_url').href, 'it gives no time');
      return time;
    });
  }

  /** Raises InvalidArgument: there are no transactions over HTTP. A connection to PostgreSQL has them. */
  async transaction(): Promise<never> {
    throw transactionsNeedPostgres('transaction()');
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
