/** How far a long command has come, on one line of a terminal; where there is none, nothing. */
import type { Terminal } from './terminal.ts'

const width = 40

export interface ProgressBar {
  update(done: number, total: number): void
  /** Takes the bar away, so that what follows stands on a line of its own. */
  clear(): void
}

/** @param unit - what is counted, in the plural */
export const progressBar = (terminal: Terminal, unit: string): ProgressBar => {
  let shown = ''
  const show = (line: string): void => {
    if (line === shown) return
    shown = line
    terminal.progress(line)
  }
  return {
    update: (done, total) => show(draw(done, total, unit)),
    clear: () => show(''),
  }
}

// By percents, so that a long ledger doesn't spend its time on drawing.
const draw = (done: number, total: number, unit: string): string => {
  const percent = total === 0 ? 100 : Math.floor((done / total) * 100)
  const filled = Math.floor((percent * width) / 100)
  return `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${String(percent).padStart(3)} % of ${total} ${unit}`
}
