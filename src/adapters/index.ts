export { fromDrizzle, type DrizzleTransaction } from './from-drizzle.js';
export { fromKnex, type KnexTransaction } from './from-knex.js';
export { fromKysely, type KyselyTransaction } from './from-kysely.js';
export { fromPrisma, type PrismaTransaction } from './from-prisma.js';
