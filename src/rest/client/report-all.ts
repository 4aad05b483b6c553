import { encodeData, type DataDictionary } from '../../codec/index.js';
import type { AttemptReport, AttemptVerdict } from '../../core/attempt/attempt-report.js';
import { CoordinateError, InvalidArgumentError, NotOfferedError, ServerUnreachableError, UnexpectedAnswerError, WrongBackendError } from '../../errors/index.js';
import { checkList, checkOptions, kindOf } from '../../options/index.js';
import { asBody, durationToWire, errorFromBody, listMember, type AttemptAction } from '../wire/index.js';
import { orGone } from './gone.js';
import { RestAttempt } from './rest-attempt.js';
import type { RestNamespace } from './rest-namespace.js';

/** A report that has been checked. */
interface Report {
  readonly attempt: RestAttempt;
  readonly encoded: Buffer | undefined;
}

/** Most bytes of data in one request, unless a single report has more: well below what servers take. */
const mostBytes = 16 * 1024 * 1024;

/** Most reports in one request. */
const mostReports = 10_000;

/**
 * Reports on many attempts, with a verdict for each: in one request, or, at a server that does not offer it, in one for each.
 */
export async function reportAll(
  namespace: RestNamespace,
  action: AttemptAction & ('renew' | 'finish' | 'fail'),
  reports: readonly AttemptReport[],
  { lifetimeMs, allOrNone = false }: { readonly lifetimeMs?: number; readonly allOrNone?: boolean } = {},
): Promise<AttemptVerdict[]> {
  const checked = checkReports(namespace, reports);
  if (allOrNone) {
    // In one request, however large: more would not be all or none.
    return reportTogether(namespace, action, checked, { all_or_none: true });
  }
  const extension = lifetimeMs === undefined ? {} : { extend_duration: durationToWire(lifetimeMs) };
  const verdicts: AttemptVerdict[] = [];
  for (const group of groupsOf(checked)) verdicts.push(...(await reportTogether(namespace, action, group, {}, extension)));
  return verdicts;
}

async function reportTogether(
  namespace: RestNamespace,
  action: 'renew' | 'finish' | 'fail',
  reports: readonly Report[],
  how: { readonly all_or_none?: true },
  extension: { readonly extend_duration?: number | bigint } = {},
): Promise<AttemptVerdict[]> {
  const { connection } = namespace;
  const links = await namespace.links();
  const completionOf = ({ encoded }: Report) => ({ ...extension, ...(encoded && { data: connection.encodedToWire(encoded) }) });
  if (links.has('attempt_reports_url')) {
    const body = { ...how, reports: reports.map((report) => ({ action, url: report.attempt.url.pathname, ...completionOf(report) })) };
    const url = links.url('attempt_reports_url');
    const answer = await connection.post(url, { body }).catch((error: unknown) => {
      // With all or none an error is the verdict on one of them.
      throw how.all_or_none ? orGone('attempt', error) : error;
    });
    const verdicts = listMember(answer.body, 'verdicts');
    if (verdicts.length !== reports.length) throw new UnexpectedAnswerError(url.href, 'it answers not every report');
    return reports.map(({ attempt }, index) => {
      const verdict = verdicts[index] ?? null;
      return { attempt, error: verdict === null ? null : orGone('attempt', errorFromBody(asBody(verdict, 'a verdict'))) };
    });
  }
  if (how.all_or_none) throw new NotOfferedError('reports that are all or none');
  const verdicts: AttemptVerdict[] = [];
  for (const report of reports) {
    const error = await report.attempt.report(action, completionOf(report)).then(() => null, verdictOf);
    verdicts.push({ attempt: report.attempt, error });
  }
  return verdicts;
}

/** What says nothing about an attempt is no verdict. */
function verdictOf(error: unknown): CoordinateError {
  if (!(error instanceof CoordinateError) || error instanceof ServerUnreachableError || error instanceof UnexpectedAnswerError) throw error;
  return orGone('attempt', error);
}

function checkReports(namespace: RestNamespace, reports: readonly AttemptReport[]): Report[] {
  return checkList(reports, 'reports', (report, field) => {
    const { attempt, data } = checkOptions(report as AttemptReport, field, ['attempt', 'data']);
    if (typeof attempt !== 'object' || attempt === null) {
      throw new InvalidArgumentError(`${field}.attempt`, `must be an attempt, not ${kindOf(attempt)}`);
    }
    if (!(attempt instanceof RestAttempt)) throw new WrongBackendError();
    const ours = attempt as RestAttempt;
    const owner = ours.workUnit.workSpec.namespace;
    if (owner.connection !== namespace.connection) throw new WrongBackendError();
    if (owner.name !== namespace.name) throw new InvalidArgumentError(`${field}.attempt`, 'must be of this namespace');
    return { attempt: ours, encoded: encodedData(data, `${field}.data`) };
  });
}

function encodedData(data: DataDictionary | undefined, field: string): Buffer | undefined {
  return data === undefined ? undefined : encodeData(data, field);
}

function groupsOf(reports: readonly Report[]): Report[][] {
  const groups: Report[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const report of reports) {
    const size = report.encoded?.length ?? 0;
    const last = groups.at(-1);
    if (last === undefined || bytes + size > mostBytes || last.length >= mostReports) {
      groups.push([report]);
      bytes = size;
    } else {
      last.push(report);
      bytes += size;
    }
  }
  return groups;
}
