import { type Connection, useConnection } from '../../api'

const looks: Record<Connection['status'], { word: string; tone: string }> = {
  connecting: { word: 'Connecting', tone: 'busy' },
  live: { word: 'Connected', tone: 'good' },
  away: { word: 'llmd is away', tone: 'bad' },
  token: { word: 'No access', tone: 'bad' },
  paused: { word: 'Paused', tone: 'idle' },
}

export function ConnectionState() {
  const { word, tone } = looks[useConnection().status]
  return (
    <span role="status" className="state" data-tone={tone}>
      {word}
    </span>
  )
}
