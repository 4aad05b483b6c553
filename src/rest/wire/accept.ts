import { MalformedRequestError, NotAcceptableError } from '../../errors/index.js';
import { defaultType, jsonTypes, mediaTypes, type MediaType } from './media-type.js';

interface Range {
  readonly range: string;
  readonly quality: number;
}

/** What a range stands for, best first. CBOR must be asked for by its name. */
const ranges: Readonly<Record<string, readonly MediaType[]>> = {
  '*/*': jsonTypes,
  'application/*': jsonTypes.filter((type) => type.startsWith('application/')),
  'text/*': jsonTypes.filter((type) => type.startsWith('text/')),
};

const TOKEN = "[!#$%&'+.^_`|~0-9a-z-]+";
const RANGE = new RegExp(`^(?:\\*/\\*|${TOKEN}/(?:\\*|${TOKEN}))$`);
const QUALITY = /^(?:\d+(?:\.\d*)?|\.\d+)$/;
/** What stands between two separators; separators within quotes are not meant. */
const PARTS = { ',': /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g, ';': /(?:[^;"]|"(?:[^"\\]|\\.)*"?)+/g };

/**
 * The media type to answer in: of the highest quality; of equals a type named in full before `text/*`, and that before `*` + `/*`;
 * then the first. Raises NotAcceptable; MalformedRequest.
 */
export function chooseType(header: string | undefined): MediaType {
  if (header === undefined || header.trim() === '') return defaultType;
  // What clients mostly send.
  const named = mediaTypes.find((type) => type === header);
  if (named !== undefined) return named;
  const accepted = rangesOf(header);
  const refused = new Set(accepted.filter(({ quality }) => quality === 0).map(({ range }) => range));
  let best: { type: MediaType; quality: number; rank: number } | undefined;
  for (const { range, quality } of accepted) {
    const type = candidates(range).find((candidate) => !refused.has(candidate));
    if (type === undefined || quality === 0) continue;
    const rank = rankOf(range);
    if (best === undefined || quality > best.quality || (quality === best.quality && rank > best.rank)) best = { type, quality, rank };
  }
  if (best === undefined) throw new NotAcceptableError();
  return best.type;
}

/** Whether a type may be answered that is the only one there is: what says most about it decides. Raises MalformedRequest. */
export function accepts(header: string | undefined, type: string): boolean {
  if (header === undefined || header.trim() === '') return true;
  const accepted = rangesOf(header);
  const about = [type, type.replace(/\/.*/, '/*'), '*/*'].map((range) => accepted.find((each) => each.range === range));
  return (about.find((range) => range !== undefined)?.quality ?? 0) > 0;
}

function rangesOf(header: string): Range[] {
  return (header.match(PARTS[',']) ?? []).filter((part) => part.trim() !== '').map(parseRange);
}

function candidates(range: string): readonly MediaType[] {
  return ranges[range] ?? mediaTypes.filter((type) => type === range);
}

function rankOf(range: string): number {
  if (range === '*/*') return 0;
  return range.endsWith('/*') ? 1 : 2;
}

function parseRange(part: string): Range {
  const [range = '', ...parameters] = (part.match(PARTS[';']) ?? []).map((piece) => piece.trim());
  if (!RANGE.test(range.toLowerCase())) throw malformed(part);
  let quality = 1;
  for (const parameter of parameters) {
    const [name, value = ''] = parameter.split('=', 2).map((piece) => piece.trim());
    if (name?.toLowerCase() !== 'q') continue;
    quality = QUALITY.test(value) ? Number(value) : Number.NaN;
    if (!(quality >= 0 && quality <= 1)) throw malformed(part);
  }
  return { range: range.toLowerCase(), quality };
}

function malformed(part: string): MalformedRequestError {
  return new MalformedRequestError(`the Accept header has ${JSON.stringify(part.trim().slice(0, 60))}, which is no media type of a quality from 0 to 1`);
}
