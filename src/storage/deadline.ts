/** A server that hangs must not hang the node: what isn't answered in time has failed, as far as anybody knows. */

/** A whole block, of 4 MiB and 25,000 entries, takes a loaded server about a second. */
export const answerMs = 10_000

/** @param onLate - called when the time is over, to let go of whatever hangs */
export const within = async <Value>(
  answer: Promise<Value>,
  onLate: () => void,
  limitMs = answerMs,
): Promise<Value> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${limitMs / 1_000} s`))
      onLate()
    }, limitMs)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
