import { createTheme, type MantineColorsTuple } from '@mantine/core'

// Cool greys for the dark scheme, from text to the darkest background.
const dark: MantineColorsTuple = [
  '#d3d8de',
  '#b4bbc4',
  '#949da8',
  '#6b747f',
  '#414851',
  '#333941',
  '#272b32',
  '#1c1f24',
  '#14161a',
  '#0d0f12',
]

export const theme = createTheme({
  colors: { dark },
  primaryColor: 'indigo',
  primaryShade: { light: 7, dark: 5 },
  autoContrast: true,
  luminanceThreshold: 0.32,
  defaultRadius: 'md',
  cursorType: 'pointer',
  focusRing: 'auto',
  respectReducedMotion: true,
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Ubuntu, "DejaVu Sans", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  headings: { fontWeight: '650' },
})
