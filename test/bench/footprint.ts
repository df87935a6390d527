/** What a process and its folder take up, as Linux tells it. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

export interface Memory {
  /** What the process has allocated itself. */
  readonly anonymousMB: number
  /** With what it has mapped from files. */
  readonly residentMB: number
}

/** @see proc_pid_status(5) */
export const readMemory = async (pid: number): Promise<Memory> => {
  const text = await readFile(`/proc/${pid}/status`, 'utf8')
  const megabytes = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)![1]) * 1_024) / 1e6
  return { anonymousMB: megabytes('RssAnon'), residentMB: megabytes('VmRSS') }
}

/** USER_HZ, which is 100 on every architecture that Node runs on. */
const ticksPerSecond = 100

/** User and system time of all its threads, fields 14 and 15. @see proc_pid_stat(5) */
export const readCpuSeconds = (pid: number): Promise<number> => readStatSeconds(`/proc/${pid}/stat`)

/** Of the thread that runs JavaScript. */
export const readMainThreadSeconds = (pid: number): Promise<number> =>
  readStatSeconds(`/proc/${pid}/task/${pid}/stat`)

const readStatSeconds = async (path: string): Promise<number> => {
  const text = await readFile(path, 'utf8')
  const fromThird = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fromThird[11]) + Number(fromThird[12])) / ticksPerSecond
}

/** Bytes that a folder takes on its disk, as `du` counts. */
export const diskBytes = async (folder: string): Promise<number> => {
  const names = await readdir(folder, { recursive: true })
  const stats = await Promise.all(names.map((name) => stat(join(folder, name))))
  return stats.reduce((total, { blocks }) => total + blocks * 512, 0)
}
