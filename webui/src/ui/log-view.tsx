import { Button, Group, Text } from '@mantine/core'
import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import { plural } from '../lib/format'

interface LogViewProps {
  label: string
  lines: readonly string[]
  /** Lines that were let go from the top. */
  dropped?: number
  /** What to say while there is nothing. */
  empty: string
  height?: string
}

/** Lines of text that follow their end, until the reader scrolls up. Lines are never HTML. */
export function LogView({ label, lines, dropped = 0, empty, height = '60dvh' }: LogViewProps) {
  const box = useRef<HTMLPreElement>(null)
  const [following, setFollowing] = useState(true)
  useLayoutEffect(() => {
    if (following && box.current !== null) box.current.scrollTop = box.current.scrollHeight
  }, [lines, following])
  useEffect(() => {
    const element = box.current
    if (element === null) return
    const scrolled = () => {
      const left = element.scrollHeight - element.scrollTop - element.clientHeight
      setFollowing(left < 24)
    }
    element.addEventListener('scroll', scrolled, { passive: true })
    return () => element.removeEventListener('scroll', scrolled)
  }, [])
  return (
    <div>
      {/* A scrolling region must be reachable by keyboard. */}
      <pre
        ref={box}
        className="log"
        role="log"
        aria-label={label}
        aria-live="off"
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        style={{ maxHeight: height }}
      >
        {lines.length === 0 ? <span className="quiet">{empty}</span> : lines.join('\n')}
      </pre>
      <Group justify="space-between" mt={6} mih={30}>
        <Text size="xs" className="quiet">
          {dropped > 0
            ? `The last ${plural(lines.length, 'line')}; ${plural(dropped, 'older line')} left out`
            : plural(lines.length, 'line')}
        </Text>
        {!following && (
          <Button size="compact-sm" variant="default" onClick={() => setFollowing(true)}>
            Follow the end
          </Button>
        )}
      </Group>
    </div>
  )
}
