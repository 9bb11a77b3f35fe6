import { Button, Container, Group, Select, Text, Title, VisuallyHidden } from '@mantine/core'
import { useLayoutEffect, useRef } from 'react'
import { serverState, useStore, useWorld } from '../../api'
import { lookOf } from '../../lib/states'
import { Empty } from '../../ui/empty'
import { usePageTitle } from '../../ui/page'
import { StateBadge } from '../../ui/state-badge'
import { goTo } from '../../ui/use-route'
import { useSession } from '../session'
import type { Conversation } from './chats'
import { Composer } from './composer'
import { Message } from './message'
import { ChatSettings } from './settings'
import { favourite, talkers } from './talkers'

/** The playground: one conversation with one model. */
export function ChatPage({ model: wanted }: { model: string | null }) {
  const world = useWorld()
  const { chats } = useSession()
  const heading = usePageTitle('Chat')
  const able = talkers(world)
  const name = wanted ?? chats.lastModel ?? favourite(world)
  return (
    <Container size={820} px={0} className="chat">
      <VisuallyHidden>
        <Title ref={heading} order={1} tabIndex={-1}>
          Chat
        </Title>
      </VisuallyHidden>
      {name === null ? (
        <Empty title="No model to talk to yet" href="#/models" link="Install one">
          Models that chat or complete text appear here once they are installed.
        </Empty>
      ) : (
        <Chat key={name} name={name} choices={able.map((model) => model.name)} />
      )}
    </Container>
  )
}

function Chat({ name, choices }: { name: string; choices: string[] }) {
  const world = useWorld()
  const { chats } = useSession()
  useStore(chats.store)
  const chat = chats.of(name)
  const model = world.models.get(name)
  const state = model === undefined ? '' : serverState(world, model)
  const completes = model?.profile?.capabilities.includes('chat') === false
  useLayoutEffect(() => {
    chats.open(name)
  }, [chats, name])
  const send = () => void chats.send(name, completes)
  return (
    <>
      <Group gap="xs" className="chat-head">
        <Select
          aria-label="Model"
          data={choices.includes(name) ? choices : [name, ...choices]}
          value={name}
          allowDeselect={false}
          onChange={(value) => {
            if (value !== null) goTo({ page: 'chat', model: value })
          }}
          flex="1 1 240px"
          maw={460}
        />
        {model !== undefined && <StateBadge state={state} />}
        <Group gap="xs" ml="auto" wrap="nowrap">
          {chat.turns.length > 0 && (
            <Button variant="default" onClick={() => chats.clear(name)}>
              New
            </Button>
          )}
          <ChatSettings
            settings={chat.settings}
            onChange={(part) => chats.setSettings(name, part)}
          />
        </Group>
      </Group>
      <Turns name={name} chat={chat} state={state} known={model !== undefined} />
      <Composer
        draft={chat.draft}
        busy={chat.status !== 'idle'}
        disabled={model === undefined}
        onDraft={(draft) => chats.setDraft(name, draft)}
        onSend={send}
        onStop={() => chats.stop(name)}
      />
      <Group justify="space-between" mt={4} mih={28}>
        <Text size="xs" className="quiet">
          {completes
            ? 'This model continues text: it sees your last message only.'
            : 'Enter sends, Shift+Enter begins a line, Escape stops.'}
        </Text>
        {chat.status === 'idle' && chat.turns.at(-1)?.role === 'assistant' && (
          <Button
            size="compact-xs"
            variant="subtle"
            onClick={() => void chats.again(name, completes)}
          >
            Answer again
          </Button>
        )}
      </Group>
    </>
  )
}

interface TurnsProps {
  name: string
  chat: Conversation
  state: string
  known: boolean
}

function Turns({ name, chat, state, known }: TurnsProps) {
  const box = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  useLayoutEffect(() => {
    if (atEnd.current) box.current?.scrollTo({ top: box.current.scrollHeight })
  }, [chat.turns])
  const waitingFor =
    state === 'ready'
      ? 'Thinking …'
      : state === 'stopped'
        ? 'Starting the model …'
        : `${lookOf(state).word} …`
  return (
    <div
      ref={box}
      className="messages"
      role="log"
      aria-label={`Conversation with ${name}`}
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls
      tabIndex={0}
      onScroll={(event) => {
        const { scrollHeight, scrollTop, clientHeight } = event.currentTarget
        atEnd.current = scrollHeight - scrollTop - clientHeight < 40
      }}
    >
      {!known && <Text className="quiet">{name} is not installed.</Text>}
      {known && chat.turns.length === 0 && (
        <Text className="quiet" ta="center" mt="20dvh">
          {state === 'ready'
            ? `${name} is ready.`
            : `${name} is not running; your first message starts it.`}
        </Text>
      )}
      {chat.turns.map((turn, index) => (
        <Message
          key={index}
          turn={turn}
          writing={chat.status !== 'idle' && index === chat.turns.length - 1}
          waitingFor={waitingFor}
        />
      ))}
    </div>
  )
}
