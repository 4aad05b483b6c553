import type { ConnectOptions, PostgresCoordinate } from 'pg-coordinate';
import { Metrics, type MetricsOptions } from 'pg-coordinate/telemetry';
import { ManualClock } from 'pg-coordinate/testing';
import type { TestDatabase } from '../support/database.js';

/** A connection that is measured, and what its metrics say. */
export interface Measured {
  readonly metrics: Metrics;
  readonly coordinate: PostgresCoordinate;
  readonly clock: ManualClock;
  /** How far the time has gone by which the metrics cache, in milliseconds. */
  passed: number;
  /** The value of a series, such as `coordinate_work_units{namespace="",work_spec="a",status="available"}`; undefined: there is none. */
  value(series: string): Promise<number | undefined>;
  /** All series of a metric. */
  series(metric: string): Promise<string[]>;
}

export async function measured(
  database: TestDatabase,
  options: MetricsOptions = {},
  connectOptions: ConnectOptions = {},
): Promise<Measured> {
  const clock = new ManualClock(new Date('2026-11-20T08:55:24.105Z'));
  const metrics = new Metrics({ now: () => measuring.passed, ...options });
  const coordinate = await database.connect({ clock, telemetry: metrics, ...connectOptions });
  metrics.watch(coordinate);
  const lines = async (): Promise<string[]> => (await metrics.read()).split('\n');
  const measuring: Measured = {
    metrics,
    coordinate,
    clock,
    passed: 0,
    value: async (series) => {
      const line = (await lines()).find((each) => each.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length + 1));
    },
    series: async (metric) => (await lines()).filter((each) => each.startsWith(`${metric}{`) || each.startsWith(`${metric} `)),
  };
  return measuring;
}

