import { ActionIcon, Textarea, Tooltip } from '@mantine/core'
import type { KeyboardEvent } from 'react'
import { SendIcon, StopIcon } from '../../ui/icons'

interface ComposerProps {
  draft: string
  busy: boolean
  disabled: boolean
  onDraft: (draft: string) => void
  onSend: () => void
  onStop: () => void
}

/** Where one writes. Enter sends, Shift+Enter begins a line, Escape stops an answer. */
export function Composer({ draft, busy, disabled, onDraft, onSend, onStop }: ComposerProps) {
  const pressed = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && busy) onStop()
    // An input method uses Enter to choose a word.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    if (!busy) onSend()
  }
  return (
    <div className="composer">
      <Textarea
        aria-label="Message"
        placeholder="Ask something"
        description={null}
        variant="unstyled"
        autosize
        minRows={1}
        maxRows={8}
        flex={1}
        px="xs"
        value={draft}
        disabled={disabled}
        onChange={(event) => onDraft(event.currentTarget.value)}
        onKeyDown={pressed}
      />
      {busy ? (
        <Tooltip label="Stop (Escape)">
          <ActionIcon size={36} radius="md" variant="filled" aria-label="Stop" onClick={onStop}>
            <StopIcon />
          </ActionIcon>
        </Tooltip>
      ) : (
        <Tooltip label="Send (Enter)">
          <ActionIcon
            size={36}
            radius="md"
            variant="filled"
            aria-label="Send"
            disabled={disabled || draft.trim() === ''}
            onClick={onSend}
          >
            <SendIcon />
          </ActionIcon>
        </Tooltip>
      )}
    </div>
  )
}
