import type { Attempt } from '../../core/attempt/attempt.js';
import type { AttemptReport, AttemptVerdict } from '../../core/attempt/attempt-report.js';
import { findAttempts } from '../../core/attempt/find-attempts.js';
import type { Namespace } from '../../core/namespace/namespace.js';
import { CoordinateError, MalformedRequestError, NoSuchAttemptError } from '../../errors/index.js';
import { errorToBody, flagMember, reportsFromBody, type ReadReport, type VerdictsBody } from '../wire/index.js';
import { ok, type Answer } from './answer.js';
import { attemptReference, reporters } from './attempt.js';
import type { Exchange } from './exchange.js';
import { namespaceUrl } from './links.js';

/** The path of an attempt within its namespace, as `attemptUrl` makes it. */
const ATTEMPT = /^\/work_spec\/([^/]+)\/work_unit\/([^/]+)\/attempt\/([^/]+)\/([^/]+)$/;

/** A report whose attempt was found. */
interface Found {
  readonly attempt: Attempt;
  readonly report: ReadReport;
  /** Its place among all reports. */
  readonly place: number;
}

type Verdict = CoordinateError | null;

/**
 * Many reports at once. Each is judged by itself and commits by itself; those that follow each other and are of one kind go to the
 * database together, so that the same attempt may be reported on twice and the order still holds.
 */
export async function postReports(namespace: Namespace, { body }: Exchange): Promise<Answer> {
  const reports = reportsFromBody(body);
  const found = await findAll(namespace, reports);
  if (flagMember(body, 'all_or_none')) return ok(await judgeTogether(namespace, found));
  const verdicts: Verdict[] = found.map((item) => (item instanceof CoordinateError ? item : null));
  for (const run of runsOf(found.filter((item): item is Found => !(item instanceof CoordinateError)))) {
    const judged = await judge(namespace, run);
    run.forEach(({ place }, index) => (verdicts[place] = judged[index] ?? null));
  }
  const answer: VerdictsBody = { verdicts: verdicts.map((error) => error && errorToBody(error)) };
  return ok(answer);
}

/** In one transaction: raises the first refusal, and then nothing is changed. */
async function judgeTogether(namespace: Namespace, found: readonly (Found | CoordinateError)[]): Promise<VerdictsBody> {
  const run = found.map((item) => {
    if (item instanceof CoordinateError) throw item;
    return item;
  });
  const action = run[0]?.report.action;
  if (run.some(({ report }) => report.action !== action) || !(action === undefined || action === 'finish' || action === 'fail')) {
    throw new MalformedRequestError('with "all_or_none" the reports must all be "finish", or all be "fail"');
  }
  const endAll = action === 'fail' ? namespace.failAll : namespace.finishAll;
  const verdicts = await endAll.call(namespace, run.map(reportOf), { allOrNone: true });
  return { verdicts: verdicts.map(() => null) };
}

function reportOf({ attempt, report: { data } }: Found): AttemptReport {
  return { attempt, ...(data !== undefined && { data }) };
}

async function findAll(namespace: Namespace, reports: readonly ReadReport[]): Promise<(Found | CoordinateError)[]> {
  const references = reports.map(({ url }) => attemptReference(segmentsOf(namespace, url)));
  const attempts = await findAttempts(namespace, references);
  return reports.map((report, place) => {
    const attempt = attempts[place] ?? new NoSuchAttemptError();
    if (attempt instanceof CoordinateError) return attempt;
    return attempt.worker.name === references[place]?.worker ? { attempt, report, place } : new NoSuchAttemptError();
  });
}

/** Clients may have made the URL a complete one. */
function segmentsOf(namespace: Namespace, url: string): Exchange['segments'] {
  const base = 'http://localhost';
  const path = URL.canParse(url, base) ? new URL(url, base).pathname : '';
  const own = namespaceUrl(namespace);
  const [, spec, unit, worker, number] = (path.startsWith(own) ? ATTEMPT.exec(path.slice(own.length)) : null) ?? [];
  if (spec === undefined || unit === undefined || worker === undefined || number === undefined) {
    throw new MalformedRequestError(`${JSON.stringify(url.slice(0, 200))} is not the url of an attempt of this namespace`);
  }
  const [specText, unitText, workerText] = [spec, unit, worker].map(percentDecoded);
  return { spec: specText ?? '', unit: unitText ?? '', worker: workerText ?? '', number };
}

function percentDecoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    throw new MalformedRequestError(`${JSON.stringify(segment.slice(0, 60))} is not percent-encoded UTF-8`, { cause: error });
  }
}

/** Reports that follow each other and can go together. */
function runsOf(found: readonly Found[]): Found[][] {
  const runs: Found[][] = [];
  for (const item of found) {
    const last = runs.at(-1);
    const { report } = last?.[0] ?? {};
    if (last !== undefined && report?.action === item.report.action && report.extendMs === item.report.extendMs) last.push(item);
    else runs.push([item]);
  }
  return runs;
}

async function judge(namespace: Namespace, run: readonly Found[]): Promise<Verdict[]> {
  const reports = run.map(reportOf);
  const errors = (verdicts: AttemptVerdict[]): Verdict[] => verdicts.map(({ error }) => error);
  switch (run[0]?.report.action) {
    case 'finish':
      return errors(await namespace.finishAll(reports));
    case 'fail':
      return errors(await namespace.failAll(reports));
    case 'renew':
      return errors(await namespace.renewAll(reports, run[0].report.extendMs));
    default:
      return oneByOne(run);
  }
}

async function oneByOne(run: readonly Found[]): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const { attempt, report } of run) {
    const verdict = await reporters[report.action](attempt, report).then(
      () => null,
      (error: unknown) => {
        if (error instanceof CoordinateError) return error;
        throw error;
      },
    );
    verdicts.push(verdict);
  }
  return verdicts;
}
