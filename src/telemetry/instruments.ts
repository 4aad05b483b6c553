import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** From a millisecond, which a claim takes, to a minute, which is an incident. */
const claimBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];

/** From what a worker that is woken needs to a day. */
const waitBuckets = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400];

/** From work that is hardly any to a day. */
const runBuckets = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400];

/** From an answer out of memory to the longest wait for work, and beyond it what is cut off. */
const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];

const ofSpec = ['namespace', 'work_spec'] as const;

/** Everything that is measured. Names, labels and units are a contract with dashboards: change none, add beside. */
export function instrumentsIn(registry: Registry) {
  const registers = [registry];
  return {
    workUnits: new Gauge({
      name: 'coordinate_work_units',
      help: 'Work units by namespace, work spec and status.',
      labelNames: [...ofSpec, 'status'] as const,
      registers,
    }),
    oldestWaiting: new Gauge({
      name: 'coordinate_oldest_waiting_seconds',
      help: 'How long an available unit has waited at most, among the 25 next and the 25 last in the order of claiming.',
      labelNames: ofSpec,
      registers,
    }),
    databaseUp: new Gauge({
      name: 'coordinate_database_up',
      help: 'Whether the last look at the database succeeded (1) or not (0); without it there are no work units and no oldest ones.',
      registers,
    }),
    claims: new Histogram({
      name: 'coordinate_claim_seconds',
      help: 'How long requests for work took, by what came of them: work, nothing, error. By this process.',
      labelNames: ['outcome'] as const,
      buckets: claimBuckets,
      registers,
    }),
    started: new Counter({
      name: 'coordinate_attempts_started_total',
      help: 'Attempts that this process has claimed or forced.',
      labelNames: ofSpec,
      registers,
    }),
    ended: new Counter({
      name: 'coordinate_attempts_ended_total',
      help: 'Attempts that this process has ended: finished, failed, retryable (to be tried again), expired (given back).',
      labelNames: [...ofSpec, 'status'] as const,
      registers,
    }),
    lapsed: new Counter({
      name: 'coordinate_attempts_lapsed_total',
      help: 'Attempts that ended without a report, as far as this process did it: spent (failed at once, the retries being spent), superseded (by a forced one).',
      labelNames: [...ofSpec, 'cause'] as const,
      registers,
    }),
    expired: new Counter({
      name: 'coordinate_leases_expired_total',
      help: 'Leases that ran out, as far as this process was the first to see it.',
      registers,
    }),
    requests: new Histogram({
      name: 'coordinate_http_request_seconds',
      help: 'How long requests over HTTP took to be answered, by route, method and the first digit of the status (2xx). By this process; those that wait for work do wait.',
      labelNames: ['route', 'method', 'status'] as const,
      buckets: requestBuckets,
      registers,
    }),
    queueWait: new Histogram({
      name: 'coordinate_queue_wait_seconds',
      help: 'How long units could have been claimed before they were; a random sample of what this process claimed between two looks at the database.',
      labelNames: ofSpec,
      buckets: waitBuckets,
      registers,
    }),
    runTime: new Histogram({
      name: 'coordinate_attempt_seconds',
      help: 'How long attempts ran from claim to report; a random sample of what this process reported between two looks at the database.',
      labelNames: ofSpec,
      buckets: runBuckets,
      registers,
    }),
    committed: new Counter({
      name: 'coordinate_transactions_total',
      help: 'Transactions that this process has committed.',
      registers,
    }),
    retried: new Counter({
      name: 'coordinate_transaction_retries_total',
      help: 'Transactions that collided and were tried again, by cause: serialization (claims, as they alone are serializable), deadlock.',
      labelNames: ['cause'] as const,
      registers,
    }),
    givenUp: new Counter({
      name: 'coordinate_transactions_given_up_total',
      help: 'Transactions given up after all their retries.',
      registers,
    }),
    pool: new Gauge({
      name: 'coordinate_pool_connections',
      help: 'Connections of the pool of this process, by state: busy, idle.',
      labelNames: ['state'] as const,
      registers,
    }),
    poolMost: new Gauge({
      name: 'coordinate_pool_connections_max',
      help: 'How many connections the pool of this process may have.',
      registers,
    }),
    poolWaiting: new Gauge({
      name: 'coordinate_pool_waiting',
      help: 'Operations of this process that wait for a connection.',
      registers,
    }),
    listening: new Gauge({
      name: 'coordinate_listener_connected',
      help: 'Whether notifications arrive at this process (1) or not (0, also while it wants none).',
      registers,
    }),
  };
}

export type Instruments = ReturnType<typeof instrumentsIn>;
