export { memoryCoordinate, type MemoryOptions } from './memory-coordinate.js';
