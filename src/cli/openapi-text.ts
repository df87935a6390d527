/** The text of `openapi.yaml`, from the schemas that validate requests. */
export const openapiText = async (): Promise<string> => {
  const [{ stringify }, { describeApi }] = await Promise.all([
    import('yaml'),
    import('../../routes/describe.ts'),
  ])
  return stringify(describeApi(), { aliasDuplicateObjects: false, lineWidth: 110 })
}
