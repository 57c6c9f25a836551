import { blobValue, type DuckDBBlobValue } from '@duckdb/node-api';

/** Doubles as 8 bytes each, in the order of the processor, which is that of Parquet (little endian). */
export const bytesOfDoubles = ({ buffer, byteOffset, byteLength }: Float64Array): DuckDBBlobValue =>
  blobValue(new Uint8Array(buffer, byteOffset, byteLength));

/** The doubles in a value of a BLOB column, as read. */
export const doublesOfBytes = (bytes: unknown): Float64Array =>
  new Float64Array(Uint8Array.from(bytes as Uint8Array).buffer);
