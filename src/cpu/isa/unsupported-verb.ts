/** An interpretation was asked for a verb that it does not have. */
export class UnsupportedVerb extends Error {
  readonly verb: string;
  constructor(verb: string) {
    super(`this interpretation of the vocabulary has no ${verb}`);
    this.verb = verb;
  }
}
export const unsupported = (verb: string): never => { throw new UnsupportedVerb(verb); };
