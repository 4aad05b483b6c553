import { createHash } from 'node:crypto';

/**
 * One SQL statement, whole and readable. Its text is a function of the quoted schema it is addressed to (and of the catalog's, for
 * those of a bucket): every table is named with its schema, search_path is never relied upon.
 */
export interface Statement {
  /** `object.operation`; in a comment in front of the SQL, so that pg_stat_statements and the server's log name it. */
  readonly label: string;
  readonly text: (schema: string, catalog: string) => string;
}

/** A statement as it is sent: prepared under this name. */
export interface PreparedStatement {
  readonly name: string;
  readonly text: string;
}

/** Defines a statement. */
export function statement(label: string, text: Statement['text']): Statement {
  return Object.freeze({ label, text });
}

/** The texts of statements for one schema, made once each. */
export class StatementSet {
  readonly #prepared = new Map<Statement, PreparedStatement>();
  readonly #schema: string;
  readonly #catalog: string;

  constructor(schema: string, catalog: string) {
    this.#schema = quoteIdentifier(schema);
    this.#catalog = quoteIdentifier(catalog);
  }

  prepare(of: Statement): PreparedStatement {
    let prepared = this.#prepared.get(of);
    if (prepared === undefined) {
      const text = `/* pg-coordinate:${of.label} */ ${of.text(this.#schema, this.#catalog)}`;
      // By content: two versions of this package that share a pooled connection never run each other's statements.
      const name = `pc_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`;
      prepared = { name, text };
      this.#prepared.set(of, prepared);
    }
    return prepared;
  }
}

/** Makes any text an SQL identifier. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
