/** The figures for people, as a table, and for machines, as JSON. */
import {
  type Dimension,
  dimensions,
  type Figure,
  median,
  type Row,
  type RowName,
  rowNames,
  rows,
  runtimeNames,
} from './rows.ts'

export interface Line {
  readonly row: RowName
  readonly name: string
  readonly unit: string
  readonly by: Dimension
  /** Medians by size, from the smallest. */
  readonly figures: readonly {
    readonly size: number
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
      .toSorted((a, b) => a.size - b.size)
      .map(({ size, samples }) => ({ size, value: median(samples), samples }))
    return own.length === 0 ? [] : [lineOf(row, own)]
  })

const lineOf = (row: RowName, figures: Line['figures']): Line => {
  const { name, unit, by = 'accounts', askedAt }: Row = rows[row]
  const first = figures[0]!.value
  const growth =
    figures.length > 1 && first !== 0 && by !== 'runtime' ? figures.at(-1)!.value / first : undefined
  const asked = askedOf(
    rows[row],
    figures.filter(({ size }) => askedAt === undefined || size === askedAt).map(({ value }) => value),
    growth,
  )
  return {
    row,
    name,
    unit,
    by,
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
  if (values.length === 0) return undefined
  if (atLeast !== undefined) {
    return { text: `≥ ${atLeast} ${unit}`.trim(), met: values.every((value) => value >= atLeast) }
  }
  if (atMost !== undefined) {
    return { text: `≤ ${atMost} ${unit}`.trim(), met: values.every((value) => value <= atMost) }
  }
  if (growthAtLeast === undefined || growth === undefined) return undefined
  return { text: `growth ≥ ${growthAtLeast}`, met: growth >= growthAtLeast }
}

/** One table for each dimension. */
export const renderTables = (lines: readonly Line[]): string =>
  dimensions
    .map((dimension) => lines.filter(({ by }) => by === dimension))
    .filter((own) => own.length > 0)
    .map(renderTable)
    .join('\n\n')

/** Columns: name, a figure for each size, growth, what is asked. */
const renderTable = (lines: readonly Line[]): string => {
  const sizes = [...new Set(lines.flatMap(({ figures }) => figures.map(({ size }) => size)))].sort(
    (a, b) => a - b,
  )
  const { by } = lines[0]!
  const hasGrowth = sizes.length > 1 && by !== 'runtime'
  const header = [
    '',
    ...sizes.map((size) => (by === 'runtime' ? runtimeNames[size]! : `${size.toLocaleString('en')} ${by}`)),
    ...(hasGrowth ? ['growth'] : []),
    'asked',
  ]
  const body = lines.map(({ name, unit, figures, growth, asked }) => [
    name,
    ...sizes.map((size) => cellOf(figures.find((figure) => figure.size === size)?.value, unit)),
    ...(hasGrowth ? [growth === undefined ? '' : `× ${growth.toFixed(2)}`] : []),
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
