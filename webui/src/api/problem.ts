import { Code, ConnectError } from '@connectrpc/connect'
import { ErrorSchema } from './gen/llmd/v1/jobs_pb'

/** What went wrong, ready to be shown: a sentence and what to do about it. */
export interface Problem {
  /**
   * away: llmd could not be reached, or went away. token: it wants another token. behind: this
   * page was too slow for an event stream. cancelled: we stopped it. refused: llmd said no.
   */
  kind: 'away' | 'token' | 'behind' | 'cancelled' | 'refused'
  /** Stable, for machines: "repository_not_found". */
  code: string
  message: string
  nextStep: string
}

export function toProblem(error: unknown): Problem {
  const failure = ConnectError.from(error)
  const detail = failure.findDetails(ErrorSchema)[0]
  const kind = kindOf(failure)
  if (detail !== undefined && detail.message !== '') {
    const { code, message, nextStep } = detail
    // A refusal that happens to use UNAVAILABLE (the Hub is down) is not llmd being away.
    const refused = kind === 'away' && code !== 'unavailable' && code !== 'shutting_down'
    return { kind: refused ? 'refused' : kind, code, message, nextStep }
  }
  switch (kind) {
    case 'away':
      return away
    case 'token':
      return wantsToken
    default:
      return {
        kind,
        code: codeName(failure.code),
        message:
          failure.rawMessage === '' ? 'llmd refused, and did not say why.' : failure.rawMessage,
        nextStep: '',
      }
  }
}

const away: Problem = {
  kind: 'away',
  code: 'unavailable',
  message: 'llmd does not answer.',
  nextStep: 'It may have been stopped: any llmctl command, such as llmctl list, starts it again.',
}

const wantsToken: Problem = {
  kind: 'token',
  code: 'unauthenticated',
  message: 'llmd did not accept the token of this page.',
  nextStep: 'Run llmctl dashboard and open the address it prints.',
}

function kindOf(failure: ConnectError): Problem['kind'] {
  switch (failure.code) {
    case Code.Canceled:
      return 'cancelled'
    case Code.Unauthenticated:
      return 'token'
    case Code.Unavailable:
      return 'away'
    case Code.ResourceExhausted:
      return 'behind'
    default:
      // fetch's own failures (refused, reset, cut in the middle) are TypeErrors; a stream that
      // ends without trailers is a protocol error, and means the same.
      return failure.cause instanceof TypeError ||
        /missing trailer|premature/.test(failure.rawMessage)
        ? 'away'
        : 'refused'
  }
}

function codeName(code: Code): string {
  return (
    (Code[code] as string | undefined)?.replace(/(?!^)([A-Z])/g, '_$1').toLowerCase() ?? 'unknown'
  )
}
