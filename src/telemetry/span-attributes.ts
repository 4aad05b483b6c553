/** As the conventions of OpenTelemetry for messaging name them. */
export function attributesOf(type: 'send' | 'receive' | 'process', namespace: string, workSpec: string): Record<string, string> {
  return {
    'messaging.system': 'pg-coordinate',
    'messaging.operation.type': type,
    'messaging.operation.name': { send: 'add', receive: 'claim', process: 'handle' }[type],
    'coordinate.namespace': namespace,
    ...(workSpec !== '' && { 'messaging.destination.name': workSpec }),
  };
}
