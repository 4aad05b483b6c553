import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Attempt } from '../core/attempt/attempt.js';
import { PostgresCoordinate } from '../core/postgres-coordinate.js';
import type { AnsweredRequest, EndedAttempts, LapsedAttempts, Telemetry } from '../core/telemetry/telemetry.js';
import { within } from '../database/index.js';
import { ClosedError, InvalidArgumentError } from '../errors/index.js';
import { kindOf } from '../options/index.js';
import { readDatabase, sampled, type DatabaseReading, type SampledAttempt } from './database-reading.js';
import { instrumentsIn, type Instruments } from './instruments.js';
import { checkMetricsOptions, type MetricsOptions } from './metrics-options.js';
import { Sample } from './sample.js';
import { SpecLabels, type SpecLabel } from './spec-labels.js';

/** A request over HTTP that was answered, as far as it is measured. */
export interface MeasuredRequest {
  /** The pattern of its path, such as `/namespace/:namespace`. */
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly durationMs: number;
}

/** How many attempts' times are looked up at most at each look at the database. */
const sampleSize = 1_000;

/**
 * Measures a connection, in a registry of its own.
 *
 * @example
 * const metrics = new Metrics();
 * await using coordinate = await connect(url, { telemetry: metrics });
 * metrics.watch(coordinate);
 * response.setHeader('content-type', metrics.contentType).end(await metrics.read());
 */
export class Metrics implements Telemetry {
  /** For metrics of your own beside these. */
  readonly registry = new Registry();
  readonly #options: Required<MetricsOptions>;
  readonly #instruments: Instruments;
  readonly #labels: SpecLabels;
  readonly #started: Sample<SampledAttempt>;
  readonly #ended: Sample<SampledAttempt>;
  #coordinate: PostgresCoordinate | undefined;
  #reading: Promise<void> | undefined;
  #readAt = Number.NEGATIVE_INFINITY;

  /** Raises InvalidArgument. */
  constructor(options?: MetricsOptions) {
    this.#options = checkMetricsOptions(options);
    const { mostWorkSpecs, processMetrics, random } = this.#options;
    this.#instruments = instrumentsIn(this.registry);
    this.#labels = new SpecLabels(mostWorkSpecs);
    this.#started = new Sample(sampleSize, random);
    this.#ended = new Sample(sampleSize, random);
    if (processMetrics) collectDefaultMetrics({ register: this.registry });
  }

  /** What `read()` answers, as a header says it. */
  get contentType(): string {
    return this.registry.contentType;
  }

  /** Whose units, transactions and connections to tell of: the connection that was given this object as `telemetry`. Raises InvalidArgument. */
  watch(coordinate: PostgresCoordinate): void {
    if (!(coordinate instanceof PostgresCoordinate)) {
      throw new InvalidArgumentError('coordinate', `must be a connection to PostgreSQL, as connect() gives it, not ${kindOf(coordinate)}`);
    }
    this.#coordinate = coordinate;
    this.#readAt = Number.NEGATIVE_INFINITY;
  }

  /**
   * Everything, in the text format of Prometheus. Looks at the database unless somebody has within `cacheMs`; if it does not answer,
   * `coordinate_database_up` is 0, and the rest is told all the same.
   */
  async read(): Promise<string> {
    if (this.#coordinate !== undefined) {
      await this.#readDatabase(this.#coordinate);
      this.#readConnection(this.#coordinate);
    }
    return this.registry.metrics();
  }

