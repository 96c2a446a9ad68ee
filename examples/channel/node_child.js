// The child of channel_parent: it answers a C++ program.
process.on('message', (message, handle) => {
  if (handle) {
    // A listening socket of the parent's: its connections are served here.
    handle.on('connection', (socket) => {
      socket.end(`served by node, for ${message.name}\n`);
      handle.close();
      process.send({ served: message.name });
    });
    process.send({ listening: true });
    return;
  }
  process.send({ echo: message });
});
