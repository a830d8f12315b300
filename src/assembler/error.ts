/** Where in a program's TypeScript source something was written. */
export interface SourceLocation { readonly file: string; readonly line: number }

/** A mistake in an assembly program. The message is one line; it starts with the source location where that is known. */
export class AssembleError extends Error {
  readonly location: SourceLocation | undefined;
  constructor(message: string, location?: SourceLocation) {
    super(location === undefined ? message : `${location.file}:${location.line}: ${message}`);
    this.name = 'AssembleError';
    this.location = location;
  }
}
