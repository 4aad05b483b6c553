import { attemptStatuses } from '../../../core/attempt/attempt-status.js';
import { workUnitStatuses } from '../../../core/work-unit/work-unit-status.js';
import type * as wire from '../../wire/index.js';
import { attemptActions, eventKinds } from '../../wire/index.js';
import { answered, optional, taken, type JsonSchema } from './schema.js';

const text: JsonSchema = { type: 'string' };
const flag: JsonSchema = { type: 'boolean' };
const whole: JsonSchema = { type: 'integer' };
const number: JsonSchema = { type: 'number' };
const url: JsonSchema = { type: 'string', format: 'uri-reference' };
const template: JsonSchema = { type: 'string', format: 'uri-template' };
const time: JsonSchema = { type: 'string', format: 'date-time', description: '0001-01-01T00:00:00Z stands for none.' };
const duration: JsonSchema = { type: 'integer', description: 'Nanoseconds.' };
const texts: JsonSchema = { type: 'array', items: text };
const data: JsonSchema = {
  description: 'A dictionary: an object, or, where JSON cannot hold what is in it, the base64 of a map in CBOR.',
  anyOf: [{ type: 'object' }, { type: 'string', contentEncoding: 'base64' }],
};
const dataOrNull: JsonSchema = { anyOf: [data, { type: 'null' }] };
const workUnitStatus: JsonSchema = { enum: workUnitStatuses };

const refTo = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });
const listOf = (items: JsonSchema): JsonSchema => ({ type: 'array', items });

const attemptShort = {
  url,
  work_unit_url: url,
  worker_url: url,
  start_time: time,
  number: { type: 'integer', description: 'Ever growing: serves as a fencing token.' },
};
const completion = { data, extend_duration: duration, delay: duration };
const meta = {
  priority: number,
  weight: number,
  paused: flag,
  continuous: flag,
  can_be_continuous: flag,
  interval: duration,
  next_continuous: time,
  max_running: whole,
  max_attempts_returned: whole,
  max_retries: whole,
  next_work_spec_name: text,
  available_count: whole,
  pending_count: whole,
  runtime: text,
};
const unitMeta = { priority: number, not_before: time };
const newUnit = taken<wire.NewUnitBody>('A unit to add; one of the same name is replaced.', { name: text, data, meta: refTo('WorkUnitMetaInput') }, ['name']);

