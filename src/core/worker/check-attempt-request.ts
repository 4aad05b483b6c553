import { InvalidArgumentError } from '../../errors/index.js';
import { checkBoolean, checkDuration, checkList, checkName, checkNumber, checkOptions } from '../../options/index.js';
import { defaultLifetimeMs } from '../attempt/lifetime.js';
import type { DataDictionary } from '../../codec/index.js';
import type { ScheduleRequest } from '../scheduler/choose-work-spec.js';
import type { AttemptRequest } from './attempt-request.js';

/** A request that has been checked, with its defaults. */
export interface CheckedRequest extends ScheduleRequest {
  readonly numberOfWorkUnits: number;
  readonly lifetimeMs: number;
  readonly mayBeFewer: boolean;
}

export function checkAttemptRequest<Data extends DataDictionary>(value: AttemptRequest<Data> | undefined): CheckedRequest {
  const request = checkOptions(value, 'request', [
    'numberOfWorkUnits',
    'mayBeFewer',
    'lifetimeMs',
    'workSpecs',
    'runtimes',
    'availableGb',
  ]);
  const { numberOfWorkUnits = 1, mayBeFewer = false, lifetimeMs = defaultLifetimeMs, workSpecs, runtimes, availableGb } = request;
  const asked = Math.floor(checkNumber(numberOfWorkUnits, 'request.numberOfWorkUnits'));
  return {
    numberOfWorkUnits: Math.max(1, asked),
    mayBeFewer: checkBoolean(mayBeFewer, 'request.mayBeFewer'),
    lifetimeMs: checkDuration(lifetimeMs, 'request.lifetimeMs'),
    ...(workSpecs !== undefined && { workSpecs: checkList(workSpecs, 'request.workSpecs', checkWorkSpec) }),
    ...(runtimes !== undefined && { runtimes: checkList(runtimes, 'request.runtimes', (name, field) => checkName(name, field)) }),
    ...(availableGb !== undefined && { availableGb: checkNumber(availableGb, 'request.availableGb') }),
  };
}

/** A request that says which work specs it is for. */
export type NamingRequest = CheckedRequest & Required<Pick<CheckedRequest, 'workSpecs'>>;

export function checkNamingRequest<Data extends DataDictionary>(value: AttemptRequest<Data>): NamingRequest {
  const request = checkAttemptRequest(value);
  const { workSpecs } = request;
  if (workSpecs === undefined) throw new InvalidArgumentError('request.workSpecs', 'must be given');
  return { ...request, workSpecs };
}

/** A work spec may be given by its name, or as any object that has one. */
function checkWorkSpec(value: unknown, field: string): string {
  return checkName(typeof value === 'object' && value !== null && 'name' in value ? value.name : value, field);
}
