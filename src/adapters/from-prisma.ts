import type { TransactionClient } from '../core/coordinate.js';
import { checkTransaction } from './check-transaction.js';

/** What is used of the client of a Prisma interactive transaction. */
export interface PrismaTransaction {
  readonly $connect?: never;
  $queryRawUnsafe(query: string, ...values: never[]): PromiseLike<unknown>;
}

/** Where Prisma keeps what PostgreSQL said: with a driver adapter, and with an engine of its own. */
interface PrismaError {
  readonly meta?: {
    readonly driverAdapterError?: { readonly cause?: { readonly originalCode?: unknown; readonly originalMessage?: unknown } };
    readonly code?: unknown;
    readonly message?: unknown;
  };
}

/**
 * Makes a Prisma interactive transaction the `client` of operations that are to commit or roll back with it.
 *
 * The driver adapter must be `@prisma/adapter-pg`. Raises InvalidArgument for a client that is no transaction: its statements would
 * not be one. PostgreSQL's errors come with its SQLSTATE as their `code`, such as 40001, and Prisma's own as their cause.
 *
 * @example
 * await prisma.$transaction(async (tx) => {
 *   await tx.order.create({ data: { id } });
 *   await spec.addWorkUnit(id, { id }, {}, { client: fromPrisma(tx) });
 * });
 */
export function fromPrisma(tx: PrismaTransaction): TransactionClient {
  const isClient = typeof tx?.$queryRawUnsafe === 'function';
  // The client of a transaction has none of the methods that connect.
  checkTransaction(isClient && typeof tx.$connect !== 'function', tx, 'the client of a Prisma transaction');
  return {
    query: async (text, values = []) => {
      const parameters = values.map((value) => value ?? null) as never[];
      try {
        return { rows: (await tx.$queryRawUnsafe(text, ...parameters)) as unknown[] };
      } catch (error) {
        throw postgresError(error);
      }
    },
  };
}

/** An error with what PostgreSQL said, if Prisma tells; else the error as it is. */
function postgresError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { driverAdapterError, code, message } = (error as PrismaError).meta ?? {};
  const state = driverAdapterError?.cause?.originalCode ?? code;
  if (typeof state !== 'string') return error;
  const said = driverAdapterError?.cause?.originalMessage ?? message;
  const translated = new Error(typeof said === 'string' ? said : error.message, { cause: error });
  return Object.assign(translated, { code: state });
}