/** What bodies look like, by the names that the table of routes uses. */
export const schemas = {
  Root: answered<wire.RootBody>('Where clients begin. What is in braces are templates of RFC 6570.', {
    url,
    summary_url: url,
    namespaces_url: url,
    namespace_url: template,
    namespace_events_url: template,
    time_url: url,
    openapi_url: url,
    docs_url: url,
  }),
  Time: answered<wire.TimeBody>('The time by which the queue goes.', { time }),
  Summary: listOf(
    answered<wire.SummaryRowBody>('How many units of a work spec have a status.', { Namespace: text, WorkSpec: text, Status: workUnitStatus, Count: whole }),
  ),
  Short: answered<wire.ShortBody>('An object of a list, or one that was just made.', { name: text, url }),
  NamespaceList: answered<wire.NamespaceListBody>('All namespaces.', { namespaces: listOf(refTo('Short')) }),
  Namespace: answered<wire.NamespaceBody>('A namespace.', {
    name: text,
    url,
    summary_url: url,
    oldest_waiting_url: url,
    work_specs_url: url,
    work_spec_url: template,
    workers_url: url,
    workers_query_url: template,
    worker_url: template,
    attempt_reports_url: url,
    events_url: url,
  }),
  Event: answered<wire.EventBody>('Something that happened. Kinds that you do not know are to be passed over.', {
    kind: { enum: eventKinds },
    work_spec: optional(text),
    count: optional(whole),
    work_unit: optional(text),
    attempt: optional(whole),
    worker: optional(text),
    time: optional(time),
  }),
  OldestWaiting: answered<wire.OldestWaitingBody>('For how long the unit that has been available longest has been so, of each work spec that has one.', {
    oldest_waiting: listOf(answered<wire.WaitingBody>('A work spec.', { work_spec: text, seconds: number })),
  }),
  NamespaceInput: taken<wire.ShortBody>('The name of a namespace.', { name: text }),
  WorkSpecList: answered<wire.WorkSpecListBody>('The work specs of a namespace.', { work_specs: listOf(refTo('Short')) }),
  WorkSpec: answered<wire.WorkSpecBody>('A work spec.', {
    name: text,
    url,
    data,
    summary_url: url,
    meta: template,
    meta_change_url: url,
    work_units_url: url,
    work_unit_query_url: template,
    work_unit_change_url: template,
    work_unit_adjust_url: template,
    work_unit_url: template,
    work_unit_counts_url: url,
    work_unit_batch_url: url,
    work_unit_read_url: template,
  }),
  NewWorkSpec: taken<wire.WorkSpecBody>('A definition; its `name` is that of the work spec.', { data }, ['data']),
  WorkSpecInput: taken<wire.WorkSpecBody>('A new definition.', { data }),
  WorkSpecMeta: answered<wire.WorkSpecMetaBody>('What the scheduler reads.', { ...meta, min_memory_gb: optional(number) }),
  WorkSpecMetaInput: taken<wire.WorkSpecMetaBody>('What the scheduler reads.', { ...meta, min_memory_gb: number }),
  Counts: {
    type: 'object',
    description: 'How many units have which status; statuses without units are left out.',
    properties: Object.fromEntries(workUnitStatuses.map((status) => [status, whole])),
  },
  WorkUnitList: answered<wire.WorkUnitListBody>('Work units by name.', { work_units: listOf(refTo('Short')) }),
  WorkUnitMetaInput: taken<wire.WorkUnitMetaBody>('When the unit is handed out.', unitMeta),
  WorkUnit: answered<wire.WorkUnitBody>('A work unit.', {
    name: text,
    key: optional(text),
    url,
    data: optional(data),
    own_data: optional(data),
    meta: answered<wire.WorkUnitMetaBody>('When the unit is handed out.', unitMeta),
    status: workUnitStatus,
    work_spec_url: url,
    active_attempt_url: optional(url),
    attempts_url: url,
    attempts_query_url: template,
    num_attempts_url: url,
    explain_url: url,
    cancel_url: url,
  }),
  WorkUnitPage: answered<wire.WorkUnitPageBody>('Work units by name, each as it was at one moment. There are more if there is a `next`, which is the `previous` of the next page.', {
    work_units: listOf(
      answered<wire.WorkUnitReadingBody>('A work unit.', {
        name: text,
        key: optional(text),
        url,
        status: workUnitStatus,
        meta: answered<wire.WorkUnitMetaBody>('When the unit is handed out.', unitMeta),
        data: optional(data),
        own_data: optional(data),
        attempts: optional(listOf(refTo('Attempt'))),
      }),
    ),
    next: optional(text),
  }),
  NewWorkUnit: newUnit,
  WorkUnitInput: taken<wire.WorkUnitBody>('`active_attempt_url` "-" takes the unit from whoever has it.', { active_attempt_url: text, meta: refTo('WorkUnitMetaInput') }),
  PriorityInput: taken<wire.NewUnitBody>('Only the priority counts.', { meta: refTo('WorkUnitMetaInput') }),
  WorkUnitBatch: taken<wire.UnitBatchBody>('Units to add: all, or none.', { work_units: listOf(newUnit) }),
  Added: answered<wire.AddedBody>('How many different names there were.', { added: whole }),
  Deleted: answered<wire.DeletedBody>('How many were deleted.', { Deleted: whole }),
  Explanation: answered<wire.ExplanationBody>('Why a unit is, or is not, running.', { status: workUnitStatus, text, reasons: listOf({ type: 'object' }) }),
  CancelInput: taken<{ reason: string }>('Why.', { reason: text }),
  Cancelled: answered<{ cancelled: boolean }>('Whether there was an attempt to stop.', { cancelled: flag }),
  Number: whole,
  AttemptList: answered<wire.AttemptListBody>('Attempts.', { attempts: listOf(answered<wire.AttemptShortBody>('An attempt in short.', attemptShort)) }),
  Attempt: answered<wire.AttemptBody>('An attempt.', {
    ...attemptShort,
    work_spec_name: text,
    work_spec_url: url,
    work_unit_name: text,
    work_unit_key: optional(text),
    worker_name: text,
    status: { enum: attemptStatuses },
    data: optional(data),
    end_time: time,
    expiration_time: time,
    renew_url: url,
    expire_url: url,
    finish_url: url,
    fail_url: url,
    retry_url: url,
  }),
  AttemptCompletion: taken<wire.AttemptCompletionBody>('What is reported; data that are left out stay as they are.', completion),
  AttemptReports: taken<wire.ReportsBody>('Reports, each judged by itself.', {
    reports: listOf(taken<wire.ReportBody>('A report.', { action: { enum: attemptActions }, url, ...completion }, ['action', 'url'])),
  }),
  Verdicts: answered<wire.VerdictsBody>('In the order of the reports: null for one that was accepted.', {
    verdicts: listOf({ anyOf: [refTo('Error'), { type: 'null' }] }),
  }),
  WorkerList: answered<wire.WorkerListBody>('Workers by name.', { workers: listOf(refTo('Short')) }),
  Worker: answered<wire.WorkerBody>('A worker.', {
    name: text,
    url,
    parent: optional(text),
    parent_url: optional(url),
    child_urls: optional(listOf(url)),
    child_names: optional(texts),
    active: flag,
    mode: text,
    data: dataOrNull,
    expiration: time,
    last_update: time,
    request_attempts_url: url,
    make_attempt_url: url,
    make_attempts_url: url,
    active_attempts_url: url,
    all_attempts_url: url,
    all_attempts_query_url: template,
    active_attempts_query_url: template,
    child_attempts_url: url,
    child_attempts_query_url: template,
  }),
  WorkerInput: taken<wire.WorkerBody>('What a worker says of itself.', { parent: text, active: flag, mode: text, data, expiration: time, last_update: time }),
  AttemptRequest: taken<wire.AttemptRequestBody>('A request for work; everything may be left out.', {
    available_gb: number,
    lifetime: duration,
    number_of_work_units: whole,
    work_specs: texts,
    runtimes: texts,
    wait: { type: 'integer', description: 'How long to wait for work, in nanoseconds.' },
  }),
  AttemptResponse: answered<wire.AttemptResponseBody>('Attempts on units of one work spec; null when there is no work.', {
    work_spec_url: optional(url),
    attempts: { anyOf: [listOf(refTo('Attempt')), { type: 'null' }] },
  }),
  AttemptSpecific: taken<wire.AttemptSpecificBody>('Which unit.', { work_spec: text, work_unit: text, lifetime: duration }),
  AttemptsSpecific: taken<wire.AttemptsSpecificBody>('Which units.', {
    work_units: listOf(taken<wire.AttemptSpecificBody>('Which unit.', { work_spec: text, work_unit: text })),
    lifetime: duration,
  }),
  Error: answered<wire.ErrorBody>('What went wrong.', {
    error: { type: 'string', description: 'The name that clients of the original protocol know.' },
    message: text,
    value: optional(text),
    code: { type: 'string', description: 'Stable: tell errors apart by it.' },
    details: { type: 'object' },
  }),
} satisfies Readonly<Record<string, JsonSchema>>;

/** See `schemas`. */
export type SchemaName = keyof typeof schemas;
