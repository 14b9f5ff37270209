/** One column of a table. */
export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => string | number | bigint
  /** Numbers line up on the right. */
  readonly right?: boolean
}

/** Lines of a table whose columns line up: titles, then one line a row, two spaces in between. */
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
