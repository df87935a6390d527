/** Seeds of ends that continuous integration runs: what their mutants have to be killed by. */
export const ciEnds = Number(process.env.ENDS_SEEDS ?? 1_500)
