/** One column of a table. */
export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => string | number | bigint
  /** Aligned on the right, for numbers. */
  readonly right?: boolean
}

/** The lines of a table with aligned columns: the titles, then one line per row. */
export function tableLines<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string[] {
  const cells = [columns.map(c => c.title), ...rows.map(row => columns.map(c => String(c.cell(row))))]
  const widths = columns.map((_, i) => Math.max(...cells.map(line => line[i]?.length ?? 0)))
  return cells.map(line =>
    line
      .map((cell, i) => (columns[i]?.right === true ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}
