import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { TooManyRequestsError } from '../../errors/index.js';

/** Takes only so many requests in a second from one address; the others are refused before anything else is looked at. 0: takes all. */
export async function limitRate(app: FastifyInstance, requestsPerSecond: number): Promise<void> {
  if (requestsPerSecond === 0) return;
  await app.register(rateLimit, { global: false });
  const check = app.createRateLimit({ max: requestsPerSecond, timeWindow: 1_000 });
  app.addHook('onRequest', async (request, reply) => {
    const verdict = await check(request);
    if (verdict.isAllowed || !verdict.isExceeded) return;
    reply.header('retry-after', 1);
    throw new TooManyRequestsError(requestsPerSecond);
  });
}
