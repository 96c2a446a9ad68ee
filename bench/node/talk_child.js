// The child of a benchmark: what it is sent it sends back; requests are answered with their parameters.
process.on('message', (message) => {
  if (message.method === 'echo') process.send({ jsonrpc: '2.0', id: message.id, result: message.params });
  else process.send(message);
});
