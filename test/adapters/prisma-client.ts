import { PrismaPg } from '@prisma/adapter-pg';
import { getPrismaClient, type GetPrismaClientConfig } from '@prisma/client/runtime/client';

/** What the tests use of a Prisma client. */
export interface PrismaClient extends PrismaTransactionClient {
  $connect(): Promise<void>;
  $disconnect(): Promise<void>;
  $transaction<T>(body: (tx: PrismaTransactionClient) => Promise<T>, options?: { timeout?: number; maxWait?: number }): Promise<T>;
}

export interface PrismaTransactionClient {
  $queryRawUnsafe<T = unknown>(query: string, ...values: unknown[]): Promise<T>;
  $executeRawUnsafe(query: string, ...values: unknown[]): Promise<number>;
}

/** A module that comes without declarations. */
function untyped(name: string): Promise<Record<string, unknown>> {
  return import(/* @vite-ignore */ name) as Promise<Record<string, unknown>>;
}

/**
 * What `prisma generate` writes for a schema without models, without the generator: its command line fetches programs from a server of
 * its own, when it is installed or when it runs. The client's runtime and the driver adapter are the real ones.
 */
const config: GetPrismaClientConfig = {
  previewFeatures: [],
  clientVersion: '7.10.0',
  engineVersion: '0edf323efd1d98336f3f0a68684b56f689b900d3',
  activeProvider: 'postgresql',
  inlineSchema: 'generator client {\n provider = "prisma-client"\n}\ndatasource db {\n provider = "postgresql"\n}\n',
  runtimeDataModel: { models: {}, enums: {}, types: {} },
  parameterizationSchema: { strings: [], graph: 'AAAA' },
  compilerWasm: {
    getRuntime: () => untyped('@prisma/client/runtime/query_compiler_fast_bg.postgresql.mjs') as Promise<never>,
    getQueryCompilerWasmModule: async () => {
      const { wasm } = await untyped('@prisma/client/runtime/query_compiler_fast_bg.postgresql.wasm-base64.mjs');
      const { WebAssembly: wasmApi } = globalThis as unknown as { WebAssembly: { Module: new (bytes: Uint8Array) => unknown } };
      return new wasmApi.Module(Buffer.from(wasm as string, 'base64'));
    },
    importName: './query_compiler_fast_bg.js',
  },
};

export function prismaClient(connectionString: string, applicationName: string): PrismaClient {
  const Client = getPrismaClient(config) as unknown as new (options: object) => PrismaClient;
  return new Client({ adapter: new PrismaPg({ connectionString, application_name: applicationName }) });
}