  readonly onAnswered = ({ attempts, durationMs, failed, namespace }: AnsweredRequest): void => {
    const { claims, started } = this.#instruments;
    const [first] = attempts;
    claims.observe({ outcome: failed ? 'error' : first === undefined ? 'nothing' : 'work' }, durationMs / 1_000);
    if (first === undefined) return;
    started.inc(this.#labels.of(namespace, first.workUnit.workSpec.name), attempts.length);
    for (const attempt of attempts) this.#sample(this.#started, attempt);
  };

  readonly onForced = (attempt: Attempt): void => {
    this.#instruments.started.inc(this.#labelOf(attempt));
    this.#sample(this.#started, attempt);
  };

  readonly onEnded = ({ status, attempts }: EndedAttempts): void => {
    for (const attempt of attempts) {
      this.#instruments.ended.inc({ ...this.#labelOf(attempt), status });
      this.#sample(this.#ended, attempt);
    }
  };

  readonly onLapsed = ({ cause, namespace, workSpec, count }: LapsedAttempts): void => {
    this.#instruments.lapsed.inc({ ...this.#labels.of(namespace, workSpec), cause }, count);
  };

  readonly onExpired = (count: number): void => this.#instruments.expired.inc(count);

  /** A request over HTTP was answered. `route` is the pattern of its path, so that there are only so many; for `serveRest()`, which is given these metrics. */
  readonly onRequest = ({ route, method, status, durationMs }: MeasuredRequest): void => {
    this.#instruments.requests.observe({ route, method, status: `${Math.floor(status / 100)}xx` }, durationMs / 1_000);
  };

  #sample(sample: Sample<SampledAttempt>, attempt: Attempt): void {
    const kept = sampled(attempt);
    if (kept !== null) sample.add(kept);
  }

  #labelOf({ workUnit: { workSpec } }: Attempt): SpecLabel {
    return this.#labels.of(workSpec.namespace.name, workSpec.name);
  }

  /** Those who ask at the same time share one look; so do those who ask soon after, even if it failed. */
  async #readDatabase(coordinate: PostgresCoordinate): Promise<void> {
    const { now, cacheMs } = this.#options;
    if (this.#reading === undefined && now() - this.#readAt < cacheMs) return;
    this.#reading ??= this.#lookAt(coordinate).finally(() => {
      this.#readAt = now();
      this.#reading = undefined;
    });
    await this.#reading;
  }

  /** Never rejects. */
  async #lookAt(coordinate: PostgresCoordinate): Promise<void> {
    const { timeoutMs, logger } = this.#options;
    const { workUnits, oldestWaiting, databaseUp } = this.#instruments;
    let reading: DatabaseReading | undefined;
    try {
      const samples = { started: this.#started.take(), ended: this.#ended.take() };
      reading = await within(readDatabase(coordinate, samples), timeoutMs);
    } catch (error) {
      // What is closed on purpose is nobody's worry.
      if (!(error instanceof ClosedError)) logger.warn(`the metrics could not be read: ${error instanceof Error ? error.message : String(error)}`);
    }
    // What was so a while ago is not told as if it were so now.
    workUnits.reset();
    oldestWaiting.reset();
    databaseUp.set(reading === undefined ? 0 : 1);
    if (reading !== undefined) this.#take(reading);
  }

  #take({ summary, oldest, started, ended }: DatabaseReading): void {
    const { workUnits, oldestWaiting, queueWait, runTime } = this.#instruments;
    for (const { namespace, workSpec, status, count } of summary) {
      workUnits.inc({ ...this.#labels.of(namespace, workSpec), status }, count);
    }
    const longest = new Map<SpecLabel, number>();
    for (const { namespace, workSpec, seconds } of oldest) {
      const label = this.#labels.of(namespace, workSpec);
      longest.set(label, Math.max(seconds, longest.get(label) ?? 0));
    }
    for (const [label, seconds] of longest) oldestWaiting.set({ ...label }, seconds);
    for (const [{ namespace, workSpec }, { waitedSeconds }] of started) {
      if (waitedSeconds !== null) queueWait.observe({ ...this.#labels.of(namespace, workSpec) }, waitedSeconds);
    }
    for (const [{ namespace, workSpec }, { ranSeconds }] of ended) {
      if (ranSeconds !== null) runTime.observe({ ...this.#labels.of(namespace, workSpec) }, ranSeconds);
    }
  }

  #readConnection({ statistics, connections }: PostgresCoordinate): void {
    const { committed, retried, givenUp, pool, poolMost, poolWaiting, listening } = this.#instruments;
    // Counted elsewhere: each time the whole.
    committed.reset();
    committed.inc(statistics.committed);
    retried.reset();
    retried.inc({ cause: 'serialization' }, statistics.serializationFailures);
    retried.inc({ cause: 'deadlock' }, statistics.deadlocks);
    givenUp.reset();
    givenUp.inc(statistics.exhausted);
    pool.set({ state: 'busy' }, connections.busy);
    pool.set({ state: 'idle' }, connections.idle);
    poolMost.set(connections.most);
    poolWaiting.set(connections.waiting);
    listening.set(connections.isListening ? 1 : 0);
  }
}
