// Opens a session, subscribes, streams, reads, browses and looks at alarms; prints one JSON object.
// Usage: node client.js <endpoint> <protos directory> <tag>...   The key comes in MXGATEWAY_API_KEY.
'use strict';

const path = require('path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const [endpoint, protos, ...tags] = process.argv.slice(2);

function load(file) {
  const options = { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true, includeDirs: [protos] };
  return grpc.loadPackageDefinition(loader.loadSync(path.join(protos, file), options));
}

const { MxAccessGateway } = load('mxaccess_gateway.proto').mxaccess_gateway.v1;
const { GalaxyRepository } = load('galaxy_repository.proto').galaxy_repository.v1;
const gateway = new MxAccessGateway(endpoint, grpc.credentials.createInsecure());
const galaxy = new GalaxyRepository(endpoint, grpc.credentials.createInsecure());

const metadata = new grpc.Metadata();
metadata.set('authorization', `Bearer ${process.env.MXGATEWAY_API_KEY}`);

function call(client, rpc, request) {
  return new Promise((resolve, reject) => {
    client[rpc](request, metadata, (error, reply) => (error ? reject(error) : resolve(reply)));
  });
}

function first(client, rpc, request, enough) {
  return new Promise((resolve, reject) => {
    const messages = [];
    const stream = client[rpc](request, metadata);
    stream.on('data', (message) => {
      messages.push(message);
      if (enough(messages)) stream.cancel();
    });
    stream.on('end', () => resolve(messages));
    stream.on('error', (error) => (error.code === grpc.status.CANCELLED ? resolve(messages) : reject(error)));
  });
}

async function main() {
  const session = await call(gateway, 'OpenSession', { client_session_name: 'interop' });
  const invoke = (kind, payload) =>
    call(gateway, 'Invoke', {
      session_id: session.session_id,
      client_correlation_id: kind,
      command: { kind: `MX_COMMAND_KIND_${kind.toUpperCase()}`, [kind]: payload },
    });
  const { register } = await invoke('register', { client_name: 'interop' });
  const handle = { server_handle: register.server_handle };
  const subscribed = await invoke('subscribe_bulk', { ...handle, tag_addresses: tags });
  const events = await first(
    gateway,
    'StreamEvents',
    { session_id: session.session_id },
    (messages) => messages.length >= tags.length,
  );
  const read = await invoke('read_bulk', { ...handle, tag_addresses: tags, timeout_ms: 5000 });
  const children = await call(galaxy, 'BrowseChildren', {});
  const feed = await first(gateway, 'StreamAlarms', {}, (messages) => messages[messages.length - 1].provider_status);
  const alarms = feed.filter((message) => message.active_alarm).map((message) => message.active_alarm);
  const acknowledged = alarms.length
    ? await call(gateway, 'AcknowledgeAlarm', {
        alarm_full_reference: alarms[0].alarm_full_reference,
        comment: 'seen',
        operator_user: 'interop',
      })
    : null;
  let refused = '';
  await call(gateway, 'Invoke', { session_id: 'session-unknown', command: { kind: 'MX_COMMAND_KIND_PING', ping: {} } })
    .catch((error) => { refused = grpc.status[error.code]; });
  const closed = await call(gateway, 'CloseSession', { session_id: session.session_id });
  console.log(
    JSON.stringify({
      session: session.session_id,
      subscribed: subscribed.subscribe_bulk.results.map((each) => each.was_successful),
      sequences: events.map((event) => event.worker_sequence),
      families: [...new Set(events.map((event) => event.family))],
      read: read.read_bulk.results.map((each) => [each.tag_address, each.was_successful, each.value.kind]),
      children: children.children.map((child) => child.tag_name),
      alarms: alarms.map((alarm) => alarm.alarm_full_reference),
      feed: feed.slice(alarms.length).map((message) => message.payload),
      acknowledged: acknowledged && acknowledged.protocol_status.code,
      refused,
      closed: closed.final_state,
    }),
  );
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
