/**
 * The page of a node in a tab: shows what the worker's node has, and hands it payments.
 *
 * In: views from the worker. Out: text on the page, never markup, since much of it comes from strangers. Asks nothing
 * of any server but, once, what to join: `#<join string>` in the page's own address, or the node that served it.
 */
import type { Address, Amount, TransactionId } from '../units.ts'
import type { BlockLine, Call, Calls, FromWorker, OwnTransaction, View } from './protocol.ts'

const joinPlace = 'tautline.join'

const element = <Found extends HTMLElement = HTMLElement>(id: string): Found => {
  const found = document.getElementById(id)
  if (!found) throw new Error(`the page has no #${id}`)
  return found as Found
}

const show = (id: string, text: string): void => {
  const place = element(id)
  if (place.textContent !== text) place.textContent = text
}

const create = (tag: string, text = '', className = ''): HTMLElement => {
  const made = document.createElement(tag)
  made.textContent = text
  if (className !== '') made.className = className
  return made
}

// The worker

const worker = new Worker('/peer/worker.js', { type: 'module', name: 'node' })
const waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>()
let asked = 0

const call = <Name extends keyof Calls>(
  name: Name,
  ...args: Parameters<Calls[Name]>
): Promise<ReturnType<Calls[Name]>> =>
  new Promise((resolve, reject) => {
    const id = ++asked
    waiting.set(id, { resolve, reject })
    worker.postMessage({ id, name, args } satisfies Call)
  })

worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
  if (data.kind === 'view') showView(data.view)
  else if (data.kind === 'halted') stop(data.message)
  else {
    const { resolve, reject } = waiting.get(data.id)!
    waiting.delete(data.id)
    if (data.kind === 'answer') resolve(data.value as never)
    else reject(new Error(data.message))
  }
}

worker.onerror = ({ message }) => stop(message || 'the worker with the node could not be loaded')

// What is shown

type State = 'starting' | 'syncing' | 'linked' | 'alone' | 'stopped'

const setState = (state: State, text: string): void => {
  element('state').dataset.state = state
  element('line').dataset.state = state
  show('state', text)
}

const stop = (message: string): void => {
  setState('stopped', 'stopped')
  show('trouble', message)
  element('trouble').hidden = false
}

let view: View | undefined

const showView = (next: View): void => {
  view = next
  const { status, account } = next
  setState(...stateOf(next))
  show('network', status.name)
  show('network-id', status.network)
  show('height', grouped(status.head.height))
  show('peer-count', String(status.peers))
  show('validators', String(status.validators))
  show('address', account.address)
  show('balance', grouped(account.balance))
  showAge()
  showBlocks(next.blocks)
  showPeers(next)
  showOwn(next.own, account.address)
}

const stateOf = ({ status }: View): readonly [State, string] => {
  const { syncing, sync, peers, head } = status
  if (syncing)
    return ['syncing', `catching up, ${grouped((sync?.target ?? head.height) - head.height)} to go`]
  if (peers > 0) return ['linked', 'in step']
  return ['alone', 'alone: showing what is kept here']
}

const showAge = (): void => {
  if (view) show('age', ageOf(view.status.head.time))
}

/** Its key changes when what it shows does: rows are made anew only then, so that what is selected stays. */
const fill = (id: string, key: string, rows: () => readonly HTMLElement[]): void => {
  const place = element(id)
  if (place.dataset.key === key) return
  place.dataset.key = key
  place.replaceChildren(...rows())
}

const showBlocks = (blocks: readonly BlockLine[]): void => {
  if (blocks.length > 0) fill('blocks', blocks[0]!.hash, () => blocks.map(blockRow))
}

const blockRow = ({ height, hash, transactions, proposer, time }: BlockLine): HTMLElement => {
  const row = create('tr')
  const code = create('td')
  code.append(abridged(hash, 6))
  const by = create('td', '', 'wide')
  by.append(abridged(proposer, 9))
  const at = create('td', new Date(time).toTimeString().slice(0, 8), 'number')
  at.title = new Date(time).toLocaleString()
  row.append(create('td', grouped(height)), code, create('td', grouped(transactions), 'number'), by, at)
  return row
}

const showPeers = ({ peers: { peers, dialled } }: View): void => {
  const key = JSON.stringify([
    peers.map(({ id, height }) => [id, height]),
    dialled.map(({ url, failure }) => [url, failure]),
  ])
  fill('peers', key, () => [
    ...peers.map(({ id, url, height }) =>
      peerRow(url ?? id, height === undefined ? 'linked' : `at ${grouped(height)}`, 'in'),
    ),
    ...dialled.map(({ url, failure }) => peerRow(url, failure ?? 'being dialled', 'note')),
    ...(peers.length + dialled.length === 0 ? [create('li', 'none', 'note')] : []),
  ])
}

const peerRow = (name: string, state: string, className: string): HTMLElement => {
  const row = create('li')
  row.append(create('span', name, 'what'), create('span', state, `figure ${className}`))
  return row
}

const showOwn = (own: readonly OwnTransaction[], address: Address): void => {
  element('own-section').hidden = own.length === 0
  fill('own', own.map(({ id }) => id).join(), () => own.map((each) => ownRow(each, address)))
}

