/** Draws the panels of the dashboard from what Prometheus has found, as a page. */
import type { Panel, Series } from '../../test/harness/prometheus.ts'

/** What one query of a panel has found. */
export interface Found {
  readonly legendFormat: string
  readonly series: readonly Series[]
}

export interface Drawn {
  readonly panel: Panel
  readonly found: readonly Found[]
}

interface Line {
  readonly name: string
  readonly points: readonly (readonly [at: number, value: number])[]
}

const COLUMN = 50
const ROW = 28
const MOST_NAMES = 8
const colours = ['#3274d9', '#e0752d', '#37872d', '#8f3bb8', '#c4162a', '#0f7b8a', '#b8860b', '#5b5f97', '#7a9a01']

/** @param from - seconds since the epoch, like `to` */
export function page(drawn: readonly Drawn[], from: number, to: number): { html: string; height: number } {
  const height = Math.max(...drawn.map(({ panel: { gridPos } }) => gridPos.y + gridPos.h)) * ROW
  const panels = drawn.map(each => panelOf(each, from, to)).join('\n')
  return {
    height,
    html: `<!doctype html><meta charset="utf-8"><style>
body { margin: 0; background: #f4f5f5; font: 12px 'DejaVu Sans', sans-serif; color: #24292e; position: relative }
section { position: absolute; box-sizing: border-box; border: 3px solid #f4f5f5; background: #fff; overflow: hidden }
h2 { font-size: 13px; margin: 6px 10px 0; font-weight: 600 }
p { margin: 40px 0 0; text-align: center; font-size: 64px; color: #3274d9 }
text { font: 10px 'DejaVu Sans', sans-serif; fill: #555 }
ul { list-style: none; margin: 0 10px; padding: 0; line-height: 15px; height: 32px; overflow: hidden; font-size: 10px }
li { display: inline; margin-right: 12px; white-space: nowrap }
</style><body style="width: ${24 * COLUMN}px; height: ${height}px">${panels}</body>`,
  }
}

function panelOf({ panel, found }: Drawn, from: number, to: number): string {
  const { x, y, w, h } = panel.gridPos
  const style = `left: ${x * COLUMN}px; top: ${y * ROW}px; width: ${w * COLUMN}px; height: ${h * ROW}px`
  const lines = found.flatMap(linesOf)
  const { unit } = panel.fieldConfig.defaults
  const body =
    panel.type === 'stat'
      ? `<p>${inUnit(lines[0]?.points.at(-1)?.[1] ?? 0, unit)}</p>`
      : chart(lines, unit, from, to, w * COLUMN, h * ROW - 66) + legend(lines)
  return `<section style="${style}"><h2>${escaped(panel.title)}</h2>${body}</section>`
}

function linesOf({ legendFormat, series }: Found): Line[] {
  return series.map(({ metric, values }) => ({
    name: legendFormat.replaceAll(/{{(\w+)}}/g, (_, label: string) => metric[label] ?? ''),
    points: values.map(([at, value]) => [at, Number(value)] as const).filter(([, value]) => Number.isFinite(value)),
  }))
}

function chart(lines: readonly Line[], unit: string, from: number, to: number, width: number, height: number): string {
  const [left, right, top, bottom] = [64, 14, 8, 18]
  const most = Math.max(...lines.flatMap(({ points }) => points.map(([, value]) => value)), 0)
  const step = stepOf(most || 1)
  const end = Math.max(step, Math.ceil(most / step) * step)
  const across = (at: number): string => (left + ((at - from) / (to - from)) * (width - left - right)).toFixed(1)
  const up = (value: number): string => (top + (1 - value / end) * (height - top - bottom)).toFixed(1)
  const grid: string[] = []
  for (let value = 0; value <= end + step / 2; value += step) {
    grid.push(
      `<line x1="${left}" x2="${width - right}" y1="${up(value)}" y2="${up(value)}" stroke="#e6e6e6"/>`,
      `<text x="${left - 6}" y="${Number(up(value)) + 3}" text-anchor="end">${inUnit(value, unit)}</text>`,
    )
  }
  for (const at of [0, 1 / 3, 2 / 3, 1].map(part => from + part * (to - from))) {
    const time = new Date(at * 1000).toISOString().slice(11, 19)
    grid.push(`<text x="${across(at)}" y="${height - 4}" text-anchor="middle">${at === to ? '' : time}</text>`)
  }
  const drawn = lines.map(({ points }, i) => {
    const path = points.map(([at, value]) => `${across(at)},${up(value)}`).join(' ')
    return `<polyline points="${path}" fill="none" stroke="${colourOf(i)}" stroke-width="1.5"/>`
  })
  return `<svg width="${width - 6}" height="${height}">${grid.join('')}${drawn.join('')}</svg>`
}

function legend(lines: readonly Line[]): string {
  const names = lines.slice(0, MOST_NAMES).map(({ name }, i) => {
    return `<li><span style="color: ${colourOf(i)}">▬</span> ${escaped(name)}</li>`
  })
  const more = lines.length > MOST_NAMES ? `<li>and ${lines.length - MOST_NAMES} more</li>` : ''
  return `<ul>${names.join('')}${more}</ul>`
}

function colourOf(i: number): string {
  return colours[i % colours.length] ?? ''
}

/** 1, 2 or 5 times a power of ten, so that there are three to six lines. */
function stepOf(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most / 3))
  return [1, 2, 5, 10].map(times => times * power).find(step => most / step <= 5) ?? power
}

const endings: Readonly<Record<string, string>> = { cps: '/s', reqps: '/s', Bps: ' B/s', s: ' s', percentunit: ' %' }

function inUnit(value: number, unit: string): string {
  const shown = unit === 'percentunit' ? value * 100 : unit === 's' && value < 1 ? value * 1000 : value
  const ending = unit === 's' && value < 1 && value > 0 ? ' ms' : (endings[unit] ?? '')
  return `${Number(shown.toPrecision(3)).toLocaleString('en-US')}${ending}`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
