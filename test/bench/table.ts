/** The figures for people, as a table, and for machines, as JSON. */
import { type Figure, median, type Row, type RowName, rowNames, rows } from './rows.ts'

export interface Line {
  readonly row: RowName
  readonly name: string
  readonly unit: string
  /** Medians by number of accounts, from the fewest. */
  readonly figures: readonly {
    readonly accounts: number
    readonly value: number
    readonly samples: readonly number[]
  }[]
  /** The last figure as a multiple of the first; absent when there is one size only. */
  readonly growth?: number
  /** What is asked of it, and whether it is so. */
  readonly asked?: { readonly text: string; readonly met: boolean }
}

export const linesOf = (figures: readonly Figure[]): readonly Line[] =>
  rowNames.flatMap((row) => {
    const own = figures
      .filter((figure) => figure.row === row)
      .toSorted((a, b) => a.accounts - b.accounts)
      .map(({ accounts, samples }) => ({ accounts, value: median(samples), samples }))
    return own.length === 0 ? [] : [lineOf(row, own)]
  })

const lineOf = (row: RowName, figures: Line['figures']): Line => {
  const { name, unit }: Row = rows[row]
  const first = figures[0]!.value
  const growth = figures.length > 1 && first !== 0 ? figures.at(-1)!.value / first : undefined
  const asked = askedOf(
    rows[row],
    figures.map(({ value }) => value),
    growth,
  )
  return {
    row,
    name,
    unit,
    figures,
    ...(growth === undefined ? {} : { growth }),
    ...(asked ? { asked } : {}),
  }
}

const askedOf = (
  { unit, atLeast, atMost, growthAtLeast }: Row,
  values: readonly number[],
  growth: number | undefined,
): Line['asked'] => {
  if (atLeast !== undefined) {
    return { text: `≥ ${atLeast} ${unit}`.trim(), met: values.every((value) => value >= atLeast) }
  }
  if (atMost !== undefined) {
    return { text: `≤ ${atMost} ${unit}`.trim(), met: values.every((value) => value <= atMost) }
  }
  if (growthAtLeast === undefined || growth === undefined) return undefined
  return { text: `growth ≥ ${growthAtLeast}`, met: growth >= growthAtLeast }
}

/** Columns: name, a figure for each size of the state, growth, what is asked. */
export const renderTable = (lines: readonly Line[]): string => {
  const sizes = [...new Set(lines.flatMap(({ figures }) => figures.map(({ accounts }) => accounts)))].sort(
    (a, b) => a - b,
  )
  const header = [
    '',
    ...sizes.map((size) => `${size.toLocaleString('en')} accounts`),
    ...(sizes.length > 1 ? ['growth'] : []),
    'asked',
  ]
  const body = lines.map(({ name, unit, figures, growth, asked }) => [
    name,
    ...sizes.map((size) => cellOf(figures.find(({ accounts }) => accounts === size)?.value, unit)),
    ...(sizes.length > 1 ? [growth === undefined ? '' : `× ${growth.toFixed(2)}`] : []),
    asked ? `${asked.text}: ${asked.met ? 'met' : 'MISSED'}` : '',
  ])
  return align([header, ...body])
}

const cellOf = (value: number | undefined, unit: string): string =>
  value === undefined ? '' : `${formatNumber(value)} ${unit.padEnd(2)}`

const formatNumber = (value: number): string =>
  Math.abs(value) >= 100 || Number.isInteger(value)
    ? Math.round(value).toLocaleString('en')
    : value.toPrecision(3)

/** The first and last column to the left, the figures to the right. */
const align = (cells: readonly (readonly string[])[]): string => {
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)))
  const last = widths.length - 1
  return cells
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 || column === last ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
        )
        .join('   ')
        .trimEnd(),
    )
    .join('\n')
}
