/**
 * How deep a value may nest: the number of lists, maps, tuples and tags around an item. The same limit holds for encoding and for
 * decoding, so that whatever was written can be read. Both recurse, and take less than half of Node's usual stack for this many.
 */
export const MAX_DEPTH = 500;
