/** Values for `openapi.yaml`. The transaction is truly signed, with the Ed25519 seed of 32 bytes 0x01. */

export const network = 'a3'.repeat(32)
export const hash = '5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef'
export const address = 'taut132yw8ht5p8cetl2jmvknewjawt9xwzdlrk2pyxlnwjyqrdq0dawqtj6djw'
export const otherAddress = 'taut1syuhwr4g05t4744r23nvxnr7en9cmz53knhr0gja7c84hr7fkw2qh6hq5c'
export const signature =
  '04f7ac72fb3d39f43b1210c2529fb58632464a566f4e6df32c4b2fcd74c76f32d36826d2633e5c37eeb7307567893bcb0fd214057cba0eb898ccb3f5a869d300'
export const timeMs = 1_795_390_000_000

export const operations = [{ type: 'transfer', to: otherAddress, amount: '250' }]

export const transaction = {
  network,
  from: address,
  nonce: 0,
  validUntil: 1_795_400_000,
  fee: '1',
  memo: 'for lunch',
  operations,
  signatures: [{ key: address, signature }],
}
export const transactionId = 'd6e8d11159cf38ae44eab5909770e3880151ab6db52c6dd314680a1acf0f58f6'

export const pending = { id: transactionId, status: 'pending' }
export const final = { id: transactionId, status: 'committed', height: 7, index: 0 }
