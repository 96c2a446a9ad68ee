// A Node program whose child is a C++ one. Usage: node node_parent.js <path of channel_child>
const { spawn } = require('child_process');
const net = require('net');

const child = spawn(process.argv[2], [], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
child.on('exit', (code) => console.log('the child has ended with', code));
child.on('message', (message) => {
  console.log('the child says', JSON.stringify(message));
  // A connection that is accepted here is served there.
  const server = net.createServer({ pauseOnConnect: true }, (socket) => {
    child.send('yours', socket);
    server.close(() => child.disconnect());
  });
  server.listen(0, '127.0.0.1', () => {
    net.connect(server.address().port, '127.0.0.1')
      .on('data', (data) => process.stdout.write(`the client got: ${data}`));
  });
});
child.send({ text: 'ping', list: [1, 2, 3] });