const ownRow = ({ id, status, height, transaction }: OwnTransaction, address: Address): HTMLElement => {
  const row = create('li')
  const [operation] = transaction.operations
  const isIn = transaction.from !== address
  const what = create('span', '', 'what')
  const [verb, other] = isIn ? ['from ', transaction.from] : ['to ', 'to' in operation! ? operation.to : '']
  if (operation?.type === 'transfer') what.append(verb, abridged(other, 9))
  else what.append(operation?.type ?? '')
  if (transaction.memo) what.append(` · ${transaction.memo}`)
  const amount = operation && 'amount' in operation ? operation.amount : '0'
  const figure =
    status === 'failed'
      ? create('span', 'failed', 'figure bad')
      : create('span', `${isIn ? '+' : '−'}${grouped(amount)}`, `figure ${isIn ? 'in' : ''}`)
  figure.title = `block ${height}`
  const prove = create('button', 'Prove', 'quiet')
  prove.onclick = () => void showProof(id)
  row.append(what, figure, prove)
  return row
}

/** Its beginning and end, and all of it for who points at it. */
const abridged = (text: string, chars: number): HTMLElement => {
  const code = create('code', text.length > 2 * chars ? `${text.slice(0, chars)}…${text.slice(-4)}` : text)
  code.title = text
  return code
}

const grouped = (digits: string | number): string => String(digits).replace(/\B(?=(\d{3})+$)/g, '\u202f')

const ageOf = (time: number): string => {
  const seconds = Math.max(0, Math.round((Date.now() - time) / 1_000))
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`
  return `${Math.floor(seconds / 86_400)} d ago`
}

setInterval(showAge, 1_000)

// What is done

const sendForm = element<HTMLFormElement>('send')
sendForm.onsubmit = async (event) => {
  event.preventDefault()
  const fields = new FormData(sendForm)
  const memo = String(fields.get('memo')).trim()
  const button = sendForm.querySelector('button')!
  button.disabled = true
  try {
    tell('', 'signing')
    const sent = await call('send', {
      to: String(fields.get('to')).trim() as Address,
      amount: String(fields.get('amount')).trim() as Amount,
      ...(memo === '' ? {} : { memo }),
    })
    tell('', 'signed, and told to the others: waiting for its block')
    const final = sent.status === 'pending' ? await call('wait', sent.id) : sent
    if (final.status === 'committed') {
      tell('good', `final in block ${grouped(final.height)}`)
      sendForm.reset()
    } else if (final.status === 'failed') tell('bad', final.reason?.detail ?? 'it failed, and paid its fee')
    else tell('', 'no block has it yet: it stays with this tab and its peers until it does')
  } catch (error) {
    tell('bad', messageOf(error))
  } finally {
    button.disabled = false
  }
}

const tell = (outcome: 'good' | 'bad' | '', text: string): void => {
  element('sent').dataset.outcome = outcome
  show('sent', text)
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

element('copy').onclick = async () => {
  if (!view) return
  await navigator.clipboard.writeText(view.account.address)
  show('copy', 'Copied')
  setTimeout(() => show('copy', 'Copy'), 1_500)
}

element('prove').onclick = () => {
  if (view) void showProof(view.account.address)
}

const showProof = async (of: Address | TransactionId): Promise<void> => {
  const text = await call('prove', of).catch((error: unknown) => messageOf(error))
  if (text === undefined) return
  element<HTMLTextAreaElement>('proof-text').value = text
  show('proof-network', view!.status.network)
  const save = element<HTMLAnchorElement>('proof-save')
  if (save.href !== '') URL.revokeObjectURL(save.href)
  save.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
  element<HTMLDialogElement>('proof').showModal()
}

// Coming into the network

class PrivateNetwork extends Error {}

/** By the address of the page, by the node that served it, or as the time before. */
const findJoin = async (readToken: string | undefined): Promise<string> => {
  const given = decodeURIComponent(location.hash.slice(1))
  if (given !== '') return given
  const kept = localStorage.getItem(joinPlace)
  try {
    const headers: Record<string, string> =
      readToken === undefined ? {} : { authorization: `Bearer ${readToken}` }
    const answer = await fetch('/v1/status', { headers })
    if (answer.status === 401) throw new PrivateNetwork()
    const { join } = (await answer.json()) as View['status']
    return `${location.origin}${join.slice(join.indexOf('#'))}`
  } catch (error) {
    if (error instanceof PrivateNetwork || kept === null) throw error
    return kept
  }
}

const start = async (readToken?: string): Promise<void> => {
  try {
    const join = await findJoin(readToken)
    await call('start', { join, ...(readToken === undefined ? {} : { readToken }) })
    localStorage.setItem(joinPlace, join)
  } catch (error) {
    if (error instanceof PrivateNetwork) element('token').hidden = false
    else stop(messageOf(error))
  }
}

const tokenForm = element<HTMLFormElement>('token')
tokenForm.onsubmit = (event) => {
  event.preventDefault()
  tokenForm.hidden = true
  void start(String(new FormData(tokenForm).get('token')))
}

await navigator.serviceWorker
  ?.register('/peer/offline.js', { scope: '/peer', type: 'module' })
  .catch(() => undefined)
void navigator.storage?.persist?.() // workers may not ask
await start()
