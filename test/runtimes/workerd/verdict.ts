/** What became of one test. */
export interface Verdict {
  readonly name: string
  readonly state: string
  readonly failures: readonly string[]
}
