import { fromPrisma } from 'pg-coordinate/adapters';
import { describe } from 'vitest';
import { adapterBehaves } from './behaviour.js';
import type { OpenLibrary } from './library.js';
import { prismaClient } from './prisma-client.js';

const open: OpenLibrary = ({ connectionString, schema, application_name: applicationName }) => {
  const prisma = prismaClient(connectionString, applicationName);
  return {
    transaction: (body) =>
      prisma.$transaction(
        (tx) => body(fromPrisma(tx), (id) => tx.$executeRawUnsafe(`insert into ${schema}.receipt (id) values ($1)`, id)),
        // By default a busy machine has only two seconds to begin one.
        { timeout: 60_000, maxWait: 60_000 },
      ),
    // @ts-expect-error A client that connects is no transaction.
    withoutTransaction: () => fromPrisma(prisma),
    close: () => prisma.$disconnect(),
  };
};

describe('on Prisma', () => adapterBehaves(open));
