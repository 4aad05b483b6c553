import pg from 'pg';
import { connect, type Namespace, type PostgresCoordinate, type WorkSpec } from 'pg-coordinate';
import type { TestDatabase } from '../../support/database.js';

/** A node of a plan as EXPLAIN (ANALYZE, FORMAT JSON) shows it. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Subplan Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Join Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly 'Heap Fetches'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** One statement that was run, be it inside a function. */
export interface ExplainedStatement {
  readonly text: string;
  readonly nodes: readonly PlanNode[];
}

/** Whose pool a connection runs on: our own, with the settings connect() makes, or one of the user's, as they come. */
export type PoolKind = 'our own pool' | "a pool of the user's";

/** A connection whose server tells the plan of every statement that it runs, with what it read. */
export interface ExplainedConnection {
  readonly coordinate: PostgresCoordinate;
  readonly namespace: Namespace;
  readonly spec: WorkSpec;
  /** What was run by an action. */
  explain(action: () => Promise<unknown>): Promise<ExplainedStatement[]>;
  close(): Promise<void>;
}

/** What auto_explain needs to tell it all to the client, and not to the server's log. */
const autoExplain = {
  session_preload_libraries: 'auto_explain',
  'auto_explain.log_min_duration': '0',
  'auto_explain.log_analyze': 'on',
  'auto_explain.log_timing': 'off',
  'auto_explain.log_nested_statements': 'on',
  'auto_explain.log_format': 'json',
  'auto_explain.log_level': 'notice',
  client_min_messages: 'notice',
  // A plan so bad that it would take for ever is an error.
  statement_timeout: '60s',
};

/** Only a superuser may load auto_explain into a session. */
export async function canExplain(database: TestDatabase): Promise<boolean> {
  const [row] = await database.query<{ may: boolean }>(
    `select rolsuper and exists (select from pg_roles where rolname = 'pg_read_all_settings') as may
    from pg_roles where rolname = current_user`,
  );
  return row?.may === true;
}

/** One client: every statement's plan arrives in front of its answer. */
export async function explainedConnection(
  database: TestDatabase,
  names: { readonly namespace: string; readonly spec: string },
  kind: PoolKind,
): Promise<ExplainedConnection> {
  const statements: ExplainedStatement[] = [];
  class ListeningClient extends pg.Client {
    constructor(config?: string | pg.ClientConfig) {
      super(config);
      this.on('notice', ({ message = '' }) => {
        const begin = message.indexOf('plan:\n');
        if (begin >= 0) statements.push(read(message.slice(begin + 'plan:\n'.length)));
      });
    }
  }
  const url = new URL(database.url);
  url.searchParams.set('options', Object.entries(autoExplain).map(([name, value]) => `-c ${name}=${value}`).join(' '));
  const connectionString = url.href.replaceAll('+', '%20');
  const settings = { max: 1, application_name: `pg-coordinate test ${database.schema}`, Client: ListeningClient };
  const pool = kind === 'our own pool' ? undefined : new pg.Pool({ ...settings, connectionString });
  const { schema } = database;
  const coordinate = await connect(pool ?? connectionString, { schema, ...(pool === undefined && { pool: settings }) });
  const namespace = await coordinate.namespace(names.namespace);
  return {
    coordinate,
    namespace,
    spec: await namespace.workSpec(names.spec),
    explain: async (action) => {
      statements.length = 0;
      await action();
      return statements.splice(0);
    },
    close: async () => {
      await coordinate.close();
      await pool?.end();
    },
  };
}

function read(json: string): ExplainedStatement {
  const { 'Query Text': text, Plan: plan } = JSON.parse(json) as { 'Query Text': string; Plan: PlanNode };
  return { text, nodes: allNodes(plan) };
}

function allNodes(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(allNodes)];
}

/** `attempt.claim` of a statement of ours; of one inside a function the beginning of its text. */
export function labelOf({ text }: ExplainedStatement): string {
  return /\/\* pg-coordinate:([\w.-]+) \*\//.exec(text)?.[1] ?? text.replaceAll(/\s+/g, ' ').trim().slice(0, 120);
}

/** Every row that any node of the plan has handled, those it threw away included: what the statement cost. */
export function rowsHandled({ nodes }: ExplainedStatement): number {
  const rows = nodes.map(
    (node) =>
      node['Actual Loops'] *
      (node['Actual Rows'] +
        (node['Rows Removed by Filter'] ?? 0) +
        (node['Rows Removed by Join Filter'] ?? 0) +
        (node['Rows Removed by Index Recheck'] ?? 0)),
  );
  return Math.round(rows.reduce((total, each) => total + each, 0));
}

/** The indexes that a statement used, such as `lease (expires_at)`; of a partition it is shown as the partitioned table's. */
export async function readIndexes(database: TestDatabase): Promise<ReadonlyMap<string, string>> {
  const rows = await database.query<{ name: string; shown: string }>(
    `select i.relname as name, format('%s (%s)', coalesce(root.relname, t.relname), (
      select string_agg(pg_get_indexdef(x.indexrelid, n, true), ', ' order by n) from generate_series(1, x.indnkeyatts) n
    )) as shown
    from pg_index x
    join pg_class i on i.oid = x.indexrelid
    join pg_class t on t.oid = x.indrelid
    left join pg_class root on root.oid = pg_partition_root(t.oid)
    join pg_namespace s on s.oid = t.relnamespace
    where s.nspname in ($1, $2)`,
    [database.schema, database.bucket],
  );
  return new Map(rows.map(({ name, shown }) => [name, shown]));
}

/** How the rows of a table were found, and how many: one line for each scan that was run. */
export function scansOf({ nodes }: ExplainedStatement): string[] {
  return nodes
    .filter((node) => node['Actual Loops'] > 0 && (node['Relation Name'] ?? node['Index Name']) !== undefined)
    .map((node) => {
      const of = [node['Relation Name'], node['Index Name'] && `by ${node['Index Name']}`].filter(Boolean).join(' ');
      const rows = node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0);
      return `${node['Node Type']} of ${of}: ${rows} rows × ${node['Actual Loops']}`;
    });
}
